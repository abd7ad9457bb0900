//! Bounds of this folder, each with its reason.

/// Header fields considered for signing. A message with more is not from a person's mail program,
/// and the `h=` tag would outgrow what verifiers accept.
pub const HEADER_FIELDS_MAX: usize = 1_000;

/// RSA keys we make. RFC 8301 §3.2 asks for at least 1024 and recommends 2048 bits; a larger key
/// does not fit one DNS string and costs the receiver more.
pub const RSA_BITS_MIN: usize = 1_024;

/// Columns of the folded `b=` tag, within the 78 that RFC 5322 §2.1.1 recommends.
pub const FOLD_COLUMNS: usize = 72;

/// Bytes of canonical body handed to the hash at once: large enough to keep it busy, small enough
/// for the first-level cache.
pub const HASH_CHUNK: usize = 4_096;
