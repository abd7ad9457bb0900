//! How much of what a network may do: buckets that fill again with time. Pure; the caller says what time it is.

use mail::UnixMillis;
use store::bans::{Network, Recent};

use super::limits as l;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Connection,
    Message,
    Recipient,
    UnknownRecipient,
    GreylistRow,
}

/// All networks' buckets, bounded.
#[derive(Debug)]
pub(crate) struct Rates {
    networks: Recent<Network, [Bucket; Act::COUNT]>,
}

/// How full it is: the moment at which it will be full again says all.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    full_at: i64,
}

impl Act {
    const COUNT: usize = 5;

    /// How many at once, and per minute ever after.
    fn allowance(self) -> (u32, u32) {
        match self {
            Self::Connection => (l::CONNECTIONS_BURST, l::CONNECTIONS_PER_MINUTE),
            Self::Message => (l::MESSAGES_BURST, l::MESSAGES_PER_MINUTE),
            Self::Recipient => (l::RECIPIENTS_BURST, l::RECIPIENTS_PER_MINUTE),
            Self::UnknownRecipient => (l::UNKNOWN_BURST, l::UNKNOWN_PER_MINUTE),
            Self::GreylistRow => (l::GREYLIST_ROWS_BURST, l::GREYLIST_ROWS_PER_MINUTE),
        }
    }

    /// Milliseconds until one is forgiven.
    fn interval(self, factor: u32) -> i64 {
        let (_, per_minute) = self.allowance();
        60_000 / i64::from((per_minute * factor).max(1))
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            networks: Recent::new(l::RATED_NETWORKS_MAX),
        }
    }
}

impl Rates {
    /// Takes one, if there is one; `false`: too much. `factor` times as much for those that are known.
    pub(crate) fn take(
        &mut self,
        network: Network,
        act: Act,
        factor: u32,
        now: UnixMillis,
    ) -> bool {
        let site = site(network, act).map(|site| (site, factor * l::SITE_FACTOR));
        if site.is_some_and(|(site, factor)| !self.has_here(site, act, factor, now)) {
            return false;
        }
        let taken = self.take_here(network, act, factor, now);
        if let (true, Some((site, factor))) = (taken, site) {
            self.take_here(site, act, factor, now);
        }
        taken
    }

    fn take_here(&mut self, network: Network, act: Act, factor: u32, now: UnixMillis) -> bool {
        let (burst, _) = act.allowance();
        let interval = act.interval(factor);
        let most = i64::from(burst * factor) * interval;
        let bucket = self.bucket(network, act);
        let full_at = now.0.max(bucket.full_at) + interval;
        if most < full_at - now.0 {
            return false;
        }
        bucket.full_at = full_at;
        true
    }

    /// Whether there is one, taking none.
    pub(crate) fn has(&mut self, network: Network, act: Act, factor: u32, now: UnixMillis) -> bool {
        let site = site(network, act);
        self.has_here(network, act, factor, now)
            && site.is_none_or(|site| self.has_here(site, act, factor * l::SITE_FACTOR, now))
    }

    fn has_here(&mut self, network: Network, act: Act, factor: u32, now: UnixMillis) -> bool {
        let (burst, _) = act.allowance();
        let interval = act.interval(factor);
        let full_at = now.0.max(self.bucket(network, act).full_at) + interval;
        full_at - now.0 <= i64::from(burst * factor) * interval
    }

    /// Gives so many hundredths of one back.
    pub(crate) fn give_back(&mut self, network: Network, act: Act, factor: u32, percent: u32) {
        let interval = act.interval(factor);
        self.bucket(network, act).full_at -= interval * i64::from(percent) / 100;
        if let Some(site) = site(network, act) {
            let interval = act.interval(factor * l::SITE_FACTOR);
            self.bucket(site, act).full_at -= interval * i64::from(percent) / 100;
        }
    }

    /// Networks remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.networks.len()
    }

    fn bucket(&mut self, network: Network, act: Act) -> &mut Bucket {
        let fresh = || {
            [Bucket {
                full_at: i64::MIN / 2,
            }; Act::COUNT]
        };
        let [connection, message, recipient, unknown, row] = self.networks.touch(network, fresh);
        match act {
            Act::Connection => connection,
            Act::Message => message,
            Act::Recipient => recipient,
            Act::UnknownRecipient => unknown,
            Act::GreylistRow => row,
        }
    }
}

/// Whoever has one network of IPv6 often has 65,536 of them: what would be searching and flooding is counted for the /48
/// as well.
fn site(network: Network, act: Act) -> Option<Network> {
    let counts = matches!(
        act,
        Act::UnknownRecipient | Act::Connection | Act::GreylistRow
    );
    (counts && network.is_ipv6() && 48 < network.bits())
        .then(|| Network::block(network.first(), 48))
}

#[cfg(test)]
mod tests;
