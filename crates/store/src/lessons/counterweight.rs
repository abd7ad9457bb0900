//! People say what is junk; that mail is wanted they show by keeping it. Where an account taught much junk and little else,
//! some of the mail that it kept is learnt as wanted: else the words of all its mail would be taken for those of junk.

use mail::UnixMillis;

use super::work::LessonKey;
use crate::engine::Param;
use crate::limits::{COUNTERWEIGHT_AGE_MILLIS, COUNTERWEIGHTS_LOOKED_AT, COUNTERWEIGHTS_MAX};
use crate::messages::read_body;
use crate::{AccountId, BodyRef, Flags, MailboxId, SpecialUse, StoreError, View};

impl View<'_> {
    /// Messages that the account keeps, answered or flagged or read some days ago, and that are in no lesson: the newest ones,
    /// and no more than make wanted mail as much as junk.
    pub fn counterweights(
        &self,
        account: AccountId,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(LessonKey, BodyRef)>, StoreError> {
        let sql = "SELECT junk, wanted FROM taught_total WHERE account = ?1";
        let totals = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
        let (junk, wanted) = totals.unwrap_or_default();
        let missing = junk.min(COUNTERWEIGHTS_MAX) - wanted;
        let limit = limit.min(usize::try_from(missing).unwrap_or(0));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let archive = self.mailbox_by_use(account, SpecialUse::Archive)?;
        let mut found = Vec::new();
        for mailbox in [Some(MailboxId::INBOX), archive.map(|archive| archive.id)] {
            let Some(mailbox) = mailbox else { continue };
            for (key, body) in self.kept_in(account, mailbox, now)? {
                if limit <= found.len() {
                    return Ok(found);
                }
                let is_new = found.iter().all(|(known, _)| *known != key);
                if is_new && self.lesson_row(key)?.is_none() {
                    found.push((key, body));
                }
            }
        }
        Ok(found)
    }

    fn kept_in(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        now: UnixMillis,
    ) -> Result<Vec<(LessonKey, BodyRef)>, StoreError> {
        let sql = "SELECT p.flags, p.saved, b.segment, b.place, b.length, b.hash, b.id FROM placement p \
                   JOIN message m ON m.account = p.account AND m.id = p.message JOIN blob b ON b.id = m.blob_id \
                   WHERE p.account = ?1 AND p.mailbox = ?2 ORDER BY p.uid DESC LIMIT ?3";
        let params = [
            Param::Int(account.0),
            Param::Int(mailbox.0),
            Param::Int(COUNTERWEIGHTS_LOOKED_AT),
        ];
        let mut found = Vec::new();
        self.sql.each(sql, &params, |row| {
            let flags = Flags::of_bits(row.int(0)?);
            let is_old = row.int(1)? < now.0 - COUNTERWEIGHT_AGE_MILLIS;
            let is_used = flags.has(Flags::ANSWERED) || flags.has(Flags::FLAGGED);
            let is_kept = is_used || (flags.has(Flags::SEEN) && is_old);
            if is_kept && !flags.has(Flags::DELETED) {
                let body = read_body(row, 2)?;
                found.push((LessonKey::new(account, &body.hash), body));
            }
            Ok(())
        })?;
        Ok(found)
    }
}
