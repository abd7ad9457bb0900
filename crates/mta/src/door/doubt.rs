//! Whether a sender looks doubtful, and what follows for one recipient: nothing, or "come again". Pure.

use std::time::Duration;

use super::hello::Hello;
use super::limits::{GREYLIST_POOL_TRIES, GREYLIST_POOL_WAIT, GREYLIST_RETRY, GREYLIST_WAIT};
use super::reverse::Reverse;

/// What is known of the sender when it names a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) trust: Option<Trust>,
    pub(crate) reverse: Reverse,
    pub(crate) hello: Hello,
    /// Did not wait for the answer to EHLO.
    pub(crate) spoke_ahead: bool,
    /// So many lists have it.
    pub(crate) listed: usize,
}

/// Why a sender is never asked to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// This machine, a private network, or one that the operator named.
    Exempt,
    /// The operator does not want it for this recipient's domain.
    SwitchedOff,
    /// Mail from its network was taken before.
    Known,
    /// SPF says that it may send for its domain.
    Authenticated,
    /// A recipient wrote to this sender, or had wanted mail from it.
    Correspondent,
    /// Mail to those who run this server always comes in. RFC 5321 §4.5.1.
    Postmaster,
}

/// What makes a sender doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    Nameless,
    Unconfirmed,
    Generic,
    SpokeAhead,
    Listed,
    WrongLiteral,
    /// These two are common among honest servers: each is a doubt only beside another one.
    BareAddress,
    HelloNonsense,
}

/// How often the same mail was tried, from the same network and from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tries {
    /// Since the first try from this network.
    pub(crate) waited: Duration,
    /// Over all networks, and since the first of them.
    pub(crate) anywhere: u32,
    pub(crate) waited_anywhere: Duration,
}

/// Why a doubtful sender's mail is taken or put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It came again, as servers do.
    CameAgain,
    /// It came again and again, from many networks.
    CameFromPool,
    PutOff {
        left: Duration,
    },
}

/// `None`: not doubtful.
pub(crate) fn doubt(facts: &Facts) -> Option<Doubt> {
    if facts.trust.is_some() {
        return None;
    }
    let strong = match facts {
        Facts { listed: 1.., .. } => Some(Doubt::Listed),
        Facts {
            spoke_ahead: true, ..
        } => Some(Doubt::SpokeAhead),
        Facts {
            reverse: Reverse::Nameless,
            ..
        } => Some(Doubt::Nameless),
        Facts {
            reverse: Reverse::Unconfirmed,
            ..
        } => Some(Doubt::Unconfirmed),
        Facts {
            reverse: Reverse::Generic,
            ..
        } => Some(Doubt::Generic),
        Facts {
            hello: Hello::WrongLiteral,
            ..
        } => Some(Doubt::WrongLiteral),
        Facts { .. } => None,
    };
    // A name that somebody chose, but none of a mail server, and nonsense in EHLO: one doubt each.
    let weak = match (facts.reverse, facts.hello) {
        (Reverse::MailServer | Reverse::Unknown, _) => None,
        (_, Hello::BareAddress) => Some(Doubt::BareAddress),
        (_, Hello::Nonsense) => Some(Doubt::HelloNonsense),
        _ => None,
    };
    strong.or(weak)
}

/// What becomes of this try.
pub(crate) fn outcome(tries: Tries) -> Outcome {
    if GREYLIST_WAIT <= tries.waited && tries.waited <= GREYLIST_RETRY {
        return Outcome::CameAgain;
    }
    if GREYLIST_POOL_TRIES <= tries.anywhere
        && GREYLIST_POOL_WAIT <= tries.waited_anywhere
        && tries.waited_anywhere <= GREYLIST_RETRY
    {
        return Outcome::CameFromPool;
    }
    Outcome::PutOff {
        left: GREYLIST_WAIT.saturating_sub(tries.waited),
    }
}

impl Doubt {
    /// For the sender, who is to know what to mend.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Nameless => "its address has no reverse name",
            Self::Unconfirmed => "the reverse name of its address does not lead back to it",
            Self::Generic => "its address has a name as dial-up lines have",
            Self::SpokeAhead => "it does not wait for answers",
            Self::Listed => "its address is on a blocklist",
            Self::WrongLiteral => "it gave an address in EHLO that is not its own",
            Self::BareAddress | Self::HelloNonsense => "its EHLO gives no name of a host",
        }
    }
}

#[cfg(test)]
mod tests;
