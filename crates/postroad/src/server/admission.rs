//! How many connections at once, over all and from one address. SMTP counts its own, with its own replies.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

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
    by_address: HashMap<IpAddr, usize>,
}

/// One admitted connection; counts until dropped.
pub struct Admitted {
    inner: Arc<Inner>,
    address: IpAddr,
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
        let address = group(address);
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

/// An IPv6 host has a whole /64 to itself.
fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
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
