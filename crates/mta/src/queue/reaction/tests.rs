//! What follows from answers, as tables: the answers are real ones.

use doctor::replies::{Refusal, classify};

use super::*;

const NOW: u64 = 1_000_000;
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

const OUTLOOK: &str = "outlook-com.olc.protection.outlook.com";
const GMAIL: &str = "gmail-smtp-in.l.google.com";
const S3150: &str = "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service \
                     provider since part of their network is on our block list (S3150).";
const QUOTA: &str = "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address.";
const GREY: &str = "451 4.7.1 Greylisting in action, please come back later";
const NOBODY: &str = "550 5.1.1 The email account that you tried to reach does not exist.";
const FULL: &str = "452 4.2.2 The recipient's mailbox is full.";
const NO_IPV6: &str = "550 5.7.510 Access denied, contoso does not accept email over IPv6";

fn classified(host: &str, reply: &str) -> Classified<'static> {
    classify(&Refusal::read(host, "there.example", Phase::End, reply))
}

fn said() -> LastSaid {
    LastSaid {
        host: OUTLOOK.to_owned(),
        phase: Phase::Mail,
        reply: S3150.to_owned(),
    }
}

fn refused(standing: &mut Standing, host: &str, reply: &str, now: u64) {
    standing.refused(&classified(host, reply), said(), now);
}

fn gate(standing: &Standing, now: u64, open: u16) -> Gate {
    let traffic = Traffic {
        open,
        usual: 5,
        sent: 0,
    };
    standing.gate(now, traffic, RelayUse::None)
}

/// What becomes of the message, with and without hold and relay.
#[test]
fn rulings() {
    let kept = |after: u64, usual: bool, held: bool| Ruling::Keep {
        due: NOW + after,
        usual,
        held,
    };
    let direct = Facts {
        hold: true,
        attempts: 1,
        now: NOW,
        ..Facts::default()
    };
    let blocked = Facts {
        blocked: true,
        silent_until: Some(NOW + 2 * HOUR),
        ..direct
    };
    let quiet = Facts {
        silent_until: Some(NOW + 10 * MINUTE),
        ..direct
    };
    let with_relay = Facts {
        relay: true,
        ..blocked
    };
    let unheld = Facts {
        hold: false,
        ..blocked
    };
    let by_relay = Facts {
        relayed: true,
        ..blocked
    };
    let over_ipv6 = Facts {
        ipv4_instead: true,
        ..direct
    };
    let again = |attempts| Facts { attempts, ..direct };
    let table: &[(&str, &str, &str, Facts, Ruling)] = &[
        (
            "blocked, kept",
            OUTLOOK,
            S3150,
            blocked,
            kept(2 * HOUR, false, true),
        ),
        (
            "blocked, relay",
            OUTLOOK,
            S3150,
            with_relay,
            kept(0, false, false),
        ),
        ("blocked, not kept", OUTLOOK, S3150, unheld, Ruling::Usual),
        ("said by a relay", OUTLOOK, S3150, by_relay, Ruling::Usual),
        (
            "blocked over IPv6",
            OUTLOOK,
            S3150,
            over_ipv6,
            kept(0, false, false),
        ),
        (
            "too fast",
            GMAIL,
            QUOTA,
            quiet,
            kept(10 * MINUTE, false, false),
        ),
        ("no such user", GMAIL, NOBODY, direct, Ruling::Usual),
        (
            "no such user, blocked",
            OUTLOOK,
            NOBODY,
            with_relay,
            Ruling::Usual,
        ),
        (
            "first contact",
            "mx.there.example",
            GREY,
            again(1),
            kept(120, false, false),
        ),
        (
            "second contact",
            "mx.there.example",
            GREY,
            again(2),
            kept(360, false, false),
        ),
        (
            "third contact",
            "mx.there.example",
            GREY,
            again(3),
            kept(900, false, false),
        ),
        (
            "fourth contact",
            "mx.there.example",
            GREY,
            again(4),
            Ruling::Usual,
        ),
        (
            "full for now",
            GMAIL,
            FULL,
            direct,
            kept(4 * HOUR, true, false),
        ),
        (
            "no IPv6",
            OUTLOOK,
            NO_IPV6,
            over_ipv6,
            kept(0, false, false),
        ),
        (
            "no IPv6, IPv4 neither",
            OUTLOOK,
            NO_IPV6,
            direct,
            Ruling::Usual,
        ),
    ];
    for (name, host, reply, facts, wanted) in table {
        let permanent = reply.starts_with('5');
        let found = rule(&classified(host, reply), permanent, facts);
        assert_eq!(found, *wanted, "{name}");
    }
}

#[test]
fn a_block_is_probed_by_one_message() {
    let mut standing = Standing::default();
    refused(&mut standing, OUTLOOK, S3150, NOW);
    assert!(standing.is_blocked());
    assert_eq!(gate(&standing, NOW + HOUR, 0), Gate::PutOff(NOW + 2 * HOUR));
    let probing = NOW + 2 * HOUR;
    assert_eq!(gate(&standing, probing, 0), Gate::Go);
    assert_eq!(gate(&standing, probing, 1), Gate::Wait);
    // In vain: longer silences, but never longer than a day.
    let mut now = probing;
    for _ in 0..10 {
        refused(&mut standing, OUTLOOK, S3150, now);
        let until = standing.silent_until(now).expect("silence");
        assert!(until - now <= 24 * HOUR, "{}", until - now);
        now = until;
    }
    standing.accepted(now);
    assert!(!standing.is_blocked() && standing.is_free(now, 5));
    assert_eq!(gate(&standing, now, 4), Gate::Go);
}

