-- Version 16. Users are told of log-ins from networks that are new to them; links of what accounts send are looked up.

-- Log-ins from a neighbourhood (/16, /32) that the account was never seen in, of which its user was not told yet.
CREATE TABLE sign_in_news (
  account BIGINT NOT NULL,
  neighbourhood TEXT NOT NULL,
  at BIGINT NOT NULL,
  protocol BIGINT NOT NULL,
  credential TEXT NOT NULL,
  peer TEXT NOT NULL,
  client TEXT NOT NULL,
  PRIMARY KEY (account, neighbourhood)
) WITHOUT ROWID;

-- Who wants to be told: 1 yes, 2 no, 0 as the server does, which is account 0. `told` is when the newest message about it was
-- written, `told_before` when the one before it was.
CREATE TABLE sign_in_notice (
  account BIGINT NOT NULL PRIMARY KEY,
  choice BIGINT NOT NULL,
  told BIGINT NOT NULL,
  told_before BIGINT NOT NULL
) WITHOUT ROWID;

-- Messages with a link that a block list has.
ALTER TABLE sending_slot ADD COLUMN listed BIGINT NOT NULL DEFAULT 0;

-- Recipients whose servers took a message.
ALTER TABLE sending_slot ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;

-- No door ever took such a code.
ALTER TABLE sending_account DROP COLUMN code
