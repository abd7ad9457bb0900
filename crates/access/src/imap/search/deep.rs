//! The part of a search that reads messages: a batch of rows on a snapshot, then their headers or
//! bodies in jobs, two at a time.

use std::sync::Arc;

use mail::Structure;
use store::{AccountId, Columns, MailboxId, Store, StoreError, Uid, UidSet};

use super::super::message::Message;
use super::super::refusal::Refusal;
use super::super::session::Session;
use super::test::{Deep, Reads, Test};
use crate::limits::MESSAGES_PER_READ;

impl Session {
    /// Those of `open` that match.
    pub(super) async fn open_bodies(
        &mut self,
        test: Arc<Test>,
        open: &UidSet,
    ) -> Result<Vec<Uid>, Refusal> {
        let selected = self.selected()?;
        let (account, mailbox, numbering) = (
            selected.account,
            selected.mailbox,
            selected.numbering.clone(),
        );
        let mut uids = Vec::new();
        for piece in numbering.pieces(open, MESSAGES_PER_READ) {
            let rows = self
                .read_rows(account, mailbox, piece, open.clone(), columns(&test))
                .await?;
            let mut first = rows;
            let second = first.split_off(first.len() / 2);
            let tasks = &self.access.world.tasks;
            let job = |rows: Vec<Message>| {
                let (store, test) = (self.access.store.clone(), test.clone());
                tasks.blocking(move || look(&store, &test, &rows))
            };
            let (first, second) = futures_util::future::join(job(first), job(second)).await;
            uids.extend(first??);
            uids.extend(second??);
        }
        Ok(uids)
    }

    async fn read_rows(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        piece: Vec<std::ops::RangeInclusive<Uid>>,
        open: UidSet,
        want: Columns,
    ) -> Result<Vec<Message>, StoreError> {
        let read = move |view: &store::View<'_>| {
            let mut rows = Vec::new();
            for range in &piece {
                view.each_message(account, mailbox, range.clone(), want, &mut |row| {
                    if open.contains(row.placement.uid) {
                        rows.push(Message::of(row));
                    }
                })?;
            }
            Ok::<_, StoreError>(rows)
        };
        self.access.store.read(read).await
    }
}

fn columns(test: &Test) -> Columns {
    let reads = test.reads();
    Columns {
        envelope: true,
        structure: reads >= Reads::Header,
        preview: false,
        body: reads >= Reads::Header,
    }
}

fn read(store: &Store, message: &Message, end: u64) -> Result<Vec<u8>, StoreError> {
    match &message.body {
        Some(body) => store.body_blocking(body, 0..end),
        None => Err(StoreError::BodyGone),
    }
}

fn look(store: &Store, test: &Test, rows: &[Message]) -> Result<Vec<Uid>, StoreError> {
    let reads = test.reads();
    let mut uids = Vec::new();
    for stored in rows {
        let structure = if reads >= Reads::Header {
            Structure::decode(&stored.structure).ok()
        } else {
            None
        };
        let end = match reads {
            Reads::Row | Reads::Message => 0,
            Reads::Header => structure
                .as_ref()
                .map_or(stored.placement.size, |tree| tree.root().header.end as u64),
            Reads::Body => stored.placement.size,
        };
        let bytes = match end {
            0 => Vec::new(),
            end => match read(store, stored, end) {
                Ok(bytes) => bytes,
                Err(StoreError::BodyGone) => continue,
                Err(error) => return Err(error),
            },
        };
        if test.deep(&Deep {
            stored,
            structure: structure.as_ref(),
            bytes: &bytes,
        }) {
            uids.push(stored.placement.uid);
        }
    }
    Ok(uids)
}
