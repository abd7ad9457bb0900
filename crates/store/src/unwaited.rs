//! Changes that nobody waits for: which are on their way, so that somebody can wait for those begun so far.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

#[derive(Debug, Default)]
pub(crate) struct Unwaited {
    known: Mutex<Known>,
    one_over: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    on_their_way: BTreeSet<u64>,
    next: u64,
}

/// One of them; it is over when this goes.
pub(crate) struct OnItsWay {
    number: u64,
    unwaited: Arc<Unwaited>,
}

impl Unwaited {
    pub(crate) fn begin(self: &Arc<Self>) -> OnItsWay {
        let mut known = self.known.lock();
        let number = known.next;
        known.next += 1;
        known.on_their_way.insert(number);
        drop(known);
        OnItsWay {
            number,
            unwaited: Arc::clone(self),
        }
    }

    /// Waits for those that began before this call, not for later ones.
    pub(crate) fn wait(&self) {
        let mut known = self.known.lock();
        let later = known.next;
        while known
            .on_their_way
            .first()
            .is_some_and(|oldest| *oldest < later)
        {
            self.one_over.wait(&mut known);
        }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.unwaited.known.lock().on_their_way.remove(&self.number);
        self.unwaited.one_over.notify_all();
    }
}
