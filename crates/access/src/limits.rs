//! Bounds of the reading sessions, each with its reason.

/// Output is handed to the stream in pieces of about this size: large enough to fill a TLS record
/// several times, small enough that a slow reader holds little memory.
pub const FLUSH_BYTES: usize = 128 * 1024;

/// Rows that one snapshot read collects before it lets go of the transaction and writes.
pub const ROWS_PER_READ: usize = 4_000;
