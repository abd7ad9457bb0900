//! Passing mail on to other servers, for aliases that lead there, and back to senders of what was passed
//! on. The bytes stay as they came, so that signatures of others survive; ours is only what is put in
//! front. Nothing here can sign a message as if one of ours had written it.

mod secrets;
mod srs;

use bytes::Bytes;
use mail::{Address, Domain, ReversePath, TraceId, UnixMillis};
use mailauth::arc::{self, Sealer};
use mailauth::results;
use mailauth::spf::SpfResult;
use mailauth::verdict::Verdict;
use store::queue::{BodyKind, MessageDsn, NewQueued, NewRecipient, Notify, TlsWish};
use store::{StoreError, blobs::Kept};

use crate::Inner;
use crate::envelope::{Routed, Way, expand, note};
use crate::filing::{Filing, SrsSender};
use crate::outbound::header_of;
use crate::receive::seconds;
use crate::refusal::Refusal;

pub(crate) use secrets::Secrets;
pub use srs::SrsProblem;
pub(crate) use srs::{Origin, is_srs, origin};
use srs::{Rewritten, rewrite};

/// A message that is passed on, with what its ways need to know.
pub(crate) struct Passing<'a> {
    pub(crate) trace: TraceId,
    pub(crate) from: &'a ReversePath,
    pub(crate) dsn: &'a MessageDsn,
    pub(crate) smtputf8: bool,
    pub(crate) tls: TlsWish,
    /// Our Received field.
    pub(crate) received: Vec<u8>,
    pub(crate) verdict: &'a Verdict,
    /// As it goes on.
    pub(crate) message: Bytes,
    pub(crate) now: UnixMillis,
}

/// Plans the way on for these recipients: a row of the queue for each address of ours, since the return
/// address, the seal and the fields in front speak for that address. The body is kept once.
pub(crate) async fn plan(
    inner: &Inner,
    passing: &Passing<'_>,
    recipients: &[&Routed],
) -> Result<Filing, Refusal> {
    let note = note(passing.trace, recipients.iter().copied());
    let kept = inner
        .store
        .keep_noted(passing.message.clone(), note)
        .await?;
    let sender_is_ours = match passing.from.address().cloned() {
        Some(sender) => {
            let look = move |view: &store::View<'_>| view.is_local(sender.domain());
            inner.store.read_small::<_, StoreError>(look).await?
        }
        None => false,
    };
    let mut filing = Filing::default();
    for recipient in recipients {
        let on = match &recipient.way {
            Way::Back(sender) => vec![Routed {
                address: sender.clone(),
                dsn: recipient.dsn.clone(),
                way: Way::Remote,
            }],
            Way::Local(_) | Way::Remote => expand(recipient),
        };
        let domain = recipient.address.domain();
        let (reverse_path, remember) = match passing.from.address() {
            Some(sender) if !sender_is_ours => passing.rewrite(inner, sender, domain).await?,
            _ => (passing.from.clone(), None),
        };
        filing.senders.extend(remember);
        let prefix = passing.prefix(inner, &recipient.address, &on).await;
        filing
            .queued
            .push(passing.row(inner, kept.clone(), prefix, reverse_path, &on));
    }
    Ok(filing)
}

impl Passing<'_> {
    async fn rewrite(
        &self,
        inner: &Inner,
        sender: &Address,
        domain: &Domain,
    ) -> Result<(ReversePath, Option<SrsSender>), Refusal> {
        let secret = inner.srs.newest(inner).await?;
        Ok(match rewrite(sender, domain, &secret, self.now) {
            Rewritten::Whole(address) => (address.into(), None),
            Rewritten::Token { address, token } => {
                let remember = SrsSender {
                    token,
                    address: sender.clone(),
                    now: self.now,
                };
                (address.into(), Some(remember))
            }
        })
    }

    /// What is put in front: the seal (ARC), for whom it was passed on and where to, and our Received
    /// field. All of it is in front of what came, so that signatures over that hold.
    async fn prefix(&self, inner: &Inner, address: &Address, on: &[Routed]) -> Vec<u8> {
        let mut fields = self.seal(inner, address.domain()).await.unwrap_or_default();
        if let Some(address) = address.ascii() {
            // Seen when it comes back: passing it on again would never end.
            fields.extend_from_slice(format!("Delivered-To: {address}\r\n").as_bytes());
            // One target only: the others are nobody's business.
            if let [only] = on
                && let Some(target) = only.address.ascii()
            {
                fields.extend_from_slice(format!("X-Forwarded-To: {target}\r\n").as_bytes());
            }
            fields.extend_from_slice(format!("X-Forwarded-For: {address}\r\n").as_bytes());
        }
        fields.extend_from_slice(&self.received);
        fields
    }

    async fn seal(&self, inner: &Inner, domain: &Domain) -> Option<Vec<u8>> {
        let host = inner.settings.hostname.as_str().to_owned();
        let found = results::summary(self.verdict);
        let (previous, message) = (self.verdict.arc.clone(), self.message.clone());
        let (size, at) = (message.len(), seconds(inner));
        let seal = move |key: &mailauth::dkim::SigningKey| {
            let sealer = Sealer {
                key,
                authserv_id: &host,
                now: at,
            };
            arc::seal(&message, &sealer, &found, &previous)
        };
        inner.signers.seal(inner, domain, size, seal).await
    }

    fn row(
        &self,
        inner: &Inner,
        kept: Kept,
        prefix: Vec<u8>,
        reverse_path: ReversePath,
        on: &[Routed],
    ) -> NewQueued {
        // Who is not allowed to send as that address is not told what became of it: it would be
        // somebody else who hears.
        let silent = matches!(self.verdict.spf.result, SpfResult::Fail);
        let recipients = on.iter().map(|recipient| {
            let mut dsn = recipient.dsn.clone();
            if silent {
                dsn.notify = Some(Notify::NEVER);
            }
            NewRecipient {
                address: recipient.address.clone(),
                dsn,
                due: self.now,
            }
        });
        NewQueued {
            trace: self.trace,
            kept,
            prefix,
            account: None,
            forwarded: true,
            reverse_path,
            recipients: recipients.collect(),
            dsn: self.dsn.clone(),
            tls: self.tls,
            needs_smtputf8: self.smtputf8 && !header_of(&self.message).is_ascii(),
            body: match self.message.is_ascii() {
                true => BodyKind::SevenBit,
                false => BodyKind::EightBit,
            },
            created: self.now,
            expires: self.now.plus(inner.settings.outbound.queue_lifetime),
        }
    }
}
