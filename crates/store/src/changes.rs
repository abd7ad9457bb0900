//! The change log: one row per change, read by whoever keeps a picture of an account.

use crate::{AccountId, MailboxId, ModSeq, StoreError, UidSet, View};

/// One change of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub modseq: ModSeq,
    pub mailbox: MailboxId,
    pub what: Happened,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    Arrived(UidSet),
    /// Flags or keywords of these are different now.
    Flagged(UidSet),
    Expunged(UidSet),
    MailboxCreated,
    MailboxRenamed,
    MailboxDeleted,
    /// Subscriptions or special uses changed.
    MailboxMarked,
}

impl View<'_> {
    /// The newest change of the account.
    pub fn modseq(&self, account: AccountId) -> Result<ModSeq, StoreError> {
        let _ = account;
        todo!()
    }

    /// Changes after `since`, oldest first, at most `limit`. `None` when the log does not reach
    /// back that far: read the state anew. Mailbox `None` means all.
    pub fn changes(
        &self,
        account: AccountId,
        mailbox: Option<MailboxId>,
        since: ModSeq,
        limit: usize,
    ) -> Result<Option<Vec<Changed>>, StoreError> {
        let _ = (account, mailbox, since, limit);
        todo!()
    }
}
