//! When jobs are due, as tables.

use std::time::Duration;

use mail::UnixMillis;
use store::JobState;

use super::{daily, due, every, retry_after};

const HOUR: i64 = 3_600_000;

fn at(hours: i64) -> UnixMillis {
    UnixMillis(hours * HOUR)
}

fn hours(count: u64) -> Duration {
    Duration::from_secs(3_600 * count)
}

#[test]
fn a_period_counts_from_the_last_run() {
    assert_eq!(every(hours(6), None, at(100)), at(100));
    assert_eq!(every(hours(6), Some(at(99)), at(100)), at(105));
    // What fell due while nothing ran is done once, not once per period.
    assert_eq!(every(hours(6), Some(at(1)), at(100)), at(7));
}

#[test]
fn a_time_of_day() {
    for (last, started, want) in [
        (None, 0, 3),
        (None, 3, 27),
        (None, 23, 27),
        (Some(3), 50, 27),
        (Some(27), 50, 51),
        // Made up for later, then at the usual hour again.
        (Some(40), 50, 51),
        (Some(26), 50, 27),
    ] {
        let found = daily(hours(3), last.map(at), at(started));
        assert_eq!(found, at(want), "{last:?} {started}");
    }
}

#[test]
fn failures_are_tried_again_later_and_later() {
    let minutes: Vec<u64> = (1..8).map(|n| retry_after(n).as_secs() / 60).collect();
    assert_eq!(minutes, [1, 4, 16, 64, 256, 360, 360]);
    assert_eq!(retry_after(u64::MAX), hours(6));
    let failed = JobState {
        tried: Some(at(10)),
        failures: 1,
        ..JobState::default()
    };
    assert_eq!(due(&failed, at(0)), at(10).plus(Duration::from_secs(60)));
}

#[test]
fn what_somebody_does_is_left_to_him() {
    let held = JobState {
        lease: Some(at(9)),
        ..JobState::default()
    };
    assert_eq!(due(&held, at(1)), at(9));
    assert_eq!(due(&held, at(12)), at(12));
}
