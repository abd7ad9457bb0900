//! Tables: what was seen and taught, and what it says for whom.

use std::time::{Duration, Instant};

use store::senders::{Origin, Voice};

use super::*;

fn standing(wanted: f64, junk: f64, voices: &[(i64, f64, f64)]) -> Standing {
    let voice = |(account, wanted, junk): &(i64, f64, f64)| Voice {
        account: AccountId(*account),
        wanted: *wanted,
        junk: *junk,
    };
    Standing {
        wanted,
        junk,
        voices: voices.iter().map(voice).collect(),
    }
}

#[test]
fn whose_word_counts_for_whom() {
    let ann = Some(AccountId(1));
    let table = [
        (standing(0.0, 0.0, &[]), ann, (0.0, 0.0)),
        // What the server itself thinks counts little, and not without end.
        (standing(10.0, 5.0, &[]), ann, (2.0, 1.0)),
        (standing(0.0, 1e9, &[]), None, (0.0, 20.0)),
        // One account alone says nothing to others, however often.
        (standing(0.0, 0.0, &[(7, 0.0, 1e6)]), ann, (0.0, 0.0)),
        (standing(0.0, 0.0, &[(7, 0.0, 1e6)]), None, (0.0, 0.0)),
        (
            standing(0.0, 0.0, &[(7, 0.0, 9.0), (8, 0.0, 0.1)]),
            None,
            (0.0, 0.0),
        ),
        // Several do, each up to a bound.
        (
            standing(0.0, 0.0, &[(7, 0.0, 1e6), (8, 1.0, 0.0)]),
            ann,
            (1.0, 2.0),
        ),
        // Its own word counts for an account at once.
        (standing(0.0, 0.0, &[(1, 0.0, 3.0)]), ann, (0.0, 3.0)),
        (standing(0.0, 0.0, &[(1, 0.0, 1e6)]), ann, (0.0, 20.0)),
        // And is no second voice beside one other.
        (
            standing(0.0, 0.0, &[(1, 4.0, 0.0), (7, 0.0, 5.0)]),
            ann,
            (4.0, 0.0),
        ),
    ];
    for (standing, account, want) in table {
        assert_eq!(
            weighed(&standing, account),
            want,
            "{standing:?} {account:?}"
        );
    }
}

#[test]
fn little_is_said_where_little_was_seen() {
    let check = |wanted, junk, low: f32, high: f32| {
        let said = log_odds(wanted, junk);
        assert!((low..=high).contains(&said), "{wanted} {junk}: {said}");
    };
    check(0.0, 0.0, 0.0, 0.0);
    check(0.0, 1.0, 0.05, 0.3);
    check(0.0, 5.0, 0.7, 1.2);
    check(0.0, 20.0, 2.0, 3.0);
    check(20.0, 20.0, 0.0, 0.0);
    check(20.0, 0.0, -3.0, -2.0);
    check(1e9, 1e9, 0.0, 0.0);
}

#[expect(clippy::disallowed_methods, reason = "any moment will do")]
fn some_moment() -> Instant {
    Instant::now()
}

#[test]
fn what_is_known_is_not_asked_for_again() {
    let reputations = Reputations::default();
    let start = some_moment();
    let origin = Origin {
        ip: "203.0.113.9".parse().ok(),
        domain: mail::Domain::parse("there.test").ok(),
        ..Origin::default()
    };
    let keys = origin.keys();
    let (known, unknown) = reputations.recall(&keys, start);
    assert_eq!((known.len(), unknown.len()), (0, 3));
    let found: Vec<_> = keys
        .iter()
        .map(|key| (key.clone(), Arc::new(standing(100.0, 0.0, &[]))))
        .collect();
    reputations.remember(&found, start);
    let (known, unknown) = reputations.recall(&keys, start + Duration::from_secs(299));
    assert_eq!((known.len(), unknown.len()), (3, 0));
    let said = of_account(&known, None);
    let named = |standing: Option<spam::facts::Standing>| standing.unwrap().name;
    assert!(said.domain.as_ref().unwrap().log_odds < -1.0);
    assert_eq!(named(said.address), "203.0.113.9");
    assert_eq!(named(said.network), "203.0.113.0/24");
    let (known, _) = reputations.recall(&keys, start + Duration::from_secs(301));
    assert!(known.is_empty());
}

#[test]
fn what_is_new_is_written_now_and_then() {
    let reputations = Reputations::default();
    let start = some_moment();
    let keys = || {
        let origin = Origin {
            domain: mail::Domain::parse("there.test").ok(),
            ..Origin::default()
        };
        origin.keys()
    };
    assert!(reputations.note(keys(), false, start).is_empty());
    assert!(
        reputations
            .note(keys(), true, start + Duration::from_secs(59))
            .is_empty()
    );
    let due = reputations.note(keys(), true, start + Duration::from_secs(60));
    let counts: Vec<_> = due.iter().map(|seen| (seen.wanted, seen.junk)).collect();
    assert_eq!(counts, [(1, 2)]);
    assert!(
        reputations
            .note(keys(), true, start + Duration::from_secs(61))
            .is_empty()
    );
}

#[test]
fn many_senders_do_not_pile_up() {
    let reputations = Reputations::default();
    let start = some_moment();
    let mut most = 0;
    let mut written = 0;
    for number in 0..5_000_u32 {
        let key = SenderKey {
            kind: SenderKind::Domain,
            name: format!("d{number}.test"),
        };
        let due = reputations.note(vec![key.clone()], true, start);
        most = most.max(due.len());
        written += due.len();
        reputations.remember(&[(key, Arc::default())], start);
    }
    assert!(most <= limits::REPUTATIONS_WRITTEN_AT_ONCE, "{most}");
    assert!(4_500 < written, "{written}");
}
