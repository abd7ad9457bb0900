//! Removing messages from mailboxes, and from the store when no mailbox has them.

use super::copy::counts_of;
use super::{Expunged, MessageError, Placement};
use crate::engine::Param;
use crate::{AccountId, Change, Flags, MailboxId, ModSeq, StoreError, UidSet};

impl Change<'_> {
    /// Removes those messages of the set that have \\Deleted. RFC 9051 §6.4.9 (UID EXPUNGE).
    pub fn expunge(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
    ) -> Result<Expunged, MessageError> {
        self.lock(account)?;
        let mut found = self.placements_of(account, mailbox, uids)?;
        found.retain(|placement| placement.flags.has(Flags::DELETED));
        self.remove_placements(account, mailbox, &found)
    }

    /// Removes messages whatever their flags: POP3 DELE, webmail.
    pub fn remove(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
    ) -> Result<Expunged, MessageError> {
        self.lock(account)?;
        let found = self.placements_of(account, mailbox, uids)?;
        self.remove_placements(account, mailbox, &found)
    }

    /// For a mailbox that goes away as a whole: nothing is logged of the single messages.
    pub(crate) fn drop_all_placements(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
    ) -> Result<(), StoreError> {
        let found = self.placements_of(account, mailbox, &UidSet::all())?;
        let key = [Param::Int(account.0), Param::Int(mailbox.0)];
        self.sql.execute(
            "DELETE FROM placement WHERE account = ?1 AND mailbox = ?2",
            &key,
        )?;
        self.give_back(account, &found)
    }

    fn remove_placements(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        found: &[Placement],
    ) -> Result<Expunged, MessageError> {
        if found.is_empty() {
            return Ok(Expunged::default());
        }
        let modseq = self.bump(account)?.ok_or(MessageError::NoSuchAccount)?;
        let uids = self.drop_placements(account, mailbox, found, modseq)?;
        self.give_back(account, found)?;
        Ok(Expunged {
            uids,
            modseq: Some(ModSeq(modseq.max(0) as u64)),
        })
    }

    /// The account gets its room back; messages without a mailbox, and bodies without a message, go.
    fn give_back(&mut self, account: AccountId, found: &[Placement]) -> Result<(), StoreError> {
        for placement in found {
            let key = [Param::Int(account.0), Param::Int(placement.message.0)];
            let sql = "UPDATE message SET placements = placements - 1 WHERE account = ?1 AND id = ?2 RETURNING placements, blob_id";
            let left = self
                .sql
                .first(sql, &key, |row| Ok((row.int(0)?, row.int(1)?)))?;
            if let Some((..=0, blob)) = left {
                self.sql
                    .execute("DELETE FROM message WHERE account = ?1 AND id = ?2", &key)?;
                self.release_body(blob, 1)?;
            }
        }
        let counts = counts_of(found);
        let sql = "UPDATE ledger SET used_bytes = used_bytes - ?2, used_messages = used_messages - ?3 WHERE account = ?1";
        let params = [
            Param::Int(account.0),
            Param::Int(counts.bytes),
            Param::Int(counts.messages),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}
