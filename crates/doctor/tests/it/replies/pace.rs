//! The back-off that each kind of refusal asks for.

use doctor::replies::{Pace, Phase, Refusal, Start, Wait, classify};

fn wait(host: &str, reply: &str) -> Wait {
    let refusal = Refusal::read(host, "", Phase::End, reply);
    classify(&refusal).wait.unwrap().clone()
}

fn google() -> Wait {
    wait(
        "gmail-smtp-in.l.google.com",
        "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\n421 4.7.28 from your IP address.",
    )
}

/// "On 4.7.28 send nothing for ten minutes; then one connection; if that fails wait ten more; if it works add
/// connections one by one."
#[test]
fn googles_own_rule() {
    let mut pace = Pace::default();
    assert_eq!(pace.start(0, 3, 5, 0), Start::Now);
    pace.refused(&google(), 1000);
    // Others that were on their way are refused in the same breath.
    pace.refused(&google(), 1001);
    assert_eq!(pace.start(1300, 0, 5, 0), Start::At(1601));
    assert_eq!(pace.start(1601, 0, 5, 0), Start::Now);
    assert_eq!(pace.start(1601, 1, 5, 0), Start::Full);
    // In vain: ten minutes more, not twenty.
    pace.refused(&google(), 1610);
    assert_eq!(pace.start(1700, 0, 5, 0), Start::At(2210));
    for (now, connections) in [(2210, 2), (2220, 3), (2230, 4), (2240, 5)] {
        pace.accepted(now);
        assert_eq!(pace.start(now, connections - 1, 5, 0), Start::Now);
        assert_eq!(pace.start(now, connections, 5, 0), Start::Full);
    }
    assert!(pace.is_free(2300, 5));
}

#[test]
fn a_block_is_probed_with_one_message() {
    let block = wait(
        "a.olc.protection.outlook.com",
        "550 5.7.1 Part of their network is on our block list (S3150).",
    );
    let mut pace = Pace::default();
    let mut now = 0;
    for failures in 1..=3 {
        pace.refused(&block, now);
        assert_eq!(pace.wants_relay(), failures >= 3);
        let Start::At(next) = pace.start(now, 0, 5, 0) else {
            panic!("not silent");
        };
        // Twice as long each time, up to six hours.
        assert_eq!(next - now, (7200 << (failures - 1)).min(6 * 3600));
        now = next;
        assert_eq!(pace.start(now, 0, 5, 0), Start::Probe);
        assert_eq!(pace.start(now, 1, 5, 0), Start::Full);
    }
    pace.accepted(now);
    assert!(!pace.wants_relay());
    assert_eq!(pace.start(now, 0, 5, 0), Start::Now);
}

#[test]
fn a_trickle_ends_by_itself() {
    let trickle = wait(
        "mta5.am0.yahoodns.net",
        "421 4.7.0 [TS02] Messages temporarily deferred",
    );
    let mut pace = Pace::default();
    pace.refused(&trickle, 0);
    assert_eq!(pace.start(0, 0, 5, 0), Start::At(60));
    assert_eq!(pace.start(60, 0, 5, 0), Start::Now);
    assert_eq!(pace.start(60, 1, 5, 0), Start::Full);
    assert_eq!(pace.start(70, 0, 5, 1), Start::At(130));
    pace.accepted(130);
    assert_eq!(pace.start(200, 0, 5, 1), Start::At(260));
    // Half an hour later all is as before.
    assert_eq!(pace.start(60 + 1800, 4, 5, 9), Start::Now);
    pace.accepted(60 + 1800);
    assert!(pace.is_free(60 + 1801, 5));
}

#[test]
fn a_rate_does_not_outlive_what_it_grew_into() {
    let trickle = Wait {
        per_minute: Some(1),
        during: Some(1_800),
        grow: None,
        ..google()
    };
    let block = Wait {
        per_minute: None,
        during: None,
        ..trickle.clone()
    };
    let mut pace = Pace::default();
    pace.refused(&trickle, 0);
    pace.refused(&block, 10_000);
    let mut now = 100_000;
    for _ in 0..8 {
        pace.accepted(now);
        now += 10_000;
    }
    assert!(pace.is_free(now, 5), "{pace:?}");
}

#[test]
fn ordinary_trouble_of_theirs_pauses_nobody() {
    let usual = wait("mx.example.net", "451 4.3.0 internal error");
    let mut pace = Pace::default();
    pace.refused(&usual, 100);
    assert_eq!(pace, Pace::default());
}
