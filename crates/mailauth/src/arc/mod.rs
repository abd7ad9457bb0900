//! Authenticated Received Chain (RFC 8617): what earlier hops say they saw, each signed by its hop.
//! Validates chains and adds a link; whether a sealer is believed is the operator's decision.

mod chain;
mod limits;
mod seal;
mod validate;

use crate::dkim::DkimResult;
use crate::results::Results;

pub use seal::{SealKey, Sealer, seal, seal_fields};
pub use validate::validate;

/// The state of a chain: the `cv` tag, and the `arc=` result (RFC 8617 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainState {
    /// There is no chain.
    None,
    Pass,
    Fail,
}

/// Why the chain is in its state; `instance` says which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Reason {
    #[error("nobody sealed the message")]
    NoSets,
    #[error("all seals fit")]
    Intact,
    #[error("there are more ARC sets than {}", limits::INSTANCES_MAX)]
    TooManySets,
    #[error("an ARC field cannot be read")]
    Unreadable,
    /// A field of the set is missing or stands there twice.
    #[error("the set i={instance} is not complete")]
    IncompleteSet { instance: u8 },
    /// `cv=none` belongs to the first seal and `cv=pass` to the others.
    #[error("the seal i={instance} has a cv that it may not have")]
    WrongState { instance: u8 },
    /// A sealer already found the chain broken.
    #[error("the sealer of i={instance} found the chain broken")]
    SealedAsFailed { instance: u8 },
    /// The newest message signature does not fit.
    #[error("the message was changed after it was sealed with i={instance}")]
    MessageChanged { instance: u8 },
    /// A signature of the set has an error, or its key has one or does not exist.
    #[error("the message signature i={instance} cannot be used")]
    BadMessageSignature { instance: u8 },
    #[error("the seal i={instance} does not fit")]
    BadSeal { instance: u8 },
    #[error("the key of the sealer of i={instance} could not be looked up")]
    Dns { instance: u8 },
}

/// One ARC set: what one hop added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub instance: u8,
    /// Who sealed it (`d=` of its ARC-Seal).
    pub domain: String,
    pub selector: String,
    /// When, in seconds since 1970, if the seal says so.
    pub at: Option<u64>,
    /// What the sealer said of the chain before it.
    pub cv: ChainState,
    /// Its signature of the message as it was then; `None` if it was not looked at.
    pub message_signature: DkimResult,
    /// What the sealer says it saw (ARC-Authentication-Results).
    pub results: Results,
}

/// A validated chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arc {
    pub cv: ChainState,
    pub why: Reason,
    /// Oldest first. What they say may be believed only if `cv` is a pass and the sealer is trusted.
    pub sets: Vec<Set>,
    /// The lowest instance since which the message is unchanged (RFC 8617 §5.2 step 5); 0 if it is
    /// unchanged since before the first seal. Only for chains that pass.
    pub oldest_pass: Option<u8>,
    /// The highest instance in the message, readable or not: the next seal has one more.
    pub(crate) highest: u8,
}

impl ChainState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

impl Arc {
    /// A message without a chain.
    pub fn none() -> Self {
        Self {
            cv: ChainState::None,
            why: Reason::NoSets,
            sets: Vec::new(),
            oldest_pass: None,
            highest: 0,
        }
    }

    /// Whether the DNS left the question open.
    pub fn is_temporary(&self) -> bool {
        matches!(self.why, Reason::Dns { .. })
    }

    /// What the first hop of the unbroken row of trusted sealers saw, counted from the newest: that
    /// hop and all that came after it are believed. `None` if the chain does not pass or the newest
    /// sealer is not trusted.
    pub fn vouched(&self, trusted: impl Fn(&str) -> bool) -> Option<&Set> {
        if self.cv != ChainState::Pass {
            return None;
        }
        self.sets
            .iter()
            .rev()
            .take_while(|set| trusted(&set.domain))
            .last()
    }
}
