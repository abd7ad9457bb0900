//! What lists say, and what they never say.

use super::{Blocklist, Said, built_in, inbound};
use crate::facts::ListedOf;

fn list(zone: &str) -> &'static Blocklist {
    built_in().iter().find(|list| list.zone == zone).unwrap()
}

#[test]
fn errors_are_no_listings() {
    let table = [
        ("zen.spamhaus.org", "127.0.0.2", "listed"),
        ("zen.spamhaus.org", "127.0.0.11", "dynamic"),
        ("zen.spamhaus.org", "127.255.255.254", "error"),
        ("zen.spamhaus.org", "127.255.255.252", "error"),
        ("zen.spamhaus.org", "127.0.0.200", "error"),
        ("bl.spamcop.net", "127.0.0.2", "listed"),
        ("bl.spamcop.net", "127.0.0.1", "error"),
        ("bl.spamcop.net", "192.0.2.1", "error"),
        ("bl.score.senderscore.com", "127.255.255.255", "error"),
        ("multi.uribl.com", "127.0.0.1", "error"),
        ("multi.uribl.com", "127.0.0.2", "listed"),
        ("multi.surbl.org", "127.0.0.64", "listed"),
        ("dbl.spamhaus.org", "127.0.1.2", "listed"),
        ("dbl.spamhaus.org", "127.0.1.255", "error"),
    ];
    for (zone, answer, want) in table {
        let said = match list(zone).means(answer.parse().unwrap()) {
            Said::Listed => "listed",
            Said::Dynamic => "dynamic",
            Said::Error(_) => "error",
            Said::No => "nothing",
        };
        assert_eq!(said, want, "{zone} {answer}");
    }
}

#[test]
fn the_loudest_of_several_answers_counts() {
    let zen = list("zen.spamhaus.org");
    let read = |answers: &[&str]| zen.read(answers.iter().map(|text| text.parse().unwrap()));
    assert_eq!(read(&[]), Said::No);
    assert_eq!(read(&["127.0.0.10", "127.0.0.4"]), Said::Listed);
    assert_eq!(read(&["127.0.0.10"]), Said::Dynamic);
    // A resolver that lies sends everybody to its own page.
    assert_eq!(
        read(&["198.51.100.7"]),
        Said::Error("198.51.100.7".parse().unwrap())
    );
}

#[test]
fn names_to_ask() {
    let zen = list("zen.spamhaus.org");
    assert_eq!(
        zen.point("192.0.2.99".parse().unwrap()),
        "99.2.0.192.zen.spamhaus.org"
    );
    // RFC 5782 §2.4
    let six = zen.point("2001:db8:1:2:3:4:567:89ab".parse().unwrap());
    let want = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.zen.spamhaus.org";
    assert_eq!(six, want);
    assert_eq!(
        zen.test_point().as_deref(),
        Some("2.0.0.127.zen.spamhaus.org")
    );
    assert_eq!(
        zen.clean_point().as_deref(),
        Some("1.0.0.127.zen.spamhaus.org")
    );
    let dbl = list("dbl.spamhaus.org");
    assert_eq!(
        dbl.domain_point("evil.example."),
        "evil.example.dbl.spamhaus.org"
    );
    assert_eq!(
        dbl.test_point().as_deref(),
        Some("dbltest.com.dbl.spamhaus.org")
    );
}

#[test]
fn a_list_that_fails_its_test_says_nothing() {
    let refused = Said::Error("127.255.255.254".parse().unwrap());
    for (test, clean, want) in [
        (Some(Said::Listed), Some(Said::No), true),
        (Some(Said::Listed), None, true),
        (Some(Said::No), Some(Said::No), false),
        // Lists the whole world: it has shut down.
        (Some(Said::Listed), Some(Said::Listed), false),
        (Some(refused), Some(refused), false),
        (None, Some(Said::No), true),
    ] {
        assert_eq!(Blocklist::works(test, clean), want, "{test:?} {clean:?}");
    }
}

#[test]
fn what_is_asked_about_incoming_mail() {
    let zones: Vec<&str> = inbound().map(|list| list.zone.as_str()).collect();
    assert!(zones.contains(&"zen.spamhaus.org"), "{zones:?}");
    // Lists whole networks, and takes money.
    assert!(!zones.contains(&"dnsbl-3.uceprotect.net"), "{zones:?}");
    let zen = list("zen.spamhaus.org");
    assert!(
        zen.log_odds(Said::Listed, ListedOf::Peer) > zen.log_odds(Said::Dynamic, ListedOf::Peer)
    );
    assert_eq!(zen.log_odds(Said::No, ListedOf::Peer), None);
    let error = Said::Error("127.255.255.254".parse().unwrap());
    assert_eq!(zen.log_odds(error, ListedOf::Peer), None);
}
