//! APPEND (RFC 9051 §6.3.12), with several messages at once (RFC 3502).

use mail::{Summary, TraceId};
use store::{Append, Durability, StoreError};
use wire::imap::{MailboxName, NewMessage, Ranges};

use super::flags::marks;
use super::mailboxes::name_of;
use super::refusal::{Done, Outcome, Refusal};
use super::session::Session;

impl Session {
    /// Bodies first become durable, then one transaction places all of them or none.
    pub(super) async fn append(
        &mut self,
        mailbox: MailboxName,
        messages: Vec<NewMessage>,
    ) -> Outcome {
        let (account, now) = (self.account()?, self.now());
        let name = name_of(&mailbox).map_err(|_| Refusal::TRY_CREATE)?;
        let store = self.access.store.clone();
        let target = store
            .read_small(move |view| view.mailbox_by_name(account, &name))
            .await?;
        let mailbox = target.ok_or(Refusal::TRY_CREATE)?.id;
        if messages.iter().any(|message| message.bytes.is_empty()) {
            return Err(Refusal::no("[CANNOT] A message cannot be empty."));
        }
        let mut drafts = Vec::with_capacity(messages.len());
        for message in messages {
            let bytes = bytes::Bytes::from(message.bytes);
            let summary = self.summary_of(bytes.clone()).await?;
            let mut random = [0u8; 10];
            self.access.world.random.fill(&mut random);
            let internal_date = message.internal_date.unwrap_or(now);
            drafts.push((bytes, summary, random, marks(message.flags), internal_date));
        }
        // Together, so that all of them wait for one sync.
        let kept = drafts.iter().map(|(bytes, ..)| store.keep(bytes.clone()));
        let kept = futures_util::future::try_join_all(kept).await?;
        let appends: Vec<Append> = drafts
            .into_iter()
            .zip(kept)
            .map(
                |((_, summary, random, marks, internal_date), kept)| Append {
                    account,
                    mailbox,
                    trace: TraceId::from_random(random),
                    kept,
                    summary,
                    marks,
                    internal_date,
                    now,
                },
            )
            .collect();
        let appended = store
            .write(Durability::Durable, move |change| {
                appends
                    .iter()
                    .map(|append| change.append(append))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let Some(first) = appended.first() else {
            return Ok(Done::Plain);
        };
        let mut uids = Vec::new();
        appended
            .iter()
            .map(|appended| appended.uid.0)
            .collect::<Ranges>()
            .write(&mut uids);
        let uids = String::from_utf8_lossy(&uids);
        Ok(Done::Text(format!(
            "[APPENDUID {} {uids}] APPEND completed.",
            first.uid_validity
        )))
    }

    /// Parsing a large message must not keep others waiting.
    async fn summary_of(&mut self, bytes: bytes::Bytes) -> Result<Summary, Refusal> {
        if bytes.len() <= PARSED_AT_ONCE_BYTES {
            return Ok(Summary::of(&bytes));
        }
        let summary = self
            .access
            .world
            .tasks
            .blocking(move || Summary::of(&bytes))
            .await;
        summary.map_err(|_| Refusal::Store(StoreError::Panicked))
    }
}

const PARSED_AT_ONCE_BYTES: usize = 64 * 1024;
