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

/// How often it is looked whether a certificate is due. Counted from the first look, so
/// not on the full hour, when everybody comes.
pub const CERTIFICATES_PERIOD: Duration = Duration::from_secs(900);

/// For one order, from who we are to the chain: an authority may look at each name from several places.
pub const ORDER_PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks at an order.
pub const ORDER_POLL: Duration = Duration::from_secs(1);

/// What an authority asked for is of no use after this time: a crash left it.
pub const CHALLENGE_AGE_MAX: Duration = Duration::from_secs(86_400);

/// After the first failed order; twice that after each further one. Authorities allow some five failures an hour.
pub const CERTIFICATE_RETRY_FIRST: Duration = Duration::from_secs(900);

/// An operator who mends something waits a day at most.
pub const CERTIFICATE_RETRY_MAX: Duration = Duration::from_secs(86_400);

/// How long a new key's TLSA record must have been out before the key is used: twice the TTL that we advise,
/// as RFC 7671 §8.1 asks.
pub const TLSA_AGE: Duration = Duration::from_secs(2 * 3_600);

/// Names looked up at the same time.
pub const NAMES_AT_ONCE: usize = 32;

/// How often it is looked whether our records are published: a new signing key waits for its own.
pub const PUBLISH_PERIOD: Duration = Duration::from_secs(900);

/// Questions to name servers at the same time.
pub const QUESTIONS_AT_ONCE: usize = 8;

/// Name servers asked per zone. More than a dozen are the root's own.
pub const NAME_SERVERS_MAX: usize = 13;

/// Edits in one update: far below what fits into one message of 64 KB.
pub const EDITS_AT_ONCE: usize = 50;

/// How often it is looked for lessons that nobody told of.
pub const LESSONS_PERIOD: Duration = Duration::from_secs(3_600);

/// Accounts, and lessons of each, that are taken up together.
pub const TEACHERS_AT_ONCE: usize = 100;
pub const LESSONS_AT_ONCE: usize = 20;

/// Features of the lessons that are counted in one transaction: five common messages, some milliseconds. Deliveries wait for no
/// more than that.
pub const LESSON_FEATURES_AT_ONCE: usize = 2_000;

/// Kept messages that are learnt as wanted beside one of junk, so that the two keep pace after a few.
pub const COUNTERWEIGHTS_PER_LESSON: usize = 2;

/// Bytes of a message that are learnt from: what is behind them are attachments.
pub const LESSON_BYTES_MAX: u64 = 4_000_000;
