//! What follows from another server's answer: how long to keep still, how much at once, which way, and whether the
//! message stays in the queue. Pure: facts in, rulings out. Knows no clock and no store; kept in `standings.rs`.

use std::borrow::Cow;

use doctor::replies::{Class, Classified, Evidence, Next, Pace, Phase, Scope, Start, Wait};
use serde::{Deserialize, Serialize};

use crate::limits;

/// How we stand with a group of mail hosts: for all senders, or for those of one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Standing {
    #[serde(default)]
    pace: Pace,
    /// Since when our address is refused there.
    #[serde(default)]
    blocked: Option<u64>,
    /// IPv6 is left alone until then.
    #[serde(default)]
    no_ipv6_until: Option<u64>,
    #[serde(default)]
    ipv6_failures: u32,
    /// What it said when it last refused.
    #[serde(default)]
    pub(crate) last: Option<LastSaid>,
}

/// An answer to be told of later, to those whose mail was not even tried.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct LastSaid {
    pub(crate) host: String,
    pub(crate) phase: Phase,
    /// All its lines.
    pub(crate) reply: String,
}

/// What goes on towards the group now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Attempts in flight.
    pub(crate) open: u16,
    /// Most of them in good times.
    pub(crate) usual: u16,
    /// Messages of the last minute.
    pub(crate) sent: u16,
}

/// What a relay is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RelayUse {
    #[default]
    None,
    WhenBlocked,
    Always,
}

/// Whether a message may start now, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Go,
    /// It goes by the relay.
    Relay,
    /// When an attempt ends.
    Wait,
    /// Not before this second.
    PutOff(u64),
}

impl Standing {
    /// May a message start?
    pub(crate) fn gate(&self, now: u64, traffic: Traffic, relay: RelayUse) -> Gate {
        let Traffic { open, usual, sent } = traffic;
        let start = self.pace.start(now, open, usual, sent);
        match (relay, start) {
            (RelayUse::Always, _) => Gate::Relay,
            // A probe goes straight, all else by the relay, which knows no silence.
            (RelayUse::WhenBlocked, Start::At(_) | Start::Full) if self.is_blocked() => Gate::Relay,
            (_, Start::Now | Start::Probe) => Gate::Go,
            (_, Start::Full) => Gate::Wait,
            (_, Start::At(second)) => Gate::PutOff(second),
        }
    }

    /// The group put off or refused.
    pub(crate) fn refused(&mut self, classified: &Classified<'_>, said: LastSaid, now: u64) {
        let Some(wait) = wait_of(classified) else {
            return;
        };
        self.pace.refused(&wait, now);
        let is_block = classified.next == Next::Hold
            || (classified.scope == Scope::Provider
                && classified.class == Class::Reputation
                && self.pace.wants_relay());
        if is_block {
            self.blocked.get_or_insert(now);
        }
        self.last = Some(said);
    }

    /// The group took a message from us.
    pub(crate) fn accepted(&mut self, now: u64) {
        // What left before the refusal proves nothing.
        if self.silent_until(now).is_none() {
            self.blocked = None;
            self.last = None;
        }
        self.pace.accepted(now);
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }

    pub(crate) fn blocked_since(&self) -> Option<u64> {
        self.blocked
    }

    /// Until when nothing may be sent.
    pub(crate) fn silent_until(&self, now: u64) -> Option<u64> {
        match self.pace.start(now, 0, u16::MAX, 0) {
            Start::At(second) => Some(second),
            Start::Now | Start::Probe | Start::Full => None,
        }
    }

    /// Nothing is held back, so there is nothing to remember.
    pub(crate) fn is_free(&self, now: u64, usual: u16) -> bool {
        self.blocked.is_none() && self.may_use_ipv6(now) && self.pace.is_free(now, usual)
    }

    /// Something limits how much is sent.
    pub(crate) fn is_limited(&self, now: u64, usual: u16) -> bool {
        self.blocked.is_some() || !self.pace.is_free(now, usual)
    }

    /// Seconds between two messages, where they are counted.
    pub(crate) fn spacing(&self) -> Option<u64> {
        self.pace.spacing()
    }

    pub(crate) fn may_use_ipv6(&self, now: u64) -> bool {
        self.no_ipv6_until.is_none_or(|until| until <= now)
    }

    /// IPv6 did not do where IPv4 did, or was refused as such. Longer each time.
    pub(crate) fn ipv6_failed(&mut self, now: u64) {
        let pause = limits::IPV6_PAUSE_SECS << self.ipv6_failures.min(limits::IPV6_DOUBLINGS_MAX);
        self.ipv6_failures = self.ipv6_failures.saturating_add(1);
        self.no_ipv6_until = Some(now.saturating_add(pause));
    }

