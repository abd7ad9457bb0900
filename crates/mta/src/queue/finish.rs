//! What an attempt leaves behind: for each recipient done, later or given up; reports; one
//! transaction; log lines.

use mail::UnixMillis;
use store::deliveries::DeliveryEvent;
use store::queue::{Attempt, Outcome, Queued, Recipient};
use store::reports::TlsEvidence;
use store::{Change, StoreError};
use world::DnsError;

use super::aftermath::{self, Aftermath, Path};
use super::backoff::{self, Next};
use super::classify::{Said, Verdict, Voice, ours};
use super::job::Job;
use super::reaction::Ruling;
use crate::bounce::{self, Kind, Told};
use crate::filing::Filing;
use crate::incidents;
use crate::policy::evidence;
use crate::policy::learning::Lesson;
use crate::refusal::{Blame, Refusal};
use crate::route::Unroutable;
use crate::route::Way;
use crate::submission::abuse;
use crate::{Inner, limits};

/// Who tells the sender of a success that they asked to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The next server knows DSN: it is its duty now. RFC 3461 §5.2.
    ServerReports,
    /// It does not: we report "relayed".
    Silently,
}

/// What an attempt showed of the destination, beside the fate of the message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// For TLS reports.
    pub(crate) evidence: Vec<TlsEvidence>,
    pub(crate) lesson: Option<Lesson>,
    /// Some server was asked, or should have been.
    pub(crate) tried: bool,
    /// The last connection that took part.
    pub(crate) path: Option<Path>,
    /// A connection over IPv6 failed.
    pub(crate) ipv6_failed: bool,
    /// A host of the destination has an IPv4 address.
    pub(crate) ipv4_there: bool,
}

/// What an attempt left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Left {
    /// When the next of its recipients is due again.
    pub(crate) due: Option<UnixMillis>,
    /// What was ruled of the first recipient: true for whatever else waits there, if nobody was reached.
    pub(crate) ruling: Option<Ruling>,
}

impl Notes {
    /// Of a destination whose mail hosts cannot be found.
    pub(crate) fn of_unroutable(why: &Unroutable, now: UnixMillis) -> Self {
        let evidence = match why {
            Unroutable::Dns {
                domain,
                error: DnsError::Bogus,
            } => vec![evidence::of_bogus(domain, domain.as_str(), now)],
            _ => Vec::new(),
        };
        Self {
            evidence,
            ..Self::default()
        }
    }

    fn write(&self, change: &mut Change<'_>, now: UnixMillis) -> Result<(), StoreError> {
        for evidence in &self.evidence {
            change.note_tls(evidence)?;
        }
        match &self.lesson {
            Some(lesson) => lesson.write(change, now),
            None => Ok(()),
        }
    }
}

/// What is to be done for one recipient.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) attempt: Attempt,
    pub(crate) report: Option<(Kind, Told)>,
}

/// The same verdict for all recipients of a job.
pub(crate) async fn all(
    inner: &Inner,
    job: &Job,
    way: Option<&Way>,
    verdict: Verdict,
    original: Option<&[u8]>,
    notes: Notes,
) -> Left {
    let verdicts = vec![verdict; job.recipients.len()];
    let delivered = Delivered::Silently;
    each(inner, job, way, verdicts, original, delivered, notes).await
}

/// One verdict for each recipient, in the order of the job.
pub(crate) async fn each(
    inner: &Inner,
    job: &Job,
    way: Option<&Way>,
    verdicts: Vec<Verdict>,
    original: Option<&[u8]>,
    delivered: Delivered,
    notes: Notes,
) -> Left {
    let now = inner.now();
    let after = aftermath::gather(inner, job, way, &verdicts, &notes, now);
    let end = End {
        verdicts,
        original,
        delivered,
        notes,
        after,
    };
    let ruling = end.after.rulings.first().copied();
    Left {
        ruling,
        ..write_end(inner, job, way, end, now).await
    }
}

/// What nobody was asked of, because of what another attempt found: the same verdict and ruling for all.
pub(crate) async fn untold(
    inner: &Inner,
    job: &Job,
    verdict: Verdict,
    ruling: Ruling,
    notes: Notes,
) -> Left {
    let now = inner.now();
    let verdicts = vec![verdict; job.recipients.len()];
    let mut after = aftermath::gather(inner, job, None, &verdicts, &notes, now);
    after.rulings = vec![ruling; job.recipients.len()];
    let end = End {
        verdicts,
        original: None,
        delivered: Delivered::Silently,
        notes,
        after,
    };
    write_end(inner, job, None, end, now).await
}

