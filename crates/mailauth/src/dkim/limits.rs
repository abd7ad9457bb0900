//! Bounds of this folder, each with its reason.

/// Header fields considered. A message with more is not from a person's mail program,
/// and the `h=` tag would outgrow what verifiers accept.
pub const HEADER_FIELDS_MAX: usize = 1_000;

/// RSA keys that we make and that count. RFC 8301 §3.2 asks for at least 1024 bits; a larger key than
/// 2048 does not fit one DNS string and costs the receiver more.
pub const RSA_BITS_MIN: usize = 1_024;

/// RSA keys that we verify with. RFC 8301 §3.2 asks for up to 4096 bits; twice as much is what the
/// crypto library takes, and its cost is still bearable.
pub const RSA_BITS_MAX: usize = 8_192;

/// Columns of the folded `b=` tag, within the 78 that RFC 5322 §2.1.1 recommends.
pub const FOLD_COLUMNS: usize = 72;

/// Bytes of canonical body handed to the hash at once: large enough to keep it busy, small enough
/// for the first-level cache.
pub const HASH_CHUNK: usize = 4_096;

/// Bytes of canonical body that go to the hash without being copied first; below it the copy costs less
/// than the call.
pub const HASH_AT_ONCE: usize = 1_024;

/// Signatures of one message that are looked at, from the top. Real mail has up to six; each costs a
/// DNS question and a signature check. RFC 6376 §6.1 allows a bound.
pub const SIGNATURES_MAX: usize = 10;

/// Bytes of one signature field. The longest real ones, with 4096-bit keys and everything signed
/// twice, have three thousand.
pub const SIGNATURE_BYTES_MAX: usize = 16 * 1_024;

/// Tags in one list. RFC 6376 and its kin know about fifteen.
pub const TAGS_MAX: usize = 64;

/// Names in `h=`.
pub const SIGNED_NAMES_MAX: usize = 500;

/// Names in `h=` times fields of the header, since each name is a walk through all of them. Real mail stays
/// below ten thousand; without a bound a message of sixty signatures and seals could keep a processor busy
/// for a tenth of a second.
pub const FIELDS_WALKED_MAX: usize = 50_000;

/// Key records of one name that are tried. There should be one (RFC 6376 §3.6.2.2); two stand there
/// while somebody changes keys clumsily.
pub const KEY_RECORDS_MAX: usize = 3;

/// Bytes of a key record: an RSA key of 8192 bits has 1,400 in base64.
pub const KEY_RECORD_BYTES_MAX: usize = 4_096;

/// Seconds that a signature may be younger than our clock: clocks of senders go wrong by minutes, and
/// rarely by hours. RFC 6376 §3.5 allows to refuse signatures of the future.
pub const FUTURE_SECS_MAX: u64 = 24 * 3_600;

/// Characters of `b=` that tell signatures apart. RFC 6008 asks for at least eight.
pub const SIGNATURE_START_CHARS: usize = 8;

/// Key records that are kept ready, so that a key is not read for every message: of 4 kB at most, and
/// of 400 bytes as a rule.
pub const KEYS_KNOWN_MAX: usize = 512;
