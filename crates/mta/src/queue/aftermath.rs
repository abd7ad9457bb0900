//! What an attempt means beyond the message: answers understood, our standing with the provider, incidents, and the
//! events that `postroad delivery` tells of. Gathered once, written in the transaction that ends the attempt.

use std::net::IpAddr;

use doctor::replies::{self, Classified, Refusal, Scope, explain};
use mail::UnixMillis;
use store::deliveries::{DeliveryEvent, Fate};
use store::queue::{self, Recipient};
use store::{Change, StoreError};

use super::classify::{Said, Verdict, Voice};
use super::finish::{Decision, Notes};
use super::job::Job;
use super::reaction::{self, Facts, LastSaid, Ruling};
use super::standings::Changed;
use crate::incidents::{self, Met};
use crate::outbound::header_of;
use crate::route::{Route, Way};
use crate::submission::abuse::Outcome;
use crate::{Inner, limits};

/// The last connection that took part.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) peer: IpAddr,
    pub(crate) source: Option<IpAddr>,
    pub(crate) tls: bool,
}

/// A refusal, understood.
#[derive(Clone, Debug)]
struct Understood {
    refusal: Refusal,
    classified: Classified<'static>,
}

/// What follows from an attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aftermath {
    /// Per recipient.
    pub(crate) rulings: Vec<Ruling>,
    understood: Vec<Option<Understood>>,
    changed: Vec<Changed>,
    met: Vec<Met>,
    /// A message went straight to the provider.
    accepted: bool,
    /// What waits for it is due now.
    retry: bool,
    /// What the answers say of the account that sent it.
    outcome: Option<Outcome>,
    label: String,
    sender_domain: String,
}

/// Understands the answers and changes how we stand with the provider.
pub(crate) fn gather(
    inner: &Inner,
    job: &Job,
    way: Option<&Way>,
    verdicts: &[Verdict],
    notes: &Notes,
    at: UnixMillis,
) -> Aftermath {
    let mut after = Aftermath {
        understood: understand(job, verdicts),
        sender_domain: sender_domain(job),
        ..Aftermath::default()
    };
    let Some(way) = way else {
        after.rulings = vec![Ruling::Usual; verdicts.len()];
        return after;
    };
    after.label = way.group.label(&way.domain).to_owned();
    let direct = notes.tried && !way.is_relayed();
    if direct {
        after.learn(inner, way, verdicts, notes, at);
        after.meet(job, notes, at);
    }
    after.rule(inner, job, way, verdicts, notes, at);
    after
}

/// The domain that vouches for a message; empty for one without a reverse-path.
pub(crate) fn sender_domain(job: &Job) -> String {
    let address = job.message.reverse_path.address();
    address.map_or_else(String::new, |address| address.domain().to_string())
}

pub(crate) fn seconds(at: UnixMillis) -> u64 {
    u64::try_from(at.0 / 1_000).unwrap_or_default()
}

fn understand(job: &Job, verdicts: &[Verdict]) -> Vec<Option<Understood>> {
    let mut list: Vec<Option<Understood>> = Vec::with_capacity(verdicts.len());
    let mut last: Option<&Verdict> = None;
    for (recipient, verdict) in job.recipients.iter().zip(verdicts) {
        // All recipients of a job are at one domain; most hear the same.
        let understood = match (last, list.last()) {
            (Some(before), Some(known)) if before == verdict => known.clone(),
            _ => of_verdict(recipient, verdict),
        };
        last = Some(verdict);
        list.push(understood);
    }
    list
}

fn of_verdict(recipient: &Recipient, verdict: &Verdict) -> Option<Understood> {
    if matches!(verdict, Verdict::Delivered(_)) {
        return None;
    }
    let answer = verdict.answer();
    let Said { phase, lines } = answer.said.as_ref()?;
    let host = answer.host.as_deref().unwrap_or_default();
    let domain = recipient.address.domain().as_str();
    let refusal = Refusal::read(host, domain, *phase, lines);
    let classified = replies::classify(&refusal);
    Some(Understood {
        refusal,
        classified,
    })
}

