//! Bounds of mail in and out, each with its reason.

use std::time::Duration;

/// Largest message by default: what Gmail and Outlook take and send, with their base64 overhead.
pub const MESSAGE_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Recipients of one message. RFC 5321 §4.5.3.1.8 wants at least 100.
pub const RECIPIENTS_MAX: usize = 1_000;

/// SMTP connections at once: each costs some 10 KB when idle, far more while a body comes in.
pub const CONNECTIONS_MAX: usize = 2_000;

/// SMTP connections at once from one address: what big senders open to one MX, with room.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 50;

/// RFC 5321 §4.5.4.1: the give-up time is at least four to five days.
pub const QUEUE_LIFETIME: Duration = Duration::from_secs(5 * 86_400);
