-- Version 6. Certificates that are fetched from an authority (ACME, RFC 8555).

-- Who we are to an authority, named by the address of its directory. Sealed.
CREATE TABLE acme_account (
  directory TEXT NOT NULL PRIMARY KEY,
  credentials BLOB NOT NULL,
  created BIGINT NOT NULL
) WITHOUT ROWID;

-- What an authority that looks here must find, while an order is under way.
CREATE TABLE acme_challenge (
  kind BIGINT NOT NULL,
  name TEXT NOT NULL,
  token TEXT NOT NULL,
  answer TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (kind, name, token)
) WITHOUT ROWID;

-- A certificate by the first of its names. `private_key` is sealed; the next key is kept from when it is made until a
-- certificate holds it, so that its TLSA record can be published before. Without a chain it is still to be fetched.
CREATE TABLE certificate (
  name TEXT NOT NULL PRIMARY KEY,
  names TEXT NOT NULL,
  directory TEXT NOT NULL,
  chain TEXT,
  private_key BLOB,
  not_before BIGINT,
  not_after BIGINT,
  next_key BLOB,
  next_since BIGINT,
  tried BIGINT,
  failures BIGINT NOT NULL,
  problem TEXT
) WITHOUT ROWID;
