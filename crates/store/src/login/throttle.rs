//! How many wrong passwords a network may try. A pure count over time; the caller says what time it is.

use mail::UnixMillis;

use crate::bans::{Network, Recent};
use crate::limits::{FAILURE_FORGIVEN_AFTER_MILLIS, FAILURES_MAX, NETWORKS_REMEMBERED_MAX};

/// Failures leak away one by one, so an honest mistake is soon forgotten. There is no count per
/// account: it would let anyone lock anyone out.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// When all failures of a network will be forgotten. Each one puts that off by the same time.
    forgiven: Recent<Network, i64>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            forgiven: Recent::new(NETWORKS_REMEMBERED_MAX),
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
        let forgiven = self.forgiven.touch(network, || now.0);
        let most = now.0 + 2 * FAILURES_MAX * FAILURE_FORGIVEN_AFTER_MILLIS;
        *forgiven = (now.0.max(*forgiven) + FAILURE_FORGIVEN_AFTER_MILLIS).min(most);
    }
}
