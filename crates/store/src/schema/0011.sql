-- Version 11. The door: who is shut out and for how long, who never is, where people log in from, and senders that
-- look doubtful and were asked to come again.

-- One row per network that was shut out. It stays for some time after its end: the next ban of the same network is
-- longer. `until` 0: lifted by hand. `scope` 1: all doors, 2: mail from the world alone.
CREATE TABLE ban (
  network TEXT NOT NULL PRIMARY KEY,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  level BIGINT NOT NULL,
  scope BIGINT NOT NULL,
  cause TEXT NOT NULL,
  words TEXT NOT NULL,
  changed BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX ban_changed ON ban (changed);

-- The operator's word on networks that are never banned by themselves; `allowed` 0 takes back one that is built in.
CREATE TABLE ban_allowance (
  network TEXT NOT NULL PRIMARY KEY,
  allowed BIGINT NOT NULL,
  words TEXT NOT NULL,
  changed BIGINT NOT NULL
) WITHOUT ROWID;

-- Networks that somebody logged in from, and when last.
CREATE TABLE home_network (
  network TEXT NOT NULL PRIMARY KEY,
  last BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX home_network_last ON home_network (last);

-- Doubtful senders that were asked to come again. `origin` is the network that their servers share.
CREATE TABLE greylist (
  origin TEXT NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  PRIMARY KEY (sender, recipient, origin)
) WITHOUT ROWID;

CREATE INDEX greylist_last ON greylist (last);

-- Those that did come again, and those whose mail was taken: their networks are known.
CREATE TABLE known_peer (
  network TEXT NOT NULL PRIMARY KEY,
  since BIGINT NOT NULL,
  last BIGINT NOT NULL,
  messages BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX known_peer_last ON known_peer (last);

-- Whether doubtful senders are asked to come again: for a local domain, or (empty) for all that say nothing.
CREATE TABLE greylist_choice (
  domain TEXT NOT NULL PRIMARY KEY,
  greylist BIGINT NOT NULL,
  changed BIGINT NOT NULL
) WITHOUT ROWID;
