//! What an attempt leaves behind: for each recipient done, later or given up; reports; one
//! transaction; log lines.

use mail::UnixMillis;
use store::queue::{Attempt, Outcome, Recipient};
use store::reports::TlsEvidence;
use store::{Change, StoreError};
use world::DnsError;

use super::backoff::{self, Next};
use super::classify::{Verdict, Voice};
use super::job::Job;
use crate::bounce::{self, Kind, Told};
use crate::filing::Filing;
use crate::policy::evidence;
use crate::policy::learning::Lesson;
use crate::refusal::{Blame, Refusal};
use crate::route::Unroutable;
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
            lesson: None,
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
    verdict: Verdict,
    original: Option<&[u8]>,
    notes: Notes,
) -> Option<UnixMillis> {
    let verdicts = vec![verdict; job.recipients.len()];
    each(inner, job, verdicts, original, Delivered::Silently, notes).await
}

/// One verdict for each recipient, in the order of the job. Says when the next of them is due again.
pub(crate) async fn each(
    inner: &Inner,
    job: &Job,
    verdicts: Vec<Verdict>,
    original: Option<&[u8]>,
    delivered: Delivered,
    notes: Notes,
) -> Option<UnixMillis> {
    let now = inner.now();
    // One for all: who is put off together goes together the next time, in one transaction again.
    let draw = inner.world.random.below(u64::MAX);
    let decisions: Vec<Decision> = job
        .recipients
        .iter()
        .zip(&verdicts)
        .map(|(recipient, verdict)| decide(job, recipient, verdict, delivered, now, draw))
        .collect();
    let filing = reports(inner, job, &decisions, original).await;
    write_down(inner, job, &decisions, filing, notes).await;
    for ((recipient, verdict), decision) in job.recipients.iter().zip(&verdicts).zip(&decisions) {
        log(job, recipient, verdict, decision);
    }
    let dues = decisions
        .iter()
        .filter_map(|decision| match decision.attempt.outcome {
            Outcome::Deferred { due } => Some(due),
            _ => None,
        });
    dues.min()
}

/// Pure: what a verdict means for a recipient now.
pub(crate) fn decide(
    job: &Job,
    recipient: &Recipient,
    verdict: &Verdict,
    delivered: Delivered,
    now: UnixMillis,
    draw: u64,
) -> Decision {
    let answer = verdict.answer();
    let message = &job.message;
    let (outcome, kind) = match verdict {
        Verdict::Delivered(_) => (Outcome::Delivered, Some(Kind::Relayed)),
        Verdict::Permanent(_) => (Outcome::Failed, Some(Kind::Failed)),
        Verdict::Temporary(_) => {
            match backoff::next(recipient.attempts + 1, now, message.expires, draw) {
                Next::GiveUp => (Outcome::Failed, Some(Kind::Failed)),
                Next::Retry { due } => {
                    let late = now.since(message.created) >= limits::DELAY_REPORT_AFTER;
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
            retry_until: (kind == Kind::Delayed).then_some(message.expires),
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

/// Until it is written, however long the store takes nothing (but not for ever): losing an outcome
/// means a duplicate.
async fn write_down(
    inner: &Inner,
    job: &Job,
    decisions: &[Decision],
    filing: Filing,
    notes: Notes,
) {
    let now = inner.now();
    let id = job.id();
    let attempts: Vec<Attempt> = decisions.iter().map(|of| of.attempt.clone()).collect();
    let delayed: Vec<u32> = decisions
        .iter()
        .filter(|of| matches!(of.report, Some((Kind::Delayed, _))))
        .map(|of| of.attempt.number)
        .collect();
    let mut pause = limits::STORE_PAUSE;
    for _ in 0..limits::FINISH_TRIES_MAX {
        let (attempts, delayed, filing) = (attempts.clone(), delayed.clone(), filing.clone());
        let notes = notes.clone();
        let written = inner
            .store
            .write(
                store::Durability::Durable,
                move |change| -> Result<(), Refusal> {
                    change.finish_attempt(id, &attempts)?;
                    if !delayed.is_empty() {
                        change.note_delay_reported(id, &delayed)?;
                    }
                    filing.write(change)?;
                    notes.write(change, now)?;
                    Ok(())
                },
            )
            .await;
        match written {
            Ok(()) => return,
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
            outcome: Outcome::Untried { due: now },
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
