//! How many connections of readers (IMAP, POP3) at once, over all and from one address. Doors that take mail in count
//! theirs apart (`doors.rs` of `mta`), so that neither crowd keeps the other out: there strangers make room for others, by
//! how far they are known; here nobody is put out once he is in. What counts as one address is the same for both.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use store::bans::Network;

/// Counts connections of one kind.
#[derive(Clone)]
pub struct Admission {
    inner: Arc<Inner>,
}

struct Inner {
    total_max: usize,
    per_address_max: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    total: usize,
    by_address: HashMap<Network, usize>,
}

/// One admitted connection; counts until dropped.
pub struct Admitted {
    inner: Arc<Inner>,
    address: Network,
}

impl Admission {
    pub fn new(total_max: usize, per_address_max: usize) -> Self {
        let counts = Mutex::new(Counts::default());
        Admission {
            inner: Arc::new(Inner {
                total_max,
                per_address_max,
                counts,
            }),
        }
    }

    /// `None` when there are too many.
    pub fn admit(&self, address: IpAddr) -> Option<Admitted> {
        let address = Network::of(address);
        let mut counts = self
            .inner
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let here = counts.by_address.get(&address).copied().unwrap_or(0);
        if self.inner.total_max <= counts.total || self.inner.per_address_max <= here {
            return None;
        }
        counts.total += 1;
        counts.by_address.insert(address, here + 1);
        Some(Admitted {
            inner: self.inner.clone(),
            address,
        })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self
            .inner
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.total = counts.total.saturating_sub(1);
        if let Some(here) = counts.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