#[test]
fn a_relay_takes_all_but_the_probes() {
    let traffic = |open| Traffic {
        open,
        usual: 5,
        sent: 0,
    };
    let mut standing = Standing::default();
    let gate =
        |standing: &Standing, now, open| standing.gate(now, traffic(open), RelayUse::WhenBlocked);
    assert_eq!(gate(&standing, NOW, 0), Gate::Go);
    refused(&mut standing, OUTLOOK, S3150, NOW);
    assert_eq!(gate(&standing, NOW, 0), Gate::Relay);
    let probing = NOW + 2 * HOUR;
    assert_eq!(gate(&standing, probing, 0), Gate::Go);
    assert_eq!(
        gate(&standing, probing, 1),
        Gate::Relay,
        "one probe at a time"
    );
    refused(&mut standing, OUTLOOK, S3150, probing);
    assert_eq!(gate(&standing, probing + HOUR, 0), Gate::Relay);
    standing.accepted(probing + 4 * HOUR);
    assert_eq!(gate(&standing, probing + 4 * HOUR, 0), Gate::Go);
    let always = standing.gate(NOW, traffic(0), RelayUse::Always);
    assert_eq!(always, Gate::Relay);
    // A mere quota does not call the relay.
    let mut slowed = Standing::default();
    refused(&mut slowed, GMAIL, QUOTA, NOW);
    let put_off = Gate::PutOff(NOW + 10 * MINUTE);
    assert_eq!(slowed.gate(NOW, traffic(0), RelayUse::WhenBlocked), put_off);
}

/// Ten minutes of nothing, then one connection; each success adds one, each failure costs ten minutes more.
#[test]
fn google_s_rule() {
    let mut standing = Standing::default();
    refused(&mut standing, GMAIL, QUOTA, NOW);
    for minute in 0..10 {
        let now = NOW + minute * MINUTE;
        assert_eq!(gate(&standing, now, 0), Gate::PutOff(NOW + 10 * MINUTE));
    }
    let mut now = NOW + 10 * MINUTE;
    assert_eq!(
        (gate(&standing, now, 0), gate(&standing, now, 1)),
        (Gate::Go, Gate::Wait)
    );
    refused(&mut standing, GMAIL, QUOTA, now);
    assert_eq!(gate(&standing, now, 0), Gate::PutOff(now + 10 * MINUTE));
    now += 10 * MINUTE;
    for connections in 1..4 {
        assert_eq!(gate(&standing, now, connections - 1), Gate::Go);
        assert_eq!(gate(&standing, now, connections), Gate::Wait);
        standing.accepted(now);
    }
}

#[test]
fn ipv6_is_left_alone_for_longer_and_longer() {
    let mut standing = Standing::default();
    assert!(standing.may_use_ipv6(NOW));
    standing.ipv6_failed(NOW);
    assert!(!standing.may_use_ipv6(NOW + HOUR - 1) && standing.may_use_ipv6(NOW + HOUR));
    standing.ipv6_failed(NOW + HOUR);
    assert!(!standing.may_use_ipv6(NOW + 3 * HOUR - 1) && standing.may_use_ipv6(NOW + 3 * HOUR));
    for _ in 0..100 {
        standing.ipv6_failed(NOW);
    }
    assert!(standing.may_use_ipv6(NOW + 32 * HOUR));
    standing.ipv6_worked();
    assert!(standing.may_use_ipv6(NOW) && standing.is_free(NOW, 5));
}

#[test]
fn a_standing_survives_a_restart() {
    let mut standing = Standing::default();
    refused(&mut standing, OUTLOOK, S3150, NOW);
    standing.ipv6_failed(NOW);
    let text = serde_json::to_string(&standing).unwrap();
    assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
    assert_eq!(
        serde_json::from_str::<Standing>("{}").unwrap(),
        Standing::default()
    );
}

/// A domain of ours that is held there keeps its mail as long as a blocked address does.
#[test]
fn a_senders_hold_is_a_block_of_that_sender() {
    let reply = "550 5.7.1 held";
    let base = classified(OUTLOOK, reply);
    let hold = Classified {
        scope: Scope::SenderDomain,
        next: Next::Hold,
        wait: classified(OUTLOOK, S3150).wait,
        ..base
    };
    let mut standing = Standing::default();
    standing.refused(&hold, said(), NOW);
    assert!(standing.is_blocked());
    standing.accepted(NOW + 30 * HOUR);
    assert!(!standing.is_blocked());
}

#[test]
fn another_address_is_tried_at_once_but_not_over_and_over() {
    let of = classified(OUTLOOK, NO_IPV6);
    for (attempts, usual) in [(1, false), (3, false), (4, true), (90, true)] {
        let facts = Facts {
            ipv4_instead: true,
            attempts,
            now: NOW,
            ..Facts::default()
        };
        let wanted = Ruling::Keep {
            due: NOW,
            usual,
            held: false,
        };
        assert_eq!(rule(&of, true, &facts), wanted, "{attempts}");
    }
}
