//! What becomes of a message for each of its recipients: gathers what the decision needs, and turns
//! decisions into ways. The answer to the peer is one for all: refused only if all refuse, put off if
//! any must wait.

use std::collections::{BTreeMap, BTreeSet};

use mail::{Address, Domain, ReversePath, UnixMillis};
use mailauth::arc::ChainState;
use mailauth::spf::SpfResult;
use mailauth::verdict::{Trouble, Verdict};
use store::{DmarcChoice, StoreError};

use super::judge::{self, Judgement, Place, Voucher};
use super::lists::is_list_like;
use super::spam::keep_here;
use super::trust::Trusted;
use super::{evidence, is_passed_on_before};
use crate::envelope::{Routed, Way};
use crate::refusal::{Refusal, WhyKept};
use crate::{Inner, limits};

/// What a ruling is about.
pub(super) struct Case<'a> {
    pub(super) from: &'a ReversePath,
    pub(super) hello: &'a str,
    pub(super) recipients: &'a [Routed],
    pub(super) verdict: &'a Verdict,
    pub(super) message: &'a [u8],
    pub(super) now: UnixMillis,
    /// Something beside its author's domain says that it is junk.
    pub(super) junk: bool,
}

pub(super) struct Ruling {
    /// In the order of the recipients.
    pub(super) fates: Vec<Fate>,
    /// The strictest that was done, for the report.
    pub(super) judgement: Judgement,
}

#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// Here, where somebody here has it, and on to other servers.
    Taken {
        junk: bool,
        away: bool,
    },
    Refused(Refusal),
}

/// What the decision needs beyond the verdict.
struct Gathered {
    choices: BTreeMap<Domain, DmarcChoice>,
    waited: bool,
    trouble: Option<Trouble>,
}

impl Case<'_> {
    pub(super) async fn rule(&self, inner: &Inner) -> Result<Ruling, Refusal> {
        let trouble = self.verdict.temporary();
        if !judge::is_choice_needed(&self.verdict.dmarc, trouble) {
            let plain = self.judge(DmarcChoice::default(), None, false, None);
            return self.settle(inner, vec![plain; self.recipients.len()]).await;
        }
        let trusted = inner.trust.now(inner).await?;
        let trouble = trouble.filter(|trouble| matters(*trouble, self.verdict, &trusted));
        let gathered = self.gather(inner, trouble).await?;
        let voucher = voucher(self.verdict, self.message, &trusted);
        let judged = self.recipients.iter().map(|recipient| {
            let choice = gathered.choices.get(recipient.address.domain());
            let choice = choice.copied().unwrap_or_default();
            self.judge(choice, voucher, gathered.waited, gathered.trouble)
        });
        self.settle(inner, judged.collect()).await
    }

    async fn gather(&self, inner: &Inner, trouble: Option<Trouble>) -> Result<Gathered, Refusal> {
        let domains: BTreeSet<Domain> = self
            .recipients
            .iter()
            .map(|recipient| recipient.address.domain().clone())
            .collect();
        let pair = trouble.map(|_| self.pair());
        let now = self.now;
        let gathered = inner
            .store
            .read_small(move |view| -> Result<Gathered, StoreError> {
                let mut choices = BTreeMap::new();
                for domain in &domains {
                    choices.insert(domain.clone(), view.dmarc_choice(domain)?);
                }
                let since = match &pair {
                    Some((sender, author)) => view.dns_deferred_since(sender, author)?,
                    None => None,
                };
                Ok(Gathered {
                    choices,
                    waited: since.is_some_and(|since| limits::DNS_DEFERRAL <= now.since(since)),
                    trouble,
                })
            });
        Ok(gathered.await?)
    }

    /// For whom waiting is counted: a sender in the name of a domain.
    fn pair(&self) -> (String, String) {
        let sender = match self.from.address() {
            Some(address) => address.to_string(),
            None => self.hello.to_owned(),
        };
        let author = self.verdict.dmarc.domain.clone().unwrap_or_default();
        (sender.to_lowercase(), author)
    }

    fn judge(
        &self,
        choice: DmarcChoice,
        voucher: Option<Voucher<'_>>,
        waited: bool,
        trouble: Option<Trouble>,
    ) -> Judgement {
        judge::decide(&judge::Facts {
            dmarc: &self.verdict.dmarc,
            choice,
            voucher,
            // Looked for only where it can make a difference.
            detour: choice == DmarcChoice::Reject && is_detour(self.verdict, self.message),
            trouble,
            waited,
        })
    }

    /// From one judgement for each recipient to what is done, and to what the peer hears.
    async fn settle(&self, inner: &Inner, judged: Vec<Judgement>) -> Result<Ruling, Refusal> {
        if let Some(trouble) = judged.iter().find_map(|judged| judged.deferred_for()) {
            self.note_deferral(inner).await?;
            return Err(Refusal::DnsTrouble(evidence::why_put_off(
                self.verdict,
                trouble,
            )));
        }
        let fates = self
            .recipients
            .iter()
            .zip(&judged)
            .map(|(recipient, judged)| self.fate(recipient, *judged));
        let mut fates: Vec<Fate> = fates.collect();
        let strictest = |judged: &Judgement| judged.place;
        let Some(judgement) = judged.iter().copied().max_by_key(strictest) else {
            return Err(Refusal::NoRecipients);
        };
        let is_refused = |fate: &Fate| matches!(fate, Fate::Refused(_));
        if !fates.iter().all(is_refused) {
            // Others take it, so it cannot be refused for one alone: what is refused is junk there.
            for (fate, recipient) in fates.iter_mut().zip(self.recipients) {
                if matches!(fate, Fate::Refused(Refusal::Policy(_))) && recipient.stays_here() {
                    *fate = Fate::Taken {
                        junk: true,
                        away: false,
                    };
                }
            }
        }
        Ok(Ruling { fates, judgement })
    }

    fn fate(&self, recipient: &Routed, judged: Judgement) -> Fate {
        if judged.place == Place::Refuse {
            return Fate::Refused(Refusal::Policy(evidence::why_refused(self.verdict)));
        }
        let leads_away = !recipient.forwards().is_empty() || matches!(recipient.way, Way::Back(_));
        let circles = leads_away && is_passed_on_before(self.message, &recipient.address);
        let away = leads_away && !circles && judged.may_leave() && !self.junk;
        if away || recipient.stays_here() {
            return Fate::Taken {
                junk: self.junk || judged.place == Place::Junk,
                away,
            };
        }
        let address: Address = recipient.address.clone();
        Fate::Refused(match circles {
            true => Refusal::ForwardLoop(address),
            false if judged.may_leave() => Refusal::NotPassedOn(address, WhyKept::Attachments),
            false => Refusal::NotPassedOn(address, WhyKept::Sender(evidence::why_kept(judged))),
        })
    }

    async fn note_deferral(&self, inner: &Inner) -> Result<(), Refusal> {
        let ((sender, author), now) = (self.pair(), self.now);
        let forget = UnixMillis(now.0 - limits::DNS_DEFERRAL_FORGET.as_millis() as i64);
        let noted = inner
            .store
            .write(store::Durability::Relaxed, move |change| {
                change.note_dns_deferral(&sender, &author, now, forget)
            });
        Ok(noted.await?)
    }
}

