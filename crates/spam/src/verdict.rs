//! One verdict of everything: the model, what was taught, what rules found and what is known of the sender.
//! A pure sum of log-odds with bounds, so that no voice alone is too loud; every addend is a reason.

use serde::{Deserialize, Serialize};

use crate::facts::{Facts, FilterSaid, ListEntry, ListOf, ListWish, ListedOf, Opinion, Proof};
use crate::limits;
use crate::reasons::{Finding, Kind, Nature, Reason};
use crate::weights::Weights;

/// Is it wanted, how sure is that, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The sum of the reasons' weights; beyond it where somebody ordered.
    pub log_odds: f32,
    /// That it is junk, from nothing to one.
    pub probability: f32,
    pub place: Place,
    /// Junk from this sum on.
    pub threshold: f32,
    /// The loudest first.
    pub reasons: Vec<Reason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Wanted,
    Junk,
}

impl Verdict {
    pub fn is_junk(&self) -> bool {
        self.place == Place::Junk
    }

    /// A sentence for each reason, with its weight: `+2.5 the link shows paypal.com but leads to evil.example`.
    pub fn words(&self) -> Vec<String> {
        let line = |reason: &Reason| format!("{:+.1} {}", reason.weight, reason.words());
        self.reasons.iter().map(line).collect()
    }

    /// `98.2 %`, and never a certainty that nobody has.
    pub fn percent(&self) -> String {
        let percent = (self.probability * 100.0).clamp(0.1, 99.9);
        format!("{percent:.1} %")
    }
}

/// Joins what the model says (`base_log_odds`, calibrated) with all else that is known.
pub fn judge(
    base_log_odds: f32,
    findings: &[Finding],
    facts: &Facts,
    weights: &Weights,
) -> Verdict {
    let mut reasons = content(base_log_odds, facts);
    reasons.extend(findings.iter().take(limits::FINDINGS_MAX).cloned());
    soften_bulk(&mut reasons, facts);
    let trust = trust(facts);
    let author = author(facts);
    reasons.extend(sender(facts, author));
    reasons.extend(genuine(facts, author));
    reasons.extend(trust.reasons(facts));
    reasons.extend(answer(facts));
    reasons.extend(lists(facts));
    reasons.extend(reputation(facts));
    reasons.extend(listed(facts));
    reasons.extend(other_filters(facts));
    for reason in &mut reasons {
        let weight = match reason.weight.is_finite() {
            true => reason.weight.clamp(-limits::WEIGHT_MAX, limits::WEIGHT_MAX),
            false => 0.0,
        };
        reason.weight = weight * weights.multiplier(reason.kind);
    }
    cap_soft(&mut reasons, trust.bound());
    cap_hard(&mut reasons);
    conclude(reasons, weights.threshold())
}

/// Sums up and sorts.
fn conclude(mut reasons: Vec<Reason>, threshold: f32) -> Verdict {
    // What says nothing is left out, unless it explains why something was not believed.
    let silent = [Kind::AllowedUnproven, Kind::Bulk, Kind::MailingList];
    reasons.retain(|reason| {
        reason.weight.abs() >= limits::WEIGHT_MIN || silent.contains(&reason.kind)
    });
    let loudness = |reason: &Reason| -reason.weight.abs();
    reasons.sort_by(|a, b| {
        loudness(a)
            .total_cmp(&loudness(b))
            .then(a.kind.cmp(&b.kind))
    });
    let sum: f32 = reasons.iter().map(|reason| reason.weight).sum();
    let orders = || {
        reasons
            .iter()
            .filter(|reason| reason.kind.nature() == Nature::Order)
    };
    let log_odds = if orders().any(|order| order.weight > 0.0) {
        sum.max(threshold + limits::ORDER_MARGIN)
    } else if orders().any(|order| order.weight < 0.0) {
        sum.min(threshold - limits::ORDER_MARGIN)
    } else {
        sum
    };
    Verdict {
        log_odds,
        probability: sigmoid(log_odds),
        place: if log_odds >= threshold {
            Place::Junk
        } else {
            Place::Wanted
        },
        threshold,
        reasons,
    }
}

