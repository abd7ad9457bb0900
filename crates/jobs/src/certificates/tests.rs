//! Which certificates, when, and with which key: tables of facts and outcomes.

use std::collections::BTreeSet;
use std::time::Duration;

use mail::UnixMillis;
use store::{Fetched, StoredCertificate};

use super::keys::{Choice, Published, decide};
use super::plan::{Due, Wish, due, wishes};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_spoiled_name_costs_its_domain_only() {
    let domains = [
        "a.test".to_owned(),
        "b.test".to_owned(),
        "c.test".to_owned(),
    ];
    let here = set(&[
        "mail.a.test",
        "mta-sts.a.test",
        "autoconfig.a.test",
        "mta-sts.c.test",
        "mail.c.test",
    ]);
    let found = wishes("mail.a.test", &domains, &here);
    let names: Vec<_> = found.iter().map(|wish| wish.names.join(" ")).collect();
    assert_eq!(
        names,
        [
            "mail.a.test",
            "mta-sts.a.test autoconfig.a.test",
            "mta-sts.c.test mail.c.test"
        ]
    );
    assert!(found.iter().all(|wish| wish.problem.is_none()));
    let found = wishes("mail.a.test", &domains[..1], &set(&[]));
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .problem
            .as_deref()
            .unwrap_or_default()
            .contains("has no address")
    );
}

#[test]
fn after_a_failure_the_other_way_is_tried() {
    use store::ChallengeKind::{Http01, TlsAlpn01};
    let both = [Http01, TlsAlpn01];
    let table = [
        (0, Some(Http01)),
        (1, Some(TlsAlpn01)),
        (2, Some(Http01)),
        (u64::MAX, Some(TlsAlpn01)),
    ];
    for (failures, want) in table {
        assert_eq!(super::plan::way(&both, failures), want, "{failures}");
    }
    assert_eq!(super::plan::way(&[TlsAlpn01], 4), Some(TlsAlpn01));
    assert_eq!(super::plan::way(&[], 0), None);
}

fn stored(from: UnixMillis, days: u32) -> StoredCertificate {
    StoredCertificate {
        name: "a.test".to_owned(),
        names: vec!["a.test".to_owned(), "b.test".to_owned()],
        directory: "https://ca.test/dir".to_owned(),
        fetched: Some(Fetched {
            chain: String::new(),
            private_key: Vec::new(),
            not_before: from,
            not_after: from.plus(DAY * days),
        }),
        next_key: None,
        tried: Some(from),
        failures: 0,
        problem: None,
    }
}

#[test]
fn renewal_comes_early_and_failures_rest() {
    let wish = |names: &[&str]| Wish {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        problem: None,
    };
    let both = wish(&["a.test", "b.test"]);
    assert_eq!(due(&both, None, NOW), Due::Now);
    let ninety = stored(NOW, 90);
    assert_eq!(
        due(&both, Some(&ninety), NOW),
        Due::Later(NOW.plus(DAY * 60))
    );
    assert_eq!(due(&both, Some(&ninety), NOW.plus(DAY * 60)), Due::Now);
    assert_eq!(
        due(&both, Some(&stored(NOW, 6)), NOW.plus(DAY * 4)),
        Due::Now
    );
    assert_eq!(
        due(&wish(&["a.test"]), Some(&ninety), NOW),
        Due::Later(NOW.plus(DAY * 60)),
        "fewer names are no hurry"
    );
    assert_eq!(
        due(&wish(&["a.test", "c.test"]), Some(&ninety), NOW),
        Due::Now,
        "a new name is"
    );
    let rests = [(1, 15), (2, 30), (3, 60), (4, 120), (9, 1440), (60, 1440)];
    for (failures, minutes) in rests {
        let mut failed = stored(NOW, 90);
        (failed.fetched, failed.failures) = (None, failures);
        let again = NOW.plus(Duration::from_secs(60 * minutes));
        assert_eq!(
            due(&both, Some(&failed), NOW),
            Due::Later(again),
            "after {failures}"
        );
        assert_eq!(due(&both, Some(&failed), again), Due::Now);
    }
}

#[test]
fn a_published_key_stays_until_the_next_ones_record_is_old_enough() {
    let long_ago = Some(NOW.minus(DAY * 3));
    let table = [
        (false, None, Published::Nothing, Choice::Fresh),
        (true, None, Published::Nothing, Choice::Fresh),
        (true, None, Published::Ours, Choice::Keep),
        (true, None, Published::Others, Choice::Keep),
        (true, None, Published::Unknown, Choice::Keep),
        (true, long_ago, Published::Ours, Choice::Next),
        (true, Some(NOW), Published::Ours, Choice::Keep),
        (true, long_ago, Published::Others, Choice::Keep),
        (true, long_ago, Published::Unknown, Choice::Keep),
        (true, Some(NOW), Published::Nothing, Choice::Next),
        (false, Some(NOW), Published::Unknown, Choice::Next),
    ];
    for (has_key, since, published, want) in table {
        assert_eq!(
            decide(has_key, since, published, NOW),
            want,
            "{has_key} {since:?} {published:?}"
        );
    }
}