/// The provider is kept still until `until`: nothing was tried. The sender hears of it when it is time for that.
pub(crate) async fn paused(inner: &Inner, job: &Job, way: &Way, until: u64) -> Left {
    let now = inner.now();
    let lane = &way.group.lane;
    let mut standing = inner.standings.of(lane, "");
    let own = inner.standings.of(lane, &aftermath::sender_domain(job));
    let is_blocked = standing.is_blocked() || own.is_blocked();
    if standing.last.is_none() {
        standing = own;
    }
    let message = &job.message;
    let late = now.since(message.created) >= limits::DELAY_REPORT_AFTER;
    let held = is_blocked && way.group.hold;
    let untold = job.recipients.iter().any(|of| !of.delay_reported);
    let expires = expires(message, held, now);
    if now < expires && !((late || held) && untold) {
        let due = i64::try_from(until.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let due = UnixMillis(due.max(now.0).min(expires.0));
        untried_until(inner, job, due).await;
        return Left {
            due: Some(due),
            ruling: None,
        };
    }
    let name = way.group.label(&way.domain);
    let mut answer = ours(name, wire::smtp::EnhancedCode(4, 7, 0), String::new());
    answer.text = format!("mail to {name} waits, since it was refused");
    if let Some(last) = standing.last {
        answer.text = format!("{}: {}", answer.text, last.reply.replace('\n', " "));
        answer.host = Some(last.host);
        answer.said = Some(Said {
            phase: last.phase,
            lines: last.reply,
        });
    }
    let ruling = Ruling::Keep {
        due: until,
        usual: false,
        held,
    };
    let verdict = Verdict::Temporary(answer);
    self::untold(inner, job, verdict, ruling, Notes::default()).await
}

/// All that an attempt gave.
struct End<'a> {
    verdicts: Vec<Verdict>,
    original: Option<&'a [u8]>,
    delivered: Delivered,
    notes: Notes,
    after: Aftermath,
}

async fn write_end(
    inner: &Inner,
    job: &Job,
    way: Option<&Way>,
    end: End<'_>,
    now: UnixMillis,
) -> Left {
    let End {
        verdicts,
        original,
        delivered,
        notes,
        after,
    } = end;
    // One for all: who is put off together goes together the next time, in one transaction again.
    let draw = inner.world.random.below(u64::MAX);
    let mut decisions: Vec<Decision> = job
        .recipients
        .iter()
        .zip(&verdicts)
        .zip(&after.rulings)
        .map(|((recipient, verdict), ruling)| {
            decide(job, recipient, verdict, *ruling, delivered, now, draw)
        })
        .collect();
    for (at, decision) in decisions.iter_mut().enumerate() {
        if let Some((kind @ (Kind::Failed | Kind::Delayed), told)) = &mut decision.report {
            let recipient = told.address.to_string();
            told.words = after.words(at, &recipient, *kind == Kind::Delayed);
        }
    }
    let mut after = after;
    after.blame(job, &decisions);
    let filing = reports(inner, job, &decisions, original).await;
    let events = match notes.tried || decisions.iter().any(is_over) {
        true => after.events(job, way, &verdicts, &decisions, original, &notes),
        false => Vec::new(),
    };
    let written = Written {
        filing,
        notes,
        after,
        events,
    };
    write_down(inner, job, &decisions, written).await;
    for ((recipient, verdict), decision) in job.recipients.iter().zip(&verdicts).zip(&decisions) {
        log(job, recipient, verdict, decision);
    }
    Left {
        due: decisions.iter().filter_map(due_of).min(),
        ruling: None,
    }
}

fn is_over(decision: &Decision) -> bool {
    matches!(
        decision.attempt.outcome,
        Outcome::Failed | Outcome::Delivered
    )
}

fn due_of(decision: &Decision) -> Option<UnixMillis> {
    match decision.attempt.outcome {
        Outcome::Deferred { due } => Some(due),
        _ => None,
    }
}

