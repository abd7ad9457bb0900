//! The curve of retries.

use super::*;

#[test]
fn the_pauses_grow_and_five_days_end() {
    let start = UnixMillis(1_000_000);
    let expires = UnixMillis(start.0 + 5 * 86_400_000);
    let mut now = start;
    let mut attempts = 0;
    let mut pauses = Vec::new();
    loop {
        attempts += 1;
        // A draw in the middle of the jitter leaves the pause as it is.
        let pause = limits::RETRY_PAUSES_SECS
            .get(attempts as usize - 1)
            .copied()
            .unwrap_or(14_400);
        match next(
            attempts,
            now,
            expires,
            pause * 1_000 * limits::RETRY_JITTER_PERCENT / 100,
        ) {
            Next::Retry { due } => {
                pauses.push((due.0 - now.0) / 1_000);
                now = due;
            }
            Next::GiveUp => break,
        }
    }
    assert_eq!(
        &pauses[..8],
        &[60, 300, 900, 1_800, 3_600, 7_200, 14_400, 14_400]
    );
    assert_eq!(now, expires, "the last attempt is at the end");
    assert_eq!(attempts, 37);
}

#[test]
fn jitter_stays_within_its_bounds() {
    for draw in [0, 1, 77, 12_345, u64::MAX / 3, u64::MAX] {
        let Next::Retry { due } = next(1, UnixMillis(0), UnixMillis(i64::MAX), draw) else {
            panic!("gave up")
        };
        assert!((48_000..=72_000).contains(&due.0), "{draw}: {}", due.0);
    }
}
