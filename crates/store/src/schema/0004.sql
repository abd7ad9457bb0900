-- Version 4. What is done with what comes in: policies, trust, forwarding.

-- What a local domain wants done with mail that fails DMARC. No row: the built-in choice.
CREATE TABLE domain_policy (
  domain TEXT NOT NULL PRIMARY KEY,
  dmarc BIGINT NOT NULL,
  changed BIGINT NOT NULL
) WITHOUT ROWID;

-- Whose word is taken for mail they passed on: ARC sealers and mailing lists. A row may also say that a
-- built-in one is not trusted here.
CREATE TABLE trust (
  kind BIGINT NOT NULL,
  domain TEXT NOT NULL,
  trusted BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  PRIMARY KEY (kind, domain)
) WITHOUT ROWID;

-- Ways of aliases to addresses of other servers. An empty local part is the catch-all, as in alias.
CREATE TABLE forward (
  domain TEXT NOT NULL,
  local TEXT NOT NULL,
  target TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (domain, local, target)
) WITHOUT ROWID;

-- What SRS addresses are made with. Sealed with the key file.
CREATE TABLE srs_secret (
  created BIGINT NOT NULL PRIMARY KEY,
  secret BLOB NOT NULL
) WITHOUT ROWID;

-- Senders whose own address is too long to stand within an SRS address.
CREATE TABLE srs_sender (
  token TEXT NOT NULL PRIMARY KEY,
  address TEXT NOT NULL,
  used BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX srs_sender_used ON srs_sender (used);

-- Since when mail of a sender in the name of a domain is put off because the DNS does not say whether it
-- is genuine.
CREATE TABLE dns_deferral (
  sender TEXT NOT NULL,
  author TEXT NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (sender, author)
) WITHOUT ROWID;

CREATE INDEX dns_deferral_last ON dns_deferral (last);

-- 1 for what is forwarded for others: nobody of ours wrote it, so it is never signed as if one had.
ALTER TABLE queue_message ADD COLUMN forwarded BIGINT NOT NULL DEFAULT 0;
