//! Networks, sentences, and what fits into memory.

use std::time::Duration;

use super::limits::{BAN_FORGOTTEN_AFTER, BANS_MAX};
use super::sentence::sentence;
use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn banned(text: &str, until: i64) -> Banned {
    Banned {
        network: network(text),
        until: UnixMillis(until),
        scope: Scope::Everything,
        cause: Cause::Passwords,
        level: 0,
    }
}

#[test]
fn networks_read_and_print() {
    let cases = [
        ("192.0.2.1", Some("192.0.2.1")),
        ("192.0.2.77/24", Some("192.0.2.0/24")),
        ("0.0.0.0/0", Some("0.0.0.0/0")),
        ("::ffff:192.0.2.1", Some("192.0.2.1")),
        ("::ffff:192.0.2.1/120", Some("192.0.2.0/24")),
        ("2001:db8:1:2:3::9/64", Some("2001:db8:1:2::/64")),
        ("2001:DB8::1", Some("2001:db8::1")),
        ("::/0", Some("::/0")),
        ("192.0.2.1/33", None),
        ("192.0.2", None),
        ("2001:db8::/129", None),
        ("::ffff:192.0.2.1/95", None),
        ("mail.example", None),
        ("1.2.3.4/x", None),
        ("", None),
    ];
    for (text, expected) in cases {
        let read = text.parse::<Network>().ok().map(|one| one.to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    }
}

#[test]
fn networks_know_what_they_contain() {
    let cases = [
        ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.0/24", "::ffff:192.0.2.9", true),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "192.0.2.1", false),
        ("2001:db8::/48", "2001:db8:0:ffff::1", true),
        ("2001:db8::/48", "2001:db8:1::1", false),
    ];
    for (block, address, expected) in cases {
        let contained = network(block).contains(address.parse().unwrap());
        assert_eq!(contained, expected, "{block} {address}");
    }
}

#[test]
fn bans_grow_and_are_forgotten() {
    let millis = |time: Duration| time.as_millis() as i64;
    let facts = |before| Facts {
        cause: Cause::Passwords,
        before,
        is_home: false,
        is_exempt: false,
    };
    let (mut now, mut before) = (NOW, None);
    for (level, step) in BAN_STEPS.iter().chain([&BAN_STEPS[4]]).enumerate() {
        let given = sentence(facts(before), now).unwrap();
        assert_eq!(given.until.0 - now.0, millis(*step), "{level}");
        let last = Banned {
            level: given.level,
            ..banned("192.0.2.1", given.until.0)
        };
        assert_eq!(sentence(facts(Some(last)), now), Err(Spared::Already));
        (now, before) = (UnixMillis(given.until.0 + 1), Some(last));
    }
    let much_later = UnixMillis(now.0 + millis(BAN_FORGOTTEN_AFTER));
    assert_eq!(sentence(facts(before), much_later).unwrap().level, 0);
}

#[test]
fn where_people_live_their_doors_stay_open() {
    let facts = |cause, is_home, is_exempt| Facts {
        cause,
        before: None,
        is_home,
        is_exempt,
    };
    let scope = |facts| sentence(facts, NOW).map(|given| given.scope);
    let cases = [
        (facts(Cause::Passwords, true, false), Err(Spared::Home)),
        (facts(Cause::Spraying, true, false), Err(Spared::Home)),
        (facts(Cause::Harvest, true, false), Ok(Scope::Mx)),
        (facts(Cause::Harvest, false, false), Ok(Scope::Everything)),
        // People behind the same address as a crowd may still log in.
        (facts(Cause::Flood, false, false), Ok(Scope::Mx)),
        (facts(Cause::Flood, false, true), Err(Spared::Exempt)),
    ];
    for (facts, expected) in cases {
        assert_eq!(scope(facts), expected, "{facts:?}");
    }
}

#[test]
fn a_ban_that_comes_in_the_place_of_another_ends_no_sooner() {
    let day = 86_400_000;
    for (until, cause, expected) in [
        (i64::MAX, Cause::Operator, (i64::MAX, Cause::Operator)),
        (
            NOW.0 + 7 * day,
            Cause::Harvest,
            (NOW.0 + 7 * day, Cause::Passwords),
        ),
        (
            NOW.0 + 1,
            Cause::Harvest,
            (NOW.0 + 3_600_000, Cause::Passwords),
        ),
    ] {
        let before = Banned {
            scope: Scope::Mx,
            cause,
            ..banned("192.0.2.1", until)
        };
        let facts = Facts {
            cause: Cause::Passwords,
            before: Some(before),
            is_home: false,
            is_exempt: false,
        };
        let given = sentence(facts, NOW).unwrap();
        assert_eq!((given.until.0, given.cause), expected);
        assert_eq!(given.scope, Scope::Everything);
    }
}

#[test]
fn the_set_is_bounded_and_keeps_those_that_last() {
    let mut set = Set::default();
    let lasting = banned("2001:db8::/32", i64::MAX);
    set.insert(lasting, NOW);
    for n in 0..(BANS_MAX as u32 + 5_000) {
        let address = std::net::Ipv4Addr::from(0x0b00_0000 + n);
        let until = NOW.0 + i64::from(n) + 1;
        set.insert(
            Banned {
                network: Network::of(address.into()),
                ..banned("192.0.2.1", until)
            },
            NOW,
        );
    }
    assert!(set.len() <= BANS_MAX);
    let found = set.find("2001:db8:9::1".parse().unwrap(), NOW);
    assert_eq!(found, Some(lasting));
    set.remove(&lasting.network);
    assert_eq!(set.find("2001:db8:9::1".parse().unwrap(), NOW), None);
}

#[test]
fn recent_entries_stay_and_the_rest_is_bounded() {
    let mut recent: Recent<u32, u32> = Recent::new(100);
    for n in 0..10_000 {
        *recent.touch(u32::MAX, || 0) += 1;
        recent.touch(n, || n);
        assert!(recent.len() <= 101, "{}", recent.len());
    }
    assert_eq!(recent.get(&u32::MAX), Some(&10_000));
    assert_eq!(recent.get(&9_999), Some(&9_999));
    assert_eq!(recent.get(&1), None);
}

#[test]
fn what_is_exempt_can_be_taken_back_and_added() {
    let said = |text: &str, allowed| Allowance {
        network: network(text),
        allowed,
        words: String::new(),
        changed: NOW,
    };
    let exempt = effective(&[said("127.0.0.0/8", false), said("203.0.113.0/24", true)]);
    let is = |address: &str| {
        exempt
            .iter()
            .any(|one| one.contains(address.parse().unwrap()))
    };
    assert!(!is("127.0.0.1"));
    assert!(is("203.0.113.9"));
    assert!(is("::1"));
    assert!(!is("8.8.8.8"));
    assert_eq!(effective(&[]).len(), EXEMPT_BUILT_IN.len());
}
