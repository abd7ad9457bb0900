//! What a spam verdict changes: pure decisions that join it to what became of the message before.

use std::ops::Range;

use mail::Address;
use spam::header::OURS;

use super::super::ruling::Fate;
use crate::envelope::{Routed, Way};
use crate::refusal::{Refusal, WhyKept};

/// Why a copy lies in the junk folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::receive) enum Because {
    /// Of its sender (DMARC), or of a rule for attachments.
    Ruled,
    /// Of the spam verdict.
    Verdict,
}

/// Whether a copy for a recipient goes into the junk folder. What is sent to those who answer for this server shows spam to
/// them, often on purpose: it is not put aside for what it says. RFC 2142 §4, §5.
pub(in crate::receive) fn junk(ruled: bool, verdict: bool, recipient: &Address) -> Option<Because> {
    match (ruled, verdict) {
        (true, _) => Some(Because::Ruled),
        (false, true) if !is_role(recipient) => Some(Because::Verdict),
        _ => None,
    }
}

fn is_role(recipient: &Address) -> bool {
    let local = recipient.local();
    ["postmaster", "abuse"]
        .iter()
        .any(|role| local.eq_ignore_ascii_case(role))
}

/// Junk is not passed on: the next server would hold it against this one. Who has it only by an alias that leads elsewhere
/// does not get it, and its sender hears of that. A report that comes back to where it was sent from is no matter of taste.
pub(in crate::receive) fn keep_here(fate: Fate, recipient: &Routed, junk: bool) -> Fate {
    match fate {
        Fate::Taken {
            junk: ruled,
            away: true,
        } if junk && !matches!(recipient.way, Way::Back(_)) => match recipient.stays_here() {
            true => Fate::Taken {
                junk: ruled,
                away: false,
            },
            false => Fate::Refused(Refusal::NotPassedOn(
                recipient.address.clone(),
                WhyKept::Junk,
            )),
        },
        fate => fate,
    }
}

/// Fields that only we may write, where they came from outside.
pub(in crate::receive) fn forged(message: &[u8]) -> Vec<Range<usize>> {
    mail::header::fields(message)
        .filter(|field| OURS.iter().any(|name| field.is(name)))
        .map(|field| field.start..field.end)
        .collect()
}

#[cfg(test)]
mod tests;
