//! What is kept of signing keys and of what our domains' records say.

use std::time::Duration;

use mail::UnixMillis;
use store::queue::*;
use store::*;

use crate::fixture::*;

on_both!(
    a_new_key_takes_over_from_those_of_its_kind,
    looks_are_remembered_with_their_beginning,
    a_failing_signature_is_left_out_beside_a_good_one,
    what_is_queued_is_known_by_its_signature,
    schedules_of_one_and_of_all,
    policies_towards_us
);

fn at(days: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(86_400 * days))
}

fn add(home: &Home, selector: &str, algorithm: DkimAlgorithm, state: DkimState) {
    let key = NewDkimKey {
        selector: selector.to_owned(),
        algorithm,
        private: b"private".to_vec(),
        public: b"public".to_vec(),
        state,
    };
    home.write(move |change| change.add_dkim_key(&domain("here.example"), &key, NOW))
        .expect("a key");
}

fn keys(home: &Home) -> Vec<DkimKey> {
    let mut keys = home.read(|view| view.dkim_keys(&domain("here.example")));
    keys.sort_by(|a, b| a.selector.cmp(&b.selector));
    keys
}

fn look(home: &Home, selector: &'static str, found: DkimRecord, now: UnixMillis) {
    home.write(move |change| {
        change.note_dkim_record(&domain("here.example"), selector, found, now)
    })
    .expect("a look");
}

fn a_new_key_takes_over_from_those_of_its_kind(home: &Home) {
    add(home, "e1", DkimAlgorithm::Ed25519Sha256, DkimState::Active);
    add(home, "r1", DkimAlgorithm::RsaSha256, DkimState::Active);
    add(home, "r2", DkimAlgorithm::RsaSha256, DkimState::Coming);
    home.write(|change| change.activate_dkim_key(&domain("here.example"), "r2", at(1)))
        .expect("a change");
    let found = keys(home);
    let states: Vec<DkimState> = found.iter().map(|key| key.state).collect();
    assert_eq!(
        states,
        [DkimState::Active, DkimState::Kept, DkimState::Active]
    );
    // What stops now counts as used until now.
    assert_eq!(
        (found[1].stopped, found[1].used),
        (Some(at(1)), Some(at(1)))
    );
    assert_eq!((found[0].active, found[2].active), (Some(NOW), Some(at(1))));
    for (given, want) in [(at(3), at(3)), (at(2), at(3))] {
        home.write(move |change| change.note_dkim_use(&domain("here.example"), "r1", given))
            .map_err(|error: StoreError| error)
            .expect("a use");
        assert_eq!(keys(home)[1].used, Some(want), "never goes back");
    }
    let missing =
        home.write(|change| change.activate_dkim_key(&domain("here.example"), "r9", at(1)));
    assert!(matches!(missing, Err(DomainError::NoSuchSelector(_))));
}

fn looks_are_remembered_with_their_beginning(home: &Home) {
    add(home, "r", DkimAlgorithm::RsaSha256, DkimState::Coming);
    look(home, "r", DkimRecord::Missing, at(1));
    home.write(|change| change.note_dkim_reminder(&domain("here.example"), "r", at(1)))
        .map_err(|error: StoreError| error)
        .expect("a reminder");
    look(home, "r", DkimRecord::Missing, at(2));
    let seen = keys(home)[0].look;
    assert_eq!((seen.since, seen.at), (Some(at(1)), Some(at(2))));
    assert_eq!(seen.reminded, Some(at(1)));
    look(home, "r", DkimRecord::Right, at(3));
    look(home, "r", DkimRecord::Right, at(4));
    let key = &keys(home)[0];
    assert_eq!((key.look.since, key.look.at), (Some(at(3)), Some(at(4))));
    assert_eq!(key.look.reminded, None, "what was wrong is not wrong now");
    assert_eq!(key.seen, Some(at(3)));
}

