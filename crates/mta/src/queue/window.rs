//! How many attempts at once one destination may get: more while all goes well, fewer after trouble.

use crate::limits;

/// What an attempt says about its destination (not about its message).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// The server talked to us, whatever it said of the message.
    Good,
    /// No server could be reached, or none wanted to talk.
    Unreachable,
    /// We did not come so far: says nothing.
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct Window {
    size: usize,
    /// Successes since the last growth.
    good: usize,
    /// Failures since the last success.
    failures: u32,
    ever_good: bool,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self {
            size: limits::WINDOW_START,
            good: 0,
            failures: 0,
            ever_good: false,
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn note(&mut self, health: Health) {
        match health {
            Health::Good => {
                self.ever_good = true;
                self.failures = 0;
                self.good += 1;
                // One more after a whole window of successes.
                if self.good >= self.size && self.size < limits::WINDOW_MAX {
                    self.size += 1;
                    self.good = 0;
                }
            }
            Health::Unreachable => {
                self.failures += 1;
                self.good = 0;
                self.size = (self.size / 2).max(1);
            }
            Health::Unknown => {}
        }
    }

    /// Nobody is there: asking once more for each waiting message would only waste time.
    pub(crate) fn is_dead(&self) -> bool {
        let bound = if self.ever_good {
            limits::FAILURES_UNTIL_DEAD
        } else {
            1
        };
        self.failures >= bound
    }

    /// It looks like any other again: what was put off has its own next time.
    pub(crate) fn revive(&mut self) {
        self.failures = 0;
        self.size = 1;
        self.ever_good = false;
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.size == limits::WINDOW_START && self.failures == 0
    }
}