fn sigmoid(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// What the text says: the model, and what was taught. The nearer teacher is heard first.
fn content(base_log_odds: f32, facts: &Facts) -> Vec<Reason> {
    let bounded = |log_odds: f32, kind: Kind| {
        if log_odds.is_finite() {
            log_odds.clamp(-kind.weight(), kind.weight())
        } else {
            0.0
        }
    };
    let confidence = |opinion: Opinion| {
        if opinion.confidence.is_finite() {
            opinion.confidence.clamp(0.0, 1.0)
        } else {
            0.0
        }
    };
    let by_account = confidence(facts.account_taught);
    let by_server = confidence(facts.server_taught) * (1.0 - by_account);
    // What was taught here tells more than what was true elsewhere, and later.
    let by_model = 1.0 - limits::TAUGHT_OVER_MODEL * by_account.max(by_server);
    let voice = |kind: Kind, log_odds: f32, share: f32| {
        Finding::weighing(kind, bounded(log_odds, kind) * share, [""; 0])
    };
    vec![
        voice(Kind::Content, base_log_odds, by_model),
        voice(
            Kind::TaughtByAccount,
            facts.account_taught.log_odds,
            by_account,
        ),
        voice(
            Kind::TaughtByServer,
            facts.server_taught.log_odds,
            by_server,
        ),
    ]
}

/// Links of newsletters run over counters and look strange; who proves to be the sender is forgiven that.
fn soften_bulk(reasons: &mut [Reason], facts: &Facts) {
    let is_bulk = reasons
        .iter()
        .any(|one| matches!(one.kind, Kind::Bulk | Kind::MailingList));
    if !is_bulk || facts.authentication.proof != Proof::Proven {
        return;
    }
    for reason in reasons
        .iter_mut()
        .filter(|one| one.kind.nature() == Nature::SoftLink)
    {
        reason.weight *= limits::BULK_LINK_SHARE;
    }
}

fn author(facts: &Facts) -> &str {
    facts
        .authentication
        .author
        .as_deref()
        .unwrap_or("the author")
}

fn domain_of(address: &str) -> &str {
    address
        .rsplit_once('@')
        .map_or(address, |(_, domain)| domain)
}

/// Whether it is proven who sent it. A proof is worth little: everybody can have one for a domain of their own.
fn sender(facts: &Facts, author: &str) -> Option<Reason> {
    let authentication = &facts.authentication;
    let forged = authentication.author_is_ours && !authentication.detour;
    Some(match authentication.proof {
        Proof::Unknown => return None,
        Proof::Proven => Finding::new(Kind::Authenticated, [domain_of(author)]),
        Proof::Unproven | Proof::Failed if forged => {
            Finding::new(Kind::OwnForged, [domain_of(author)])
        }
        Proof::Unproven => Finding::new(Kind::Unauthenticated, [author]),
        Proof::Failed if authentication.detour => Finding::weighing(
            Kind::AuthenticationFailed,
            limits::BROKEN_BY_DETOUR,
            [domain_of(author)],
        ),
        Proof::Failed => Finding::new(Kind::AuthenticationFailed, [domain_of(author)]),
    })
}

/// Receipts and notices look like what imitates them; the proof tells them apart. Where everybody can have an address
/// it proves nothing.
fn genuine(facts: &Facts, author: &str) -> Option<Reason> {
    let domain = domain_of(author);
    if facts.authentication.proof != Proof::Proven || crate::domains::is_freemail(domain) {
        return None;
    }
    let mut brands = crate::brands::knowledge().brand.iter();
    let brand = brands.find(|brand| brand.owns(domain))?;
    Some(Finding::new(Kind::GenuineBrand, [&brand.name]))
}

/// What the account's own past says.
#[derive(Clone, Copy, Debug)]
enum Trust {
    None,
    /// Somebody whom one wrote to, and it is really them. The weight is below nothing.
    WroteTo(f32),
    WroteToDomain(f32),
    Familiar(f32),
    /// Not proven, but from where it always came.
    SameNetwork,
    /// Somebody else uses the name.
    Forged,
}

fn trust(facts: &Facts) -> Trust {
    let history = &facts.history;
    let corresponds = history.written_to_address > 0;
    // Each message that had to be moved to Junk by hand takes away from what was there.
    let spoilt = 1.0 / (1.0 + history.received_junk as f32);
    match facts.authentication.proof {
        Proof::Proven if corresponds => Trust::WroteTo(Kind::Correspondent.weight() * spoilt),
        Proof::Proven => {
            let familiar = -limits::FAMILIAR_STEP * (1.0 + history.received_wanted as f32).ln();
            let familiar = familiar.max(Kind::Familiar.weight()) * spoilt;
            let domain = author(facts);
            // One correspondent at a service with millions says nothing of the others.
            let speaks =
                history.written_to_domain > 0 && !crate::domains::is_freemail(domain_of(domain));
            let by_domain = Kind::CorrespondentDomain.weight() * spoilt;
            if speaks && by_domain < familiar {
                Trust::WroteToDomain(by_domain)
            } else if history.received_wanted > 0 {
                Trust::Familiar(familiar)
            } else {
                Trust::None
            }
        }
        Proof::Failed if corresponds && !facts.authentication.detour => Trust::Forged,
        Proof::Unknown | Proof::Unproven
            if history.same_network
                && history.received_junk == 0
                && (corresponds || history.received_wanted > 0) =>
        {
            Trust::SameNetwork
        }
        _ => Trust::None,
    }
}

/// An answer to what this account wrote. Whoever reads along can answer too: without a proof it is worth less.
fn answer(facts: &Facts) -> Option<Reason> {
    let history = &facts.history;
    let speaks_of_domain = !crate::domains::is_freemail(domain_of(author(facts)));
    let is_known = history.written_to_address > 0
        || history.written_to_domain > 0 && speaks_of_domain
        || history.received_wanted > 0;
    let weight = match facts.authentication.proof {
        Proof::Proven if !is_known => Kind::AnswersUs.weight() * limits::ANSWER_OF_STRANGER_SHARE,
        Proof::Proven => Kind::AnswersUs.weight(),
        Proof::Unknown | Proof::Unproven => Kind::AnswersUs.weight() / 2.0,
        Proof::Failed => return None,
    };
    facts
        .history
        .answers_us
        .then(|| Finding::weighing(Kind::AnswersUs, weight, [""; 0]))
}

impl Trust {
    fn reasons(self, facts: &Facts) -> Option<Reason> {
        let author = author(facts);
        Some(match self {
            Trust::None => return None,
            Trust::WroteTo(weight) => Finding::weighing(Kind::Correspondent, weight, [author]),
            Trust::WroteToDomain(weight) => {
                Finding::weighing(Kind::CorrespondentDomain, weight, [domain_of(author)])
            }
            Trust::Familiar(weight) => Finding::weighing(Kind::Familiar, weight, [author]),
            Trust::SameNetwork => Finding::new(Kind::FamiliarNetwork, [author]),
            Trust::Forged => Finding::new(Kind::CorrespondentForged, [author]),
        })
    }

    /// How much soft signals may weigh together: for those one wrote to never enough for Junk.
    fn bound(self) -> Option<f32> {
        match self {
            Trust::WroteTo(weight) | Trust::WroteToDomain(weight)
                if -weight >= limits::TRUST_MIN =>
            {
                Some(limits::SOFT_TRUSTED_BASE - weight * limits::SOFT_TRUSTED_SHARE)
            }
            _ => None,
        }
    }
}

/// Allow and block lists. Allow needs a proof of the very name that stands on the list, or the operator's word. Block wins,
/// unless the same list allows something narrower of the same name.
fn lists(facts: &Facts) -> Option<Reason> {
    let is_believed = |entry: &ListEntry| {
        let is_proven = match entry.of {
            // A host sends for many: whoever sends from there must prove to be the author all the same.
            ListOf::Author | ListOf::Peer => facts.authentication.proof == Proof::Proven,
            ListOf::ReversePath => facts.authentication.reverse_path_is_proven,
        };
        is_proven || entry.even_unproven
    };
    let entries = &facts.lists;
    let is_overruled = |at: usize, block: &ListEntry| {
        let before = entries.iter().take(at);
        let mut same = before.filter(|one| one.by == block.by && one.of == block.of);
        same.any(|one| one.wish == ListWish::Allow && is_believed(one))
    };
    let mut blocks = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.wish == ListWish::Block);
    let reason = |kind: Kind, entry: &ListEntry| {
        Finding::new(kind, [entry.entry.as_str(), entry.by.words()])
    };
    if let Some((_, entry)) = blocks.find(|(at, entry)| !is_overruled(*at, entry)) {
        return Some(reason(Kind::Blocked, entry));
    }
    let mut allows = entries.iter().filter(|one| one.wish == ListWish::Allow);
    let first = allows.clone().next()?;
    Some(match allows.find(|entry| is_believed(entry)) {
        Some(entry) => reason(Kind::Allowed, entry),
        None => reason(Kind::AllowedUnproven, first),
    })
}

