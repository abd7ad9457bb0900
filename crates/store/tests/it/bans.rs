//! Bans outlast the process, are shared by nodes, and spare those they must spare.

use std::net::IpAddr;

use store::bans::{Allowance, Attempt, Ban, Banned, Blame, Cause, Network, Scope};
use store::*;

use crate::fixture::*;

on_both!(
    bans_outlast_the_process_and_grow,
    the_operator_bans_lifts_and_allows,
    a_home_of_people_keeps_its_doors,
    blocks_of_ipv6_are_banned_with_many_of_their_parts,
    another_node_sees_bans_and_their_end,
    what_is_over_is_tidied_away,
    tries_are_counted_here_and_anywhere,
    greylisting_is_switched_by_domain,
    a_crowd_of_one_block_is_counted_together,
    rows_that_may_not_begin
);

const HOUR: i64 = 3_600_000;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn later(millis: i64) -> mail::UnixMillis {
    mail::UnixMillis(NOW.0 + millis)
}

/// Enough for a ban.
fn misbehave(store: &Store, peer: &str, now: mail::UnixMillis) {
    for n in 0..10 {
        let blame = Blame::UnknownLogin {
            login: n,
            password: None,
        };
        store.blame(ip(peer), blame, now);
    }
}

fn operators(text: &str, until: i64) -> Ban {
    Ban {
        banned: Banned {
            network: network(text),
            until: mail::UnixMillis(until),
            scope: Scope::Everything,
            cause: Cause::Operator,
            level: 0,
        },
        since: NOW,
        words: "asked us to".to_owned(),
    }
}

fn put(home: &Home, ban: Ban) {
    home.write(move |change| change.put_ban(&ban, NOW)).unwrap();
    home.store.reread_bans_blocking(NOW).unwrap();
}

fn bans_outlast_the_process_and_grow(home: &Home) {
    let peer = "198.51.100.7";
    misbehave(&home.store, peer, NOW);
    let first = home.store.banned(ip(peer), NOW).expect("banned");
    assert_eq!(first.until, later(600_000));
    assert_eq!(home.store.banned(ip("198.51.100.8"), NOW), None);
    assert_eq!(home.store.banned(ip(peer), later(600_000)), None);
    misbehave(&home.store, peer, later(HOUR));
    home.store.close();

    let again = Store::open(&home.settings).expect("opens");
    let second = again.banned(ip(peer), later(HOUR)).expect("still banned");
    assert_eq!(second.until, later(2 * HOUR));
    assert_eq!(second.level, 1);
    assert_eq!(again.banned(ip(peer), later(2 * HOUR)), None);
    let rows = again
        .read_blocking(|view| view.bans(later(HOUR), 10))
        .unwrap();
    assert_eq!(rows.len(), 1);
    again.close();
}

fn the_operator_bans_lifts_and_allows(home: &Home) {
    let peer = "203.0.113.9";
    put(home, operators("203.0.113.0/24", i64::MAX));
    assert!(home.store.banned(ip(peer), later(HOUR)).is_some());
    let lifted = home
        .write(move |change| change.lift_ban(&network("203.0.113.0/24"), NOW))
        .unwrap();
    home.store.reread_bans_blocking(NOW).unwrap();
    assert!(lifted);
    assert_eq!(home.store.banned(ip(peer), NOW), None);
    let again = home.write(move |change| change.lift_ban(&network("203.0.113.0/24"), NOW));
    assert!(!again.unwrap());

    // Built in, until taken back.
    misbehave(&home.store, "127.0.0.1", NOW);
    assert_eq!(home.store.banned(ip("127.0.0.1"), NOW), None);
    for (text, allowed) in [("127.0.0.0/8", false), ("203.0.113.0/24", true)] {
        let said = Allowance {
            network: network(text),
            allowed,
            words: "test".to_owned(),
            changed: NOW,
        };
        assert!(
            home.write(move |change| change.put_ban_allowance(&said))
                .unwrap()
        );
    }
    home.store.reread_bans_blocking(NOW).unwrap();
    misbehave(&home.store, "127.0.0.1", NOW);
    misbehave(&home.store, peer, NOW);
    assert!(home.store.banned(ip("127.0.0.1"), NOW).is_some());
    assert_eq!(home.store.banned(ip(peer), NOW), None);
    // The operator's own word is stronger.
    put(home, operators(peer, i64::MAX));
    assert!(home.store.banned(ip(peer), NOW).is_some());
    let gone = home.write(move |change| change.forget_ban_allowance(&network("127.0.0.0/8")));
    assert!(gone.unwrap());
}

