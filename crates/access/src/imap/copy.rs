//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8), with the COPYUID of UIDPLUS.

use store::{Copied, Durability, MailboxId, ModSeq, UidSet};
use wire::imap::{By, MailboxName, Mode, Ranges, SequenceSet, write};

use super::mailboxes::name_of;
use super::news::remove;
use super::refusal::{Done, Outcome, Refusal};
use super::session::Session;

impl Session {
    pub(super) async fn copy(&mut self, set: SequenceSet, by: By, mailbox: MailboxName) -> Outcome {
        let (uids, to) = self.both_ends(&set, by, &mailbox).await?;
        if uids.is_empty() {
            return Ok(Done::Plain);
        }
        let now = self.now();
        let selected = self.selected()?;
        let (account, from) = (selected.account, selected.mailbox);
        let copied = self
            .access
            .store
            .write(Durability::Durable, move |change| {
                change.copy(account, from, &uids, to, now)
            })
            .await?;
        self.made_elsewhere(to, copied.arrived);
        Ok(Done::Text(match copy_uid(&copied) {
            Some(code) => format!("{code} COPY completed."),
            None => "[EXPUNGEISSUED] COPY completed, the messages are gone.".to_owned(),
        }))
    }

    /// COPYUID stands in an untagged answer before the EXPUNGEs (RFC 6851 §4.3).
    pub(super) async fn move_to(
        &mut self,
        set: SequenceSet,
        by: By,
        mailbox: MailboxName,
    ) -> Outcome {
        let enabled = self.enabled;
        if self.selected()?.mode == Mode::ReadOnly {
            return Err(Refusal::READ_ONLY);
        }
        let (uids, to) = self.both_ends(&set, by, &mailbox).await?;
        let selected = self.selected()?;
        let (account, from) = (selected.account, selected.mailbox);
        if uids.is_empty() {
            return Ok(Done::Plain);
        }
        let now = self.now();
        let moved = self
            .access
            .store
            .write(Durability::Durable, move |change| {
                change.move_to(account, from, &uids, to, now)
            })
            .await?;
        if let Some(code) = copy_uid(&moved) {
            write::untagged(&mut self.out, &format!("OK {code} Moved."));
        }
        self.made_elsewhere(to, moved.arrived);
        let gone: UidSet = moved.pairs.iter().map(|(from, _)| *from).collect();
        if let Some(selected) = &mut self.selected {
            remove(selected, &gone, enabled, &mut self.out);
            moved
                .expunged
                .into_iter()
                .for_each(|modseq| selected.made(modseq));
        }
        Ok(Done::Plain)
    }

    /// An arrival in another mailbox is no news in this one.
    pub(super) fn made_elsewhere(&mut self, mailbox: MailboxId, arrived: Option<ModSeq>) {
        if let (Some(selected), Some(modseq)) = (&mut self.selected, arrived)
            && selected.mailbox != mailbox
        {
            selected.made(modseq);
        }
    }

    async fn both_ends(
        &mut self,
        set: &SequenceSet,
        by: By,
        mailbox: &MailboxName,
    ) -> Result<(UidSet, MailboxId), Refusal> {
        let selected = self.selected()?;
        let uids = selected.targets(set, by)?;
        let account = selected.account;
        let name = name_of(mailbox).map_err(|_| Refusal::TRY_CREATE)?;
        let to = self
            .access
            .store
            .read_small(move |view| view.mailbox_by_name(account, &name))
            .await?;
        Ok((uids, to.ok_or(Refusal::TRY_CREATE)?.id))
    }
}

/// `[COPYUID 38505 304,319:320 3956:3958]`; nothing was copied, nothing to say.
fn copy_uid(copied: &Copied) -> Option<String> {
    if copied.pairs.is_empty() {
        return None;
    }
    let mut text = format!("[COPYUID {} ", copied.uid_validity).into_bytes();
    copied
        .pairs
        .iter()
        .map(|(from, _)| from.0)
        .collect::<Ranges>()
        .write(&mut text);
    text.push(b' ');
    copied
        .pairs
        .iter()
        .map(|(_, to)| to.0)
        .collect::<Ranges>()
        .write(&mut text);
    text.push(b']');
    String::from_utf8(text).ok()
}