/// What this server saw before of address, network and domain.
fn reputation(facts: &Facts) -> Vec<Reason> {
    let reputation = &facts.reputation;
    // Who forges a name must neither profit from it nor suffer for it.
    let is_proven = facts.authentication.proof == Proof::Proven;
    // One sender at a service with millions says nothing of the others.
    let is_shared = crate::domains::is_freemail(domain_of(author(facts)));
    let domain = reputation.domain.as_ref();
    let domain = domain.filter(|_| is_proven && !is_shared);
    let mut reasons: Vec<Reason> = [
        (
            Kind::AddressReputation,
            reputation.address.as_ref(),
            limits::ADDRESS_HAM_MIN,
        ),
        (
            Kind::NetworkReputation,
            reputation.network.as_ref(),
            limits::NETWORK_HAM_MIN,
        ),
        (Kind::DomainReputation, domain, limits::DOMAIN_HAM_MIN),
    ]
    .into_iter()
    .filter_map(|(kind, standing, ham_min)| {
        let standing = standing.filter(|one| one.log_odds.is_finite())?;
        let weight = standing.log_odds.clamp(ham_min, kind.weight());
        Some(Finding::weighing(kind, weight, [&standing.name]))
    })
    .collect();
    scale_to(
        &mut reasons.iter_mut().collect::<Vec<_>>(),
        limits::REPUTATION_MAX,
    );
    reasons
}

