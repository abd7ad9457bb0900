//! COPY and MOVE.

use mail::UnixMillis;

use super::deliver::{Counts, INSERT_PLACEMENT};
use super::{Copied, MessageError, Placement};
use crate::changes::Kind;
use crate::engine::Param;
use crate::flags::write_keywords;
use crate::{AccountId, Change, Flags, MailboxId, ModSeq, StoreError, Uid, UidSet};

impl Change<'_> {
    /// Copies messages with flags, keywords and dates, all or none. UIDs that do not exist are
    /// passed over. RFC 9051 §6.4.7.
    pub fn copy(
        &mut self,
        account: AccountId,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        now: UnixMillis,
    ) -> Result<Copied, MessageError> {
        let (mut copied, found) = self.begin_copy(account, from, uids, to)?;
        if found.is_empty() {
            return Ok(copied);
        }
        let counts = counts_of(&found);
        let sql = "UPDATE ledger SET modseq = modseq + 1, used_bytes = used_bytes + ?2, used_messages = used_messages + ?3 \
                   WHERE account = ?1 AND (quota = 0 OR used_bytes + ?2 <= quota) RETURNING modseq";
        let params = [
            Param::Int(account.0),
            Param::Int(counts.bytes),
            Param::Int(counts.messages),
        ];
        let modseq = self
            .sql
            .first(sql, &params, |row| row.int(0))?
            .ok_or(MessageError::OverQuota)?;
        copied.pairs = self.place_again(account, to, &found, modseq, now)?;
        for placement in &found {
            let sql =
                "UPDATE message SET placements = placements + 1 WHERE account = ?1 AND id = ?2";
            self.sql.execute(
                sql,
                &[Param::Int(account.0), Param::Int(placement.message.0)],
            )?;
        }
        self.lessons_of_move(account, from, to, &found, now)?;
        copied.arrived = Some(ModSeq(modseq.max(0) as u64));
        Ok(copied)
    }

    /// As copy and expunge, in one step. RFC 6851.
    pub fn move_to(
        &mut self,
        account: AccountId,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        now: UnixMillis,
    ) -> Result<Copied, MessageError> {
        let (mut copied, found) = self.begin_copy(account, from, uids, to)?;
        if found.is_empty() {
            return Ok(copied);
        }
        let gone = self.bump(account)?.ok_or(MessageError::NoSuchAccount)?;
        self.drop_placements(account, from, &found, gone)?;
        let arrived = self.bump(account)?.ok_or(MessageError::NoSuchAccount)?;
        copied.pairs = self.place_again(account, to, &found, arrived, now)?;
        self.lessons_of_move(account, from, to, &found, now)?;
        copied.arrived = Some(ModSeq(arrived.max(0) as u64));
        copied.expunged = Some(ModSeq(gone.max(0) as u64));
        Ok(copied)
    }

    /// Locks the account and reads what is meant; nothing is copied yet.
    fn begin_copy(
        &mut self,
        account: AccountId,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
    ) -> Result<(Copied, Vec<Placement>), MessageError> {
        self.lock(account)?;
        let target = self
            .mailbox(account, to)?
            .ok_or(MessageError::NoSuchMailbox)?;
        let found = self.placements_of(account, from, uids)?;
        let copied = Copied {
            uid_validity: target.uid_validity,
            pairs: Vec::new(),
            arrived: None,
            expunged: None,
        };
        Ok((copied, found))
    }

    fn place_again(
        &mut self,
        account: AccountId,
        to: MailboxId,
        found: &[Placement],
        modseq: i64,
        now: UnixMillis,
    ) -> Result<Vec<(Uid, Uid)>, MessageError> {
        let slot = self
            .take_uids(account, to, modseq, counts_of(found))?
            .ok_or(MessageError::NoSuchMailbox)?;
        let mut pairs = Vec::with_capacity(found.len());
        for (placement, uid) in found.iter().zip(slot.uid.0..) {
            let keywords = write_keywords(&placement.keywords);
            let params = [
                Param::Int(account.0),
                Param::Int(to.0),
                Param::Int(uid.into()),
                Param::Int(placement.message.0),
                Param::Int(placement.flags.bits()),
                Param::OptText(keywords.as_deref()),
                Param::Int(modseq),
                Param::Int(placement.internal_date.0),
                Param::Int(now.0),
                Param::Int(placement.size as i64),
            ];
            self.sql.execute(INSERT_PLACEMENT, &params)?;
            pairs.push((placement.uid, Uid(uid)));
        }
        let arrived: UidSet = pairs.iter().map(|(_, uid)| *uid).collect();
        self.log(account, modseq, to, Kind::Arrived, &arrived.to_string())?;
        Ok(pairs)
    }

    /// Takes placements out of a mailbox and its counts; what becomes of the messages is the caller's.
    pub(super) fn drop_placements(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        gone: &[Placement],
        modseq: i64,
    ) -> Result<UidSet, StoreError> {
        let sql = "DELETE FROM placement WHERE account = ?1 AND mailbox = ?2 AND uid = ?3";
        for placement in gone {
            self.sql.execute(
                sql,
                &[
                    Param::Int(account.0),
                    Param::Int(mailbox.0),
                    Param::Int(placement.uid.0.into()),
                ],
            )?;
        }
        let counts = counts_of(gone);
        let sql = "UPDATE mailbox SET modseq = ?3, messages = messages - ?4, unseen = unseen - ?5, deleted = deleted - ?6, \
                   bytes = bytes - ?7 WHERE account = ?1 AND id = ?2";
        let params = [
            Param::Int(account.0),
            Param::Int(mailbox.0),
            Param::Int(modseq),
            Param::Int(counts.messages),
            Param::Int(counts.unseen),
            Param::Int(counts.deleted),
            Param::Int(counts.bytes),
        ];
        self.sql.execute(sql, &params)?;
        let uids: UidSet = gone.iter().map(|placement| placement.uid).collect();
        self.log(account, modseq, mailbox, Kind::Expunged, &uids.to_string())?;
        Ok(uids)
    }
}

pub(super) fn counts_of(placements: &[Placement]) -> Counts {
    let count = |test: &dyn Fn(&Placement) -> bool| {
        placements
            .iter()
            .filter(|placement| test(placement))
            .count() as i64
    };
    Counts {
        messages: placements.len() as i64,
        unseen: count(&|placement| !placement.flags.has(Flags::SEEN)),
        deleted: count(&|placement| placement.flags.has(Flags::DELETED)),
        bytes: placements
            .iter()
            .map(|placement| placement.size as i64)
            .sum(),
    }
}
