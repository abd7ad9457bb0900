//! Reports to senders: failure, delay, and (only when asked for) success. RFC 3461, RFC 3464, RFC 6522, RFC 6533.
//!
//! A report has an empty reverse-path and is never answered by another one. Mail from the world is
//! refused while its sender is still on the line, so the only reports that leave this host are those of success
//! that a remote sender asked for.

mod words;

use std::slice;

use mail::compose::{Action, DeliveryReport, Original, Person, RecipientReport};
use mail::{Address, Domain, ReversePath, TraceId, UnixMillis};
use store::queue::{MessageDsn, Notify, RecipientDsn, Ret, TlsWish};
use store::reports::NewIntake;
use store::{AccountId, Delivery, DeliveryTarget, QuotaRule};

use crate::envelope::{Local, Routed, Way};
use crate::filing::{Filing, delivery_targets, inbox};
use crate::outbound::{Envelope, OutboundMessage, header_of};
use crate::receive::{gather_recipient, summarize};
use crate::refusal::Refusal;
use crate::{Inner, limits};

/// What happened to the recipients of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Failed,
    Delayed,
    /// Handed to a server that reports no successes itself.
    Relayed,
    Delivered,
}

/// The message that a report is about.
pub(crate) struct About<'a> {
    pub(crate) trace: TraceId,
    /// The user who submitted it.
    pub(crate) account: Option<AccountId>,
    pub(crate) reverse_path: &'a ReversePath,
    pub(crate) dsn: &'a MessageDsn,
    pub(crate) tls: TlsWish,
    pub(crate) arrival: UnixMillis,
    pub(crate) original: &'a [u8],
}

/// One recipient in a report.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) address: Address,
    pub(crate) original_recipient: Option<String>,
    pub(crate) status: String,
    pub(crate) host: Option<String>,
    /// A remote server's reply, word for word.
    pub(crate) reply: Option<String>,
    /// What we noticed ourselves, when no server said anything.
    pub(crate) notice: Option<String>,
    pub(crate) last_attempt: Option<UnixMillis>,
    pub(crate) retry_until: Option<UnixMillis>,
    /// What the answer means, for a person, where it was understood.
    pub(crate) words: Option<String>,
}

/// Whether this recipient's sender wants to hear of it. Without NOTIFY: failure and delay, as
/// RFC 3461 §4.1 allows.
pub(crate) fn is_wanted(kind: Kind, dsn: &RecipientDsn) -> bool {
    let notify = dsn.notify.unwrap_or(Notify {
        success: false,
        failure: true,
        delay: true,
    });
    match kind {
        Kind::Failed => notify.failure,
        Kind::Delayed => notify.delay,
        Kind::Relayed | Kind::Delivered => notify.success,
    }
}

/// The report on local recipients whose sender asked to hear of success.
pub(crate) async fn delivered(
    inner: &Inner,
    about: &About<'_>,
    recipients: &[Routed],
) -> Result<Filing, Refusal> {
    let told: Vec<Told> = recipients
        .iter()
        .filter(|recipient| recipient.stays_here() && recipient.wants_success())
        .map(|recipient| Told {
            address: recipient.address.clone(),
            original_recipient: recipient.dsn.original_recipient.clone(),
            status: "2.1.5".to_owned(),
            host: None,
            reply: None,
            notice: None,
            last_attempt: None,
            retry_until: None,
            words: None,
        })
        .collect();
    report(inner, Kind::Delivered, about, told).await
}

/// Writes a report and plans its way: into the sender's INBOX, or into the queue. Nothing to do for
/// an empty list or an empty reverse-path.
pub(crate) async fn report(
    inner: &Inner,
    kind: Kind,
    about: &About<'_>,
    mut told: Vec<Told>,
) -> Result<Filing, Refusal> {
    let ReversePath::Address(to) = about.reverse_path else {
        return Ok(Filing::default());
    };
    told.truncate(limits::REPORTED_RECIPIENTS_MAX);
    let Some(first) = told.first() else {
        return Ok(Filing::default());
    };
    let now = inner.now();
    let trace = inner.new_trace();
    let path = wire::smtp::ForwardPath::Address(to.clone());
    let way = gather_recipient(inner, &path, 0).await?.for_us();
    let letter = |to: &Address, domain: &Domain| {
        let bytes = write(inner, kind, about, to, domain, &told, trace, now);
        Letter {
            trace,
            now,
            bytes,
            tls: about.tls,
        }
    };
    match way {
        Ok((_, Way::Local(local))) => {
            let letter = letter(to, to.domain());
            let mut filing = letter.queue(inner, to.domain(), &local.forwards).await?;
            filing.add(letter.deliver(inner, to, &local).await?);
            Ok(filing)
        }
        // Ours is the recipient then: its domain speaks, and signs.
        Ok((_, Way::Remote)) => {
            let domain = first.address.domain();
            let letter = letter(to, domain);
            letter.queue(inner, domain, slice::from_ref(to)).await
        }
        // Mail that we passed on for an address of ours: its sender hears of it from there.
        Ok((_, Way::Back(sender))) => {
            let letter = letter(&sender, to.domain());
            letter.queue(inner, to.domain(), &[sender]).await
        }
        // A full mailbox still gets to know what became of its mail.
        Err(Refusal::OverQuota(_)) if let Some(account) = about.account => {
            let letter = letter(to, to.domain());
            letter.file(inner, vec![inbox(account)], Vec::new()).await
        }
        Err(refusal) => {
            tracing::warn!(
                target: "message", id = %about.trace, event = "report-dropped", to = %to,
                reason = %refusal,
            );
            Ok(Filing::default())
        }
    }
}

