//! Bounds on what others hand us, with their reasons.

/// Longest reply text that is matched. RFC 5321 4.5.3.1.5 allows 512 octets a line; providers send ten lines at most.
pub const REPLY_MAX: usize = 8 * 1024;

/// Compiled size of all expressions together. The built-in file needs a good part of it.
pub const EXPRESSIONS_MAX: usize = 256 * 1024 * 1024;

/// Cache of the matcher; smaller ones make it slow, not wrong.
pub const CACHE_MAX: usize = 16 * 1024 * 1024;

/// Recipients read from one bounce message: a report about more is no report about ours.
pub const RECIPIENTS_MAX: usize = 1000;

/// Text of a bounce notice that is read, in bytes.
pub const NOTICE_MAX: usize = 64 * 1024;

/// What is taken of the notice after a reply code: a reply, not the rest of the letter.
pub const REASON_MAX: usize = 900;

/// What is taken of a notice without a reply code: some servers explain themselves at length.
pub const UNCODED_MAX: usize = 4 * 1024;
