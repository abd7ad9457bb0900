//! How long a conversation waits: one timer, armed only when there is really nothing to do.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use crate::{Clock, limits};

/// One alarm at a time. It is not moved when the deadline moves on, only when it rings too early:
/// a chatty connection does not touch the timer wheel for each command.
#[derive(Default)]
pub(super) struct Timer {
    alarm: Option<(Instant, BoxFuture<'static, ()>)>,
    stuck_since: Option<Instant>,
}

impl Timer {
    pub(super) fn poll(
        &mut self,
        clock: &dyn Clock,
        context: &mut Context<'_>,
        deadline: Instant,
    ) -> Poll<()> {
        loop {
            let alarm = match &mut self.alarm {
                Some((at, alarm)) if *at <= deadline => alarm,
                _ => &mut self.alarm.insert((deadline, clock.until(deadline))).1,
            };
            match alarm.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.alarm = None,
            }
            if deadline <= clock.now() {
                return Poll::Ready(());
            }
        }
    }

    /// Since when no byte could be written.
    pub(super) fn stuck_since(&mut self, now: Instant) -> Instant {
        *self.stuck_since.get_or_insert(now)
    }

    pub(super) fn wrote(&mut self) {
        self.stuck_since = None;
    }
}

/// A lower bound on the speed of the peer between two events: a bucket that leaks at that rate. It
/// holds a minute's worth, so that a fast beginning does not pay for hours of dripping.
#[derive(Default)]
pub(super) struct Pace {
    bytes_per_sec_min: Option<u32>,
    /// When the bucket is empty.
    paid_until: Option<Instant>,
    /// Received and not in the bucket yet.
    bytes: u64,
}

impl Pace {
    pub(super) fn at_least(bytes_per_sec: u32) -> Self {
        Self {
            bytes_per_sec_min: Some(bytes_per_sec.max(1)),
            paid_until: None,
            bytes: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.paid_until = None;
        self.bytes = 0;
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// The earlier of `deadline` and the moment when the peer will have been too slow.
    pub(super) fn deadline(
        &mut self,
        now: Instant,
        deadline: Instant,
        patience: Duration,
    ) -> Instant {
        let Some(rate) = self.bytes_per_sec_min else {
            return deadline;
        };
        let rate = u64::from(rate);
        let full = now + limits::PACE_CREDIT_MAX;
        let earned = Duration::from_secs(self.bytes / rate).min(limits::PACE_CREDIT_MAX);
        self.bytes %= rate;
        let paid_until = (self.paid_until.unwrap_or(now) + earned).min(full);
        self.paid_until = Some(paid_until);
        deadline.min(paid_until + patience)
    }
}
