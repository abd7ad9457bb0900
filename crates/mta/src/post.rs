//! Messages that this server writes itself, such as reports to other domains: signed with the keys of
//! the domain they speak for, and delivered or queued like any other.

use bytes::Bytes;
use mail::compose::return_path;
use mail::{Address, Domain, ReversePath};
use store::queue::{MessageDsn, RecipientDsn};
use store::reports::NewIntake;
use store::{Delivery, QuotaRule, Receipt};

use crate::Inner;
use crate::envelope::{Routed, note, outward};
use crate::filing::{Filing, delivery_targets};
use crate::outbound::{Envelope, OutboundMessage, header_of, recode, survey, tls_wish};
use crate::receive::{gather_recipient, summarize};
use crate::refusal::Refusal;

/// A message of this server's own.
#[derive(Clone, Debug)]
pub struct OwnMessage {
    /// Of the envelope. What nobody is to answer has the null one.
    pub from: ReversePath,
    pub to: Vec<Address>,
    /// Complete, From, Date and Message-ID included.
    pub bytes: Vec<u8>,
    /// The local domain whose keys sign it.
    pub sign_as: Domain,
}

/// Local recipients have it and remote ones are queued when this returns. Recipients that nobody has are
/// left out; it is an error when none is left.
pub(crate) async fn post(inner: &Inner, own: OwnMessage) -> Result<Receipt, Refusal> {
    let OwnMessage {
        from,
        to,
        bytes,
        sign_as,
    } = own;
    let now = inner.now();
    let trace = inner.new_trace();
    let bytes = match survey::of(&bytes) {
        found if found.travels() => bytes,
        _ => recode::for_lines(&bytes),
    };
    let recipients = recipients(inner, to, bytes.len() as u64).await?;
    let mut filing = Filing::default();
    if recipients.iter().any(Routed::stays_here) {
        let local = Bytes::from([return_path(&from), bytes.clone()].concat());
        let (local, summary) = summarize(inner, local).await?;
        let kept = inner
            .store
            .keep_noted(local, note(trace, &recipients))
            .await?;
        for recipient in recipients.iter().filter(|to| to.takes_reports()) {
            filing.intakes.push(NewIntake {
                trace,
                kept: kept.clone(),
                recipient: recipient.address.clone(),
                submitter: Some(sign_as.as_str().to_owned()),
                received: now,
            });
        }
        let targets = delivery_targets(recipients.iter().flat_map(Routed::targets));
        if !targets.is_empty() {
            filing.deliveries.push(Delivery {
                trace,
                kept,
                summary,
                targets,
                quota: QuotaRule::Overrun,
                received: now,
            });
        }
    }
    let outward = outward(&recipients);
    if !outward.is_empty() {
        let envelope = Envelope {
            reverse_path: &from,
            dsn: &MessageDsn::default(),
            // Reports of TLS trouble must not be held up by it. RFC 8460 §3.
            tls: tls_wish(false, header_of(&bytes)),
            recipients: &outward.iter().collect::<Vec<_>>(),
        };
        let message = OutboundMessage::report(trace, bytes);
        filing
            .queued
            .push(message.queue(inner, Some(&sign_as), envelope, now).await?);
    }
    let receipt = filing.commit(&inner.store).await?;
    tracing::info!(
        target: "message", id = %trace, event = "written", from = %from, domain = %sign_as,
        recipients = recipients.len(),
    );
    Ok(receipt)
}

/// Those that somebody has.
async fn recipients(inner: &Inner, to: Vec<Address>, size: u64) -> Result<Vec<Routed>, Refusal> {
    let mut recipients = Vec::with_capacity(to.len());
    let mut refused = None;
    for address in to {
        let path = wire::smtp::ForwardPath::Address(address);
        let facts = gather_recipient(inner, &path, size).await?;
        match facts.for_us() {
            Ok((address, way)) => recipients.push(Routed {
                address,
                dsn: RecipientDsn::default(),
                way,
            }),
            Err(refusal) => {
                tracing::warn!(to = %path, reason = %refusal, "a message of our own has nobody to go to");
                refused = Some(refusal);
            }
        }
    }
    match refused {
        Some(refusal) if recipients.is_empty() => Err(refusal),
        _ => Ok(recipients),
    }
}
