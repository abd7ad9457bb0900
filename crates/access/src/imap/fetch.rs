//! FETCH (RFC 9051 §6.4.5): plans what must be read, reads it in pieces on snapshots, and writes
//! between them. No transaction is open while the client reads.

mod bodies;
mod row;

use std::ops::RangeInclusive;
use std::sync::Arc;

use store::{
    AccountId, Columns, Keywords, MailboxId, ModSeq, Placement, StoreError, StoredRow, Uid, UidSet,
    View,
};
use wire::imap::{By, Dialect, Fetch, FetchItem, Mode, SectionText, Seen, write};

use super::flags;
use super::message::Message;
use super::numbering::Numbering;
use super::reading::read;
use super::refusal::{Done, Outcome, Refusal};
use super::select::vanished_since;
use super::session::Session;
use crate::limits::{MESSAGES_PER_READ, ROWS_PER_READ};
use bodies::Bodies;

/// What all rows of one FETCH have in common.
pub(super) struct Plan {
    pub(super) account: AccountId,
    pub(super) mailbox: MailboxId,
    pub(super) items: Vec<FetchItem>,
    pub(super) targets: UidSet,
    pub(super) numbering: Arc<Numbering>,
    /// Messages that this command marks as seen: their flags are news.
    pub(super) marked: UidSet,
    pub(super) changed_since: Option<ModSeq>,
    pub(super) dialect: Dialect,
}

/// How much of a message must be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Placement,
    Message,
    Body,
}

impl Session {
    pub(super) async fn fetch(&mut self, fetch: Fetch) -> Outcome {
        let dialect = self.dialect();
        let asks_modseq = fetch.changed_since.is_some() || fetch.items.contains(&FetchItem::ModSeq);
        if asks_modseq {
            self.enable_condstore().await?;
        }
        let targets = self.selected()?.targets(&fetch.set, fetch.by)?;
        if fetch.vanished {
            self.write_vanished(&fetch).await?;
        }
        let marked = self.mark_seen(&fetch.items, &targets).await?;
        let selected = self.selected()?;
        let plan = Plan {
            account: selected.account,
            mailbox: selected.mailbox,
            items: with_implied(fetch.items, fetch.by, fetch.changed_since.is_some()),
            targets,
            numbering: selected.numbering.clone(),
            marked,
            changed_since: fetch.changed_since.map(ModSeq),
            dialect,
        };
        let written = match plan.depth() {
            Depth::Body => self.fetch_bodies(Arc::new(plan)).await?,
            depth => self.fetch_rows(Arc::new(plan), depth).await?,
        };
        Ok(match written {
            Written::All => Done::Plain,
            Written::SomeAreGone => {
                Done::Text("[EXPUNGEISSUED] FETCH completed, some messages are gone.".to_owned())
            }
        })
    }

    /// The first command that asks for it switches CONDSTORE on (RFC 7162 §3.1.2.1).
    pub(super) async fn enable_condstore(&mut self) -> Result<(), Refusal> {
        if self.enabled.condstore {
            return Ok(());
        }
        self.enabled.condstore = true;
        let selected = self.selected()?;
        let (account, id) = (selected.account, selected.mailbox);
        if let Some(mailbox) = self
            .access
            .store
            .read(move |view| view.mailbox(account, id))
            .await?
        {
            let highest = mailbox.highest_modseq.0.max(1);
            write::untagged(
                &mut self.out,
                &format!("OK [HIGHESTMODSEQ {highest}] Changes are counted."),
            );
        }
        Ok(())
    }

    /// RFC 7162 §3.2.6.
    async fn write_vanished(&mut self, fetch: &Fetch) -> Result<(), Refusal> {
        if !self.enabled.qresync {
            return Err(Refusal::bad("ENABLE QRESYNC first."));
        }
        let selected = self.selected()?;
        let (account, mailbox, numbering) = (
            selected.account,
            selected.mailbox,
            selected.numbering.clone(),
        );
        let wanted = fetch.set.resolve(u32::MAX);
        let since = ModSeq(fetch.changed_since.unwrap_or_default());
        let vanished = self
            .access
            .store
            .read(move |view| {
                let next = view
                    .mailbox(account, mailbox)?
                    .map_or(1, |mailbox| mailbox.uid_next.0);
                let wanted: Vec<_> = wanted
                    .iter()
                    .map(|range| *range.start()..=(*range.end()).min(next.saturating_sub(1)))
                    .collect();
                vanished_since(view, account, mailbox, &numbering, since, &wanted)
            })
            .await?;
        if !vanished.is_empty() {
            write::untagged(&mut self.out, &format!("VANISHED (EARLIER) {vanished}"));
        }
        Ok(())
    }