fn a_home_of_people_keeps_its_doors(home: &Home) {
    let office = "192.0.2.10";
    home.store.praise(ip(office), NOW);
    for n in 0..200 {
        let blame = Blame::WrongPassword {
            login: n,
            password: Some(n),
            familiar: false,
        };
        home.store.blame(ip(office), blame, NOW);
    }
    assert_eq!(home.store.banned(ip(office), NOW), None);
    // What it does to port 25 shuts port 25.
    for _ in 0..50 {
        home.store.blame(ip(office), Blame::UnknownRecipients, NOW);
    }
    let banned = home.store.banned(ip(office), NOW).map(|one| one.scope);
    assert_eq!(banned, Some(Scope::Mx));
    // It is remembered over a restart, and not for ever.
    home.store.settle();
    home.store.close();
    let again = Store::open(&home.settings).expect("opens");
    assert!(again.is_home(ip(office), later(13 * 24 * HOUR)));
    assert!(!again.is_home(ip(office), later(15 * 24 * HOUR)));
    again.close();
}

fn blocks_of_ipv6_are_banned_with_many_of_their_parts(home: &Home) {
    for n in 0..8 {
        assert_eq!(home.store.banned(ip("2001:db8:1:ff::1"), NOW), None, "{n}");
        misbehave(&home.store, &format!("2001:db8:1:{n:x}::5"), NOW);
    }
    let wide = home
        .store
        .banned(ip("2001:db8:1:ff::1"), NOW)
        .expect("the /56");
    assert_eq!(wide.network, network("2001:db8:1::/56"));
    assert_eq!(wide.cause, Cause::Neighbours);
    assert_eq!(home.store.banned(ip("2001:db8:1:100::1"), NOW), None);
    // Not where people live.
    home.store.praise(ip("2001:db8:2:ee::1"), NOW);
    for n in 0..8 {
        misbehave(&home.store, &format!("2001:db8:2:{n:x}::5"), NOW);
    }
    assert!(home.store.banned(ip("2001:db8:2:7::1"), NOW).is_some());
    assert_eq!(home.store.banned(ip("2001:db8:2:ee::1"), NOW), None);
}

fn another_node_sees_bans_and_their_end(home: &Home) {
    if !home.is_postgres() {
        return;
    }
    let other = Store::open(&home.settings).expect("a second node");
    misbehave(&home.store, "198.51.100.7", NOW);
    home.store.settle();
    other.reread_bans_blocking(NOW).unwrap();
    assert!(other.banned(ip("198.51.100.7"), NOW).is_some());
    home.write(move |change| change.lift_ban(&network("198.51.100.7"), later(1_000)))
        .unwrap();
    other.reread_bans_blocking(later(10_000)).unwrap();
    assert_eq!(other.banned(ip("198.51.100.7"), later(10_000)), None);
    other.close();
}

fn what_is_over_is_tidied_away(home: &Home) {
    misbehave(&home.store, "198.51.100.7", NOW);
    home.store.praise(ip("192.0.2.1"), NOW);
    home.store.settle();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for (after, left) in [(HOUR, 1), (40 * 24 * HOUR, 0)] {
        runtime
            .block_on(home.store.tidy_door(later(after)))
            .unwrap();
        let rows = home.read(|view| view.bans(mail::UnixMillis(0), 10));
        assert_eq!(rows.len(), left, "{after}");
    }
}

