//! The part of a search that reads messages: a batch of rows on a snapshot, then their headers or
//! bodies in jobs, two at a time.

use std::sync::Arc;

use mail::Structure;
use store::{AccountId, MailboxId, Store, StoreError, Stored, Uid, UidSet};

use super::super::fetch::each_message;
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
                .read_rows(account, mailbox, piece, open.clone())
                .await?;
            let mut first = rows;
            let second = first.split_off(first.len() / 2);
            let tasks = &self.access.world.tasks;
            let job = |rows: Vec<Stored>| {
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
        &self,
        account: AccountId,
        mailbox: MailboxId,
        piece: Vec<std::ops::RangeInclusive<Uid>>,
        open: UidSet,
    ) -> Result<Vec<Stored>, StoreError> {
        let read = move |view: &store::View<'_>| {
            let mut rows = Vec::new();
            for range in &piece {
                each_message(view, account, mailbox, range.clone(), &mut |stored| {
                    if open.contains(stored.placement.uid) {
                        rows.push(stored);
                    }
                })?;
            }
            Ok::<_, StoreError>(rows)
        };
        self.access.store.read(read).await
    }
}

fn look(store: &Store, test: &Test, rows: &[Stored]) -> Result<Vec<Uid>, StoreError> {
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
            end => match store.body_blocking(&stored.body, 0..end) {
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
