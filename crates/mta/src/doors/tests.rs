//! Counting connections.

use super::*;
use crate::door::Standing::{Known, Stranger};

fn doors(total_max: usize, per_address_max: usize) -> Doors {
    Doors {
        counts: Arc::default(),
        total_max,
        per_address_max,
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn per_address_and_in_total() {
    let doors = doors(3, 2);
    let first = doors.enter(ip("192.0.2.1"), Known).unwrap();
    let _second = doors.enter(ip("192.0.2.1"), Known).unwrap();
    assert!(matches!(
        doors.enter(ip("192.0.2.1"), Known),
        Err(Refusal::TooManyFromAddress)
    ));
    let _other = doors.enter(ip("192.0.2.2"), Known).unwrap();
    assert!(matches!(
        doors.enter(ip("192.0.2.3"), Known),
        Err(Refusal::TooManyConnections)
    ));
    drop(first);
    let _again = doors.enter(ip("192.0.2.1"), Known).unwrap();
}

#[test]
fn one_ipv6_network_is_one_peer() {
    let doors = doors(10, 1);
    let _first = doors.enter(ip("2001:db8::1"), Known).unwrap();
    assert!(doors.enter(ip("2001:db8::2"), Known).is_err());
    assert!(doors.enter(ip("2001:db8:0:1::1"), Known).is_ok());
}

#[test]
fn what_is_left_is_forgotten() {
    let doors = doors(10, 10);
    let mut entry = doors.enter(ip("192.0.2.1"), Known).unwrap();
    entry.log_in(AccountId(1)).unwrap();
    entry.log_in(AccountId(2)).unwrap();
    drop(entry);
    let counts = lock(&doors.counts);
    assert!(counts.addresses.is_empty() && counts.accounts.is_empty() && counts.total == 0);
}

#[test]
fn strangers_are_held_to_less_while_we_are_busy() {
    let doors = doors(20, 10);
    let mut entries: Vec<_> = (0..10)
        .map(|_| doors.enter(ip("192.0.2.1"), Stranger).unwrap())
        .collect();
    assert!(!doors.is_busy());
    entries.push(doors.enter(ip("192.0.2.2"), Stranger).unwrap());
    assert!(doors.is_busy());
    for _ in 0..5 {
        entries.push(doors.enter(ip("192.0.2.3"), Stranger).unwrap());
    }
    assert!(doors.enter(ip("192.0.2.3"), Stranger).is_err());
    entries.push(doors.enter(ip("192.0.2.3"), Known).unwrap());
    entries.push(doors.enter(ip("192.0.2.4"), Stranger).unwrap());
    assert!(doors.enter(ip("192.0.2.5"), Stranger).is_err());
    entries.push(doors.enter(ip("192.0.2.5"), Known).unwrap());
    entries.push(doors.enter(ip("192.0.2.5"), Known).unwrap());
    assert!(doors.enter(ip("192.0.2.5"), Known).is_err());
}
