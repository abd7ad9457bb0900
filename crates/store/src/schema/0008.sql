-- Version 8. Where zones can be changed by us (RFC 2136).

-- By the zone's name. `at` is a host or an address with a port. The secret of the key (TSIG) is sealed; without a key
-- it is empty, and the server goes by our address.
CREATE TABLE dns_server (
  zone TEXT NOT NULL PRIMARY KEY,
  at TEXT NOT NULL,
  key_name TEXT,
  algorithm TEXT,
  secret BLOB NOT NULL,
  created BIGINT NOT NULL
) WITHOUT ROWID;