impl Aftermath {
    /// What the answers teach of the provider.
    fn learn(
        &mut self,
        inner: &Inner,
        way: &Way,
        verdicts: &[Verdict],
        notes: &Notes,
        at: UnixMillis,
    ) {
        let (lane, now) = (&way.group.lane, seconds(at));
        self.accepted = verdicts
            .iter()
            .any(|verdict| matches!(verdict, Verdict::Delivered(_)));
        if self.accepted {
            for sender in senders(&self.sender_domain) {
                let mut limited = false;
                let (_, changed) = inner.standings.change(lane, sender, now, |standing| {
                    limited = standing.is_blocked() || standing.last.is_some();
                    standing.accepted(now);
                    limited &= !standing.is_blocked() && standing.last.is_none();
                });
                self.retry |= limited;
                self.changed.extend(changed);
            }
        }
        let over_ipv6 = notes.path.as_ref().is_some_and(|path| path.peer.is_ipv6());
        let understood = self.understood.iter().flatten();
        let telling = understood.clone().find(|of| {
            matches!(of.classified.scope, Scope::Provider | Scope::SenderDomain)
                || reaction::is_about_address(&of.classified)
        });
        let instead = over_ipv6
            && notes.ipv4_there
            && telling.is_some_and(|of| reaction::is_about_address(&of.classified));
        if let Some(of) = telling.filter(|_| !instead) {
            let sender = match of.classified.scope {
                Scope::SenderDomain => self.sender_domain.as_str(),
                _ => "",
            };
            let said = last_said(&of.refusal);
            let mut newly = false;
            let (_, changed) = inner.standings.change(lane, sender, now, |standing| {
                let before = standing.is_blocked();
                // Begun seconds count whole, or the silence would end too early.
                standing.refused(&of.classified, said, now + 1);
                newly = !before && standing.is_blocked();
            });
            // What was put off for other reasons need not wait either.
            self.retry |= newly && way.group.relay.is_some();
            self.changed.extend(changed);
        }
        let told = notes.path.is_some();
        if instead || (notes.ipv6_failed && told && !over_ipv6) {
            let (_, changed) = inner
                .standings
                .change(lane, "", now, |standing| standing.ipv6_failed(now));
            self.changed.extend(changed);
        } else if over_ipv6 && self.accepted {
            let (_, changed) = inner
                .standings
                .change(lane, "", now, |standing| standing.ipv6_worked());
            self.changed.extend(changed);
        }
    }

    /// What incidents are made of: one for each different answer.
    fn meet(&mut self, job: &Job, notes: &Notes, at: UnixMillis) {
        let mut keys: Vec<String> = Vec::new();
        for (recipient, understood) in job.recipients.iter().zip(&self.understood) {
            let Some(of) = understood else {
                continue;
            };
            let key = of.classified.incident_key();
            if !of.classified.opens_incident() || keys.contains(&key) {
                continue;
            }
            keys.push(key);
            let sender = job.message.reverse_path.address();
            self.met.push(Met {
                provider: self.label.clone(),
                classified: of.classified.clone(),
                host: of.refusal.host.clone(),
                reply: of.refusal.lines.join("\n"),
                phase: of.refusal.phase,
                source: notes.path.as_ref().and_then(|path| path.source),
                sender: sender.map(ToString::to_string).unwrap_or_default(),
                sender_domain: self.sender_domain.clone(),
                recipient: recipient.address.to_string(),
                trace: job.message.trace,
                at,
            });
        }
    }

    fn rule(
        &mut self,
        inner: &Inner,
        job: &Job,
        way: &Way,
        verdicts: &[Verdict],
        notes: &Notes,
        at: UnixMillis,
    ) {
        let (lane, now) = (&way.group.lane, seconds(at));
        let for_all = inner.standings.of(lane, "");
        let own = inner.standings.of(lane, &self.sender_domain);
        let over_ipv6 = notes.path.as_ref().is_some_and(|path| path.peer.is_ipv6());
        for ((recipient, verdict), understood) in
            job.recipients.iter().zip(verdicts).zip(&self.understood)
        {
            let Some(of) = understood else {
                self.rulings.push(Ruling::Usual);
                continue;
            };
            let standing = match of.classified.scope {
                Scope::SenderDomain => &own,
                _ => &for_all,
            };
            let facts = Facts {
                hold: way.group.hold,
                relay: way.group.relay.is_some(),
                relayed: way.is_relayed(),
                ipv4_instead: over_ipv6 && notes.ipv4_there,
                blocked: for_all.is_blocked(),
                silent_until: standing.silent_until(now),
                attempts: recipient.attempts + 1,
                now,
            };
            let permanent = matches!(verdict, Verdict::Permanent(_));
            let ruling = reaction::rule(&of.classified, permanent, &facts);
            self.rulings.push(ruling);
        }
    }

    /// Words for the author of a message, instead of those that only its codes give.
    pub(crate) fn words(&self, at: usize, recipient: &str, is_kept: bool) -> Option<String> {
        let of = self.understood.get(at)?.as_ref()?;
        if of.classified.evidence == replies::Evidence::Nothing {
            return None;
        }
        let delivery = explain::Delivery {
            own_addresses: Vec::new(),
            is_kept,
        };
        Some(explain::for_author(&of.classified, &of.refusal, recipient, &delivery).text)
    }