/// Pure: what a verdict means for a recipient now.
pub(crate) fn decide(
    job: &Job,
    recipient: &Recipient,
    verdict: &Verdict,
    ruling: Ruling,
    delivered: Delivered,
    now: UnixMillis,
    draw: u64,
) -> Decision {
    let answer = verdict.answer();
    let message = &job.message;
    let held = matches!(ruling, Ruling::Keep { held: true, .. });
    let expires = expires(message, held, now);
    let (outcome, kind) = match verdict {
        Verdict::Delivered(_) => (Outcome::Delivered, Some(Kind::Relayed)),
        Verdict::Permanent(_) if ruling == Ruling::Usual => (Outcome::Failed, Some(Kind::Failed)),
        Verdict::Permanent(_) | Verdict::Temporary(_) => {
            match backoff::next(recipient.attempts + 1, now, expires, draw) {
                Next::GiveUp => (Outcome::Failed, Some(Kind::Failed)),
                Next::Retry { due } => {
                    let (due, held) = kept(ruling, due, now, expires);
                    let late = held || now.since(message.created) >= limits::DELAY_REPORT_AFTER;
                    let kind = (late && !recipient.delay_reported).then_some(Kind::Delayed);
                    (Outcome::Deferred { due }, kind)
                }
            }
        }
    };
    let kind = kind
        .filter(|kind| bounce::is_wanted(*kind, &recipient.dsn))
        .filter(|kind| *kind != Kind::Relayed || delivered == Delivered::Silently);
    // RFC 3464 §2.3.4: the status tells the class of what happened in the end. What was only ever late is
    // told as it was.
    let told = |kind| {
        let told = Told {
            address: recipient.address.clone(),
            original_recipient: recipient.dsn.original_recipient.clone(),
            status: answer.status.to_string(),
            host: answer.host.clone(),
            reply: (answer.voice == Voice::Remote).then(|| answer.text.clone()),
            notice: (answer.voice == Voice::Ours).then(|| answer.text.clone()),
            last_attempt: Some(now),
            retry_until: (kind == Kind::Delayed).then_some(expires),
            words: None,
        };
        (kind, told)
    };
    Decision {
        attempt: Attempt {
            number: recipient.number,
            at: now,
            host: answer.host.clone(),
            reply: answer.text.clone(),
            outcome,
        },
        report: kind.map(told),
    }
}

/// When trying ends. A block takes longer to be lifted than most trouble to pass. What is still here long after its time
/// was held for one, and is not given up over the next little trouble when the block has ended.
fn expires(message: &Queued, held: bool, now: UnixMillis) -> UnixMillis {
    let was_held = message.expires.plus(limits::LAST_ATTEMPT_LASTS) < now;
    match held || was_held {
        true => message
            .expires
            .max(message.created.plus(limits::HELD_LIFETIME)),
        false => message.expires,
    }
}

/// When a message that stays is due, and whether its sender hears of it at once.
fn kept(
    ruling: Ruling,
    usual_due: UnixMillis,
    now: UnixMillis,
    expires: UnixMillis,
) -> (UnixMillis, bool) {
    match ruling {
        Ruling::Usual => (usual_due, false),
        Ruling::Keep { due, usual, held } => {
            let due = i64::try_from(due.saturating_mul(1_000)).unwrap_or(i64::MAX);
            let due = if usual { due.max(usual_due.0) } else { due };
            (UnixMillis(due.max(now.0).min(expires.0)), held)
        }
    }
}

/// Writes the reports that are due, one of each kind. A store that takes nothing now is waited for,
/// as long as for the outcome itself: without its report mail would vanish. A report that can never
/// be made must not hold up the outcome: then it is missing, and the log says so.
async fn reports(
    inner: &Inner,
    job: &Job,
    decisions: &[Decision],
    original: Option<&[u8]>,
) -> Filing {
    let mut filing = Filing::default();
    if job.message.reverse_path.is_null() || decisions.iter().all(|of| of.report.is_none()) {
        return filing;
    }
    let loaded;
    let original = match original {
        Some(original) => original,
        None => {
            let body = job.message.body;
            loaded = inner
                .store
                .body(body, 0..body.size)
                .await
                .unwrap_or_default();
            &loaded
        }
    };
    let about = bounce::About {
        trace: job.message.trace,
        account: job.message.account,
        reverse_path: &job.message.reverse_path,
        dsn: &job.message.dsn,
        tls: job.message.tls,
        arrival: job.created(),
        original,
    };
    for kind in [Kind::Failed, Kind::Delayed, Kind::Relayed] {
        let of_kind = decisions
            .iter()
            .filter_map(|decision| decision.report.as_ref());
        let told: Vec<Told> = of_kind
            .filter(|(of, _)| *of == kind)
            .map(|(_, told)| told.clone())
            .collect();
        let mut pause = limits::STORE_PAUSE;
        for tries in 1..=limits::FINISH_TRIES_MAX {
            match bounce::report(inner, kind, &about, told.clone()).await {
                Ok(report) => {
                    filing.add(report);
                    break;
                }
                Err(refusal) => {
                    tracing::error!(id = %about.trace, reason = %refusal, "a report cannot be written");
                    let waiting_helps = matches!(refusal.blame(), Blame::Time | Blame::Operator);
                    if !waiting_helps && tries == REPORT_TRIES {
                        break;
                    }
                    inner.world.clock.after(pause).await;
                    pause = (pause * 2).min(limits::FINISH_PAUSE_MAX);
                }
            }
        }
    }
    filing
}

