//! The decision (RFC 9989 §5.3.4 to §5.3.6): which passes belong to the author's domain, and what follows.

use std::collections::BTreeSet;

use world::Dns;

use super::discovery::{State, fetch};
use super::limits::IDENTIFIERS_MAX;
use super::record::{Alignment, Policy};
use super::tree::{self, Records};
use super::{Author, Discovery, Dmarc, DmarcResult, Published, Reason};
use crate::dkim::{self, DkimResult};
use crate::explain::Notes;
use crate::spf::{Spf, SpfResult};

/// The whole of DMARC for one message, once SPF and DKIM have spoken. `mail_from` is the check of
/// the reverse-path; of a null one it is the HELO domain (RFC 7208 §2.4).
pub async fn check(
    dns: &dyn Dns,
    author: Author,
    mail_from: &Spf,
    signatures: &[dkim::Verdict],
    notes: &mut Notes,
) -> Dmarc {
    let discovery = Discovery::of(dns, author, notes).await;
    discovery.judge(dns, mail_from, signatures, notes).await
}

/// The authenticated domains of a message, and those that might have been.
struct Identifiers<'a> {
    spf: Option<&'a str>,
    dkim: BTreeSet<&'a str>,
    /// The DNS did not answer, so it is not known whether these pass.
    unknown: BTreeSet<&'a str>,
}

impl<'a> Identifiers<'a> {
    fn of(mail_from: &'a Spf, signatures: &'a [dkim::Verdict]) -> Self {
        let with = |wanted: DkimResult| {
            signatures
                .iter()
                .filter(move |signature| signature.result == wanted && !signature.domain.is_empty())
                .map(|signature| signature.domain.as_str())
                .take(IDENTIFIERS_MAX)
        };
        let spf = |wanted: SpfResult| {
            (mail_from.result == wanted && !mail_from.domain.is_empty())
                .then_some(mail_from.domain.as_str())
        };
        Self {
            spf: spf(SpfResult::Pass),
            dkim: with(DkimResult::Pass).collect(),
            unknown: with(DkimResult::TempError)
                .chain(spf(SpfResult::TempError))
                .collect(),
        }
    }

    fn passed(&self) -> bool {
        self.spf.is_some() || !self.dkim.is_empty()
    }

    /// Something passed for the very domain of the author.
    fn is_exact(&self, domain: &str) -> bool {
        self.spf == Some(domain) || self.dkim.contains(domain)
    }
}

/// Whether one authenticated domain is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aligned {
    Yes,
    No,
    /// The DNS did not say what the organisational domains are.
    Unknown,
}

impl Discovery {
    /// Decides. Asks for more records only where an authenticated domain is not the author's own
    /// and relaxed alignment could make it count.
    pub async fn judge(
        self,
        dns: &dyn Dns,
        mail_from: &Spf,
        signatures: &[dkim::Verdict],
        notes: &mut Notes,
    ) -> Dmarc {
        let identifiers = Identifiers::of(mail_from, signatures);
        let mut records = self.records;
        match self.state {
            State::NoAuthor(problem, wish) => Dmarc {
                wish,
                ..Dmarc::without_policy(None, DmarcResult::PermError, Reason::NoAuthor(problem))
            },
            State::Unknown { domain } => {
                let reason = if identifiers.is_exact(&domain) {
                    Reason::AlignedPolicyUnknown
                } else {
                    Reason::PolicyUnknown
                };
                notes.say(|| format!("The DNS did not say whether {domain} has a policy."));
                Dmarc::without_policy(Some(domain), DmarcResult::TempError, reason)
            }
            State::NoPolicy { domain } => {
                Dmarc::without_policy(Some(domain), DmarcResult::None, Reason::NoPolicy)
            }
            State::Unusable { domain } => {
                Dmarc::without_policy(Some(domain), DmarcResult::None, Reason::UnusableRecord)
            }
            State::Policy {
                domain,
                published,
                existence_unknown,
            } => {
                let case = Case {
                    domain: &domain,
                    published: &published,
                    identifiers: &identifiers,
                };
                let mut outcome = case.weigh(dns, &mut records, notes).await;
                if outcome.result == DmarcResult::Fail && existence_unknown {
                    outcome.result = DmarcResult::TempError;
                    outcome.reason = Reason::PolicyUnknown;
                }
                let wish = match outcome.result {
                    DmarcResult::Fail => published.wish(),
                    _ => Policy::None,
                };
                notes.say(|| outcome.in_words(wish));
                Dmarc {
                    result: outcome.result,
                    reason: outcome.reason,
                    org_domain: tree::walk(&records, &domain)
                        .map(|walk| walk.org_domain.to_owned()),
                    domain: Some(domain),
                    published: Some(published),
                    spf_aligned: outcome.spf == Some(Aligned::Yes),
                    dkim_aligned: outcome.dkim == Some(Aligned::Yes),
                    wish,
                }
            }
        }
    }
}

/// A message with a policy.
struct Case<'a> {
    domain: &'a str,
    published: &'a Published,
    identifiers: &'a Identifiers<'a>,
}

struct Outcome {
    result: DmarcResult,
    reason: Reason,
    spf: Option<Aligned>,
    dkim: Option<Aligned>,
}

