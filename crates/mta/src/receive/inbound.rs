//! Mail from the world: given its trace fields, filed for local accounts, never sent on.

use mail::compose::{Received, ReceivedFrom, return_path};
use mail::{Address, ReversePath, Summary, TraceId, UnixMillis};
use store::{Delivery, QuotaRule, Receipt};

use super::belongs::belongs;
use super::{Arrival, Passed, Transaction, check_loop};
use crate::Inner;
use crate::bounce;
use crate::envelope::{Routed, note};
use crate::filing::{Filing, delivery_targets};
use crate::refusal::Refusal;

/// A message from outside, with our trace fields on top. It can be delivered here and nowhere else:
/// there is no way from this type to a signature or to the queue.
pub(crate) struct InboundMessage {
    trace: TraceId,
    bytes: Vec<u8>,
}

impl InboundMessage {
    /// Puts Return-Path and Received on top, once for all recipients. RFC 5321 §4.4.
    pub(crate) fn new(
        trace: TraceId,
        from: &ReversePath,
        only_recipient: Option<&Address>,
        host: &str,
        arrival: &Arrival,
        now: UnixMillis,
        body: &[u8],
    ) -> Self {
        let mut bytes = return_path(from);
        let received = Received {
            from: Some(ReceivedFrom {
                hello: &arrival.hello,
                name: None,
                ip: arrival.ip,
            }),
            by: host,
            with: arrival.with,
            tls: arrival.tls.as_deref(),
            id: trace,
            recipient: only_recipient,
            date: now,
        };
        let received = received.write();
        bytes.reserve_exact(received.len() + body.len());
        bytes.extend_from_slice(&received);
        bytes.extend_from_slice(body);
        Self { trace, bytes }
    }

    /// Keeps the body and plans its delivery.
    pub(crate) async fn file(
        self,
        inner: &Inner,
        recipients: &[Routed],
        now: UnixMillis,
    ) -> Result<Filing, Refusal> {
        let targets = delivery_targets(recipients.iter().flat_map(Routed::targets));
        let (bytes, summary) = summarize(inner, self.bytes.into()).await?;
        let kept = inner
            .store
            .keep_noted(bytes, note(self.trace, recipients))
            .await?;
        let delivery = Delivery {
            trace: self.trace,
            kept,
            summary,
            targets,
            quota: QuotaRule::Overrun,
            received: now,
        };
        Ok(Filing {
            deliveries: vec![delivery],
            ..Filing::default()
        })
    }
}

/// Gather, decide, do, for a whole message from the world.
pub(super) async fn accept(
    inner: &Inner,
    transaction: Transaction,
    arrival: Arrival,
    body: Vec<u8>,
) -> Result<Receipt, Refusal> {
    check_loop(Passed::of(&body, &inner.settings.hostname))?;
    let Transaction {
        trace,
        from,
        params,
        recipients,
    } = transaction;
    let now = inner.now();
    let size = body.len();
    let only = match recipients.as_slice() {
        [only] => Some(&only.address),
        _ => None,
    };
    let host = inner.settings.hostname.as_str();
    let message = InboundMessage::new(trace, &from, only, host, &arrival, now, &body);
    let mut filing = message.file(inner, &recipients, now).await?;
    let about = bounce::About {
        trace,
        account: None,
        reverse_path: &from,
        dsn: &crate::envelope::message_dsn(&params),
        tls: crate::outbound::tls_wish(params.require_tls, b""),
        arrival: now,
        original: &body,
    };
    if may_report(inner, &from, &arrival, &recipients).await {
        filing.add(bounce::delivered(inner, &about, &recipients).await?);
    }
    let receipt = filing.commit(&inner.store).await?;
    for recipient in &recipients {
        tracing::info!(
            target: "message", id = %trace, event = "delivered", from = %from,
            to = %recipient.address, size, peer = %arrival.ip,
        );
    }
    Ok(receipt)
}

/// A report of success is sent only where the sender is evidently who the envelope says.
async fn may_report(
    inner: &Inner,
    from: &ReversePath,
    arrival: &Arrival,
    recipients: &[Routed],
) -> bool {
    match from.address() {
        Some(sender) if recipients.iter().any(Routed::wants_success) => {
            belongs(inner, arrival.ip, sender.domain()).await
        }
        _ => false,
    }
}

/// Parses what is stored beside a message; a large one off the event loop.
pub(crate) async fn summarize(
    inner: &Inner,
    bytes: bytes::Bytes,
) -> Result<(bytes::Bytes, Summary), Refusal> {
    let shared = bytes.clone();
    let summary = inner
        .compute(bytes.len(), move || Summary::of(&shared))
        .await;
    Ok((bytes, summary.map_err(|_| Refusal::Bug)?))
}
