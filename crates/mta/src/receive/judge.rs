//! What becomes of a message after its sender was looked at: a pure decision with its reason. SPF alone
//! never decides; DMARC does, within what the recipient's domain chose and whom the operator trusts.
//!
//! Refused is only what the author's domain asks to refuse, what the recipient's domain chose to refuse,
//! and what shows no sign of having come by a detour: RFC 9989 §7.4 forbids to refuse on the policy
//! alone. Trouble of the DNS never refuses, and puts off for a while only.

use mailauth::dmarc::{Dmarc, DmarcResult, NoAuthor, Policy, Reason as Why};
use mailauth::verdict::Trouble;
use store::DmarcChoice;
use store::reports::Disposition;

/// What is known for one recipient.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub(super) dmarc: &'a Dmarc,
    /// Of the recipient's domain.
    pub(super) choice: DmarcChoice,
    /// Who is trusted and saw it pass.
    pub(super) voucher: Option<Voucher<'a>>,
    /// It looks like mail of a list, or has an unbroken chain of seals.
    pub(super) detour: bool,
    /// An answer of the DNS is missing that could matter.
    pub(super) trouble: Option<Trouble>,
    /// It was put off long enough.
    pub(super) waited: bool,
}

/// Who vouches for a message that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voucher<'a> {
    /// A trusted ARC sealer that saw DMARC pass.
    Sealer(&'a str),
    /// A trusted mailing list, whose signature or SPF passes.
    List(&'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Inbox,
    Junk,
    Refuse,
    /// It shall come again when the DNS is well.
    Defer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Passed,
    /// The author's domain says nothing, or nothing that can be read.
    NoPolicy,
    /// It fails, and the author's domain only watches (`p=none`).
    Watched,
    TrustedSealer,
    TrustedList,
    /// The recipient's domain has failing mail marked only.
    MarkOnly,
    /// As the author's domain wishes.
    Quarantined,
    /// The author's domain wishes to refuse, the recipient's chose the junk folder.
    JunkChosen,
    /// The same, since it seems to have come by a detour.
    Detour,
    /// From stands there more than once: programs differ in which they show.
    SeveralFroms,
    /// From names authors of several domains: DMARC says nothing of them (RFC 9989 §5.3.1), and without this
    /// a second author would be the way around every policy.
    SeveralAuthors,
    Refused,
    DnsTrouble(Trouble),
    /// The DNS is in trouble for so long that it waits no more.
    WaitedEnough(Trouble),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) place: Place,
    pub(super) reason: Reason,
}

pub(super) fn decide(facts: &Facts<'_>) -> Judgement {
    let (place, reason) = match facts.dmarc.result {
        DmarcResult::Pass => (Place::Inbox, Reason::Passed),
        _ => failed(facts),
    };
    Judgement { place, reason }
}

/// Whether what the recipient's domain chose makes a difference. Most mail passes, or nobody wishes
/// anything: then nothing else need be looked up.
pub(super) fn is_choice_needed(dmarc: &Dmarc, trouble: Option<Trouble>) -> bool {
    trouble.is_some() || dmarc.wish != Policy::None
}

/// More authors than DMARC can speak of, and one of their domains wishes what cannot be confirmed away.
fn several(dmarc: &Dmarc) -> Option<Reason> {
    match dmarc.reason {
        _ if dmarc.wish == Policy::None => None,
        Why::NoAuthor(NoAuthor::SeveralFroms) => Some(Reason::SeveralFroms),
        Why::NoAuthor(NoAuthor::SeveralDomains) => Some(Reason::SeveralAuthors),
        _ => None,
    }
}

fn failed(facts: &Facts<'_>) -> (Place, Reason) {
    let mark_only = facts.choice == DmarcChoice::Mark;
    if let (Some(reason), false) = (several(facts.dmarc), mark_only) {
        return (Place::Junk, reason);
    }
    // What is wished for if it fails: for a failure what DMARC says, else what it would say.
    let wish = match (facts.dmarc.result, facts.trouble) {
        (DmarcResult::Fail, _) => facts.dmarc.wish,
        (_, Some(Trouble::Authentication)) => wish_of(facts.dmarc),
        (_, Some(Trouble::Policy)) => return unknown(facts, Place::Inbox),
        _ => return (Place::Inbox, Reason::NoPolicy),
    };
    if wish == Policy::None {
        return (Place::Inbox, Reason::Watched);
    }
    match facts.voucher {
        Some(Voucher::Sealer(_)) => return (Place::Inbox, Reason::TrustedSealer),
        Some(Voucher::List(_)) => return (Place::Inbox, Reason::TrustedList),
        None => {}
    }
    if facts.trouble.is_some() {
        return unknown(facts, Place::Junk);
    }
    match (facts.choice, wish) {
        (DmarcChoice::Mark, _) => (Place::Inbox, Reason::MarkOnly),
        (_, Policy::Quarantine) => (Place::Junk, Reason::Quarantined),
        (DmarcChoice::Junk, _) => (Place::Junk, Reason::JunkChosen),
        (DmarcChoice::Reject, _) if facts.detour => (Place::Junk, Reason::Detour),
        (DmarcChoice::Reject, _) => (Place::Refuse, Reason::Refused),
    }
}

