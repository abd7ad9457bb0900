//! Time: a monotonic clock for waiting, and the time of day.
//! Under a paused tokio runtime the same code is simulated time.

use std::time::{Duration, Instant, SystemTime};

use futures_util::future::BoxFuture;

pub trait Clock: Send + Sync {
    /// For measuring and waiting; never goes back.
    fn now(&self) -> Instant;
    /// The time of day; may be set by hand or by NTP.
    fn wall(&self) -> SystemTime;
    /// Resolves when `now()` has reached `at`.
    fn until(&self, at: Instant) -> BoxFuture<'static, ()>;
    /// Resolves after `span`.
    fn after(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.until(self.now() + span)
    }
}

/// The clock of the tokio runtime that the caller runs on.
pub struct TokioClock {
    /// Simulated time of day: its value at a moment of the monotonic clock.
    base: Option<(SystemTime, Instant)>,
}

impl TokioClock {
    /// The machine's time of day.
    pub fn real() -> Self {
        Self { base: None }
    }

    /// A time of day that starts at `wall` now and goes on with the runtime's (paused) clock.
    /// Must be called on the runtime.
    pub fn simulated(wall: SystemTime) -> Self {
        Self {
            base: Some((wall, runtime_now())),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        match self.base {
            None => Instant::now(),
            Some(_) => runtime_now(),
        }
    }

    fn wall(&self) -> SystemTime {
        match self.base {
            None => SystemTime::now(),
            Some((wall, start)) => wall + runtime_now().saturating_duration_since(start),
        }
    }

    fn until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(at.into()))
    }
}

fn runtime_now() -> Instant {
    tokio::time::Instant::now().into_std()
}