    /// Reading a body marks it as read, in one change for all, before the answer.
    async fn mark_seen(
        &mut self,
        items: &[FetchItem],
        targets: &UidSet,
    ) -> Result<UidSet, Refusal> {
        let marks = items.iter().any(|item| {
            matches!(
                item,
                FetchItem::Section {
                    seen: Seen::Mark,
                    ..
                } | FetchItem::Binary {
                    seen: Seen::Mark,
                    ..
                }
            )
        });
        if !marks || targets.is_empty() || self.selected()?.mode == Mode::ReadOnly {
            return Ok(UidSet::new());
        }
        let edit = store::FlagEdit::Add(store::Flags::SEEN.into());
        let outcome = self.edit_flags(targets.clone(), edit, None).await?;
        let selected = self.selected()?;
        for row in &outcome.changed {
            selected.made(row.modseq);
        }
        Ok(outcome.changed.iter().map(|row| row.uid).collect())
    }

    /// Rows without bodies are rendered while they are read.
    async fn fetch_rows(&mut self, plan: Arc<Plan>, depth: Depth) -> Result<Written, Refusal> {
        let mut rows = 0;
        let rows_per_read = if depth == Depth::Placement {
            ROWS_PER_READ
        } else {
            MESSAGES_PER_READ
        };
        for piece in plan.numbering.pieces(&plan.targets, rows_per_read) {
            let (writer, keywords) = (plan.clone(), self.selected()?.keywords.clone());
            let work = move |view: &View<'_>| {
                let mut text = Vec::new();
                let (count, newer) = match depth {
                    Depth::Placement => {
                        writer.write_placements(view, &piece, &keywords, &mut text)?
                    }
                    _ => writer.write_messages(view, &piece, &keywords, &mut text)?,
                };
                Ok::<_, StoreError>((text, count, newer))
            };
            let (text, count, newer) = read(&self.access.store, plan.targets.len(), work).await?;
            if self.out.is_empty() {
                self.out = text;
            } else {
                self.out.extend_from_slice(&text);
            }
            rows += count;
            if let Some(newer) = newer {
                self.selected()?.keywords = Arc::new(newer);
            }
            self.send_if_full().await?;
        }
        Ok(plan.written(rows))
    }

    async fn fetch_bodies(&mut self, plan: Arc<Plan>) -> Result<Written, Refusal> {
        let mut rows = 0;
        for piece in plan.numbering.pieces(&plan.targets, MESSAGES_PER_READ) {
            let (reader, keywords) = (plan.clone(), self.selected()?.keywords.clone());
            let work = move |view: &View<'_>| reader.read_messages(view, &piece, &keywords);
            let (stored, newer) = read(&self.access.store, plan.targets.len(), work).await?;
            if let Some(newer) = newer {
                self.selected()?.keywords = Arc::new(newer);
            }
            rows += stored.len();
            let keywords = self.selected()?.keywords.clone();
            self.write_bodies(Bodies::new(
                self.access.store.clone(),
                plan.clone(),
                keywords,
                stored,
            ))
            .await?;
        }
        Ok(plan.written(rows))
    }

    async fn write_bodies(&mut self, mut bodies: Bodies) -> Result<(), Refusal> {
        while !bodies.is_done() {
            let out = std::mem::take(&mut self.out);
            let rendered = if bodies.is_small() {
                bodies.render(out)
            } else {
                self.access
                    .world
                    .tasks
                    .blocking(move || bodies.render(out))
                    .await?
            };
            bodies = rendered.bodies;
            self.out = rendered.out;
            self.send_if_full().await?;
            if let Some(stream) = rendered.stream {
                self.send().await?;
                self.stream_body(stream).await?;
            }
            if let Some(error) = rendered.failed {
                return Err(self.cannot_go_on(&error));
            }
        }
        bodies.refusal.take().map_or(Ok(()), Err)
    }

    /// Half an answer is written and the rest cannot be read: nothing but closing is honest, since a
    /// client would keep whatever stood in its place.
    fn cannot_go_on(&mut self, error: &StoreError) -> Refusal {
        tracing::error!(%error, "a message could not be read to its end");
        self.talk
            .machine()
            .bye("[UNAVAILABLE] A message could not be read to its end.");
        Refusal::Ended(world::Ended::Finished)
    }

    /// A literal too large to hold: its head is written, its bytes follow range by range.
    async fn stream_body(&mut self, stream: bodies::Streamed) -> Result<(), Refusal> {
        let mut at = stream.range.start;
        while at < stream.range.end {
            let end = stream.range.end.min(at + crate::limits::STREAM_PIECE_BYTES);
            match self.access.store.body(stream.body, at..end).await {
                Ok(bytes) if bytes.len() as u64 == end - at => self.talk.write_owned(bytes).await?,
                Ok(_) => return Err(self.cannot_go_on(&StoreError::BodyGone)),
                Err(error) => return Err(self.cannot_go_on(&error)),
            }
            at = end;
        }
        Ok(())
    }
}

enum Written {
    All,
    SomeAreGone,
}

/// UID FETCH always says the UID, CHANGEDSINCE the modseq.
fn with_implied(mut items: Vec<FetchItem>, by: By, changed_since: bool) -> Vec<FetchItem> {
    if by == By::Uid && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    if changed_since && !items.contains(&FetchItem::ModSeq) {
        items.push(FetchItem::ModSeq);
    }
    items
}

