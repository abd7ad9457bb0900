//! A key's life as tables: what is known, what time it is, what is to be done.

use std::collections::BTreeSet;

use mail::UnixMillis;
use store::{DkimAlgorithm, DkimKey, DkimLook, DkimRecord, DkimRotation, DkimState};

use super::{Facts, Reminder, Step, next_change, steps, to_look};

const RSA: DkimAlgorithm = DkimAlgorithm::RsaSha256;
const ED: DkimAlgorithm = DkimAlgorithm::Ed25519Sha256;

fn day(count: i64) -> UnixMillis {
    hour(24 * count)
}

fn hour(count: i64) -> UnixMillis {
    UnixMillis(count * 3_600_000)
}

fn key(selector: &str, algorithm: DkimAlgorithm, state: DkimState) -> DkimKey {
    DkimKey {
        domain: mail::Domain::parse("here.test").unwrap(),
        selector: selector.to_owned(),
        algorithm,
        private: Vec::new(),
        public: Vec::new(),
        state,
        created: day(0),
        seen: None,
        active: (state == DkimState::Active).then_some(day(0)),
        used: None,
        stopped: None,
        look: DkimLook::default(),
    }
}

fn found(mut key: DkimKey, record: DkimRecord, since: UnixMillis, at: UnixMillis) -> DkimKey {
    key.look = DkimLook {
        found: record,
        since: Some(since),
        at: Some(at),
        reminded: None,
    };
    key
}

fn at(now: UnixMillis, keys: &[DkimKey]) -> Vec<Step> {
    steps(&Facts {
        keys,
        rotation: DkimRotation::Every { days: 180 },
        queued: &BTreeSet::new(),
        policy_changed: None,
        now,
    })
}

fn switch(selector: &str) -> Step {
    Step::Switch(selector.to_owned())
}

fn remind(selector: &str, reminder: Reminder) -> Step {
    Step::Remind(selector.to_owned(), reminder)
}

fn active_pair() -> [DkimKey; 2] {
    [("r", RSA), ("e", ED)].map(|(selector, kind)| {
        let key = key(selector, kind, DkimState::Active);
        found(key, DkimRecord::Right, day(0), day(179))
    })
}

#[test]
fn a_pair_is_made_when_its_time_has_come() {
    let keys = active_pair();
    assert_eq!(at(day(179), &keys), []);
    assert_eq!(at(day(180), &keys), [Step::Make(vec![RSA, ED])]);
    assert_eq!(
        next_change(&keys, DkimRotation::Every { days: 180 }),
        Some(day(180))
    );
    assert_eq!(next_change(&keys, DkimRotation::Never), None);
    let never = Facts {
        keys: &keys,
        rotation: DkimRotation::Never,
        queued: &BTreeSet::new(),
        policy_changed: None,
        now: day(9_999),
    };
    assert_eq!(steps(&never), []);
    // No keys, no wish: a domain that somebody else signs for.
    assert_eq!(at(day(180), &[]), []);
}

#[test]
fn a_kind_that_waits_does_not_hold_up_the_other() {
    let [rsa, ed] = active_pair();
    let coming = key("e2", ED, DkimState::Coming);
    let steps = at(day(180), &[rsa, ed, coming]);
    assert_eq!(
        steps,
        [Step::Make(vec![RSA]), remind("e2", Reminder::Publish)]
    );
}

#[test]
fn a_new_key_signs_only_when_its_record_has_been_there_for_a_while() {
    let coming = |record, since, looked| {
        let mut key = key("r2", RSA, DkimState::Coming);
        key.created = hour(0);
        found(key, record, since, looked)
    };
    let now = hour(20);
    for (record, since, looked, want) in [
        (DkimRecord::Unknown, now, now, vec![]),
        (DkimRecord::Missing, hour(1), now, vec![]),
        (DkimRecord::Wrong, hour(1), now, vec![]),
        (DkimRecord::Right, now, now, vec![]),
        (DkimRecord::Right, hour(19), now, vec![switch("r2")]),
        // Seen once, and since then the DNS did not answer.
        (DkimRecord::Right, hour(1), hour(1), vec![]),
    ] {
        let found = at(now, &[coming(record, since, looked)]);
        assert_eq!(found, want, "{record:?}");
    }
}