/// A report that is written, with what its ways need to know.
struct Letter {
    trace: TraceId,
    now: UnixMillis,
    bytes: Vec<u8>,
    /// Of the message it is about.
    tls: TlsWish,
}

impl Letter {
    /// To all that a local address leads to here.
    async fn deliver(&self, inner: &Inner, to: &Address, local: &Local) -> Result<Filing, Refusal> {
        let targets = delivery_targets(&local.targets);
        let reports = local.reports.then(|| to.clone());
        if targets.is_empty() && reports.is_none() {
            return Ok(Filing::default());
        }
        self.file(inner, targets, reports.into_iter().collect())
            .await
    }

    async fn file(
        &self,
        inner: &Inner,
        targets: Vec<DeliveryTarget>,
        report_addresses: Vec<Address>,
    ) -> Result<Filing, Refusal> {
        let bytes = [
            mail::compose::return_path(&ReversePath::Null),
            self.bytes.clone(),
        ];
        let (bytes, summary) = summarize(inner, bytes.concat().into()).await?;
        let kept = inner.store.keep(bytes).await?;
        let intakes = report_addresses.into_iter().map(|recipient| NewIntake {
            trace: self.trace,
            kept: kept.clone(),
            submitter: Some(recipient.domain().as_str().to_owned()),
            recipient,
            received: self.now,
        });
        let intakes = intakes.collect();
        let delivery = Delivery {
            trace: self.trace,
            kept,
            summary,
            targets,
            quota: QuotaRule::Overrun,
            received: self.now,
        };
        Ok(Filing {
            deliveries: match delivery.targets.is_empty() {
                true => Vec::new(),
                false => vec![delivery],
            },
            intakes,
            ..Filing::default()
        })
    }

    async fn queue(
        &self,
        inner: &Inner,
        domain: &Domain,
        to: &[Address],
    ) -> Result<Filing, Refusal> {
        if to.is_empty() {
            return Ok(Filing::default());
        }
        let recipient = |address: &Address| Routed {
            address: address.clone(),
            // RFC 3461 §6.2: nobody is told what became of a report.
            dsn: RecipientDsn {
                notify: Some(Notify::NEVER),
                original_recipient: None,
            },
            way: Way::Remote,
        };
        let recipients: Vec<Routed> = to.iter().map(recipient).collect();
        let envelope = Envelope {
            reverse_path: &ReversePath::Null,
            dsn: &MessageDsn::default(),
            // RFC 8689 §5: what had to be protected stays so on its way back.
            tls: match self.tls {
                TlsWish::Required => TlsWish::Required,
                TlsWish::Policies | TlsWish::Waived => TlsWish::Policies,
            },
            recipients: &recipients.iter().collect::<Vec<_>>(),
        };
        let queued = OutboundMessage::report(self.trace, self.bytes.clone())
            .queue(inner, Some(domain), envelope, self.now)
            .await?;
        Ok(Filing {
            queued: vec![queued],
            ..Filing::default()
        })
    }
}

#[allow(clippy::too_many_arguments)]
fn write(
    inner: &Inner,
    kind: Kind,
    about: &About<'_>,
    to: &Address,
    domain: &Domain,
    told: &[Told],
    trace: TraceId,
    now: UnixMillis,
) -> Vec<u8> {
    let host = inner.settings.hostname.as_str();
    let subject = mail::header::first(header_of(about.original), "Subject")
        .map(mail::words::decode)
        .unwrap_or_default();
    let (title, text) = words::of(&words::Context {
        kind,
        told,
        host,
        subject: &subject,
        arrival: about.arrival,
        trace: about.trace,
    });
    let unique = trace.to_string();
    // RFC 8689 §5: as if RET=HDRS had been said.
    let whole = kind == Kind::Failed
        && about.tls != TlsWish::Required
        && about.dsn.ret == Some(Ret::Full)
        && about.original.len() <= limits::RETURNED_BYTES_MAX;
    let report = DeliveryReport {
        from: Person {
            name: Some(format!("Mail delivery at {host}")),
            // Legal always: the local part is plain ASCII.
            address: Address::new("postmaster", domain.clone()).unwrap_or_else(|_| to.clone()),
        },
        to,
        subject: title,
        words: &text,
        date: now,
        message_id: &format!("{unique}@{host}"),
        unique: &unique,
        reporting_host: host,
        arrival: Some(about.arrival),
        envelope_id: about.dsn.envelope_id.as_deref(),
        recipients: told.iter().map(|told| of_recipient(kind, told)).collect(),
        original: if whole {
            Original::Full(about.original)
        } else {
            Original::Headers(about.original)
        },
    };
    report.write()
}

fn of_recipient(kind: Kind, told: &Told) -> RecipientReport<'_> {
    RecipientReport {
        recipient: &told.address,
        original_recipient: told.original_recipient.as_deref(),
        action: match kind {
            Kind::Failed => Action::Failed,
            Kind::Delayed => Action::Delayed,
            Kind::Relayed => Action::Relayed,
            Kind::Delivered => Action::Delivered,
        },
        status: &told.status,
        remote_host: told.host.as_deref(),
        reply: told.reply.as_deref(),
        last_attempt: told.last_attempt,
        retry_until: told.retry_until,
    }
}
