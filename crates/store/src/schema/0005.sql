-- Version 5. What is done by the clock, and rotation of signing keys.

-- A row per job. `done` is when the last run that succeeded began, `tried` the last one at all.
-- `lease` is until when its holder has it; several nodes share this table.
CREATE TABLE job (
  name TEXT NOT NULL PRIMARY KEY,
  runs BIGINT NOT NULL,
  done BIGINT,
  tried BIGINT,
  failures BIGINT NOT NULL,
  problem TEXT,
  holder TEXT NOT NULL,
  lease BIGINT NOT NULL
) WITHOUT ROWID;

-- Steps of a key's life, each when it happened: its record was seen in the DNS, it began to sign, it last
-- signed (noted once a day), it stopped.
ALTER TABLE dkim_key ADD COLUMN seen BIGINT;
ALTER TABLE dkim_key ADD COLUMN active BIGINT;
ALTER TABLE dkim_key ADD COLUMN used BIGINT;
ALTER TABLE dkim_key ADD COLUMN stopped BIGINT;

-- What the last look at its record found (0: not looked yet), since when it is so, when that was, and when the
-- operator was last reminded.
ALTER TABLE dkim_key ADD COLUMN record BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dkim_key ADD COLUMN record_since BIGINT;
ALTER TABLE dkim_key ADD COLUMN looked BIGINT;
ALTER TABLE dkim_key ADD COLUMN reminded BIGINT;

-- How often a domain's keys are changed, in days; 0 is never. The empty name is for all that have no row.
CREATE TABLE dkim_schedule (
  domain TEXT NOT NULL PRIMARY KEY,
  days BIGINT NOT NULL
) WITHOUT ROWID;

-- What we ask of those who send to a domain of ours over TLS, where it is not the default. RFC 8461.
CREATE TABLE mta_sts_own (
  domain TEXT NOT NULL PRIMARY KEY,
  mode BIGINT NOT NULL,
  changed BIGINT NOT NULL
) WITHOUT ROWID;

-- What our own domains' DMARC records were last seen to ask of others, and when that changed.
CREATE TABLE own_dmarc (
  domain TEXT NOT NULL PRIMARY KEY,
  policy TEXT NOT NULL,
  changed BIGINT,
  looked BIGINT NOT NULL
) WITHOUT ROWID;
