//! Jobs: of several who want one, one gets it.

use std::time::Duration;

use mail::UnixMillis;
use store::*;

use crate::fixture::*;

on_both!(
    one_of_two_nodes_gets_a_job,
    a_job_of_the_dead_is_taken_over,
    a_restart_waits_for_nobody_who_cannot_live,
    how_it_went_is_remembered
);

const JOB: &str = "sweeping";

fn at(secs: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(secs))
}

fn state(home: &Home) -> JobState {
    home.read(|view| view.job(JOB))
}

/// Claims until 600 seconds later.
fn claim(home: &Home, seen: &JobState, holder: &'static str, now: u64) -> bool {
    let seen = seen.clone();
    home.write(move |change| change.claim_job(JOB, &seen, holder, at(now + 600), at(now)))
        .map_err(|error: StoreError| error)
        .expect("a claim is answered")
}

fn finish(home: &Home, holder: &'static str, end: JobEnd) {
    home.write(move |change| change.finish_job(JOB, holder, &end))
        .map_err(|error: StoreError| error)
        .expect("an end is noted");
}

fn one_of_two_nodes_gets_a_job(home: &Home) {
    let seen = state(home);
    assert_eq!(seen, JobState::default());
    assert!(claim(home, &seen, "a", 0));
    assert!(!claim(home, &seen, "b", 0), "both saw the same");
    assert!(!claim(home, &state(home), "b", 1), "it is being done");
    finish(home, "a", JobEnd::Done);
    assert_eq!(state(home).done, Some(at(0)));
    assert!(!claim(home, &seen, "b", 2), "it was done meanwhile");
    assert!(claim(home, &state(home), "b", 100));
}

fn a_restart_waits_for_nobody_who_cannot_live(home: &Home) {
    assert!(claim(home, &state(home), "a", 0));
    home.store.close();
    let again = Store::open(&home.settings).expect("opens");
    let taken = again.write_blocking(Durability::Durable, |change| {
        let seen = change.job(JOB)?;
        change.claim_job(JOB, &seen, "b", at(700), at(1))
    });
    let taken: Result<bool, StoreError> = taken;
    // Another node may hold it in a shared database; nobody can in one of our own.
    assert_eq!(taken.expect("an answer"), !home.is_postgres());
    again.close();
}

fn a_job_of_the_dead_is_taken_over(home: &Home) {
    assert!(claim(home, &state(home), "a", 0));
    let renew = |holder: &'static str, until| {
        home.write(move |change| change.renew_job(JOB, holder, at(until)))
            .map_err(|error: StoreError| error)
            .expect("an answer")
    };
    assert!(renew("a", 900));
    assert!(!claim(home, &state(home), "b", 700), "it lives");
    assert!(claim(home, &state(home), "b", 900));
    assert!(!renew("a", 2_000), "it was lost");
    // Who lost it does not change what the other does.
    finish(home, "a", JobEnd::Done);
    assert_eq!(state(home).done, None);
    finish(home, "b", JobEnd::Done);
    assert_eq!(state(home).done, Some(at(900)));
}

fn how_it_went_is_remembered(home: &Home) {
    for failures in 1..=2 {
        assert!(claim(home, &state(home), "a", failures));
        finish(home, "a", JobEnd::Failed("no broom".to_owned()));
        assert_eq!(state(home).failures, failures);
        assert_eq!(state(home).tried, Some(at(failures)));
    }
    assert_eq!(state(home).problem.as_deref(), Some("no broom"));
    assert!(claim(home, &state(home), "a", 10));
    finish(home, "a", JobEnd::Interrupted);
    let before = state(home);
    assert_eq!(
        (before.failures, before.lease, before.done),
        (2, None, None)
    );
    assert!(claim(home, &before, "b", 11));
    finish(home, "b", JobEnd::Done);
    let after = state(home);
    assert_eq!((after.failures, after.problem), (0, None));
    assert_eq!(after.done, Some(at(11)));
}
