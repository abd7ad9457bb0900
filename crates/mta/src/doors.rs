//! Who may come in at all: connections counted in total, per address and per account.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::AccountId;

use crate::door::{Standing, limits as door};
use crate::limits;
use crate::refusal::Refusal;
use crate::settings::MtaSettings;

/// The counts of connections, shared by all sessions.
pub(crate) struct Doors {
    counts: Arc<Mutex<Counts>>,
    total_max: usize,
    per_address_max: usize,
}

#[derive(Default)]
struct Counts {
    total: usize,
    addresses: HashMap<IpAddr, usize>,
    accounts: HashMap<AccountId, usize>,
}

/// One counted connection, until it is dropped.
pub(crate) struct Entry {
    counts: Arc<Mutex<Counts>>,
    address: IpAddr,
    account: Option<AccountId>,
}

impl Doors {
    pub(crate) fn new(settings: &MtaSettings) -> Self {
        Self {
            counts: Arc::default(),
            total_max: settings.connections_max,
            per_address_max: settings.connections_per_address_max,
        }
    }

    /// Strangers are held to less while we are busy, so that there is room for those who are known.
    pub(crate) fn enter(&self, address: IpAddr, standing: Standing) -> Result<Entry, Refusal> {
        let address = block_of(address);
        let mut counts = lock(&self.counts);
        let full = match standing {
            Standing::Stranger => (self.total_max * door::FULL_PERCENT).div_ceil(100),
            Standing::Known | Standing::Exempt => self.total_max,
        };
        if full <= counts.total {
            return Err(Refusal::TooManyConnections);
        }
        let busy = self.total_max * door::BUSY_PERCENT < counts.total * 100;
        let per_address_max = match standing {
            Standing::Stranger if busy => self.per_address_max.min(door::BUSY_PER_ADDRESS_MAX),
            _ => self.per_address_max,
        };
        if counts.addresses.len() >= limits::COUNTED_ADDRESSES_MAX {
            return Err(Refusal::TooManyConnections);
        }
        let from_here = counts.addresses.entry(address).or_default();
        if *from_here >= per_address_max {
            return Err(Refusal::TooManyFromAddress);
        }
        *from_here += 1;
        counts.total += 1;
        drop(counts);
        Ok(Entry {
            counts: self.counts.clone(),
            address,
            account: None,
        })
    }

    /// Whether so many connections are open that patience gets short.
    pub(crate) fn is_busy(&self) -> bool {
        self.total_max * door::BUSY_PERCENT < lock(&self.counts).total * 100
    }
}

impl Entry {
    /// The connection belongs to this account from now on.
    pub(crate) fn log_in(&mut self, account: AccountId) -> Result<(), Refusal> {
        let mut counts = lock(&self.counts);
        if let Some(before) = self.account.take() {
            leave(&mut counts.accounts, &before);
        }
        let of_account = counts.accounts.entry(account).or_default();
        if *of_account >= limits::CONNECTIONS_PER_ACCOUNT_MAX {
            return Err(Refusal::TooManyOfAccount);
        }
        *of_account += 1;
        self.account = Some(account);
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.total = counts.total.saturating_sub(1);
        leave(&mut counts.addresses, &self.address);
        if let Some(account) = &self.account {
            leave(&mut counts.accounts, account);
        }
    }
}

/// One customer of IPv6 has at least a /64: its addresses count as one.
pub(crate) fn block_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => IpAddr::V6((u128::from(six) >> 64 << 64).into()),
    }
}

fn leave<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
