//! The bans in memory: what the doors ask for every connection, at the same cost however many there are.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use mail::UnixMillis;

use super::conduct::Cause;
use super::limits::{BAN_FORGOTTEN_AFTER, BANS_MAX};
use super::network::Network;

/// Which doors are shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Port 25 alone: from there people log in as well.
    Mx,
    /// All.
    Everything,
}

/// One ban as the doors see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banned {
    pub network: Network,
    /// The last moment is `UnixMillis(i64::MAX)`: for ever.
    pub until: UnixMillis,
    pub scope: Scope,
    pub cause: Cause,
    /// How many bans came before it.
    pub level: u32,
}

#[derive(Debug, Default)]
pub(super) struct Set {
    entries: HashMap<Network, Banned>,
    /// How many entries have so many first bits, by family.
    lengths: BTreeMap<(bool, u8), usize>,
}

impl Set {
    /// The ban that holds longest among those that are on.
    pub(super) fn find(&self, peer: IpAddr, now: UnixMillis) -> Option<Banned> {
        let peer = peer.to_canonical();
        let lengths = self.lengths.keys();
        lengths
            .filter(|(six, _)| *six == peer.is_ipv6())
            .filter_map(|(_, bits)| self.entries.get(&Network::block(peer, *bits)))
            .filter(|banned| banned.is_on(now))
            .max_by_key(|banned| (banned.scope, banned.until.0))
            .copied()
    }

    pub(super) fn get(&self, network: &Network) -> Option<&Banned> {
        self.entries.get(network)
    }

    pub(super) fn insert(&mut self, banned: Banned, now: UnixMillis) {
        if BANS_MAX <= self.entries.len() && !self.entries.contains_key(&banned.network) {
            self.make_room(now);
        }
        if self.entries.insert(banned.network, banned).is_none() {
            *self.lengths.entry(length(&banned.network)).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, network: &Network) {
        if self.entries.remove(network).is_none() {
            return;
        }
        let length = length(network);
        if let Some(count) = self.lengths.get_mut(&length) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&length);
            }
        }
    }

    pub(super) fn on(&self, now: UnixMillis) -> impl Iterator<Item = &Banned> {
        self.entries
            .values()
            .filter(move |banned| banned.is_on(now))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets those that ended, and, if that is not enough, the tenth that ends first.
    fn make_room(&mut self, now: UnixMillis) {
        let mut ends: Vec<(i64, Network)> = self
            .entries
            .values()
            .map(|banned| (banned.until.0, banned.network))
            .collect();
        ends.sort_unstable();
        let ended = ends.iter().take_while(|(until, _)| *until <= now.0).count();
        let gone = ended.max(BANS_MAX / 10);
        for (_, network) in ends.into_iter().take(gone) {
            self.remove(&network);
        }
    }
}

impl Banned {
    #[must_use]
    pub fn is_on(&self, now: UnixMillis) -> bool {
        now.0 < self.until.0
    }

    /// Whether it makes the next one longer.
    pub(super) fn is_remembered(&self, now: UnixMillis) -> bool {
        let forgotten = i64::try_from(BAN_FORGOTTEN_AFTER.as_millis()).unwrap_or(i64::MAX);
        now.0 < self.until.0.saturating_add(forgotten)
    }
}

fn length(network: &Network) -> (bool, u8) {
    (network.is_ipv6(), network.bits())
}
