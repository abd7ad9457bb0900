//! When a filter rests, who asks it then, and when all may again.

use std::time::{Duration, Instant};

use super::*;

#[expect(clippy::disallowed_methods, reason = "any moment will do")]
fn some_moment() -> Instant {
    Instant::now()
}

#[test]
fn it_rests_after_some_silence_and_one_at_a_time_asks() {
    let mut rest = Rest::default();
    let begin = some_moment();
    let at = |secs: u64| begin + Duration::from_secs(secs);
    for _ in 0..20 {
        assert_eq!(rest.admit(at(0)), Admission::Free);
    }
    for number in 1..limits::FILTER_SILENT_MAX {
        rest.silent(false, at(4));
        assert_eq!(rest.admit(at(4)), Admission::Free, "{number}");
    }
    rest.silent(false, at(4));
    let over = at(4) + limits::FILTER_REST;
    assert_eq!(rest.admit(at(5)), Admission::Without);
    assert_eq!(rest.admit(over), Admission::Probe);
    assert_eq!(rest.admit(over), Admission::Without, "one at a time");
    // It is still silent: it rests again.
    rest.silent(true, over + Duration::from_secs(4));
    assert_eq!(
        rest.admit(over + Duration::from_secs(5)),
        Admission::Without
    );
    let again = over + Duration::from_secs(4) + limits::FILTER_REST;
    assert_eq!(rest.admit(again), Admission::Probe);
    // Given up, or refused at once: the next one asks.
    rest.ended(true);
    assert_eq!(rest.admit(again), Admission::Probe);
    rest.answered();
    assert_eq!(rest.admit(again), Admission::Free);
    assert_eq!(rest.admit(again), Admission::Free);
}

#[test]
fn an_answer_between_them_counts_from_the_beginning() {
    let (mut rest, now) = (Rest::default(), some_moment());
    for _ in 0..10 {
        for _ in 1..limits::FILTER_SILENT_MAX {
            rest.silent(false, now);
        }
        rest.answered();
        assert_eq!(rest.admit(now), Admission::Free);
    }
    // One that asked before the rest ends no probe.
    for _ in 0..limits::FILTER_SILENT_MAX {
        rest.silent(false, now);
    }
    assert_eq!(rest.admit(now + limits::FILTER_REST), Admission::Probe);
    rest.ended(false);
    assert_eq!(rest.admit(now + limits::FILTER_REST), Admission::Without);
}
