//! Bounds of the bodies on disk, each with its reason.

/// A segment is closed at this size: small enough that moving its live bodies elsewhere takes
/// about a second, large enough that a million messages need only some forty files.
pub const SEGMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// From this size on a body is a file of its own: the two extra syncs cost less than the write.
pub const LARGE_BYTES_MIN: u64 = 128 * 1024;

/// Longest note beside a body: a thousand recipients of ordinary length.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;

/// Bodies that may wait for the writer; then callers wait for a place, so that memory stays
/// bounded when the disk is slower than the network.
pub const JOBS_WAITING_MAX: usize = 1024;

/// Most bytes of one write: a batch larger than this answers its first callers too late.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most bodies of one write. The kernel takes 1,024 pieces a call, and a body needs three.
pub const BATCH_JOBS_MAX: usize = 256;

/// Threads that write large bodies: enough to overlap their syncs.
pub const LARGE_WRITERS: usize = 4;

/// Files in one directory of large bodies: listing and looking up stay quick on any file system.
pub const LARGE_FILES_PER_DIR: i64 = 1_000;

/// Segments that stay open for reading: 4 GB of mail at hand without a call to open a file.
pub const OPEN_SEGMENTS_MAX: usize = 16;

/// Writers that may share one directory: nodes of one installation. A bound for the search of a
/// segment that nobody has.
pub const WRITERS_MAX: i64 = 1_000;
