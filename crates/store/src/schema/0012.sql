-- Version 12. What is known of senders: whom each account writes to and hears from, and what the server has seen of
-- addresses, networks and domains.

-- One row per account and address, folded and without its +detail. `network` is where its mail came from, empty once there were several. `provisional` is not 0 while an address is known only from
-- a message that somebody filed in Sent: until then it does not count as written to where the amount of new recipients is limited.
CREATE TABLE correspondent (
  account BIGINT NOT NULL,
  address TEXT NOT NULL,
  domain TEXT NOT NULL,
  sent BIGINT NOT NULL,
  first_sent BIGINT,
  last_sent BIGINT,
  provisional BIGINT NOT NULL,
  received BIGINT NOT NULL,
  confirmed BIGINT NOT NULL,
  junked BIGINT NOT NULL,
  first_received BIGINT,
  last_received BIGINT,
  network TEXT,
  PRIMARY KEY (account, address)
) WITHOUT ROWID;

CREATE INDEX correspondent_domain ON correspondent (account, domain) WHERE sent > 0;

CREATE INDEX correspondent_provisional ON correspondent (provisional) WHERE provisional > 0;

-- Message-IDs of what an account sent, as hashes: whoever answers one is answered to.
CREATE TABLE sent_id (
  account BIGINT NOT NULL,
  hash BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  PRIMARY KEY (account, hash)
) WITHOUT ROWID;

CREATE INDEX sent_id_sent ON sent_id (sent);

-- How far the mailboxes for sent mail have been read. What they held when they were first seen, up to `trusted_uid`, is
-- believed at once.
CREATE TABLE correspondent_seed (
  account BIGINT NOT NULL,
  mailbox BIGINT NOT NULL,
  uid_validity BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  trusted_uid BIGINT NOT NULL,
  PRIMARY KEY (account, mailbox)
) WITHOUT ROWID;

-- What came from an address, a network or an authenticated domain: hundredths of messages, fading, as of `at`.
CREATE TABLE reputation (
  kind BIGINT NOT NULL,
  name TEXT NOT NULL,
  wanted BIGINT NOT NULL,
  junk BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;

CREATE INDEX reputation_at ON reputation (at);

-- What accounts taught of the same.
CREATE TABLE reputation_voice (
  kind BIGINT NOT NULL,
  name TEXT NOT NULL,
  account BIGINT NOT NULL,
  wanted BIGINT NOT NULL,
  junk BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (kind, name, account)
) WITHOUT ROWID;

CREATE INDEX reputation_voice_at ON reputation_voice (at);

-- What the operator wishes of a list in the DNS that mail is looked up in. `list` describes one that is not built in.
CREATE TABLE blocklist (
  zone TEXT NOT NULL PRIMARY KEY,
  is_on BIGINT NOT NULL,
  list TEXT,
  changed BIGINT NOT NULL
) WITHOUT ROWID;