impl Plan {
    fn depth(&self) -> Depth {
        self.items
            .iter()
            .map(|item| match item {
                FetchItem::Flags
                | FetchItem::InternalDate
                | FetchItem::Rfc822Size
                | FetchItem::Uid
                | FetchItem::ModSeq
                | FetchItem::EmailId
                | FetchItem::SaveDate => Depth::Placement,
                FetchItem::Envelope
                | FetchItem::Body
                | FetchItem::BodyStructure
                | FetchItem::ThreadId
                | FetchItem::Preview => Depth::Message,
                FetchItem::Section { .. }
                | FetchItem::Binary { .. }
                | FetchItem::BinarySize { .. } => Depth::Body,
            })
            .max()
            .unwrap_or(Depth::Placement)
    }

    /// Whether the row was asked for.
    fn wants(&self, row: &Placement) -> bool {
        self.targets.contains(row.uid) && self.changed_since.is_none_or(|since| since < row.modseq)
    }

    fn written(&self, rows: usize) -> Written {
        if self.changed_since.is_none() && (rows as u64) < self.targets.len() {
            Written::SomeAreGone
        } else {
            Written::All
        }
    }

    /// Writes rows; says how many, and the keywords if they had to be read anew.
    fn write_placements(
        &self,
        view: &View<'_>,
        piece: &[RangeInclusive<Uid>],
        keywords: &Keywords,
        out: &mut Vec<u8>,
    ) -> Result<(usize, Option<Keywords>), StoreError> {
        let start = out.len();
        let (mut rows, mut stale) = (0, false);
        for range in piece {
            view.each_placement(self.account, self.mailbox, range.clone(), &mut |row| {
                stale |= !flags::knows_all(keywords, &row);
                rows += usize::from(self.write_row(out, &row, None, keywords));
            })?;
        }
        if !stale {
            return Ok((rows, None));
        }
        out.truncate(start);
        let newer = view.keywords(self.account)?;
        for range in piece {
            view.each_placement(self.account, self.mailbox, range.clone(), &mut |row| {
                self.write_row(out, &row, None, &newer);
            })?;
        }
        Ok((rows, Some(newer)))
    }

    fn write_messages(
        &self,
        view: &View<'_>,
        piece: &[RangeInclusive<Uid>],
        keywords: &Keywords,
        out: &mut Vec<u8>,
    ) -> Result<(usize, Option<Keywords>), StoreError> {
        let start = out.len();
        let (mut rows, mut stale) = (0, false);
        let columns = self.columns();
        for range in piece {
            view.each_message(
                self.account,
                self.mailbox,
                range.clone(),
                columns,
                &mut |row| {
                    stale |= !flags::knows_all(keywords, &row.placement);
                    rows += usize::from(self.write_row(out, &row.placement, Some(row), keywords));
                },
            )?;
        }
        if !stale {
            return Ok((rows, None));
        }
        out.truncate(start);
        let newer = view.keywords(self.account)?;
        for range in piece {
            view.each_message(
                self.account,
                self.mailbox,
                range.clone(),
                columns,
                &mut |row| {
                    self.write_row(out, &row.placement, Some(row), &newer);
                },
            )?;
        }
        Ok((rows, Some(newer)))
    }

    fn read_messages(
        &self,
        view: &View<'_>,
        piece: &[RangeInclusive<Uid>],
        keywords: &Keywords,
    ) -> Result<(Vec<Message>, Option<Keywords>), StoreError> {
        let mut messages = Vec::new();
        for range in piece {
            view.each_message(
                self.account,
                self.mailbox,
                range.clone(),
                self.columns(),
                &mut |row| {
                    if self.wants(&row.placement) {
                        messages.push(Message::of(row));
                    }
                },
            )?;
        }
        let stale = !messages
            .iter()
            .all(|message| flags::knows_all(keywords, &message.placement));
        let newer = if stale {
            Some(view.keywords(self.account)?)
        } else {
            None
        };
        Ok((messages, newer))
    }

    fn columns(&self) -> Columns {
        let mut columns = Columns::default();
        for item in &self.items {
            match item {
                FetchItem::Envelope => columns.envelope = true,
                FetchItem::Body | FetchItem::BodyStructure => columns.structure = true,
                FetchItem::Preview => columns.preview = true,
                FetchItem::Section { .. }
                | FetchItem::Binary { .. }
                | FetchItem::BinarySize { .. } => {
                    columns.body = true;
                    columns.structure |= !is_whole(item);
                }
                _ => {}
            }
        }
        columns
    }

    /// One whole answer; false when the row is not wanted.
    fn write_row(
        &self,
        out: &mut Vec<u8>,
        row: &Placement,
        stored: Option<&StoredRow<'_>>,
        keywords: &Keywords,
    ) -> bool {
        let Some(seq) = self.numbering.seq(row.uid).filter(|_| self.wants(row)) else {
            return false;
        };
        let mut writer = row::Writer::open(out, seq);
        for item in &self.items {
            writer.item(self, item, row, stored.map(row::Shown::from), keywords);
        }
        writer.close();
        true
    }
}

/// BODY[] and RFC822: the only sections that need no structure.
fn is_whole(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Section { section, .. } if section.path.is_empty() && section.what == SectionText::Whole)
}
