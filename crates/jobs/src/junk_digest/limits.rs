//! Bounds of the daily summaries, each with its reason.

use std::time::Duration;

/// How often it is looked whose morning it is.
pub const PERIOD: Duration = Duration::from_secs(900);

/// Messages that one summary lists: more nobody reads.
pub const LINES_MAX: usize = 50;

/// Letters of a name, a subject or a reason that are shown.
pub const SHOWN_CHARS_MAX: usize = 100;

/// Bytes of a message in which its header is looked for.
pub const HEADER_BYTES_MAX: u64 = 64 * 1024;

/// Accounts that are looked at together.
pub const ACCOUNTS_AT_ONCE: usize = 100;