fn tries_are_counted_here_and_anywhere(home: &Home) {
    let attempt = |origin: &str, sender: &str| Attempt {
        origin: network(origin),
        sender: sender.to_owned(),
        recipient: "ann@here.example".to_owned(),
    };
    let note = |origin: &str, sender: &str, at: i64| {
        let attempt = attempt(origin, sender);
        let seen = home.write(move |change| {
            change.note_greylist_try(&attempt, true, later(at - 48 * HOUR), later(at))
        });
        let seen: store::bans::Attempts = seen.unwrap().expect("it may begin");
        [
            seen.first.0 - NOW.0,
            i64::from(seen.tries),
            seen.first_anywhere.0 - NOW.0,
            i64::from(seen.tries_anywhere),
        ]
    };
    assert_eq!(note("192.0.2.0/24", "bob@there.example", 0), [0, 1, 0, 1]);
    assert_eq!(note("192.0.2.0/24", "bob@there.example", 60), [0, 2, 0, 2]);
    assert_eq!(
        note("198.51.100.0/24", "bob@there.example", 90),
        [90, 1, 0, 3]
    );
    assert_eq!(
        note("192.0.2.0/24", "eve@there.example", 95),
        [95, 1, 95, 1]
    );
    // Reports come from everywhere: they are no pool.
    assert_eq!(note("192.0.2.0/24", "", 96), [96, 1, 96, 1]);
    assert_eq!(note("198.51.100.0/24", "", 97), [97, 1, 97, 1]);
    assert_eq!(note("192.0.2.0/24", "", 98), [96, 2, 96, 2]);
    let much_later = 50 * HOUR;
    assert_eq!(
        note("192.0.2.0/24", "bob@there.example", much_later),
        [much_later, 1, much_later, 1]
    );
    home.write(|change| change.note_known_peer(&network("192.0.2.0/24"), NOW))
        .unwrap();
    let known = |text: &'static str| home.read(move |view| view.known_peer(&network(text)));
    assert_eq!(known("192.0.2.0/24"), Some(NOW));
    assert_eq!(known("198.51.100.0/24"), None);
    assert_eq!(home.read(|view| view.greylist_counts()), (4, 1));
}

fn greylisting_is_switched_by_domain(home: &Home) {
    let wants = |name: &'static str| home.read(move |view| view.wants_greylisting(&domain(name)));
    let set = |name: Option<&'static str>, on: bool| {
        home.write(move |change| change.set_greylisting(name.map(domain).as_ref(), on, NOW))
            .unwrap();
    };
    assert!(wants("here.example"));
    set(None, false);
    assert!(!wants("here.example"));
    set(Some("here.example"), true);
    assert!(wants("here.example"));
    assert!(!wants("there.example"));
    let said = home.read(|view| view.greylist_choices());
    assert_eq!(said, [(None, false), (Some(domain("here.example")), true)]);
}

/// Whoever has a /48 has 65,536 networks: a few misdeeds from each are many from it.
fn a_crowd_of_one_block_is_counted_together(home: &Home) {
    let guess = |site: u32, number: u32| {
        let peer = format!("2001:db8:{site:x}:{number:x}::1");
        let blame = Blame::UnknownLogin {
            login: u64::from(number),
            password: None,
        };
        home.store.blame(ip(&peer), blame, NOW);
        home.store
            .banned(ip(&format!("2001:db8:{site:x}:ffff::1")), NOW)
    };
    let guesses = (0..2_000).take_while(|number| guess(1, number << 3).is_none());
    let guesses = guesses.count();
    assert!(guesses < 150, "{guesses}");
    let banned = guess(1, 9).expect("all of it");
    assert_eq!(banned.network, network("2001:db8:1::/48"));
    // Where people log in from, it goes on.
    home.store.praise(ip("2001:db8:2:5::1"), NOW);
    assert!((0..2_000).all(|number| guess(2, number << 3).is_none()));
    assert_eq!(home.store.banned(ip("2001:db8:3::1"), NOW), None);
}

fn rows_that_may_not_begin(home: &Home) {
    let attempt = Attempt {
        origin: network("192.0.2.0/24"),
        sender: "bob@there.example".to_owned(),
        recipient: "ann@here.example".to_owned(),
    };
    let note = |may_begin: bool| {
        let attempt = attempt.clone();
        let seen = home
            .write(move |change| change.note_greylist_try(&attempt, may_begin, later(-HOUR), NOW));
        let seen: Option<store::bans::Attempts> = seen.unwrap();
        seen.map(|seen| seen.tries)
    };
    assert_eq!(
        [note(false), note(true), note(false)],
        [None, Some(1), Some(2)]
    );
}
