//! Counting connections.

use super::*;

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
    let first = doors.enter(ip("192.0.2.1")).unwrap();
    let _second = doors.enter(ip("192.0.2.1")).unwrap();
    assert!(matches!(
        doors.enter(ip("192.0.2.1")),
        Err(Refusal::TooManyFromAddress)
    ));
    let _other = doors.enter(ip("192.0.2.2")).unwrap();
    assert!(matches!(
        doors.enter(ip("192.0.2.3")),
        Err(Refusal::TooManyConnections)
    ));
    drop(first);
    let _again = doors.enter(ip("192.0.2.1")).unwrap();
}

#[test]
fn one_ipv6_network_is_one_peer() {
    let doors = doors(10, 1);
    let _first = doors.enter(ip("2001:db8::1")).unwrap();
    assert!(doors.enter(ip("2001:db8::2")).is_err());
    assert!(doors.enter(ip("2001:db8:0:1::1")).is_ok());
}

#[test]
fn what_is_left_is_forgotten() {
    let doors = doors(10, 10);
    let mut entry = doors.enter(ip("192.0.2.1")).unwrap();
    entry.log_in(AccountId(1)).unwrap();
    entry.log_in(AccountId(2)).unwrap();
    drop(entry);
    let counts = lock(&doors.counts);
    assert!(counts.addresses.is_empty() && counts.accounts.is_empty() && counts.total == 0);
}
