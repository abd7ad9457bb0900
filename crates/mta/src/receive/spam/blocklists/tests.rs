//! Tables: which lists are asked, about what.

use super::*;

fn choice(zone: &str, is_on: bool, list: Option<&str>) -> BlocklistChoice {
    BlocklistChoice {
        zone: zone.to_owned(),
        is_on,
        list: list.map(str::to_owned),
        changed: UnixMillis(0),
    }
}

fn zones(lists: &[Blocklist]) -> Vec<&str> {
    lists.iter().map(|list| list.zone.as_str()).collect()
}

#[test]
fn the_operator_adds_and_leaves_out() {
    let built_in: Vec<_> = blocklist::inbound().map(|list| list.zone.clone()).collect();
    assert!(2 < built_in.len(), "{built_in:?}");
    assert_eq!(zones(&chosen(true, &[])), built_in);
    assert!(chosen(false, &[]).is_empty());
    let first = built_in[0].as_str();
    assert_eq!(
        zones(&chosen(true, &[choice(first, false, None)])),
        built_in[1..]
    );
    assert_eq!(
        zones(&chosen(false, &[choice(first, true, None)])),
        built_in[..1]
    );
    let own = r#"{"zone":"bl.own.test","of":"addresses","weight":"low","removal":"","mask":null,"test":null,"clean":null,"inbound":{"peer":4.0}}"#;
    let all = chosen(
        false,
        &[
            choice("bl.own.test", true, Some(own)),
            choice("bl.off.test", false, Some(own)),
            choice("bl.broken.test", true, Some("{")),
            choice("bl.nothing.test", true, None),
        ],
    );
    assert_eq!(zones(&all), ["bl.own.test"]);
}

#[test]
fn which_names_of_a_sender_are_asked_about() {
    for (author, from, hello, want) in [
        (Some("a.test"), Some("a.test"), "a.test", vec!["a.test"]),
        (
            Some("news.a.test"),
            Some("Bounce.B.test"),
            "mx.c.test.",
            vec!["a.test", "b.test", "c.test"],
        ),
        (None, None, "[192.0.2.1]", vec![]),
        (None, None, "192.0.2.1", vec![]),
        (None, None, "localhost", vec![]),
        (None, Some("x.co.uk"), "", vec!["x.co.uk"]),
    ] {
        assert_eq!(
            of_sender(author, from, hello),
            want,
            "{author:?} {from:?} {hello}"
        );
    }
}

#[test]
fn which_addresses_lists_can_know() {
    for (ip, want) in [
        ("203.0.113.9", true),
        ("127.0.0.1", false),
        ("10.1.2.3", false),
        ("172.16.0.1", false),
        ("192.168.0.1", false),
        ("100.64.0.1", false),
        ("100.128.0.1", true),
        ("169.254.0.1", false),
        ("198.18.0.1", false),
        ("198.20.0.1", true),
        ("2001:db8::1", true),
        ("::1", false),
        ("fd00::1", false),
        ("fe80::1", false),
    ] {
        assert_eq!(is_public(ip.parse().unwrap()), want, "{ip}");
    }
}
