//! The door, between the greeting and the message: who talks too early, too much or nonsense, who searches for
//! addresses, who looks doubtful and is asked to come again. Cheap tests first; bodies are not looked at here.

mod caller;
mod doubt;
mod greylist;
mod hello;
pub(crate) mod limits;
mod rates;
mod reverse;
mod tarpit;

use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::UnixMillis;
use store::bans::{Network, Recent};

use crate::Inner;

pub(crate) use caller::{Caller, Standing};
pub(crate) use greylist::welcome;
pub(crate) use rates::Act;

use rates::Rates;
use tarpit::Tarpit;

/// What all callers share. Bounded, whatever strangers do.
#[derive(Debug)]
pub(crate) struct Keeper {
    rates: Mutex<Rates>,
    tarpit: Tarpit,
    /// When networks were last written down as known.
    written: Mutex<Recent<Network, UnixMillis>>,
}

impl Default for Keeper {
    fn default() -> Self {
        Self {
            rates: Mutex::default(),
            tarpit: Tarpit::default(),
            written: Mutex::new(Recent::new(limits::RATED_NETWORKS_MAX)),
        }
    }
}

impl Keeper {
    fn take(&self, network: Network, act: Act, factor: u32, now: UnixMillis) -> bool {
        lock(&self.rates).take(network, act, factor, now)
    }

    fn has(&self, network: Network, act: Act, factor: u32, now: UnixMillis) -> bool {
        lock(&self.rates).has(network, act, factor, now)
    }

    fn give_back(&self, network: Network, act: Act, factor: u32, percent: u32) {
        lock(&self.rates).give_back(network, act, factor, percent);
    }

    /// Whether it is time to write a network down as known.
    fn is_due(&self, network: Network, now: UnixMillis) -> bool {
        let mut written = lock(&self.written);
        let mut is_new = false;
        let last = written.touch(network, || {
            is_new = true;
            now
        });
        let age = u128::try_from(now.0 - last.0).unwrap_or(0);
        if !is_new && age < limits::KNOWN_WRITTEN_EVERY.as_millis() {
            return false;
        }
        *last = now;
        true
    }
}

/// Mail of this network was wanted: from now on it is known. Nobody waits for it.
pub(crate) fn note_known(inner: &Inner, peer: std::net::IpAddr) {
    let (network, now) = (Network::neighbourhood(peer), inner.now());
    if !inner.door.is_due(network, now) {
        return;
    }
    let store = inner.store.clone();
    inner.world.tasks.spawn("known peer", async move {
        let noted = store.write_bulk(store::Durability::Relaxed, move |change| {
            change.note_known_peer(&network, now)
        });
        if let Err(error) = noted.await {
            tracing::debug!(%network, %error, "a known network was not noted");
        }
    });
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