impl Ruling {
    /// What the spam verdict changes for the ways to other servers.
    pub(super) fn joined(mut self, recipients: &[Routed], junk: bool) -> Self {
        for (fate, recipient) in self.fates.iter_mut().zip(recipients) {
            *fate = keep_here(fate.clone(), recipient, junk);
        }
        self
    }

    /// The refusal, if nobody takes it.
    pub(super) fn refused_by_all(&self) -> Option<&Refusal> {
        let mut refusals = self.fates.iter().map(|fate| match fate {
            Fate::Refused(refusal) => Some(refusal),
            Fate::Taken { .. } => None,
        });
        let first = refusals.next().flatten();
        first.filter(|_| refusals.all(|refusal| refusal.is_some()))
    }
}

/// Whether what the DNS does not tell could change anything.
pub(super) fn matters(trouble: Trouble, verdict: &Verdict, trusted: &Trusted) -> bool {
    match trouble {
        // The very author's domain stands behind it: that passes under any policy.
        Trouble::Policy => !is_authors_own(verdict),
        Trouble::Authentication => true,
        // A chain that nobody would believe anyway is not waited for.
        Trouble::Chain => {
            let mut sealers = verdict.arc.sets.iter();
            sealers.any(|set| trusted.is_sealer(&set.domain))
        }
    }
}

fn is_authors_own(verdict: &Verdict) -> bool {
    let Some(author) = verdict.dmarc.domain.as_deref() else {
        return false;
    };
    let mut signed = verdict.dkim.iter().filter(|one| one.passed());
    signed.any(|one| one.domain == author)
        || verdict.spf.result == SpfResult::Pass && verdict.spf.domain == author
}

pub(super) fn is_detour(verdict: &Verdict, message: &[u8]) -> bool {
    verdict.arc.cv == ChainState::Pass || is_list_like(message)
}

/// Who of the trusted ones vouches for a message.
pub(super) fn voucher<'t>(
    verdict: &'t Verdict,
    message: &[u8],
    trusted: &'t Trusted,
) -> Option<Voucher<'t>> {
    if let Some(set) = verdict.arc.vouched(|domain| trusted.is_sealer(domain)) {
        let author = verdict.dmarc.domain.as_deref();
        // Not for one author's pass does another's message get in.
        let of_author = |from: &str| author.is_some_and(|it| it.eq_ignore_ascii_case(from));
        let saw_pass = set.results.of("dmarc").any(|one| {
            let from = one.property("header", "from");
            one.result == "pass" && from.is_none_or(of_author)
        });
        if saw_pass {
            return Some(Voucher::Sealer(&set.domain));
        }
    }
    if !is_list_like(message) {
        return None;
    }
    let spf = Some(verdict.spf.domain.as_str()).filter(|_| verdict.spf.result == SpfResult::Pass);
    let signed = verdict.dkim.iter().filter(|one| one.passed());
    signed
        .map(|one| one.domain.as_str())
        .chain(spf)
        .find_map(|domain| trusted.list_of(domain))
        .map(Voucher::List)
}
