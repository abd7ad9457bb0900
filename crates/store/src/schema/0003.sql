-- Version 3. Transport security of others: policies, requirements, what was learnt.

-- MTA-STS policies of destinations, as fetched. `refresh` is when to look for a new one, `used` when
-- mail last asked for it (noted once a day).
CREATE TABLE sts_policy (
  domain TEXT NOT NULL PRIMARY KEY,
  record_id TEXT NOT NULL,
  policy TEXT NOT NULL,
  fetched BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  refresh BIGINT NOT NULL,
  used BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX sts_policy_refresh ON sts_policy (refresh);

-- What the operator demands: a domain, `*.` and a domain for all below it, or `*` for all. `mx` holds
-- the patterns that its mail hosts must match, with spaces between them; empty for none.
CREATE TABLE tls_requirement (
  domain TEXT NOT NULL PRIMARY KEY,
  level BIGINT NOT NULL,
  mx TEXT NOT NULL,
  created BIGINT NOT NULL
) WITHOUT ROWID;

-- Under which name the hosts of a destination had a valid certificate, each time, since when and when last.
CREATE TABLE tls_learnt (
  domain TEXT NOT NULL,
  site TEXT NOT NULL,
  since BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (domain, site)
) WITHOUT ROWID;

CREATE INDEX tls_learnt_last ON tls_learnt (last);

-- Choices of the operator that are not of a domain.
CREATE TABLE transport_choice (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
) WITHOUT ROWID;

-- RFC 8689: 0 for nothing said, 1 for REQUIRETLS, 2 for TLS-Required: No.
ALTER TABLE queue_message ADD COLUMN tls_wish BIGINT NOT NULL DEFAULT 0;
