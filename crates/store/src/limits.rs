//! Bounds of the store, each with its reason.

/// Keywords an account may have: rows name them by a small number, and a client that invents a
/// keyword for each message must stop somewhere.
pub const KEYWORDS_MAX: usize = 1_000;

/// Longest keyword, in bytes: what other servers allow.
pub const KEYWORD_BYTES_MAX: usize = 255;

/// Longest mailbox name, in bytes of UTF-8, over all levels.
pub const MAILBOX_NAME_BYTES_MAX: usize = 1_000;

/// Deepest mailbox: far beyond what a person can find again.
pub const MAILBOX_LEVELS_MAX: usize = 30;

/// Mailboxes of an account: a LIST of all must stay cheap.
pub const MAILBOXES_MAX: i64 = 10_000;

/// Most placements one call of [`crate::View::placements`] returns: some 100 KB.
pub const PLACEMENTS_PER_READ: usize = 2_000;

/// Most messages with envelope and structure in one piece: some 500 KB.
pub const MESSAGES_PER_READ: usize = 500;

/// Messages a bulk change touches in one transaction, so that deliveries wait no more than a few
/// milliseconds for it.
pub const MESSAGES_PER_PIECE: usize = 1_000;
