//! Turns for slow hashing: a few at a time, and whoever comes from where an account is at home does not wait behind the
//! thousand who guess.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::StoreError;
use crate::limits::{HASHES_FOR_STRANGERS, HASHES_RESERVED, STRANGERS_WAITING_MAX};

/// Who wants a password to be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    /// Comes from a network that the account was logged in from, or is the operator.
    Known,
    /// Anybody else, and whoever names an account that there is not.
    Stranger,
}

pub(super) struct Lanes {
    reserved: Semaphore,
    for_all: Semaphore,
    strangers: Semaphore,
}

/// Held while a password is hashed.
pub(super) struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _place: Option<SemaphorePermit<'a>>,
}

/// So many strangers wait already that one more would wait too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crowded;

impl Default for Lanes {
    fn default() -> Self {
        Self {
            reserved: Semaphore::new(HASHES_RESERVED),
            for_all: Semaphore::new(HASHES_FOR_STRANGERS),
            strangers: Semaphore::new(STRANGERS_WAITING_MAX),
        }
    }
}

impl Lanes {
    pub(super) async fn turn(&self, guest: Guest) -> Result<Result<Turn<'_>, Crowded>, StoreError> {
        let (turn, place) = match guest {
            Guest::Known => {
                let turn = tokio::select! {
                    biased;
                    turn = self.reserved.acquire() => turn,
                    turn = self.for_all.acquire() => turn,
                };
                (turn, None)
            }
            Guest::Stranger => {
                let Ok(place) = self.strangers.try_acquire() else {
                    return Ok(Err(Crowded));
                };
                (self.for_all.acquire().await, Some(place))
            }
        };
        Ok(Ok(Turn {
            _turn: turn.map_err(|_| StoreError::Closed)?,
            _place: place,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What there is without waiting.
    fn now<F: Future>(future: F) -> Option<F::Output> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn taken<'a>(lanes: &'a Lanes, guest: Guest) -> Option<Turn<'a>> {
        now(lanes.turn(guest)).map(|turn| turn.ok().and_then(Result::ok).expect("a turn"))
    }

    #[test]
    fn who_is_known_does_not_wait_behind_strangers() {
        let lanes = Lanes::default();
        let guessing: Vec<_> = (0..HASHES_FOR_STRANGERS)
            .map(|_| taken(&lanes, Guest::Stranger).expect("at once"))
            .collect();
        let mut waiting: Vec<_> = (guessing.len()..STRANGERS_WAITING_MAX)
            .map(|_| Box::pin(lanes.turn(Guest::Stranger)))
            .collect();
        for one in &mut waiting {
            assert!(now(one.as_mut()).is_none(), "it waits");
        }
        let crowded = now(lanes.turn(Guest::Stranger)).expect("at once");
        assert!(matches!(crowded, Ok(Err(Crowded))));
        let known: Vec<_> = (0..HASHES_RESERVED)
            .map(|_| taken(&lanes, Guest::Known).expect("at once"))
            .collect();
        assert!(
            taken(&lanes, Guest::Known).is_none(),
            "as many as there are processors"
        );
        drop(known);
        assert!(taken(&lanes, Guest::Known).is_some());
        // Somebody gives up: there is a place to wait again.
        waiting.pop();
        let mut next = Box::pin(lanes.turn(Guest::Stranger));
        assert!(now(next.as_mut()).is_none(), "it waits");
        drop(guessing);
        let first = waiting.first_mut().expect("somebody waits");
        assert!(now(first.as_mut()).is_some(), "one after the other");
    }

    #[test]
    fn who_is_known_takes_any_turn() {
        let lanes = Lanes::default();
        let all: Vec<_> = (0..HASHES_RESERVED + HASHES_FOR_STRANGERS)
            .map(|_| taken(&lanes, Guest::Known).expect("at once"))
            .collect();
        assert!(taken(&lanes, Guest::Stranger).is_none());
        drop(all);
        assert!(taken(&lanes, Guest::Stranger).is_some());
    }
}