#[test]
fn nothing_changes_soon_after_the_dmarc_policy_did() {
    let [rsa, ed] = active_pair();
    let ready = found(
        key("r2", RSA, DkimState::Coming),
        DkimRecord::Right,
        day(190),
        day(200),
    );
    let keys = [rsa, ed, ready];
    let queued = BTreeSet::new();
    let facts = |changed| Facts {
        keys: &keys,
        rotation: DkimRotation::Every { days: 180 },
        queued: &queued,
        policy_changed: changed,
        now: day(200),
    };
    assert_eq!(steps(&facts(None)), [Step::Make(vec![ED]), switch("r2")]);
    assert_eq!(steps(&facts(Some(day(194)))), []);
    assert_eq!(steps(&facts(Some(day(193)))).len(), 2);
}

#[test]
fn an_old_key_is_kept_for_seven_days_after_its_last_use() {
    let mut old = found(
        key("r", RSA, DkimState::Kept),
        DkimRecord::Right,
        day(0),
        day(100),
    );
    old.used = Some(day(100));
    assert_eq!(at(day(106), std::slice::from_ref(&old)), []);
    assert_eq!(
        at(day(107), std::slice::from_ref(&old)),
        [Step::Retire("r".to_owned())]
    );
    // What it signed is still in the queue: that is use.
    let queued = BTreeSet::from(["r".to_owned()]);
    let facts = Facts {
        keys: &[old.clone()],
        rotation: DkimRotation::Never,
        queued: &queued,
        policy_changed: None,
        now: day(107),
    };
    assert_eq!(steps(&facts), [Step::Use("r".to_owned())]);
    // Its record went too early.
    let gone = found(old, DkimRecord::Missing, day(101), day(101));
    assert_eq!(at(day(101), &[gone]), [remind("r", Reminder::PutBack)]);
}

#[test]
fn a_retired_key_is_forgotten_when_its_record_is_gone() {
    let old = key("r", RSA, DkimState::Retired);
    let there = found(old.clone(), DkimRecord::Right, day(0), day(100));
    assert_eq!(at(day(101), &[there]), [remind("r", Reminder::Remove)]);
    let gone = found(old, DkimRecord::Missing, day(100), day(100));
    assert_eq!(at(day(101), &[gone]), [Step::Forget("r".to_owned())]);
}

#[test]
fn the_operator_is_told_once_a_day() {
    let mut waiting = found(
        key("r2", RSA, DkimState::Coming),
        DkimRecord::Missing,
        hour(1),
        hour(23),
    );
    assert_eq!(at(hour(23), std::slice::from_ref(&waiting)), []);
    let told = [remind("r2", Reminder::Publish)];
    assert_eq!(at(hour(24), std::slice::from_ref(&waiting)), told);
    waiting.look.reminded = Some(hour(24));
    assert_eq!(at(hour(47), std::slice::from_ref(&waiting)), []);
    assert_eq!(at(hour(48), std::slice::from_ref(&waiting)), told);
    // What receivers cannot check now is said at once.
    let broken = found(
        key("r", RSA, DkimState::Active),
        DkimRecord::Wrong,
        hour(1),
        hour(1),
    );
    assert_eq!(at(hour(1), &[broken]), [remind("r", Reminder::Mend)]);
}

#[test]
fn what_is_waited_for_is_looked_at_often() {
    let looked = |state, record| {
        let key = found(key("r", RSA, state), record, hour(0), hour(10));
        let now = |count| to_look(std::slice::from_ref(&key), hour(count)).count() == 1;
        (now(11), now(34))
    };
    for (state, record, hourly) in [
        (DkimState::Coming, DkimRecord::Right, true),
        (DkimState::Coming, DkimRecord::Missing, true),
        (DkimState::Active, DkimRecord::Right, false),
        (DkimState::Active, DkimRecord::Wrong, true),
        (DkimState::Kept, DkimRecord::Right, false),
        (DkimState::Retired, DkimRecord::Right, false),
    ] {
        assert_eq!(
            looked(state, record),
            (hourly, true),
            "{state:?} {record:?}"
        );
    }
}
