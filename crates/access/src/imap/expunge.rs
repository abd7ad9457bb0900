//! EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).

use store::Durability;
use wire::imap::{By, Mode, SequenceSet};

use super::news::remove;
use super::refusal::{Done, Outcome, Refusal};
use super::session::Session;

impl Session {
    pub(super) async fn expunge(&mut self, set: Option<&SequenceSet>) -> Outcome {
        let enabled = self.enabled;
        let selected = self.selected()?;
        if selected.mode == Mode::ReadOnly {
            return Err(Refusal::READ_ONLY);
        }
        let uids = match set {
            Some(set) => selected.targets(set, By::Uid)?,
            None => selected.numbering.all(),
        };
        let (account, mailbox) = (selected.account, selected.mailbox);
        let gone = if uids.is_empty() {
            uids
        } else {
            let store = &self.access.store;
            store
                .write(Durability::Durable, move |change| {
                    change.expunge(account, mailbox, &uids)
                })
                .await?
        };
        if let Some(selected) = &mut self.selected {
            remove(selected, &gone, enabled, &mut self.out);
        }
        // RFC 7162 §3.2.7, §3.1.2: a client with CONDSTORE gets the new modseq.
        if enabled.condstore && !gone.is_empty() {
            let newest = self
                .access
                .store
                .read(move |view| view.mailbox(account, mailbox))
                .await?;
            if let Some(mailbox) = newest {
                let modseq = mailbox.highest_modseq;
                return Ok(Done::Text(format!(
                    "[HIGHESTMODSEQ {modseq}] EXPUNGE completed."
                )));
            }
        }
        Ok(Done::Plain)
    }
}
