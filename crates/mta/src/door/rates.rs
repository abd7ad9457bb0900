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
        let (burst, _) = act.allowance();
        let interval = act.interval(factor);
        let full_at = now.0.max(self.bucket(network, act).full_at) + interval;
        full_at - now.0 <= i64::from(burst * factor) * interval
    }

    /// Gives so many hundredths of one back.
    pub(crate) fn give_back(&mut self, network: Network, act: Act, percent: u32) {
        let interval = act.interval(1);
        self.bucket(network, act).full_at -= interval * i64::from(percent) / 100;
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

#[cfg(test)]
mod tests;
