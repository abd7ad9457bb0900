//! Bounds of the jobs, each with its reason.

use std::time::Duration;

/// For how long a run is one node's alone without a sign of life. Long enough for a store that is busy, short
/// enough that after a crash nobody misses the job.
pub const LEASE: Duration = Duration::from_secs(600);

/// How often the lease is renewed: a missed one is made good by the next.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(200);

/// After the first failed run; four times that after each further one, up to [`RETRY_MAX`].
pub const RETRY_FIRST: Duration = Duration::from_secs(60);

/// A fault that lasts for days is looked at a few times a day.
pub const RETRY_MAX: Duration = Duration::from_secs(6 * 3_600);

/// Longest sleep: another node may have run the job, or the time of day may have been set.
pub const LOOK_PERIOD: Duration = Duration::from_secs(6 * 3_600);

/// When the store cannot be read: time to heal.
pub const STORE_PAUSE: Duration = Duration::from_secs(60);

/// Bytes kept of why a run failed.
pub const PROBLEM_BYTES_MAX: usize = 500;
