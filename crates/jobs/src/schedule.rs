//! When things are due. Pure: what time it is, and when it was last done, are told.

use std::time::Duration;

use mail::UnixMillis;
use store::JobState;

use crate::limits;

/// Once in a period; for the first time at once.
pub fn every(period: Duration, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
    last.map_or(started, |last| last.plus(period))
}

/// Once a day at this time after midnight UTC. What was missed is made up for at once; a day on which the
/// service did not exist yet is not.
pub fn daily(at: Duration, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
    let from = last.unwrap_or(started);
    let midnight = UnixMillis(from.day().saturating_mul(86_400_000));
    let today = midnight.plus(at);
    if from < today {
        today
    } else {
        today.plus(Duration::from_secs(86_400))
    }
}

/// When to try, given what is kept of a job and when its next regular run would be.
pub fn due(state: &JobState, regular: UnixMillis) -> UnixMillis {
    let due = match state.tried {
        Some(tried) if 0 < state.failures => tried.plus(retry_after(state.failures)),
        _ => regular,
    };
    // While somebody is at it there is nothing to do.
    state.lease.map_or(due, |until| due.max(until))
}

/// How long after the n-th failure in a row.
pub fn retry_after(failures: u64) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    let factor = 4_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    limits::RETRY_FIRST
        .saturating_mul(factor)
        .min(limits::RETRY_MAX)
}

#[cfg(test)]
mod tests;
