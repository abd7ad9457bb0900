//! When a recipient is tried again, and when trying ends.

use mail::UnixMillis;

use crate::limits;

/// What follows a failed attempt that may still succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Retry { due: UnixMillis },
    GiveUp,
}

/// `attempts` counts those made, this one included. `draw` is any random number: it moves the pause
/// by the jitter. There is always one last attempt when the time runs out.
pub(crate) fn next(attempts: u32, now: UnixMillis, expires: UnixMillis, draw: u64) -> Next {
    if now.0 >= expires.0 {
        return Next::GiveUp;
    }
    let due = now.0.saturating_add(pause_millis(attempts, draw));
    Next::Retry {
        due: UnixMillis(due.min(expires.0)),
    }
}

fn pause_millis(attempts: u32, draw: u64) -> i64 {
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = limits::RETRY_PAUSES_SECS.last().copied().unwrap_or(3_600);
    let pause = limits::RETRY_PAUSES_SECS.get(step).copied().unwrap_or(last) * 1_000;
    let jitter = pause * limits::RETRY_JITTER_PERCENT / 100;
    let moved = pause - jitter + draw % (2 * jitter + 1);
    i64::try_from(moved).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