/// The DNS does not say all that matters: put off, but not for ever. `after` is where it goes in the end:
/// what could not be shown to be genuine where that is asked for is junk; what may not even be asked for
/// is not.
fn unknown(facts: &Facts<'_>, after: Place) -> (Place, Reason) {
    let Some(trouble) = facts.trouble else {
        return (Place::Inbox, Reason::NoPolicy);
    };
    match (facts.choice, facts.waited, facts.voucher) {
        (DmarcChoice::Mark, ..) => (Place::Inbox, Reason::MarkOnly),
        (_, _, Some(Voucher::Sealer(_))) => (Place::Inbox, Reason::TrustedSealer),
        (_, _, Some(Voucher::List(_))) => (Place::Inbox, Reason::TrustedList),
        (_, true, None) => (after, Reason::WaitedEnough(trouble)),
        (_, false, None) => (Place::Defer, Reason::DnsTrouble(trouble)),
    }
}

/// What the record wishes for a message that fails. RFC 9989 §4.7: `t=y` is one level less.
fn wish_of(dmarc: &Dmarc) -> Policy {
    match &dmarc.published {
        None => Policy::None,
        Some(published) if !published.record.testing => published.policy,
        Some(published) => match published.policy {
            Policy::Reject => Policy::Quarantine,
            Policy::Quarantine | Policy::None => Policy::None,
        },
    }
}

impl Place {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Junk => "junk",
            Self::Refuse => "refuse",
            Self::Defer => "defer",
        }
    }
}

impl Reason {
    /// For whoever runs this server.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Passed => "DMARC passes",
            Self::NoPolicy => "the author's domain has no DMARC policy that applies",
            Self::Watched => "DMARC fails, but the author's domain wishes for nothing then",
            Self::TrustedSealer => "DMARC fails here, but a trusted ARC sealer saw it pass",
            Self::TrustedList => "DMARC fails, but it comes from a trusted mailing list",
            Self::MarkOnly => "the recipient's domain chose to mark only (domain dmarc)",
            Self::Quarantined => {
                "DMARC fails, and the author's domain wishes such mail into quarantine"
            }
            Self::JunkChosen => {
                "DMARC fails, the author's domain wishes refusal, and the recipient's chose the junk folder (domain dmarc)"
            }
            Self::Detour => {
                "DMARC fails and refusal is wished for, but it seems to have come over a list or a forwarder"
            }
            Self::SeveralFroms => {
                "it has more than one From field, and programs differ in which they show"
            }
            Self::SeveralAuthors => {
                "From names authors of different domains, which DMARC cannot confirm"
            }
            Self::Refused => {
                "DMARC fails, the author's domain wishes refusal, and the recipient's chose to do so"
            }
            Self::DnsTrouble(Trouble::Policy) => {
                "the DNS does not say now whether the author's domain has a policy"
            }
            Self::DnsTrouble(_) => {
                "the DNS does not say now whether it is genuine, and that matters to the author's domain"
            }
            Self::WaitedEnough(_) => "the DNS has not said for hours whether it is genuine",
        }
    }
}

impl Judgement {
    /// Whether it may leave for other servers where an alias leads there. What would be junk here is not
    /// for others, nor what its author's domain wishes away, whatever our recipient's domain chose: the
    /// next server would hold it against us. The verdict of a spam filter has its place beside this.
    pub(super) fn may_leave(self) -> bool {
        self.place == Place::Inbox && self.reason != Reason::MarkOnly
    }

    /// What the DNS does not tell, if the message waits for that.
    pub(super) fn deferred_for(self) -> Option<Trouble> {
        match self.reason {
            Reason::DnsTrouble(trouble) => Some(trouble),
            _ => None,
        }
    }

    /// As the report to the author's domain tells it.
    pub(super) fn disposition(self) -> Disposition {
        match (self.place, self.reason) {
            (Place::Inbox, Reason::Passed) => Disposition::Pass,
            (Place::Inbox | Place::Defer, _) => Disposition::None,
            (Place::Junk, _) => Disposition::Quarantine,
            (Place::Refuse, _) => Disposition::Reject,
        }
    }

    /// Why less was done than the policy says, in the words of RFC 9990 §3.1.1.14: the kind and a comment.
    pub(super) fn overridden(self) -> Option<(&'static str, &'static str)> {
        match self.reason {
            Reason::TrustedSealer => {
                Some(("trusted_forwarder", "a trusted ARC sealer saw it pass"))
            }
            Reason::TrustedList => Some(("mailing_list", "of a trusted mailing list")),
            Reason::MarkOnly => Some(("local_policy", "the recipient's domain has it marked only")),
            Reason::JunkChosen => Some((
                "local_policy",
                "the recipient's domain chose the junk folder",
            )),
            Reason::Detour => Some(("local_policy", "it seems to have come by a detour")),
            Reason::WaitedEnough(_) => Some(("other", "the DNS did not tell for a long time")),
            Reason::SeveralFroms
            | Reason::SeveralAuthors
            | Reason::Passed
            | Reason::NoPolicy
            | Reason::Watched
            | Reason::Quarantined
            | Reason::Refused
            | Reason::DnsTrouble(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
