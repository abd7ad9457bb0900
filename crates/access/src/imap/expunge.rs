//! EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).

use store::Durability;
use wire::imap::{By, Mode, SequenceSet};

use super::news::remove;
use super::refusal::{Done, Outcome, Refusal, in_selected};
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
        if uids.is_empty() {
            return Ok(Done::Plain);
        }
        let store = &self.access.store;
        let expunged = store
            .write(Durability::Durable, move |change| {
                change.expunge(account, mailbox, &uids)
            })
            .await
            .map_err(in_selected)?;
        if let Some(selected) = &mut self.selected {
            remove(selected, &expunged.uids, enabled, &mut self.out);
            expunged
                .modseq
                .into_iter()
                .for_each(|modseq| selected.made(modseq));
        }
        // RFC 7162 §3.2.7: a client with CONDSTORE gets the new modseq.
        if let Some(modseq) = expunged.modseq.filter(|_| enabled.condstore) {
            let text = format!("[HIGHESTMODSEQ {modseq}] EXPUNGE completed.");
            return Ok(Done::Text(text));
        }
        Ok(Done::Plain)
    }
}
