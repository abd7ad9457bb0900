//! Turns, windows and dead destinations, on numbers instead of messages.

use super::*;

fn to(name: &str) -> Destination {
    Destination::Hosts(name.to_owned())
}

fn started(scheduler: &mut Scheduler<u32>) -> Vec<(String, u32)> {
    std::iter::from_fn(|| scheduler.start())
        .map(|(destination, job)| (destination.to_string(), job))
        .collect()
}

#[test]
fn destinations_take_turns() {
    let mut scheduler = Scheduler::new();
    for job in 0..4 {
        scheduler.add(&to("a"), job);
    }
    scheduler.add(&to("b"), 10);
    scheduler.add(&to("c"), 20);
    let jobs: Vec<u32> = started(&mut scheduler)
        .into_iter()
        .map(|(_, job)| job)
        .collect();
    assert_eq!(jobs, [0, 10, 20, 1, 2, 3]);
    assert_eq!((scheduler.in_flight(), scheduler.waiting()), (6, 0));
}

#[test]
fn a_full_window_holds_only_its_own_destination_up() {
    let mut scheduler = Scheduler::new();
    for job in 0..10 {
        scheduler.add(&to("slow"), job);
    }
    assert_eq!(started(&mut scheduler).len(), limits::WINDOW_START);
    scheduler.add(&to("other"), 99);
    assert_eq!(started(&mut scheduler), [("other".to_owned(), 99)]);
    assert_eq!(scheduler.waiting(), 10 - limits::WINDOW_START);
}

#[test]
fn the_window_grows_with_success_up_to_its_bound() {
    let mut scheduler = Scheduler::new();
    let mut most = 0;
    for job in 0..2_000 {
        scheduler.add(&to("a"), job);
    }
    while scheduler.waiting() > 0 {
        most = most.max(started(&mut scheduler).len() + scheduler.in_flight());
        assert!(scheduler.in_flight() <= limits::WINDOW_MAX);
        scheduler.finished(&to("a"), Health::Good);
    }
    assert!(most >= limits::WINDOW_MAX, "{most}");
}

#[test]
fn what_waits_for_a_dead_destination_is_put_off() {
    let mut scheduler = Scheduler::new();
    for job in 0..10 {
        scheduler.add(&to("dead"), job);
    }
    scheduler.add(&to("alive"), 99);
    started(&mut scheduler);
    let put_off = scheduler.finished(&to("dead"), Health::Unreachable);
    assert_eq!(put_off, [5, 6, 7, 8, 9]);
    assert_eq!((scheduler.in_flight(), scheduler.waiting()), (5, 0));
    for _ in 0..4 {
        assert!(
            scheduler
                .finished(&to("dead"), Health::Unreachable)
                .is_empty()
        );
    }
    // Its next message is tried like any other, one at a time at first.
    scheduler.add(&to("dead"), 50);
    scheduler.add(&to("dead"), 51);
    assert_eq!(started(&mut scheduler), [("dead".to_owned(), 50)]);
}

#[test]
fn one_failure_among_successes_kills_nothing() {
    let mut scheduler = Scheduler::new();
    for job in 0..10 {
        scheduler.add(&to("a"), job);
    }
    started(&mut scheduler);
    scheduler.finished(&to("a"), Health::Good);
    assert!(scheduler.finished(&to("a"), Health::Unreachable).is_empty());
    assert_eq!(scheduler.waiting(), 5);
}

#[test]
fn everything_bounded_over_all_destinations() {
    let mut scheduler = Scheduler::new();
    for job in 0..1_000 {
        scheduler.add(&to(&format!("d{job}")), job);
    }
    assert_eq!(started(&mut scheduler).len(), limits::ATTEMPTS_MAX);
    assert_eq!(scheduler.drain().len(), 1_000 - limits::ATTEMPTS_MAX);
    assert_eq!(scheduler.waiting(), 0);
}
