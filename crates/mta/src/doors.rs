//! Who may come in at all: connections counted in total, per address and per account. When it gets crowded, strangers
//! that hold many connections, or one for long without bringing mail, make room for others.
//! This is for doors that take mail in. Those who read theirs are counted apart (`admission.rs` of the server), so that a
//! flood of mail keeps no reader out: they log in, hold connections for days, and nobody of them is put out for another.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use store::AccountId;
use store::bans::Network;
use tokio::sync::Notify;

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
    /// Those that were told to leave included.
    total: usize,
    leaving: usize,
    addresses: HashMap<Network, Vec<Arc<Guest>>>,
    accounts: HashMap<AccountId, usize>,
}

/// One connection as the others see it.
struct Guest {
    standing: Standing,
    since: Instant,
    /// A body is under way, or a message was taken, or somebody logged in.
    is_of_use: AtomicBool,
    is_leaving: AtomicBool,
    put_out: Notify,
}

/// One counted connection, until it is dropped.
pub(crate) struct Entry {
    counts: Arc<Mutex<Counts>>,
    address: Network,
    guest: Arc<Guest>,
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
    pub(crate) fn enter(
        &self,
        address: IpAddr,
        standing: Standing,
        now: Instant,
    ) -> Result<Entry, Refusal> {
        // One customer of IPv6 has at least a /64: its addresses count as one.
        let address = Network::of(address);
        let mut counts = lock(&self.counts);
        let busy = self.is_over(&counts, door::BUSY_PERCENT);
        let per_address_max = match standing {
            Standing::Stranger if busy => self.per_address_max.min(door::BUSY_PER_ADDRESS_MAX),
            _ => self.per_address_max,
        };
        let from_here = counts.addresses.get(&address).map_or(0, Vec::len);
        if per_address_max <= from_here {
            return Err(Refusal::TooManyFromAddress);
        }
        if busy {
            self.make_room(&mut counts, now);
        }
        let most = match standing {
            Standing::Stranger => (self.total_max * door::FULL_PERCENT).div_ceil(100),
            Standing::Known | Standing::Exempt => self.total_max,
        };
        // Who was told to leave is gone in a moment.
        let staying = counts.total - counts.leaving.min(self.total_max / 10);
        if most <= staying || limits::COUNTED_ADDRESSES_MAX <= counts.addresses.len() {
            return Err(Refusal::TooManyConnections);
        }
        let guest = Arc::new(Guest {
            standing,
            since: now,
            is_of_use: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            put_out: Notify::new(),
        });
        counts
            .addresses
            .entry(address)
            .or_default()
            .push(guest.clone());
        counts.total += 1;
        drop(counts);
        Ok(Entry {
            counts: self.counts.clone(),
            address,
            guest,
            account: None,
        })
    }

    /// Whether so many connections are open that patience gets short.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_over(&lock(&self.counts), door::BUSY_PERCENT)
    }

    fn is_over(&self, counts: &Counts, percent: usize) -> bool {
        self.total_max * percent < counts.total * 100
    }

    /// One stranger leaves: the oldest of those who hold most, or, when we are nearly full, the one that is here for
    /// longest without being of use.
    fn make_room(&self, counts: &mut Counts, now: Instant) {
        let crowd = counts
            .addresses
            .values()
            .filter(|guests| door::BUSY_PER_ADDRESS_MAX < guests.len())
            .max_by_key(|guests| guests.iter().filter(|guest| guest.may_go()).count());
        let of_crowd = crowd.and_then(|guests| oldest(guests.iter()));
        let full = self.is_over(counts, door::FULL_PERCENT - door::FULL_MARGIN_PERCENT);
        let of_all = || {
            let old = counts.addresses.values().flatten();
            let old = old.filter(|guest| guest.since + door::ROOM_AFTER <= now);
            full.then(|| oldest(old)).flatten()
        };
        if let Some(guest) = of_crowd.or_else(of_all) {
            guest.is_leaving.store(true, Ordering::Relaxed);
            guest.put_out.notify_one();
            counts.leaving += 1;
        }
    }
}

impl Guest {
    fn may_go(&self) -> bool {
        self.standing == Standing::Stranger
            && !self.is_of_use.load(Ordering::Relaxed)
            && !self.is_leaving.load(Ordering::Relaxed)
    }
}

fn oldest<'a>(guests: impl Iterator<Item = &'a Arc<Guest>>) -> Option<Arc<Guest>> {
    guests
        .filter(|guest| guest.may_go())
        .min_by_key(|guest| guest.since)
        .cloned()
}

impl Entry {
    /// The connection belongs to this account from now on.
    pub(crate) fn log_in(&mut self, account: AccountId) -> Result<(), Refusal> {
        self.is_of_use();
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

    /// It brings mail: it need not make room.
    pub(crate) fn is_of_use(&self) {
        self.guest.is_of_use.store(true, Ordering::Relaxed);
    }

    /// Resolves when it has to make room for others.
    pub(crate) async fn must_go(&self) {
        self.guest.put_out.notified().await;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.total = counts.total.saturating_sub(1);
        if self.guest.is_leaving.load(Ordering::Relaxed) {
            counts.leaving = counts.leaving.saturating_sub(1);
        }
        if let Some(guests) = counts.addresses.get_mut(&self.address) {
            guests.retain(|guest| !Arc::ptr_eq(guest, &self.guest));
            if guests.is_empty() {
                counts.addresses.remove(&self.address);
            }
        }
        if let Some(account) = &self.account {
            leave(&mut counts.accounts, account);
        }
    }
}

/// The first address of those that count as one.
pub(crate) fn block_of(address: IpAddr) -> IpAddr {
    Network::of(address).first()
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
