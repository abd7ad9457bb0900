//! Tables: what a verdict does to copies and ways.

use mail::Address;

use spam::facts::Facts;
use spam::reasons::Kind;
use spam::{Finding, Verdict, Weights, judge};

use super::{Because, because, forged, is_aside, keep_here};
use crate::envelope::{Local, Routed, Way};
use crate::limits;
use crate::receive::ruling::Fate;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[test]
fn why_a_copy_lies_in_the_junk_folder() {
    for (ruled, aside, want) in [
        (false, false, None),
        (true, false, Some(Because::Ruled)),
        (false, true, Some(Because::Verdict)),
        (true, true, Some(Because::Ruled)),
    ] {
        assert_eq!(because(ruled, aside), want, "{ruled} {aside}");
    }
}

/// A verdict on what the model says, and one finding.
fn verdict(log_odds: f32, finding: Option<(Kind, f32)>) -> Verdict {
    let findings = finding.map(|(kind, weight)| Finding::weighing(kind, weight, ["x", "y"]));
    let findings: Vec<Finding> = findings.into_iter().collect();
    judge(log_odds, &findings, &Facts::default(), &Weights::default())
}

#[test]
fn who_answers_for_the_server_has_only_what_is_beyond_doubt_put_aside() {
    let threshold = Weights::default().threshold();
    let (doubtful, sure) = (threshold + 2.0, threshold + limits::ROLE_MARGIN + 0.5);
    let (trick, order) = ((Kind::Program, 4.0), (Kind::TestString, 20.0));
    for (what, log_odds, finding, to, shows_mail, want) in [
        ("wanted", -3.0, None, "ann", false, false),
        ("spam", doubtful, None, "ann", false, true),
        ("spam in a report", sure, None, "ann", true, true),
        ("a near name", doubtful, None, "abuser", false, true),
        ("wanted", -3.0, None, "abuse", false, false),
        ("doubtful", doubtful, None, "Postmaster", false, false),
        ("doubtful", doubtful, None, "abuse", false, false),
        ("sure", sure, None, "ABUSE", false, true),
        ("a report", sure, None, "abuse", true, false),
        ("a program", doubtful, Some(trick), "abuse", false, true),
        (
            "one in a report",
            doubtful,
            Some(trick),
            "abuse",
            true,
            false,
        ),
        ("ordered", -5.0, Some(order), "postmaster", false, true),
        ("shown", -5.0, Some(order), "postmaster", true, false),
        (
            "hated",
            -5.0,
            Some((Kind::Blocked, 20.0)),
            "abuse",
            true,
            true,
        ),
    ] {
        let verdict = verdict(log_odds, finding);
        let to = address(&format!("{to}@here.test"));
        let got = is_aside(&verdict, &to, shows_mail);
        assert_eq!(got, want, "{what} to {to}: {verdict:?}");
    }
}

fn routed(way: Way) -> Routed {
    Routed {
        address: address("team@here.test"),
        dsn: store::queue::RecipientDsn::default(),
        way,
    }
}

#[test]
fn junk_does_not_leave() {
    let forwards = vec![address("x@there.test")];
    let only_away = routed(Way::Local(Local {
        forwards: forwards.clone(),
        ..Local::default()
    }));
    let here_too = routed(Way::Local(Local {
        forwards,
        reports: true,
        ..Local::default()
    }));
    let back = routed(Way::Back(address("x@there.test")));
    let taken = |junk, away| Fate::Taken { junk, away };
    for (what, to, junk, want) in [
        (taken(false, true), &only_away, false, "taken, away"),
        (taken(false, true), &only_away, true, "refused"),
        (taken(false, true), &here_too, false, "taken, away"),
        (taken(false, true), &here_too, true, "taken"),
        (taken(false, false), &here_too, true, "taken"),
        (taken(true, false), &here_too, true, "taken, junk"),
        (taken(false, true), &back, true, "taken, away"),
    ] {
        let got = match keep_here(what.clone(), to, junk) {
            Fate::Taken { junk, away } => {
                let junk = if junk { ", junk" } else { "" };
                format!("taken{junk}{}", if away { ", away" } else { "" })
            }
            Fate::Refused(refusal) => {
                assert!(refusal.to_string().contains("looks like junk"), "{refusal}");
                "refused".to_owned()
            }
        };
        assert_eq!(got, want, "{what:?} {junk}");
    }
}

#[test]
fn fields_of_ours_are_found_wherever_they_stand() {
    let message = b"Subject: x\r\nx-postroad-SPAM: wanted;\r\n by=mx.here.test\r\nX-Spam-Flag: NO\r\nX-Spam-Status: No\r\n\r\n\
                    X-Spam-Flag: NO\r\n";
    let found: Vec<&[u8]> = forged(message)
        .into_iter()
        .map(|range| &message[range])
        .collect();
    let want: [&[u8]; 2] = [
        b"x-postroad-SPAM: wanted;\r\n by=mx.here.test\r\n",
        b"X-Spam-Flag: NO\r\n",
    ];
    assert_eq!(found, want);
}
