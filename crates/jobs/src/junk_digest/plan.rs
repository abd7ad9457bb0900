//! When a summary is due, and of what time. Pure.

use mail::UnixMillis;
use store::lessons::DigestState;

/// Local hour from which on it is morning.
const MORNING_HOUR: i64 = 7;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// What is to be done about one person's summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    NotYet,
    /// Somebody has just begun to want them: the first comes in the next morning.
    Begin {
        day: i64,
        told_until: UnixMillis,
    },
    /// Of what came after `after`.
    Now {
        day: i64,
        after: UnixMillis,
    },
}

/// What is due at `now`, where the person's clock is so many minutes before that of Greenwich.
pub(super) fn due(state: &DigestState, offset_mins: i32, now: UnixMillis) -> Due {
    let local = now.0 + i64::from(offset_mins) * 60_000;
    let day = local.div_euclid(DAY);
    let is_morning = MORNING_HOUR * HOUR <= local.rem_euclid(DAY);
    let yesterday = UnixMillis(now.0 - DAY);
    let Some(last) = state.day else {
        return Due::Begin {
            day: if is_morning { day } else { day - 1 },
            told_until: yesterday,
        };
    };
    if day <= last || !is_morning {
        return Due::NotYet;
    }
    // After a long pause only what can still be of interest.
    let oldest = now.0 - DAYS_MAX * DAY;
    let after = state.told_until.unwrap_or(yesterday).0.max(oldest);
    Due::Now {
        day,
        after: UnixMillis(after),
    }
}

/// A summary tells of so many days at most.
const DAYS_MAX: i64 = 7;

#[cfg(test)]
mod tests {
    use store::AccountId;
    use store::lessons::DigestState;

    use super::{DAY, Due, HOUR, due};
    use mail::UnixMillis;

    /// A midnight in Greenwich, and the number of the day that begins.
    const MIDNIGHT: i64 = 20_000 * DAY;

    #[track_caller]
    fn check(last: Option<i64>, offset_hours: i32, hour: i64, expected: Due) {
        let state = DigestState {
            account: account(),
            day: last,
            told_until: last.map(|_| UnixMillis(MIDNIGHT - DAY)),
        };
        let now = UnixMillis(MIDNIGHT + hour * HOUR);
        assert_eq!(due(&state, offset_hours * 60, now), expected);
    }

    fn account() -> AccountId {
        AccountId(1)
    }

    #[test]
    fn in_the_local_morning_and_once() {
        let now = Due::Now {
            day: 20_000,
            after: UnixMillis(MIDNIGHT - DAY),
        };
        check(Some(19_999), 0, 6, Due::NotYet);
        check(Some(19_999), 0, 7, now);
        check(Some(19_999), 0, 23, now);
        check(Some(20_000), 0, 8, Due::NotYet);
        check(Some(19_999), 2, 5, now);
        check(Some(19_999), -8, 14, Due::NotYet);
        check(Some(19_999), -8, 15, now);
        // It is tomorrow there already.
        let tomorrow = Due::Now {
            day: 20_001,
            after: UnixMillis(MIDNIGHT - DAY),
        };
        check(Some(20_000), 12, 19, tomorrow);
        // A clock that was set back makes no second one.
        check(Some(20_001), 0, 8, Due::NotYet);
    }

    #[test]
    fn the_first_comes_in_the_next_morning() {
        let begin = |day, hour| Due::Begin {
            day,
            told_until: UnixMillis(MIDNIGHT + hour * HOUR - DAY),
        };
        check(None, 0, 6, begin(19_999, 6));
        check(None, 0, 15, begin(20_000, 15));
    }
}
