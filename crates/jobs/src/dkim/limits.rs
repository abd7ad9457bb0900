//! Spans of a key's life, each with its reason.

use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// How often keys are gone through. Somebody who has just published a record sees within the hour that it was found.
pub const PERIOD: Duration = HOUR;

/// Jitter on top, so that the servers of the world do not look in the same minute.
pub const SPREAD: Duration = Duration::from_secs(300);

/// After a start: a machine that boots has not all of its network yet.
pub const START_DELAY: Duration = Duration::from_secs(300);

/// How often the records of keys that need nothing are looked at.
pub const LOOK_PERIOD: Duration = DAY;

/// How long a new record must have been seen without a break. In that time every name server of the zone has it,
/// and resolvers that asked too early have forgotten that there was none.
pub const SETTLE: Duration = HOUR;

/// How long after its last use a key's record is still needed: mail that waits in other queues for up to five days
/// is verified on arrival, and mail that is fetched later may be verified again by the reader's program.
pub const KEEP_AFTER_USE: Duration = Duration::from_secs(7 * 86_400);

/// How often the queue is searched for what an old key signed.
pub const QUEUE_LOOK_PERIOD: Duration = DAY;

/// Name servers of a zone that are asked themselves: as many as fit a delegation of 512 bytes (RFC 1035 §4.2.1).
pub const NAME_SERVERS_MAX: usize = 13;

/// How long an operator has before the first reminder, and between two.
pub const REMINDER_PERIOD: Duration = DAY;

/// No key changes so soon after a change of the domain's DMARC policy: when mail fails then, it must be clear why.
pub const POLICY_REST: Duration = Duration::from_secs(7 * 86_400);