/// A report that waiting does not help is tried this often before the outcome is written without it.
const REPORT_TRIES: u32 = 5;

/// What the transaction writes beside the outcome.
#[derive(Clone)]
struct Written {
    filing: Filing,
    notes: Notes,
    after: Aftermath,
    events: Vec<DeliveryEvent>,
}

/// Until it is written, however long the store takes nothing (but not for ever): losing an outcome
/// means a duplicate.
async fn write_down(inner: &Inner, job: &Job, decisions: &[Decision], written: Written) {
    let now = inner.now();
    let us = incidents::Us {
        hostname: inner.settings.hostname.to_string(),
    };
    let id = job.id();
    let attempts: Vec<Attempt> = decisions.iter().map(|of| of.attempt.clone()).collect();
    let delayed: Vec<u32> = decisions
        .iter()
        .filter(|of| matches!(of.report, Some((Kind::Delayed, _))))
        .map(|of| of.attempt.number)
        .collect();
    let mut pause = limits::STORE_PAUSE;
    // Its clones share what rings.
    let after = written.after.clone();
    for _ in 0..limits::FINISH_TRIES_MAX {
        let (attempts, delayed, us) = (attempts.clone(), delayed.clone(), us.clone());
        let written = written.clone();
        let done = inner
            .store
            .write(
                store::Durability::Durable,
                move |change| -> Result<(), Refusal> {
                    change.finish_attempt(id, &attempts)?;
                    if !delayed.is_empty() {
                        change.note_delay_reported(id, &delayed)?;
                    }
                    written.filing.write(change)?;
                    written.notes.write(change, now)?;
                    written.after.write(&us, change, &written.events, now)?;
                    Ok(())
                },
            )
            .await;
        match done {
            Ok(()) => {
                if after.has_rung() {
                    abuse::tell_users(inner).await;
                }
                return;
            }
            Err(refusal) => {
                tracing::error!(id = %job.message.trace, reason = %refusal, "an outcome cannot be written yet");
                inner.world.clock.after(pause).await;
                pause = (pause * 2).min(limits::FINISH_PAUSE_MAX);
            }
        }
    }
}

/// Gives recipients back as they were: due now, nothing counted.
pub(crate) async fn untried(inner: &Inner, job: &Job) {
    untried_until(inner, job, inner.now()).await;
}

async fn untried_until(inner: &Inner, job: &Job, due: UnixMillis) {
    let now = inner.now();
    let id = job.id();
    let attempts: Vec<Attempt> = job
        .recipients
        .iter()
        .map(|recipient| Attempt {
            number: recipient.number,
            at: now,
            host: None,
            reply: String::new(),
            outcome: Outcome::Untried { due },
        })
        .collect();
    let given_back = inner
        .store
        .write(
            store::Durability::Relaxed,
            move |change| -> Result<(), StoreError> {
                change.finish_attempt(id, &attempts).map(|_| ())
            },
        )
        .await;
    if let Err(error) = given_back {
        tracing::warn!(id = %job.message.trace, %error, "a message could not be given back: its lease ends by itself");
    }
}

fn log(job: &Job, recipient: &Recipient, verdict: &Verdict, decision: &Decision) {
    let answer = verdict.answer();
    let (id, from, to) = (
        job.message.trace,
        &job.message.reverse_path,
        &recipient.address,
    );
    let (host, reply) = (answer.host.as_deref(), &answer.text);
    match decision.attempt.outcome {
        Outcome::Delivered => {
            tracing::info!(target: "message", %id, event = "relayed", %from, %to, host, reply);
        }
        Outcome::Failed => {
            tracing::info!(target: "message", %id, event = "bounced", %from, %to, host, reply);
        }
        Outcome::Deferred { due } => {
            let attempt = recipient.attempts + 1;
            let next = mail::date::format(due);
            tracing::info!(target: "message", %id, event = "deferred", %from, %to, host, reply, attempt, next);
        }
        Outcome::Untried { .. } => {}
    }
}

#[cfg(test)]
mod tests;
