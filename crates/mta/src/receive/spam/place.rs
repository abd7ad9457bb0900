//! What a spam verdict changes: pure decisions that join it to what became of the message before.

use std::ops::Range;

use mail::Address;
use spam::Verdict;
use spam::header::OURS;
use spam::reasons::{Kind, Nature};

use super::super::ruling::Fate;
use crate::envelope::{Routed, Way};
use crate::limits;
use crate::refusal::{Refusal, WhyKept};

/// Why a copy lies in the junk folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::receive) enum Because {
    /// Of its sender (DMARC), or of a rule for attachments.
    Ruled,
    /// Of the spam verdict.
    Verdict,
}

/// Why a copy goes into the junk folder, if it does. `aside`: the verdict wants it there.
pub(in crate::receive) fn because(ruled: bool, aside: bool) -> Option<Because> {
    match (ruled, aside) {
        (true, _) => Some(Because::Ruled),
        (false, true) => Some(Because::Verdict),
        (false, false) => None,
    }
}

/// Whether a verdict puts the copy for a recipient into the junk folder. What is sent to those who answer for this server
/// shows spam to them, often on purpose, and is put aside only where there is no doubt (RFC 2142 §4, §5): else their names would
/// be everybody's way around the filter. `shows_mail`: it holds mail of others, as complaints and reports do.
pub(super) fn is_aside(verdict: &Verdict, recipient: &Address, shows_mail: bool) -> bool {
    verdict.is_junk() && (!is_role(recipient) || is_beyond_doubt(verdict, shows_mail))
}

/// Whether mail for this address is for whoever answers for the server, not for a person.
pub(in crate::receive) fn is_role(recipient: &Address) -> bool {
    let local = recipient.local();
    ["postmaster", "abuse"]
        .iter()
        .any(|role| local.eq_ignore_ascii_case(role))
}

fn is_beyond_doubt(verdict: &Verdict, shows_mail: bool) -> bool {
    let mut against = verdict.reasons.iter().filter(|one| 0.0 < one.weight);
    // Whom a person does not want to hear is not wanted in reports either.
    if against.clone().any(|one| one.kind == Kind::Blocked) {
        return true;
    }
    let is_trick = |kind: Kind| match kind.nature() {
        Nature::Order => true,
        Nature::Hard => kind.id().starts_with("attached-"),
        _ => false,
    };
    !shows_mail
        && (against.any(|one| is_trick(one.kind))
            || verdict.threshold + limits::ROLE_MARGIN <= verdict.log_odds)
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
