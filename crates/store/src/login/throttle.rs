//! How many wrong passwords a network may try. A pure count over time; the caller says what time it is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use mail::UnixMillis;

use crate::limits::{FAILURE_FORGIVEN_AFTER_MILLIS, FAILURES_MAX, NETWORKS_REMEMBERED_MAX};

/// Where somebody comes from: an IPv4 address, or the /64 that one IPv6 customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

/// Failures leak away one by one, so an honest mistake is soon forgotten. There is no count per
/// account: it would let anyone lock anyone out.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// When all failures of a network will be forgotten. Each one puts that off by the same time.
    forgiven: HashMap<Network, i64>,
}

impl Network {
    pub(crate) fn of(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            ip => Self(ip),
        }
    }
}

impl Throttle {
    /// Until when this network has to wait, if it has to.
    pub(crate) fn closed_until(&self, network: Network, now: UnixMillis) -> Option<UnixMillis> {
        let forgiven = *self.forgiven.get(&network)?;
        let allowance = FAILURES_MAX * FAILURE_FORGIVEN_AFTER_MILLIS;
        // As much as the newest failure costs must be forgiven before the next try.
        let until = forgiven - allowance + FAILURE_FORGIVEN_AFTER_MILLIS;
        (now.0 < until).then_some(UnixMillis(until))
    }

    pub(crate) fn note_failure(&mut self, network: Network, now: UnixMillis) {
        if NETWORKS_REMEMBERED_MAX <= self.forgiven.len() {
            self.forgiven.retain(|_, forgiven| now.0 < *forgiven);
        }
        if NETWORKS_REMEMBERED_MAX <= self.forgiven.len() && !self.forgiven.contains_key(&network) {
            // So many networks at once are an attack; forgetting the mildest keeps memory bounded.
            let mildest = self
                .forgiven
                .iter()
                .min_by_key(|(_, forgiven)| **forgiven)
                .map(|(network, _)| *network);
            mildest.and_then(|network| self.forgiven.remove(&network));
        }
        let forgiven = self.forgiven.entry(network).or_insert(now.0);
        let most = now.0 + 2 * FAILURES_MAX * FAILURE_FORGIVEN_AFTER_MILLIS;
        *forgiven = (now.0.max(*forgiven) + FAILURE_FORGIVEN_AFTER_MILLIS).min(most);
    }
}