/// Lists copy one another: together they weigh a little more than the heaviest.
fn listed(facts: &Facts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (of, kind, most) in [
        (ListedOf::Peer, Kind::AddressListed, limits::PEER_LISTED_MAX),
        (
            ListedOf::Sender,
            Kind::DomainListed,
            limits::SENDER_LISTED_MAX,
        ),
        (ListedOf::Link, Kind::LinkListed, limits::LINK_LISTED_MAX),
    ] {
        let mut some: Vec<Reason> = facts
            .listed
            .iter()
            .filter(|one| one.of == of && one.weight.is_finite())
            .take(limits::LISTED_MAX)
            .map(|one| {
                Finding::weighing(kind, one.weight.clamp(0.0, most), [&one.subject, &one.zone])
            })
            .collect();
        scale_to(&mut some.iter_mut().collect::<Vec<_>>(), most);
        reasons.append(&mut some);
    }
    reasons
}

/// Milters and virus scanners. A score is weighed by how far it is on the way to that filter's own threshold.
fn other_filters(facts: &Facts) -> Vec<Reason> {
    let filters = facts.other_filters.iter().take(limits::OTHER_FILTERS_MAX);
    let weighed = filters.map(|filter| {
        let name = filter.name.as_str();
        let (weight, said) = match &filter.said {
            FilterSaid::Virus(virus) => return Finding::new(Kind::Virus, [name, virus]),
            FilterSaid::Score { score, threshold } => {
                let share = if *threshold > 0.0 {
                    score / threshold
                } else {
                    0.0
                };
                let weight = (limits::FILTER_AT_THRESHOLD * share)
                    .clamp(limits::FILTER_HAM_MIN, limits::FILTER_SPAM_MAX);
                (weight, format!("{score:.1} of {threshold:.1}"))
            }
            FilterSaid::Spam => (limits::FILTER_AT_THRESHOLD, "spam".to_owned()),
            FilterSaid::Ham => (limits::FILTER_HAM_MIN, "not spam".to_owned()),
            FilterSaid::Quarantine(why) => (limits::FILTER_SPAM_MAX, why.clone()),
        };
        Finding::weighing(Kind::OtherFilter, weight, [name, &said])
    });
    let mut reasons: Vec<Reason> = weighed.collect();
    let mut voices: Vec<&mut Reason> = reasons
        .iter_mut()
        .filter(|one| one.kind == Kind::OtherFilter)
        .collect();
    scale_to(&mut voices, Kind::OtherFilter.weight());
    reasons
}

/// Soft findings of rules never junk alone; beside somebody one wrote to, nothing soft does.
fn cap_soft(reasons: &mut [Reason], trusted: Option<f32>) {
    let is_soft = |nature: Nature| matches!(nature, Nature::Soft | Nature::SoftLink);
    let is_text = |kind: Kind| {
        matches!(
            kind,
            Kind::Content | Kind::TaughtByAccount | Kind::TaughtByServer
        )
    };
    let mut rules: Vec<&mut Reason> = reasons
        .iter_mut()
        .filter(|one| is_soft(one.kind.nature()) && !is_text(one.kind))
        .collect();
    scale_to(&mut rules, limits::SOFT_RULES_MAX);
    if let Some(bound) = trusted {
        let mut all: Vec<&mut Reason> = reasons
            .iter_mut()
            .filter(|one| is_soft(one.kind.nature()) || one.kind.nature() == Nature::Story)
            .collect();
        scale_to(&mut all, bound);
    }
}

fn cap_hard(reasons: &mut [Reason]) {
    let mut hard: Vec<&mut Reason> = reasons
        .iter_mut()
        .filter(|one| matches!(one.kind.nature(), Nature::Hard | Nature::Story))
        .collect();
    scale_to(&mut hard, limits::HARD_MAX);
}

/// Makes those above nothing smaller, in proportion, until they sum up to `most`.
fn scale_to(reasons: &mut [&mut Reason], most: f32) {
    let above: f32 = reasons.iter().map(|one| one.weight.max(0.0)).sum();
    if above <= most {
        return;
    }
    for reason in reasons.iter_mut().filter(|one| one.weight > 0.0) {
        reason.weight *= most / above;
    }
}

#[cfg(test)]
mod tests;
