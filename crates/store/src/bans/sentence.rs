//! How long, and which doors: what follows from a network's misdeeds. Pure.

use mail::UnixMillis;

use super::conduct::Cause;
use super::limits::BAN_STEPS;
use super::network::Network;
use super::set::{Banned, Scope};

/// What is known of a network that has done enough wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) cause: Cause,
    /// Its last ban, if it is remembered.
    pub(super) before: Option<Banned>,
    /// Somebody logged in from there not long ago.
    pub(super) is_home: bool,
    /// The operator (or what is built in) says that it is never banned.
    pub(super) is_exempt: bool,
}

/// Why a network is not banned though it did enough wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spared {
    /// It is on the list of those that never are.
    Exempt,
    /// It is banned already.
    Already,
    /// People log in from there; guesses from there are slowed down, and it goes on for them.
    Home,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) until: UnixMillis,
    pub(super) level: u32,
    pub(super) scope: Scope,
    pub(super) cause: Cause,
}

impl Sentence {
    pub(super) fn banned(self, network: Network) -> Banned {
        Banned {
            network,
            until: self.until,
            scope: self.scope,
            cause: self.cause,
            level: self.level,
        }
    }
}

pub(super) fn sentence(facts: Facts, now: UnixMillis) -> Result<Sentence, Spared> {
    if facts.is_exempt {
        return Err(Spared::Exempt);
    }
    let guesses = matches!(facts.cause, Cause::Passwords | Cause::Spraying);
    let scope = match (facts.is_home, guesses) {
        (true, true) => return Err(Spared::Home),
        (true, false) => Scope::Mx,
        // A crowd behind one address has people in it who never logged in from there before.
        (false, false) if facts.cause == Cause::Flood => Scope::Mx,
        (false, _) => Scope::Everything,
    };
    let level = match facts.before {
        Some(before) if before.is_on(now) && scope <= before.scope => {
            return Err(Spared::Already);
        }
        Some(before) if before.is_remembered(now) => before.level + 1,
        _ => 0,
    };
    let step = BAN_STEPS
        .get(level as usize)
        .or(BAN_STEPS.last())
        .map_or(0, |step| i64::try_from(step.as_millis()).unwrap_or(0));
    let until = UnixMillis(now.0 + step);
    // It comes in the place of the last one: it ends no sooner, and what the operator ordered stays the operator's.
    let running = facts.before.filter(|before| before.is_on(now));
    Ok(Sentence {
        until: running.map_or(until, |before| until.max(before.until)),
        level,
        scope,
        cause: running
            .filter(|before| before.cause == Cause::Operator)
            .map_or(facts.cause, |before| before.cause),
    })
}
