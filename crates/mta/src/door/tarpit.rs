//! Delays for those who err again and again. What waits is a task with an empty conversation and no body; and there
//! are only so many of these.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::limits::{FREE_MISTAKES, TARPIT_FIRST, TARPIT_MAX, TARPITTED_MAX};

/// How many wait now.
#[derive(Debug, Default)]
pub(crate) struct Tarpit {
    waiting: AtomicUsize,
}

/// One that waits, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat<'a> {
    tarpit: &'a Tarpit,
}

impl Tarpit {
    /// `None` when too many wait already: the peer is answered at once.
    pub(crate) fn sit_down(&self) -> Option<Seat<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let seat = Seat { tarpit: self };
        (before < TARPITTED_MAX).then_some(seat)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.tarpit.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long the answer to the so-manieth mistake of a connection waits.
pub(crate) fn delay(mistakes: u32) -> Duration {
    match mistakes.checked_sub(FREE_MISTAKES + 1) {
        None => Duration::ZERO,
        Some(doublings) => {
            let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
            TARPIT_FIRST.saturating_mul(factor).min(TARPIT_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_bound() {
        let delays: Vec<u64> = (0..10).map(|count| delay(count).as_secs()).collect();
        assert_eq!(delays, [0, 0, 0, 1, 2, 4, 8, 16, 16, 16]);
        assert_eq!(delay(u32::MAX), TARPIT_MAX);
    }

    #[test]
    fn only_so_many_wait() {
        let tarpit = Tarpit::default();
        let seats: Vec<_> = (0..TARPITTED_MAX)
            .filter_map(|_| tarpit.sit_down())
            .collect();
        assert_eq!(seats.len(), TARPITTED_MAX);
        assert!(tarpit.sit_down().is_none());
        drop(seats);
        assert!(tarpit.sit_down().is_some());
    }
}
