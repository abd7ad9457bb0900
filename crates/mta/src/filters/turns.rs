//! Whose turn it is at a filter. Each filter has turns of its own, so that one that hangs holds up nothing but what waits for it; and one that
//! let several messages wait in vain rests: it is asked by one message at a time until it answers, and the others go on without it at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Down, Filter};
use crate::{Inner, limits};

/// By the name of the filter.
#[derive(Default)]
pub(crate) struct Turns {
    filters: Mutex<BTreeMap<String, Arc<OfFilter>>>,
}

struct OfFilter {
    places: Arc<Semaphore>,
    rest: Mutex<Rest>,
}

/// The right to ask now. Give it back by [`Turn::over`].
pub(super) struct Turn {
    of: Arc<OfFilter>,
    _place: Option<OwnedSemaphorePermit>,
    begun: Instant,
    /// Time that it must have had before silence says anything of it.
    fair: std::time::Duration,
    probes: bool,
}

impl Turns {
    pub(super) async fn take(
        &self,
        inner: &Inner,
        filter: &Filter,
        until: Instant,
    ) -> Result<Turn, Down> {
        let of = self.of(&filter.name);
        let turn = |place: Option<OwnedSemaphorePermit>, probes: bool| Turn {
            of: of.clone(),
            _place: place,
            begun: inner.world.now(),
            fair: filter.patience.min(limits::FILTER_CONNECT_PATIENCE),
            probes,
        };
        match of.rest().admit(inner.world.now()) {
            Admission::Free => {}
            // Those that hang have all the places.
            Admission::Probe => return Ok(turn(None, true)),
            Admission::Without => return Err(Down::Rests),
        }
        let waiting = of.places.clone().acquire_owned();
        let place = match inner.world.tasks.deadline(until, waiting).await {
            Ok(Ok(place)) => place,
            _ => return Err(Down::Busy),
        };
        // Meanwhile those before it may have waited in vain.
        match of.rest().admit(inner.world.now()) {
            Admission::Free => Ok(turn(Some(place), false)),
            Admission::Probe => Ok(turn(Some(place), true)),
            Admission::Without => Err(Down::Rests),
        }
    }

    fn of(&self, name: &str) -> Arc<OfFilter> {
        let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        let of = filters.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(OfFilter {
                places: Arc::new(Semaphore::new(limits::FILTER_AT_ONCE)),
                rest: Mutex::default(),
            })
        });
        of.clone()
    }
}

impl OfFilter {
    fn rest(&self) -> std::sync::MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    pub(super) fn over(mut self, now: Instant, down: Option<&Down>) {
        let had_time = self.fair <= now.saturating_duration_since(self.begun);
        let probes = std::mem::take(&mut self.probes);
        let mut rest = self.of.rest();
        match down {
            None => rest.answered(),
            Some(down) if down.is_silence() && had_time => rest.silent(probes, now),
            // What fails at once holds up nobody.
            Some(_) => rest.ended(probes),
        }
    }
}

/// A message that is given up on its way does not leave the filter without a probe.
impl Drop for Turn {
    fn drop(&mut self) {
        if self.probes {
            self.of.rest().ended(true);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Free,
    /// It rests, and this message finds out whether it answers again.
    Probe,
    /// It rests: the message goes on without it.
    Without,
}

/// What one filter's silence did so far.
#[derive(Debug, Default)]
struct Rest {
    /// Messages that it let wait in vain, one after the other.
    silent: u32,
    /// No probe before.
    until: Option<Instant>,
    /// One is under way.
    probed: bool,
}

impl Rest {
    fn admit(&mut self, now: Instant) -> Admission {
        if self.silent < limits::FILTER_SILENT_MAX {
            return Admission::Free;
        }
        if self.probed || self.until.is_some_and(|until| now < until) {
            return Admission::Without;
        }
        self.probed = true;
        Admission::Probe
    }

    fn answered(&mut self) {
        *self = Self::default();
    }

    fn silent(&mut self, probes: bool, now: Instant) {
        self.silent = self.silent.saturating_add(1);
        self.until = Some(now + limits::FILTER_REST);
        self.ended(probes);
    }

    /// That says nothing.
    fn ended(&mut self, probes: bool) {
        self.probed &= !probes;
    }
}

#[cfg(test)]
mod tests;
