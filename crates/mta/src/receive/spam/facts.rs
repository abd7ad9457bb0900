//! From what was found out to what the judge of `spam` asks for. Pure.

use std::net::IpAddr;

use mail::{Address, ReversePath, UnixMillis};
use mailauth::dmarc::DmarcResult;
use mailauth::verdict::Verdict;
use spam::facts::{Authentication, History, ListBy, ListEntry, ListOf, ListWish, Proof};
use spam::origin::is_aligned;
use spam::{Count, Opinion, Weights, taught_log_odds};
use store::lessons::{Lore, RuleOf, Scope, SenderRule, SpamChoices, Wish};
use store::senders;

use crate::limits;

/// Whether the author is who it says. Without a DMARC record of its domain, SPF or DKIM must pass for the same house.
pub(super) fn proof(verdict: &Verdict) -> Proof {
    match verdict.dmarc.result {
        DmarcResult::Pass => Proof::Proven,
        DmarcResult::Fail => Proof::Failed,
        DmarcResult::TempError => Proof::Unknown,
        DmarcResult::PermError => Proof::Unproven,
        DmarcResult::None => {
            let author = verdict.dmarc.domain.as_deref().unwrap_or_default();
            match passed(verdict).any(|domain| is_aligned(author, domain)) {
                true => Proof::Proven,
                false => Proof::Unproven,
            }
        }
    }
}

/// Domains that SPF or a signature stands for.
fn passed(verdict: &Verdict) -> impl Iterator<Item = &str> {
    let spf = verdict.spf.vouches().then_some(verdict.spf.domain.as_str());
    let signed = verdict.dkim.iter().filter(|one| one.passed());
    signed.map(|one| one.domain.as_str()).chain(spf)
}

/// `vouched`: somebody whom the operator trusts saw it pass. `detour`: it looks as if it came over a list or a forwarder, which
/// anybody can write; it excuses nobody who uses a name of ours, nor whom nothing at all speaks for.
pub(super) fn authentication(
    verdict: &Verdict,
    from: &ReversePath,
    author: Option<&Address>,
    author_is_ours: bool,
    vouched: bool,
    detour: bool,
) -> Authentication {
    Authentication {
        author: author.map(ToString::to_string),
        proof: proof(verdict),
        author_is_ours,
        reverse_path_is_proven: from.address().is_some_and(|from| {
            verdict.spf.vouches() && from.domain().as_str() == verdict.spf.domain
        }),
        detour: vouched || detour && !author_is_ours && passed(verdict).next().is_some(),
    }
}

/// A peer of this machine or of a network at home: what programs and printers there send in a name of ours is no forgery.
pub(super) fn is_near(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The account's past with the author. Spam that slips through is filed as wanted too, and its next letter comes soon: somebody
/// is familiar after some days, and not by more messages than there were days to complain.
pub(super) fn history(
    known: &senders::History,
    network: Option<&str>,
    answers_us: bool,
    now: UnixMillis,
) -> History {
    let days = known
        .first_received
        .map_or(0, |first| now.since(first).as_secs() / 86_400);
    let familiar = match days < limits::FAMILIAR_AFTER_DAYS {
        true => 0,
        false => known.confirmed.min(days),
    };
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let to_others = known
        .written_at_domain
        .saturating_sub(u64::from(known.sent > 0));
    History {
        written_to_address: count(known.sent),
        written_to_domain: count(to_others),
        received_wanted: count(familiar),
        received_junk: count(known.junked),
        same_network: known.network.is_some() && known.network.as_deref() == network,
        answers_us,
    }
}

pub(super) fn list_entries(rules: &[SenderRule]) -> Vec<ListEntry> {
    let entry = |rule: &SenderRule| ListEntry {
        wish: match rule.wish {
            Wish::Allow => ListWish::Allow,
            Wish::Block => ListWish::Block,
        },
        by: match rule.by {
            Scope::Account(_) => ListBy::Account,
            Scope::Domain(_) => ListBy::Domain,
            Scope::Server => ListBy::Server,
        },
        of: match rule.of {
            RuleOf::Author => ListOf::Author,
            RuleOf::ReversePath => ListOf::ReversePath,
            RuleOf::Peer => ListOf::Peer,
        },
        entry: rule.entry.clone(),
        even_unproven: rule.even_unproven,
    };
    rules.iter().map(entry).collect()
}

/// What one teacher says of a message with these features.
pub(super) fn opinion(lore: &Lore, learning: &[u64]) -> Opinion {
    if lore.totals == store::lessons::Count::default() {
        return Opinion::default();
    }
    let count = |count: store::lessons::Count| Count {
        spam: count.junk,
        ham: count.wanted,
    };
    let mut known: Vec<(u64, store::lessons::Count)> = lore.counts.clone();
    known.sort_unstable_by_key(|(feature, _)| *feature);
    let counts = learning.iter().map(|feature| {
        let found = known.binary_search_by_key(feature, |(feature, _)| *feature);
        let one = found.ok().and_then(|at| known.get(at));
        (
            *feature,
            one.map_or_else(Count::default, |(_, one)| count(*one)),
        )
    });
    taught_log_odds(count(lore.totals), counts)
}

pub(super) fn weights(choices: &SpamChoices) -> Weights {
    let mut weights = Weights::default();
    if let Some(threshold) = choices.threshold {
        weights.threshold = threshold;
    }
    let named = choices.weights.iter();
    weights.multipliers = named
        .filter_map(|(id, by)| Some((spam::reasons::Kind::from_id(id)?, *by)))
        .collect();
    weights
}

#[cfg(test)]
mod tests;