    pub(crate) fn ipv6_worked(&mut self) {
        self.ipv6_failures = 0;
        self.no_ipv6_until = None;
    }
}

/// The silence that an answer asks for towards the whole group, if it does. A block is always probed by one message,
/// and not every few minutes.
fn wait_of<'a>(classified: &Classified<'a>) -> Option<Cow<'a, Wait>> {
    if !matches!(classified.scope, Scope::Provider | Scope::SenderDomain) {
        return None;
    }
    let wait = classified.wait?;
    if classified.next != Next::Hold {
        return Some(Cow::Borrowed(wait));
    }
    Some(Cow::Owned(Wait {
        pause: wait.pause.max(limits::BLOCK_PAUSE_SECS_MIN),
        probe: true,
        ..wait.clone()
    }))
}

/// What is known of an attempt beside the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// Mail that is refused for our reputation is kept.
    pub(crate) hold: bool,
    /// A relay stands ready for the group.
    pub(crate) relay: bool,
    /// The answer was a relay's.
    pub(crate) relayed: bool,
    /// It went over IPv6, and IPv4 is there as well.
    pub(crate) ipv4_instead: bool,
    /// Our address is refused there, this answer included.
    pub(crate) blocked: bool,
    /// Until when nothing may be sent, this answer included.
    pub(crate) silent_until: Option<u64>,
    /// Attempts made, this one included.
    pub(crate) attempts: u32,
    pub(crate) now: u64,
}

/// What becomes of the message beyond what its codes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// As the codes say: a permanent answer bounces, a temporary one is tried again on the usual curve.
    Usual,
    /// It stays in the queue.
    Keep {
        /// Not before this second.
        due: u64,
        /// Not before its usual time either.
        usual: bool,
        /// Refused for our standing: its sender hears of the delay now, and it may wait for longer than other mail.
        held: bool,
    },
}

/// What follows for one message from one answer that refused it.
pub(crate) fn rule(classified: &Classified<'_>, permanent: bool, facts: &Facts) -> Ruling {
    if facts.relayed {
        // What a relay says is about the message, or between the relay and us.
        return Ruling::Usual;
    }
    let keep = |due: u64, usual: bool, held: bool| Ruling::Keep { due, usual, held };
    let by_relay = facts.relay && facts.blocked && classified.scope == Scope::Provider;
    let silence = facts.silent_until.unwrap_or(facts.now);
    match classified.next {
        // At once, but not over and over: what was learnt of IPv6 may have been forgotten.
        _ if facts.ipv4_instead && is_about_address(classified) => {
            keep(facts.now, facts.attempts > IPV4_AT_ONCE_MAX, false)
        }
        // At once only where the next way is the relay: without silence it would be the same probe again.
        _ if by_relay && classified.next != Next::Bounce => {
            keep(facts.now, silence <= facts.now, false)
        }
        Next::Hold if facts.hold => keep(silence, false, true),
        // Their words say that waiting helps, whatever the code says.
        Next::Retry if permanent && classified.evidence > Evidence::Status => Ruling::Usual,
        Next::Retry => of_wait(classified, permanent, silence, facts),
        Next::Hold | Next::Bounce | Next::Ipv4 => Ruling::Usual,
    }
}

/// Attempts after which even another address of ours waits for its time.
const IPV4_AT_ONCE_MAX: u32 = 3;

/// Another address of ours may fare better.
pub(crate) fn is_about_address(classified: &Classified<'_>) -> bool {
    classified.next == Next::Ipv4
        || (classified.scope == Scope::Provider
            && matches!(classified.class, Class::Reputation | Class::Dns))
}

fn of_wait(classified: &Classified<'_>, permanent: bool, silence: u64, facts: &Facts) -> Ruling {
    let pause = classified.wait.map_or(0, |wait| u64::from(wait.pause));
    let due = match classified.scope {
        Scope::Provider | Scope::SenderDomain => silence,
        Scope::Recipient | Scope::Message => facts.now.saturating_add(pause),
    };
    if classified.class == Class::Greylisting {
        let step = usize::try_from(facts.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        return match limits::GREYLIST_PAUSES_SECS.get(step) {
            Some(pause) => Ruling::Keep {
                due: facts.now.saturating_add(*pause),
                usual: false,
                held: false,
            },
            None => Ruling::Usual,
        };
    }
    if due > facts.now || permanent {
        // A pause of the whole group says when; what is about this message has its own curve beside it.
        let usual = !matches!(classified.scope, Scope::Provider | Scope::SenderDomain);
        return Ruling::Keep {
            due,
            usual: usual || due <= facts.now,
            held: false,
        };
    }
    Ruling::Usual
}

#[cfg(test)]
mod tests;