    /// One event for each recipient that a server, or the way to it, said something of.
    pub(crate) fn events(
        &self,
        job: &Job,
        way: Option<&Way>,
        verdicts: &[Verdict],
        decisions: &[Decision],
        original: Option<&[u8]>,
        notes: &Notes,
    ) -> Vec<DeliveryEvent> {
        let message_id = original.map(message_id_of).unwrap_or_default();
        let relay = way.and_then(|way| match &way.route {
            Route::Relay(relay) => Some(relay.host.clone()),
            Route::Hosts(_) => None,
        });
        let path = notes.path.as_ref();
        let list = job.recipients.iter().zip(verdicts).zip(decisions);
        let list = list.zip(&self.understood);
        list.filter_map(|(((recipient, verdict), decision), understood)| {
            let fate = match decision.attempt.outcome {
                queue::Outcome::Delivered => Fate::Accepted,
                queue::Outcome::Deferred { .. } => Fate::Deferred,
                queue::Outcome::Failed => Fate::Refused,
                queue::Outcome::Untried { .. } => return None,
            };
            let (answer, at) = (verdict.answer(), decision.attempt.at);
            let own_class = || (fate != Fate::Accepted).then(|| class_of_ours(verdict).to_owned());
            let classified = understood.as_ref().map(|of| &of.classified);
            Some(DeliveryEvent {
                at,
                trace: job.message.trace,
                message_id: message_id.clone(),
                queue: job.id(),
                account: job.message.account,
                sender_domain: self.sender_domain.clone(),
                recipient: recipient.address.clone(),
                provider: match self.label.as_str() {
                    "" => recipient.address.domain().to_string(),
                    label => label.to_owned(),
                },
                host: answer.host.clone(),
                ip: path.map(|path| path.peer.to_string()),
                source: path.and_then(|path| path.source).map(|ip| ip.to_string()),
                relay: relay.clone(),
                fate,
                class: classified
                    .map(|of| of.class.as_str().to_owned())
                    .or_else(own_class),
                rule: classified.map(|of| of.rule.to_owned()),
                reply: match &answer.said {
                    Some(said) => said.lines.clone(),
                    None => answer.text.clone(),
                },
                delay_millis: (at.0 - job.created().0).max(0),
                tls: path.filter(|path| path.tls).map(|_| "tls".to_owned()),
            })
        })
        .collect()
    }

    /// What the answers say of the account whose message it is. Only of a message of the last day: later ends tell of long
    /// trouble at one end or the other, not of who writes now.
    pub(crate) fn blame(&mut self, job: &Job, decisions: &[Decision]) {
        let is_new = |at: mail::UnixMillis| at.since(job.created()) < limits::ACCOUNT_BLAMED_WITHIN;
        let Some(account) = job.message.account.filter(|_| !job.message.forwarded) else {
            return;
        };
        let mut outcome = Outcome::of(account);
        let list = job.recipients.iter().zip(decisions).zip(&self.understood);
        for ((recipient, decision), understood) in list {
            match (&decision.attempt.outcome, understood) {
                (queue::Outcome::Delivered, _) => outcome.add_taken(),
                (queue::Outcome::Failed, Some(of)) if is_new(decision.attempt.at) => {
                    let for_good = of.refusal.code.is_some_and(|code| 500 <= code);
                    outcome.add_refusal(for_good, &of.classified);
                }
                // The first time it is put off; further tries hear the same.
                (queue::Outcome::Deferred { .. }, Some(of)) if recipient.attempts == 0 => {
                    outcome.add_refusal(false, &of.classified);
                }
                _ => {}
            }
        }
        self.outcome = Some(outcome);
    }

    /// Whether an alarm about the account was raised.
    pub(crate) fn has_rung(&self) -> bool {
        self.outcome
            .as_ref()
            .is_some_and(|outcome| outcome.rang.has_rung())
    }

    /// In the transaction that ends the attempt.
    pub(crate) fn write(
        &self,
        inner: &incidents::Us,
        change: &mut Change<'_>,
        events: &[DeliveryEvent],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        for event in events {
            change.note_delivery(event)?;
        }
        for changed in &self.changed {
            changed.write(change, now)?;
        }
        for met in &self.met {
            incidents::note_refusal(inner, change, met)?;
        }
        // An answer that refuses one recipient and takes another is no peace.
        if self.accepted && self.met.is_empty() {
            incidents::note_acceptance(change, &self.label, &self.sender_domain, now)?;
        }
        if self.retry {
            change.retry_provider(&self.label, now)?;
        }
        if let Some(outcome) = &self.outcome {
            outcome.write(change, now)?;
        }
        Ok(())
    }
}

/// Standings that an acceptance concerns: all senders', and the sender's own.
fn senders(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::once("").chain(Some(domain).filter(|domain| !domain.is_empty()))
}

fn last_said(refusal: &Refusal) -> LastSaid {
    let reply = refusal.lines.join("\n");
    LastSaid {
        host: refusal.host.clone(),
        phase: refusal.phase,
        reply: reply.chars().take(limits::LAST_SAID_CHARS_MAX).collect(),
    }
}

/// What we noticed ourselves, in the classes of answers.
fn class_of_ours(verdict: &Verdict) -> &'static str {
    let answer = verdict.answer();
    match (answer.voice, answer.status.1) {
        (Voice::Ours, 7) => replies::Class::Tls.as_str(),
        (Voice::Ours, 6) => replies::Class::Protocol.as_str(),
        (Voice::Ours, 1) => replies::Class::NoSuchUser.as_str(),
        _ => replies::Class::Theirs.as_str(),
    }
}

/// Without its angle brackets, cut to what fits a row.
fn message_id_of(message: &[u8]) -> String {
    let value = mail::header::first(header_of(message), "Message-ID").unwrap_or_default();
    let value = mail::header::unfold(value);
    let text = String::from_utf8_lossy(&value);
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    text.chars().take(limits::MESSAGE_ID_CHARS_MAX).collect()
}
