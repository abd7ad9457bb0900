//! STORE (RFC 9051 §6.4.6) with UNCHANGEDSINCE (RFC 7162 §3.1.3).

use std::sync::Arc;

use store::{
    Durability, FlagEdit, FlagOutcome, ModSeq, Placement, UidSet, limits::MESSAGES_PER_PIECE,
};
use wire::imap::{By, Mode, Store, StoreAction, StoreAnswer, write};

use super::flags::{self, marks};
use super::refusal::{Done, Outcome, Refusal, in_selected};
use super::session::Session;

impl Session {
    pub(super) async fn store_flags(&mut self, store: Store) -> Outcome {
        if store.unchanged_since.is_some() {
            self.enable_condstore().await?;
        }
        let selected = self.selected()?;
        if selected.mode == Mode::ReadOnly {
            return Err(Refusal::READ_ONLY);
        }
        let targets = selected.targets(&store.set, store.by)?;
        let wanted = marks(store.flags);
        let edit = match store.action {
            StoreAction::Replace => FlagEdit::Set(wanted),
            StoreAction::Add => FlagEdit::Add(wanted),
            StoreAction::Remove => FlagEdit::Remove(wanted),
        };
        let expected = targets.len();
        let outcome = self
            .edit_flags(targets, edit, store.unchanged_since.map(ModSeq))
            .await?;
        self.learn_keywords(&outcome).await?;
        self.write_stored(&outcome, store.by, store.answer)?;
        let found = (outcome.changed.len() + outcome.same.len()) as u64 + outcome.conflicts.len();
        self.stored_text(&outcome, store.by, found < expected)
    }

    /// One transaction for what is small, pieces with room for deliveries between for what is not.
    pub(super) async fn edit_flags(
        &mut self,
        targets: UidSet,
        edit: FlagEdit,
        unchanged_since: Option<ModSeq>,
    ) -> Result<FlagOutcome, Refusal> {
        let selected = self.selected()?;
        let (account, mailbox) = (selected.account, selected.mailbox);
        let now = self.now();
        let store = &self.access.store;
        if targets.is_empty() {
            return Ok(FlagOutcome::default());
        }
        let outcome = if targets.len() <= MESSAGES_PER_PIECE as u64 {
            store
                .write(Durability::Relaxed, move |change| {
                    change.edit_flags(account, mailbox, &targets, &edit, unchanged_since, now)
                })
                .await
        } else {
            store
                .edit_flags(account, mailbox, targets, edit, unchanged_since, now)
                .await
        };
        outcome.map_err(in_selected)
    }

    /// A keyword that this STORE invented is announced by a new FLAGS line.
    async fn learn_keywords(&mut self, outcome: &FlagOutcome) -> Result<(), Refusal> {
        let selected = self.selected()?;
        let known = selected.keywords.clone();
        if outcome
            .changed
            .iter()
            .all(|row| flags::knows_all(&known, row))
        {
            return Ok(());
        }
        let account = selected.account;
        let keywords = Arc::new(
            self.access
                .store
                .read(move |view| view.keywords(account))
                .await?,
        );
        self.out.extend_from_slice(b"* FLAGS (");
        flags::write_all(&mut self.out, &keywords);
        self.out.extend_from_slice(b")\r\n");
        self.selected()?.keywords = keywords;
        Ok(())
    }

    fn write_stored(
        &mut self,
        outcome: &FlagOutcome,
        by: By,
        answer: StoreAnswer,
    ) -> Result<(), Refusal> {
        let (enabled, dialect_out) = (self.enabled, &mut self.out);
        let Some(selected) = &mut self.selected else {
            return Ok(());
        };
        for row in &outcome.changed {
            selected.made(row.modseq);
        }
        // RFC 7162 §3.1.3: with CONDSTORE even a silent change tells the modseq.
        if answer == StoreAnswer::Silent && !enabled.condstore {
            return Ok(());
        }
        let same = if answer == StoreAnswer::Flags {
            outcome.same.as_slice()
        } else {
            &[]
        };
        for row in merged(&outcome.changed, same) {
            let Some(seq) = selected.numbering.seq(row.uid) else {
                continue;
            };
            let out = &mut *dialect_out;
            out.extend_from_slice(b"* ");
            write::number(out, u64::from(seq));
            out.extend_from_slice(b" FETCH (");
            let start = out.len();
            if by == By::Uid || enabled.qresync {
                out.extend_from_slice(b"UID ");
                write::number(out, u64::from(row.uid.0));
            }
            if answer == StoreAnswer::Flags {
                space(out, start);
                flags::write(out, row, &selected.keywords);
            }
            if enabled.condstore {
                space(out, start);
                out.extend_from_slice(b"MODSEQ (");
                write::number(out, row.modseq.0);
                out.push(b')');
            }
            out.extend_from_slice(b")\r\n");
        }
        Ok(())
    }

    /// MODIFIED names what others changed first, EXPUNGEISSUED what they removed.
    fn stored_text(&mut self, outcome: &FlagOutcome, by: By, some_are_gone: bool) -> Outcome {
        if !outcome.conflicts.is_empty() {
            let selected = self.selected()?;
            let set = match by {
                By::Uid => outcome.conflicts.to_string(),
                By::Sequence => {
                    let numbers: wire::imap::Ranges = outcome
                        .conflicts
                        .iter()
                        .filter_map(|uid| selected.numbering.seq(uid))
                        .collect();
                    let mut text = Vec::new();
                    numbers.write(&mut text);
                    String::from_utf8_lossy(&text).into_owned()
                }
            };
            return Ok(Done::Text(format!(
                "[MODIFIED {set}] STORE completed, some messages were changed before."
            )));
        }
        if some_are_gone {
            return Ok(Done::Text(
                "[EXPUNGEISSUED] STORE completed, some messages are gone.".to_owned(),
            ));
        }
        Ok(Done::Plain)
    }
}

fn space(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b' ');
    }
}

/// Both lists are ascending; so is what comes out.
fn merged<'a>(
    changed: &'a [Placement],
    same: &'a [Placement],
) -> impl Iterator<Item = &'a Placement> {
    let (mut changed, mut same) = (changed.iter().peekable(), same.iter().peekable());
    std::iter::from_fn(move || match (changed.peek(), same.peek()) {
        (Some(a), Some(b)) if a.uid < b.uid => changed.next(),
        (Some(_), None) => changed.next(),
        _ => same.next(),
    })
}
