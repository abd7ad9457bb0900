//! Bounds of this folder, each with its reason.

/// Questions of one tree walk (RFC 9989 §4.10): a longer name jumps to its last labels.
pub const WALK_QUERIES_MAX: usize = 8;

/// Bytes of a record that are read. Real ones have less than 500; DNS could carry 64 KB.
pub const RECORD_BYTES_MAX: usize = 8_192;

/// Tags of a record that are read; eleven are defined.
pub const TAGS_MAX: usize = 64;

/// Report addresses of one record that are kept: each costs whoever reports a look-up and a message
/// a day. RFC 7489 §6.2 let receivers stop at two; large senders list three or four.
pub const REPORT_URIS_MAX: usize = 10;

/// Addresses in From that are looked at. One is usual; all must have the same domain.
pub const AUTHORS_MAX: usize = 100;

/// Authenticated domains compared with the author's: as many as signatures are verified.
pub const IDENTIFIERS_MAX: usize = 32;

/// Domains in From whose policies are looked up where there are several: more are named by nobody who means well.
pub const SEVERAL_AUTHORS_MAX: usize = 4;