impl Outcome {
    fn in_words(&self, wish: Policy) -> String {
        let wish = match (self.result, wish) {
            (DmarcResult::Fail, Policy::None) => " The domain wishes for nothing to be done.",
            (DmarcResult::Fail, Policy::Quarantine) => " The domain wishes to see it quarantined.",
            (DmarcResult::Fail, Policy::Reject) => " The domain wishes to see it rejected.",
            _ => "",
        };
        format!(
            "DMARC says {}: {}.{wish}",
            self.result.as_str(),
            self.reason
        )
    }
}

impl Case<'_> {
    async fn weigh(&self, dns: &dyn Dns, records: &mut Records, notes: &mut Notes) -> Outcome {
        let spf_mode = self.published.record.aspf;
        let dkim_mode = self.published.record.adkim;
        let spf = self
            .identifiers
            .spf
            .iter()
            .map(|domain| (*domain, spf_mode));
        let dkim = self
            .identifiers
            .dkim
            .iter()
            .map(|domain| (*domain, dkim_mode));
        self.fetch_walks(dns, spf.chain(dkim), records, notes).await;
        let spf = self
            .identifiers
            .spf
            .map(|domain| self.compare("SPF", domain, spf_mode, records, notes));
        let mut dkim = None;
        for domain in &self.identifiers.dkim {
            let aligned = self.compare("DKIM", domain, dkim_mode, records, notes);
            dkim = Some(best(dkim, aligned));
        }
        let (result, reason) = self.conclude(dns, records, [spf, dkim], notes).await;
        Outcome {
            result,
            reason,
            spf,
            dkim,
        }
    }

    async fn conclude(
        &self,
        dns: &dyn Dns,
        records: &mut Records,
        found: [Option<Aligned>; 2],
        notes: &mut Notes,
    ) -> (DmarcResult, Reason) {
        if found.contains(&Some(Aligned::Yes)) {
            return (DmarcResult::Pass, Reason::Aligned);
        }
        if found.contains(&Some(Aligned::Unknown)) {
            return (DmarcResult::TempError, Reason::AlignmentUnknown);
        }
        if self.could_have_passed(dns, records, notes).await {
            return (DmarcResult::TempError, Reason::AuthenticationUnknown);
        }
        let reason = if self.identifiers.passed() {
            Reason::NotAligned
        } else {
            Reason::NothingPassed
        };
        (DmarcResult::Fail, reason)
    }

    /// RFC 9989 §5.3.6: where nothing passes and a check met a temporary error, nobody may say that
    /// the message fails. Only domains that would be aligned matter.
    async fn could_have_passed(
        &self,
        dns: &dyn Dns,
        records: &mut Records,
        notes: &mut Notes,
    ) -> bool {
        // The stricter of both modes would do for most; the looser one is never wrong.
        let record = &self.published.record;
        let mode = record.aspf.min(record.adkim);
        let unknown = || self.identifiers.unknown.iter();
        self.fetch_walks(dns, unknown().map(|domain| (*domain, mode)), records, notes)
            .await;
        unknown().any(|domain| {
            self.compare("A check without an answer", domain, mode, records, notes) != Aligned::No
        })
    }

    /// Brings the records that relaxed alignment needs. RFC 9989 §4.10.2: none where the names are
    /// the same or the mode is strict.
    async fn fetch_walks<'d>(
        &self,
        dns: &dyn Dns,
        domains: impl Iterator<Item = (&'d str, Alignment)>,
        records: &mut Records,
        notes: &mut Notes,
    ) {
        let others: BTreeSet<&str> = domains
            .filter(|(domain, mode)| *mode == Alignment::Relaxed && *domain != self.domain)
            .map(|(domain, _)| domain)
            .filter(|domain| tree::may_be_related(domain, self.domain))
            .collect();
        if others.is_empty() {
            return;
        }
        let starts = std::iter::once(self.domain).chain(others);
        fetch(dns, starts.flat_map(tree::targets), records, notes).await;
    }

    fn compare(
        &self,
        what: &str,
        domain: &str,
        mode: Alignment,
        records: &Records,
        notes: &mut Notes,
    ) -> Aligned {
        let author = self.domain;
        if domain == author {
            notes.say(|| format!("{what}: {domain} is the author's own domain, so it is aligned."));
            return Aligned::Yes;
        }
        if mode == Alignment::Strict {
            notes.say(|| {
                format!("{what}: {domain} is not {author}, and the record asks for the very name (strict): not aligned.")
            });
            return Aligned::No;
        }
        if !tree::may_be_related(domain, author) {
            notes.say(|| format!("{what}: {domain} has nothing to do with {author}: not aligned."));
            return Aligned::No;
        }
        let walks = (tree::walk(records, domain), tree::walk(records, author));
        let (Some(theirs), Some(ours)) = walks else {
            notes.say(|| format!("{what}: the DNS did not say to which organisation {domain} or {author} belongs."));
            return Aligned::Unknown;
        };
        let (theirs, ours) = (theirs.org_domain, ours.org_domain);
        if theirs == ours {
            notes.say(|| {
                format!("{what}: {domain} and {author} both belong to {ours}, so they are aligned (relaxed).")
            });
            return Aligned::Yes;
        }
        notes.say(|| {
            format!("{what}: {domain} belongs to {theirs}, {author} to {ours}: not aligned.")
        });
        Aligned::No
    }
}

fn best(before: Option<Aligned>, now: Aligned) -> Aligned {
    match (before, now) {
        (Some(Aligned::Yes), _) | (_, Aligned::Yes) => Aligned::Yes,
        (Some(Aligned::Unknown), _) | (_, Aligned::Unknown) => Aligned::Unknown,
        _ => Aligned::No,
    }
}
