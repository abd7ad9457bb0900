//! One peer's questions wait for one another, and for nobody else's.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use super::*;

/// Never answers, and counts who waits for it.
#[derive(Default)]
struct Silent {
    asked: AtomicUsize,
}

impl Dns for Silent {
    fn ask<'a>(&'a self, _: &'a str, _: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(pending())
    }
}

/// Asks so many questions at once and says how many of them got through.
fn asked(peers: &Arc<Semaphore>, questions: usize) -> usize {
    let silent = Silent::default();
    let turn = Turn::with(peers.clone());
    let dns = InTurn {
        dns: &silent,
        turn: &turn,
    };
    let asking = (0..questions).map(|_| dns.ask("slow.example", Kind::Txt));
    let mut asking = pin!(futures_util::future::join_all(asking));
    let mut context = Context::from_waker(Waker::noop());
    assert!(asking.as_mut().poll(&mut context).is_pending());
    silent.asked.load(Ordering::Relaxed)
}

#[test]
fn a_peer_with_many_questions_takes_nobody_elses_turn() {
    let turns = Turns::default();
    let peer = |text: &str| turns.of_peer(text.parse().unwrap());
    let (one, again) = (peer("192.0.2.1"), peer("::ffff:192.0.2.1"));
    assert!(Arc::ptr_eq(&one, &again));
    // One customer of IPv6.
    let six = peer("2001:db8::1");
    assert!(Arc::ptr_eq(&six, &peer("2001:db8::2")));
    assert_eq!(asked(&one, 10), 10);
    assert_eq!(asked(&one, 1_000), limits::QUESTIONS_PER_MESSAGE_MAX);
    // Whoever has hung up waits no longer.
    assert_eq!(one.available_permits(), limits::QUESTIONS_PER_PEER_MAX);
    let _busy = one.try_acquire_many(limits::QUESTIONS_PER_PEER_MAX as u32);
    assert_eq!(asked(&again, 5), 0);
    assert_eq!(asked(&peer("192.0.2.2"), 5), 5);
}

#[test]
fn peers_that_are_gone_are_forgotten() {
    let turns = Turns::default();
    let kept = turns.of_peer([192, 0, 2, 1].into());
    for number in 0..3 * limits::PEERS_ASKED_ABOUT_MAX {
        let [_, a, b, c] = u32::try_from(number).unwrap().to_be_bytes();
        drop(turns.of_peer([10, a, b, c].into()));
    }
    let known = turns.peers.lock().unwrap().len();
    assert!(known <= limits::PEERS_ASKED_ABOUT_MAX, "{known}");
    assert!(Arc::ptr_eq(&kept, &turns.of_peer([192, 0, 2, 1].into())));
}
