//! Mail that leaves: only our users' submissions and our own reports become an [`OutboundMessage`],
//! and only that can be signed and queued.

pub(crate) mod recode;
pub(crate) mod signers;
pub(crate) mod survey;

use bytes::Bytes;
use mail::{Domain, ReversePath, TraceId, UnixMillis};
use store::queue::{BodyKind, MessageDsn, NewQueued, NewRecipient, Queued, TlsWish};
use store::{AccountId, LoggedIn};

use crate::Inner;
use crate::envelope::{Routed, note};
use crate::refusal::Refusal;

/// A message of ours, complete and with strict line ends.
pub(crate) struct OutboundMessage {
    trace: TraceId,
    origin: Origin,
    bytes: Bytes,
    /// The header holds UTF-8, and the sender said so.
    smtputf8: bool,
}

/// Who vouches for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    User(AccountId),
    Ourselves,
}

/// From whom and to whom.
pub(crate) struct Envelope<'a> {
    pub(crate) reverse_path: &'a ReversePath,
    pub(crate) dsn: &'a MessageDsn,
    pub(crate) tls: TlsWish,
    pub(crate) recipients: &'a [&'a Routed],
}

impl OutboundMessage {
    /// What a user submitted, after the rules of submission.
    pub(crate) fn of_user(user: &LoggedIn, trace: TraceId, bytes: Vec<u8>, smtputf8: bool) -> Self {
        let smtputf8 = smtputf8 && !header_of(&bytes).is_ascii();
        Self {
            trace,
            origin: Origin::User(user.account()),
            bytes: bytes.into(),
            smtputf8,
        }
    }

    /// A report that we wrote ourselves.
    pub(crate) fn report(trace: TraceId, bytes: Vec<u8>) -> Self {
        let smtputf8 = !header_of(&bytes).is_ascii();
        Self {
            trace,
            origin: Origin::Ourselves,
            bytes: bytes.into(),
            smtputf8,
        }
    }

    /// What was queued by [`OutboundMessage::queue`], to be signed anew in another form.
    pub(crate) fn from_queue(queued: &Queued, bytes: Vec<u8>) -> Self {
        let origin = match queued.account {
            Some(account) => Origin::User(account),
            None => Origin::Ourselves,
        };
        Self {
            trace: queued.trace,
            origin,
            bytes: bytes.into(),
            smtputf8: queued.needs_smtputf8,
        }
    }

    /// The DKIM-Signature fields of the domain's keys; none if the domain is not ours.
    pub(crate) async fn signatures(&self, inner: &Inner, domain: Option<&Domain>) -> Vec<u8> {
        match domain {
            Some(domain) => inner.signers.sign(inner, domain, &self.bytes).await,
            None => Vec::new(),
        }
    }

    /// The bytes to send: fields in front of the message.
    pub(crate) fn with_prefix(self, mut prefix: Vec<u8>) -> Vec<u8> {
        prefix.extend_from_slice(&self.bytes);
        prefix
    }

    /// Signs, keeps the body, and makes the row that the queue will work on.
    pub(crate) async fn queue(
        self,
        inner: &Inner,
        domain: Option<&Domain>,
        envelope: Envelope<'_>,
        now: UnixMillis,
    ) -> Result<NewQueued, Refusal> {
        let prefix = self.signatures(inner, domain).await;
        let body = body_kind(&self.bytes);
        let kept = inner
            .store
            .keep_noted(
                self.bytes,
                note(self.trace, envelope.recipients.iter().copied()),
            )
            .await?;
        let recipients = envelope.recipients.iter().map(|recipient| NewRecipient {
            address: recipient.address.clone(),
            dsn: recipient.dsn.clone(),
            due: now,
        });
        Ok(NewQueued {
            trace: self.trace,
            kept,
            prefix,
            account: match self.origin {
                Origin::User(account) => Some(account),
                Origin::Ourselves => None,
            },
            forwarded: false,
            reverse_path: envelope.reverse_path.clone(),
            recipients: recipients.collect(),
            dsn: envelope.dsn.clone(),
            tls: envelope.tls,
            needs_smtputf8: self.smtputf8,
            body,
            created: now,
            expires: now.plus(inner.settings.outbound.queue_lifetime),
        })
    }
}

/// 7-bit or 8-bit: what is said to the next server.
fn body_kind(bytes: &[u8]) -> BodyKind {
    if bytes.is_ascii() {
        BodyKind::SevenBit
    } else {
        BodyKind::EightBit
    }
}

/// What the sender wishes for the way of a message: the parameter of MAIL, else the header field, which
/// counts for nothing beside it. RFC 8689 §3, §4.1.
pub(crate) fn tls_wish(require_tls: bool, header: &[u8]) -> TlsWish {
    if require_tls {
        return TlsWish::Required;
    }
    let mut said = mail::header::fields(header).filter(|field| field.is("TLS-Required"));
    let no = |field: mail::header::Field<'_>| field.text().trim().eq_ignore_ascii_case("no");
    match (said.next(), said.next()) {
        (Some(field), None) if no(field) => TlsWish::Waived,
        _ => TlsWish::Policies,
    }
}

/// The header without the empty line.
pub(crate) fn header_of(message: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 2);
    message.get(..end).unwrap_or(message)
}

/// The domain of the first author, from the From field of a message that was prepared before.
pub(crate) fn author_domain(message: &[u8]) -> Option<Domain> {
    let value = mail::header::first(header_of(message), "From")?;
    let address = mail::mailboxes::flatten(mail::mailboxes::parse(value))
        .next()?
        .address()?;
    Some(address.domain().clone())
}
