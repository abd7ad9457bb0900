//! Counting connections, and making room.

use std::time::Duration;

use super::*;
use crate::door::Standing::{Known, Stranger};

struct Hall {
    doors: Doors,
    start: Instant,
}

impl Hall {
    #[expect(clippy::disallowed_methods, reason = "any moment will do")]
    fn new(total_max: usize, per_address_max: usize) -> Self {
        let doors = Doors {
            counts: Arc::default(),
            total_max,
            per_address_max,
        };
        Self {
            doors,
            start: Instant::now(),
        }
    }

    fn enter(&self, from: &str, standing: Standing, seconds: u64) -> Result<Entry, Refusal> {
        let now = self.start + Duration::from_secs(seconds);
        self.doors.enter(from.parse().unwrap(), standing, now)
    }
}

fn is_put_out(entry: &Entry) -> bool {
    entry.guest.is_leaving.load(Ordering::Relaxed)
}

#[test]
fn per_address_and_in_total() {
    let hall = Hall::new(3, 2);
    let first = hall.enter("192.0.2.1", Known, 0).unwrap();
    let _second = hall.enter("192.0.2.1", Known, 0).unwrap();
    let third = hall.enter("192.0.2.1", Known, 0);
    assert!(matches!(third, Err(Refusal::TooManyFromAddress)));
    let _other = hall.enter("192.0.2.2", Known, 0).unwrap();
    let one_more = hall.enter("192.0.2.3", Known, 0);
    assert!(matches!(one_more, Err(Refusal::TooManyConnections)));
    drop(first);
    let _again = hall.enter("192.0.2.1", Known, 0).unwrap();
}

#[test]
fn one_ipv6_network_is_one_peer() {
    let hall = Hall::new(10, 1);
    let _first = hall.enter("2001:db8::1", Known, 0).unwrap();
    assert!(hall.enter("2001:db8::2", Known, 0).is_err());
    assert!(hall.enter("2001:db8:0:1::1", Known, 0).is_ok());
}

#[test]
fn what_is_left_is_forgotten() {
    let hall = Hall::new(10, 10);
    let mut entry = hall.enter("192.0.2.1", Known, 0).unwrap();
    entry.log_in(AccountId(1)).unwrap();
    entry.log_in(AccountId(2)).unwrap();
    drop(entry);
    let counts = lock(&hall.doors.counts);
    assert!(counts.addresses.is_empty() && counts.accounts.is_empty() && counts.total == 0);
}

#[test]
fn who_holds_most_makes_room_first() {
    let hall = Hall::new(20, 20);
    let crowd: Vec<_> = (0..11)
        .map(|n| hall.enter("192.0.2.1", Stranger, n).unwrap())
        .collect();
    assert!(hall.doors.is_busy());
    // No more of them, and one less for each that comes.
    let more = hall.enter("192.0.2.1", Stranger, 20);
    assert!(matches!(more, Err(Refusal::TooManyFromAddress)));
    let mut others = Vec::new();
    for n in 0..3 {
        let other = hall.enter(&format!("198.51.100.{n}"), Stranger, 20);
        others.push(other.unwrap());
    }
    let out: Vec<bool> = crowd.iter().map(is_put_out).collect();
    assert_eq!(out.iter().filter(|out| **out).count(), 3);
    assert_eq!(out[..3], [true; 3], "the oldest");
    assert!(!others.iter().any(is_put_out));
    drop((crowd, others));
    assert_eq!(lock(&hall.doors.counts).leaving, 0);
}

#[test]
fn who_is_here_for_long_for_nothing_makes_room_when_it_is_full() {
    let hall = Hall::new(20, 20);
    let mut all: Vec<_> = (0..17)
        .map(|n| hall.enter(&format!("192.0.2.{n}"), Stranger, n).unwrap())
        .collect();
    all[0].is_of_use();
    all[1].log_in(AccountId(1)).unwrap();
    assert!(!all.iter().any(is_put_out));
    let patience = door::ROOM_AFTER.as_secs();
    all.push(hall.enter("198.51.100.1", Stranger, 2 + patience).unwrap());
    let out: Vec<usize> = (0..17).filter(|n| is_put_out(&all[*n])).collect();
    assert_eq!(out, [2], "the oldest that is of no use");
    all.push(hall.enter("198.51.100.2", Stranger, 2 + patience).unwrap());
    // The others are not here for long: strangers wait outside, known ones come in.
    let refused = hall.enter("198.51.100.3", Stranger, 2 + patience);
    assert!(matches!(refused, Err(Refusal::TooManyConnections)));
    all.push(hall.enter("198.51.100.4", Known, 2 + patience).unwrap());
}
