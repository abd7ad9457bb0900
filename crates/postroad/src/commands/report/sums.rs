//! DMARC reports summed up: who sent in a domain's name, grouped by organisation, with what came of it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use store::reports::{Disposition, DmarcEntry, ReportSource, SourceOwner};

/// Messages, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) messages: u64,
    /// DMARC passed.
    pub(super) passing: u64,
    pub(super) dkim_aligned: u64,
    pub(super) spf_aligned: u64,
    pub(super) quarantined: u64,
    pub(super) rejected: u64,
    /// Delivered although DMARC failed.
    pub(super) let_through: u64,
}

/// Addresses that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The organisation's domain, from the reverse names, or the address itself.
    pub(super) name: String,
    pub(super) owner: SourceOwner,
    pub(super) counts: Counts,
    /// With how many messages each, most first.
    pub(super) addresses: Vec<(IpAddr, u64)>,
    /// Failing messages that had a signature of the domain itself, which did not hold.
    pub(super) broken_signature: u64,
    /// Failing messages without any signature of the domain.
    pub(super) unsigned: u64,
    /// Other domains whose DKIM or SPF passed on failing messages.
    pub(super) passes_as: BTreeSet<String>,
    /// Words of DKIM's results for the domain's own signatures that failed.
    pub(super) dkim_problems: BTreeSet<String>,
    /// Selectors of those.
    pub(super) selectors: BTreeSet<String>,
    /// Messages that SPF itself did not let pass.
    pub(super) spf_not_passed: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) counts: Counts,
    /// Most messages first.
    pub(super) sources: Vec<Source>,
}

/// Sums up the lines of a domain's reports.
pub(super) fn sum(
    domain: &str,
    lines: &[(DmarcEntry, u64)],
    known: &BTreeMap<String, ReportSource>,
    own_addresses: &[IpAddr],
) -> Sums {
    let mut groups: BTreeMap<(u8, String), Source> = BTreeMap::new();
    let mut sums = Sums::default();
    let mut addresses: BTreeMap<(u8, String), BTreeMap<IpAddr, u64>> = BTreeMap::new();
    for (entry, times) in lines {
        let source = known.get(&entry.source.to_string());
        let owner = if own_addresses.contains(&entry.source) {
            SourceOwner::ThisServer
        } else {
            source.map_or(SourceOwner::Unknown, |source| source.ours)
        };
        let name = source
            .and_then(|source| source.name.as_deref())
            .map_or_else(|| entry.source.to_string(), organisation);
        let key = (rank(owner), name.clone());
        let group = groups
            .entry(key.clone())
            .or_insert_with(|| Source::new(name, owner));
        group.add(domain, entry, *times);
        sums.counts.add(entry, *times);
        *addresses
            .entry(key)
            .or_default()
            .entry(entry.source)
            .or_default() += times;
    }
    for (key, mut group) in groups {
        group.addresses = addresses
            .remove(&key)
            .unwrap_or_default()
            .into_iter()
            .collect();
        group
            .addresses
            .sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        sums.sources.push(group);
    }
    sums.sources
        .sort_by_key(|source| std::cmp::Reverse(source.counts.messages));
    sums
}

impl Source {
    fn new(name: String, owner: SourceOwner) -> Self {
        Self {
            name,
            owner,
            counts: Counts::default(),
            addresses: Vec::new(),
            broken_signature: 0,
            unsigned: 0,
            passes_as: BTreeSet::new(),
            dkim_problems: BTreeSet::new(),
            selectors: BTreeSet::new(),
            spf_not_passed: 0,
        }
    }

    fn add(&mut self, domain: &str, entry: &DmarcEntry, times: u64) {
        self.counts.add(entry, times);
        let spf_passed = entry.spf.as_ref().is_some_and(|spf| spf.result == "pass");
        if !spf_passed {
            self.spf_not_passed += times;
        }
        if entry.dkim_aligned {
            return;
        }
        let of_domain: Vec<_> = entry
            .dkim
            .iter()
            .filter(|seen| is_within(&seen.domain, domain))
            .collect();
        if of_domain.is_empty() {
            self.unsigned += times;
        } else {
            self.broken_signature += times;
        }
        for seen in of_domain {
            note(&mut self.dkim_problems, &seen.result);
            note(&mut self.selectors, &seen.selector);
        }
        if entry.spf_aligned {
            return;
        }
        for seen in entry.dkim.iter().filter(|seen| seen.result == "pass") {
            note(&mut self.passes_as, &seen.domain);
        }
        if let Some(spf) = entry.spf.as_ref().filter(|_| spf_passed) {
            note(&mut self.passes_as, &spf.domain);
        }
    }

    pub(super) fn failing(&self) -> u64 {
        self.counts.messages - self.counts.passing
    }
}

impl Counts {
    fn add(&mut self, entry: &DmarcEntry, times: u64) {
        let passes = entry.dkim_aligned || entry.spf_aligned;
        self.messages += times;
        self.passing += if passes { times } else { 0 };
        self.dkim_aligned += if entry.dkim_aligned { times } else { 0 };
        self.spf_aligned += if entry.spf_aligned { times } else { 0 };
        match entry.disposition {
            Disposition::Quarantine => self.quarantined += times,
            Disposition::Reject => self.rejected += times,
            Disposition::None | Disposition::Pass if !passes => self.let_through += times,
            Disposition::None | Disposition::Pass => {}
        }
    }
}

/// A few are enough to know whom to ask.
fn note(texts: &mut BTreeSet<String>, text: &str) {
    const TEXTS_MAX: usize = 5;
    if texts.len() < TEXTS_MAX && !text.is_empty() {
        texts.insert(text.to_owned());
    }
}

fn rank(owner: SourceOwner) -> u8 {
    match owner {
        SourceOwner::ThisServer => 0,
        SourceOwner::Allowed => 1,
        SourceOwner::Stranger => 2,
        SourceOwner::Unknown => 3,
    }
}

pub(super) fn is_within(name: &str, domain: &str) -> bool {
    name == domain
        || name
            .strip_suffix(domain)
            .is_some_and(|below| below.ends_with('.'))
}

/// For people only: the last two labels of a host's name, or three where the last but one is a
/// general word of a country's domain (`co.uk`).
pub(super) fn organisation(host: &str) -> String {
    let labels: Vec<&str> = host.split('.').collect();
    let (Some(top), Some(second)) = (labels.last(), labels.iter().rev().nth(1)) else {
        return host.to_owned();
    };
    let general = top.len() == 2 && second.len() <= 3;
    let keep = if general { 3 } else { 2 };
    let from = labels.len().saturating_sub(keep);
    labels.get(from..).unwrap_or_default().join(".")
}
