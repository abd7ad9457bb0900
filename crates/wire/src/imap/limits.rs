//! Bounds of the IMAP conversation, each with its reason.

use std::time::Duration;

/// Text of one command without its literals. RFC 7162 §4 asks for 8,192; clients that fetch
/// scattered messages send long sets, and 64 KB is what other servers take.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// A literal that is not a message: names, passwords, search strings. Nothing real is longer.
pub const STRING_LITERAL_BYTES_MAX: usize = 64 * 1024;

/// Before login a peer is a stranger: enough for any name, password or SASL answer.
pub const STRANGER_BYTES_MAX: usize = 12 * 1024;

/// Literals in one command. Each costs the client a round trip or a line.
pub const LITERALS_MAX: usize = 512;

/// Room taken for a literal before its bytes arrive; from there it grows with what really comes.
pub const LITERAL_RESERVE_BYTES: usize = 64 * 1024;

/// Literals of one command that nobody asks for: names and short messages. Beyond it the caller,
/// who knows of all connections, is asked for room.
pub const LITERALS_FREE_BYTES: usize = 64 * 1024;

/// The messages of one MULTIAPPEND together may be this many times the largest single message.
pub const MULTIAPPEND_FACTOR: usize = 2;

/// Deepest nesting of a search program: what no person writes, and safe for any stack.
pub const SEARCH_DEPTH_MAX: usize = 32;

/// Keys in one search program, so that a message is tested against a bounded list.
pub const SEARCH_KEYS_MAX: usize = 1_000;

/// A key that reads the text of messages counts as so many: it costs that much more and worse.
pub const SEARCH_TEXT_KEY_COST: usize = 16;

/// Patterns of one LIST, each of which is held against every name.
pub const PATTERNS_MAX: usize = 32;

/// Ranges in one sequence set; the line's length bounds it anyway.
pub const RANGES_MAX: usize = 16_384;

/// Items of one parenthesised list: fetch items, status items, header names, patterns.
pub const LIST_ITEMS_MAX: usize = 256;

/// Keywords in one command (STORE, APPEND).
pub const FLAGS_MAX: usize = 64;

/// Longest keyword: they are stored once for each mailbox and repeated in each answer.
pub const KEYWORD_BYTES_MAX: usize = 64;

/// Field-value pairs of ID (RFC 2971 §3.3 sets 30).
pub const ID_PAIRS_MAX: usize = 30;

/// Longest tag; it comes back in each answer.
pub const TAG_BYTES_MAX: usize = 128;

/// Longest mailbox name in bytes as sent.
pub const MAILBOX_BYTES_MAX: usize = 1_000;

/// Commands that cannot be read, in a row, before a logged-in peer is shown the door.
pub const BAD_COMMANDS_MAX: u32 = 50;

/// The same before login: what speaks HTTP or SMTP to us is told soon.
pub const BAD_COMMANDS_STRANGER_MAX: u32 = 5;

/// Failed logins on one connection (RFC 9051 §11.6).
pub const LOGIN_FAILURES_MAX: u32 = 3;

/// Silence before login.
pub const LOGIN_PATIENCE: Duration = Duration::from_secs(60);

/// Silence of a logged-in client: at least 30 minutes (RFC 9051 §5.4).
pub const IDLE_PATIENCE: Duration = Duration::from_secs(31 * 60);

/// A command whose rest (a literal) does not come.
pub const LITERAL_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Of what a client calls itself (ID): names and versions are far shorter.
pub const CLIENT_CHARS_MAX: usize = 80;
