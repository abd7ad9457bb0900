//! How many fresh questions are in flight to the name servers: more after a window's worth of answers, fewer after each
//! silence, because a small resolver (a router, a container's) drops what comes in a burst, and what is dropped costs time.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::{DNS_WINDOW_MAX, DNS_WINDOW_MIN, DNS_WINDOW_START};

pub(super) struct Window {
    places: Semaphore,
    size: Mutex<Size>,
}

struct Size {
    places: usize,
    /// Since it last changed.
    answers: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(DNS_WINDOW_START),
            size: Mutex::new(Size {
                places: DNS_WINDOW_START,
                answers: 0,
            }),
        }
    }

    /// Waits for a place. `None` never happens: nobody closes it.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    pub(super) fn answered(&self) {
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        size.answers += 1;
        if size.places <= size.answers && size.places < DNS_WINDOW_MAX {
            size.answers = 0;
            size.places += 1;
            self.places.add_permits(1);
        }
    }

    /// One place fewer for each silence: names whose servers are slow are no reason to stand still.
    pub(super) fn silent(&self) {
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        size.answers = 0;
        if DNS_WINDOW_MIN < size.places {
            size.places -= self.places.forget_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_grows_with_answers_and_shrinks_with_silence_within_bounds() {
        let window = Window::new();
        let free = |window: &Window| window.places.available_permits();
        assert_eq!(free(&window), DNS_WINDOW_START);
        for _ in 0..DNS_WINDOW_START {
            assert_eq!(free(&window), DNS_WINDOW_START);
            window.answered();
        }
        assert_eq!(free(&window), DNS_WINDOW_START + 1);
        for _ in 0..DNS_WINDOW_MAX * DNS_WINDOW_MAX {
            window.answered();
        }
        assert_eq!(free(&window), DNS_WINDOW_MAX);
        for _ in 0..2 * DNS_WINDOW_MAX {
            window.silent();
        }
        assert_eq!(free(&window), DNS_WINDOW_MIN);
        // Places in use are not taken away, so nobody's turn is lost.
        let held = window.place().await;
        window.silent();
        drop(held);
        assert_eq!(free(&window), DNS_WINDOW_MIN);
    }
}
