//! Bounds of the reading sessions, each with its reason.

use std::time::Duration;

/// Output is handed to the stream in pieces of about this size: large enough to fill a TLS record
/// several times, small enough that a slow reader holds little memory.
pub const FLUSH_BYTES: usize = 128 * 1024;

/// Rows that one snapshot read collects before it lets go of the transaction and writes.
pub const ROWS_PER_READ: usize = 4_000;

/// Between commands a buffer larger than this is given back, so that an idle connection is small.
pub const KEEP_BYTES: usize = 2 * 1024;

/// Bodies up to this size together are read on the event loop: that takes less time than to ask
/// another thread.
pub const READ_ON_THE_SPOT_BYTES: u64 = 64 * 1024;

/// Bodies, or parts of them, above this size are streamed by range and never held whole.
pub const STREAM_BYTES: u64 = 512 * 1024;

/// One range of a streamed body.
pub const STREAM_PIECE_BYTES: u64 = 256 * 1024;

/// Rows with envelope and structure that one read collects.
pub const MESSAGES_PER_READ: usize = 500;

/// Entries of the change log that one read takes.
pub const CHANGES_PER_READ: usize = 2_000;

/// Messages on their way in by APPEND, all together: as much as for SMTP.
pub const APPENDS_IN_FLIGHT_BYTES_MAX: usize = 512 * 1024 * 1024;

/// After trouble with the store an idling session waits so long before it looks for news again.
pub const NEWS_PAUSE: Duration = Duration::from_secs(5);
