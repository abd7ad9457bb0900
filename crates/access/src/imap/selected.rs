//! The selected mailbox as this session's client knows it.

use std::sync::Arc;

use store::{AccountId, Keywords, MailboxId, ModSeq, UidSet};
use wire::imap::{By, Mode, SequenceSet};

use super::numbering::Numbering;
use super::refusal::Refusal;

#[derive(Debug)]
pub(super) struct Selected {
    pub(super) account: AccountId,
    pub(super) mailbox: MailboxId,
    pub(super) mode: Mode,
    /// Shared with reads under way.
    pub(super) numbering: Arc<Numbering>,
    /// Up to here the change log is in the numbering.
    pub(super) modseq: ModSeq,
    /// Expunged elsewhere, not yet announced: numbers must not move during FETCH, STORE and SEARCH.
    pub(super) gone: UidSet,
    /// Changes of flags that this client made and was told of by the command's own answer.
    pub(super) own: Vec<ModSeq>,
    pub(super) keywords: Arc<Keywords>,
    /// `$` (RFC 5182).
    pub(super) saved: UidSet,
}

impl Selected {
    /// The UIDs a client means. Numbers beyond the mailbox are a mistake (RFC 9051 §9), UIDs that
    /// do not exist are not (RFC 9051 §6.4.9).
    pub(super) fn targets(&self, set: &SequenceSet, by: By) -> Result<UidSet, Refusal> {
        if *set == SequenceSet::Saved {
            return Ok(self.saved.clone());
        }
        match by {
            By::Uid => {
                let last = self.numbering.last_uid().map_or(0, |uid| uid.0);
                Ok(self.numbering.by_uid(&set.resolve(last)))
            }
            By::Sequence => {
                let count = self.numbering.count();
                let beyond = set.largest_number().is_some_and(|number| number > count);
                // `1:*` in an empty mailbox is what clients send without thinking.
                if beyond && !(count == 0 && set.names_last()) {
                    return Err(Refusal::bad("There is no message with that number."));
                }
                Ok(self.numbering.by_seq(&set.resolve(count)))
            }
        }
    }

    /// For searches, where a number beyond the mailbox just matches nothing.
    pub(super) fn matching(&self, set: &SequenceSet, by: By) -> UidSet {
        match (set, by) {
            (SequenceSet::Saved, _) => self.saved.clone(),
            (set, By::Uid) => self
                .numbering
                .by_uid(&set.resolve(self.numbering.last_uid().map_or(0, |uid| uid.0))),
            (set, By::Sequence) => self.numbering.by_seq(&set.resolve(self.numbering.count())),
        }
    }

    /// Whether all changes up to `newest` are this client's own: then there is nothing to read. Numbers
    /// have no gaps, so counting is enough.
    pub(super) fn made_all_up_to(&self, newest: ModSeq) -> bool {
        let own = self
            .own
            .iter()
            .filter(|modseq| self.modseq < **modseq && **modseq <= newest);
        own.count() as u64 == newest.0.saturating_sub(self.modseq.0)
    }

    /// A change of ours that the client knows already.
    pub(super) fn made(&mut self, modseq: ModSeq) {
        if !self.own.contains(&modseq) {
            self.own.push(modseq);
        }
    }
}
