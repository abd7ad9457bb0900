//! Tables: what a verdict does to copies and ways.

use mail::Address;

use super::{Because, forged, junk, keep_here};
use crate::envelope::{Local, Routed, Way};
use crate::receive::ruling::Fate;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

#[test]
fn why_a_copy_lies_in_the_junk_folder() {
    let ann = "ann@here.test";
    for (ruled, verdict, to, want) in [
        (false, false, ann, None),
        (true, false, ann, Some(Because::Ruled)),
        (false, true, ann, Some(Because::Verdict)),
        (true, true, ann, Some(Because::Ruled)),
        (false, true, "Postmaster@here.test", None),
        (false, true, "abuse@here.test", None),
        (true, false, "abuse@here.test", Some(Because::Ruled)),
        (false, true, "abuser@here.test", Some(Because::Verdict)),
    ] {
        assert_eq!(
            junk(ruled, verdict, &address(to)),
            want,
            "{ruled} {verdict} {to}"
        );
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