fn a_failing_signature_is_left_out_beside_a_good_one(home: &Home) {
    add(home, "e", DkimAlgorithm::Ed25519Sha256, DkimState::Active);
    add(home, "r", DkimAlgorithm::RsaSha256, DkimState::Active);
    add(home, "x", DkimAlgorithm::RsaSha256, DkimState::Coming);
    let signs = |ed, rsa| {
        look(home, "e", ed, at(1));
        look(home, "r", rsa, at(1));
        let names: Vec<String> = signing(&keys(home))
            .map(|key| key.selector.clone())
            .collect();
        names.join(" ")
    };
    use DkimRecord::{Missing, Right, Unknown, Wrong};
    for (ed, rsa, want) in [
        (Unknown, Unknown, "e r"),
        (Right, Right, "e r"),
        (Missing, Right, "r"),
        (Wrong, Right, "r"),
        (Right, Missing, "e"),
        // Nothing is published: then it does not matter, and it may be published any moment.
        (Missing, Missing, "e r"),
        (Missing, Unknown, "e r"),
    ] {
        assert_eq!(signs(ed, rsa), want, "{ed:?} {rsa:?}");
    }
}

fn what_is_queued_is_known_by_its_signature(home: &Home) {
    for prefix in [
        "DKIM-Signature: v=1; a=rsa-sha256;\r\n\td=here.example; s=pr2611r;\r\n",
        "ARC-Seal: cv=none; d=here.example; i=1; s=pr2611s;\r\n  t=1\r\n",
    ] {
        queue(home, prefix);
    }
    let is_queued = |name: &'static str, selector: &'static str| {
        home.read(move |view| view.is_queued_signed_by(&domain(name), selector))
    };
    assert!(is_queued("here.example", "pr2611r"));
    assert!(is_queued("here.example", "pr2611s"));
    assert!(!is_queued("here.example", "pr2611"));
    assert!(!is_queued("here.example", "pr2611r2"));
    assert!(!is_queued("there.example", "pr2611r"));
    assert!(!is_queued("e.example", "pr2611r"));
}

fn queue(home: &Home, prefix: &str) {
    let kept = home.store.keep_blocking(&b"out"[..]).expect("kept");
    let message = NewQueued {
        prefix: prefix.as_bytes().to_vec(),
        ..outgoing(kept, "bob@far.example")
    };
    let receipt = home
        .store
        .accept_blocking(move |change| change.enqueue(&message));
    drop(receipt.expect("queued"));
}

fn schedules_of_one_and_of_all(home: &Home) {
    let of = |name: Option<&'static str>| {
        home.read(move |view| view.dkim_rotation(name.map(domain).as_ref()))
    };
    let set = |name: Option<&'static str>, rotation| {
        home.write(move |change| change.set_dkim_rotation(name.map(domain).as_ref(), rotation))
    };
    let here = Some("here.example");
    assert_eq!(
        (of(None), of(here)),
        (DkimRotation::default(), DkimRotation::default())
    );
    set(None, Some(DkimRotation::Every { days: 90 })).expect("set");
    assert_eq!(of(here), DkimRotation::Every { days: 90 });
    set(here, Some(DkimRotation::Never)).expect("set");
    assert_eq!(
        (of(None), of(here)),
        (DkimRotation::Every { days: 90 }, DkimRotation::Never)
    );
    set(here, None).expect("taken back");
    assert_eq!(of(here), DkimRotation::Every { days: 90 });
    let strange = set(Some("far.example"), Some(DkimRotation::Never));
    assert!(matches!(strange, Err(DomainError::NoSuchDomain(_))));
}

fn policies_towards_us(home: &Home) {
    let mode = || home.read(|view| view.mta_sts(&domain("here.example")));
    assert_eq!((mode().mode, mode().changed), (MtaStsMode::Testing, None));
    home.write(|change| {
        change.set_mta_sts_mode(&domain("here.example"), MtaStsMode::Enforce, at(1))
    })
    .expect("set");
    assert_eq!(
        (mode().mode, mode().changed),
        (MtaStsMode::Enforce, Some(at(1)))
    );

    let dmarc = |policy: &'static str, now| {
        home.write(move |change| change.note_own_dmarc(&domain("here.example"), policy, now))
            .map_err(|error: StoreError| error)
            .expect("noted");
        home.read(|view| view.own_dmarc(&domain("here.example")))
            .expect("known")
    };
    // What is seen for the first time is no change.
    assert_eq!(dmarc("p=none;", at(1)).changed, None);
    assert_eq!(dmarc("p=none;", at(2)).changed, None);
    assert_eq!(dmarc("p=reject;", at(3)).changed, Some(at(3)));
    let last = dmarc("p=reject;", at(4));
    assert_eq!((last.changed, last.looked), (Some(at(3)), at(4)));
}
