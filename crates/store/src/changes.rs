//! The change log: one row per change, read by whoever keeps a picture of an account.

use crate::engine::{Param, Row, SqlResult};
use crate::{AccountId, Change, MailboxId, ModSeq, StoreError, UidSet, View};

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
    /// The newest change of the account; zero if it does not exist.
    pub fn modseq(&self, account: AccountId) -> Result<ModSeq, StoreError> {
        let sql = "SELECT modseq FROM ledger WHERE account = ?1";
        let found = self
            .sql
            .first(sql, &[Param::Int(account.0)], |row| row.int(0))?;
        Ok(ModSeq(found.unwrap_or(0).max(0) as u64))
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
        let since = i64::try_from(since.0).unwrap_or(i64::MAX);
        let from = "SELECT log_from FROM ledger WHERE account = ?1";
        match self
            .sql
            .first(from, &[Param::Int(account.0)], |row| row.int(0))?
        {
            Some(from) if from <= since.saturating_add(1) => {}
            _ => return Ok(None),
        }
        let sql = "SELECT modseq, mailbox, kind, uids FROM change_log \
                   WHERE account = ?1 AND modseq > ?2 AND (?3 = 0 OR mailbox = ?3) ORDER BY modseq LIMIT ?4";
        let params = [
            Param::Int(account.0),
            Param::Int(since),
            Param::Int(mailbox.map_or(0, |mailbox| mailbox.0)),
            Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
        ];
        self.sql.all(sql, &params, read_changed).map(Some)
    }
}

/// What a row of the log says; the UIDs stand beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Arrived = 1,
    Flagged = 2,
    Expunged = 3,
    MailboxCreated = 4,
    MailboxRenamed = 5,
    MailboxDeleted = 6,
    MailboxMarked = 7,
}

impl Change<'_> {
    /// Others that would change this account wait until we are done. The embedded database has one
    /// writer only.
    pub(crate) fn lock(&mut self, account: AccountId) -> SqlResult<()> {
        if self.sql.is_postgres() {
            let sql = "SELECT modseq FROM ledger WHERE account = ?1 FOR UPDATE";
            self.sql
                .first(sql, &[Param::Int(account.0)], |row| row.int(0))?;
        }
        Ok(())
    }

    /// Takes the account's next modseq; nothing if there is no such account.
    pub(crate) fn bump(&mut self, account: AccountId) -> SqlResult<Option<i64>> {
        let sql = "UPDATE ledger SET modseq = modseq + 1 WHERE account = ?1 RETURNING modseq";
        let modseq = self
            .sql
            .first(sql, &[Param::Int(account.0)], |row| row.int(0))?;
        if let Some(modseq) = modseq {
            self.effects.note_account(account, modseq);
        }
        Ok(modseq)
    }

    /// Writes a row of the log with a modseq that was taken before.
    pub(crate) fn log(
        &mut self,
        account: AccountId,
        modseq: i64,
        mailbox: MailboxId,
        kind: Kind,
        uids: &str,
    ) -> SqlResult<()> {
        let sql = "INSERT INTO change_log (account, modseq, mailbox, kind, uids) VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = [
            Param::Int(account.0),
            Param::Int(modseq),
            Param::Int(mailbox.0),
            Param::Int(kind as i64),
            Param::Text(uids),
        ];
        self.effects.note_account(account, modseq);
        self.sql.execute(sql, &params).map(drop)
    }

    /// A row of the log that concerns no message.
    pub(crate) fn log_new(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        kind: Kind,
    ) -> SqlResult<()> {
        match self.bump(account)? {
            Some(modseq) => self.log(account, modseq, mailbox, kind, ""),
            None => Ok(()),
        }
    }
}

fn read_changed(row: &Row<'_>) -> SqlResult<Changed> {
    let uids = || {
        UidSet::parse(row.text(3)?)
            .ok_or_else(|| StoreError::Damaged("UIDs of the change log".to_owned()))
    };
    let what = match row.int(2)? {
        1 => Happened::Arrived(uids()?),
        2 => Happened::Flagged(uids()?),
        3 => Happened::Expunged(uids()?),
        4 => Happened::MailboxCreated,
        5 => Happened::MailboxRenamed,
        6 => Happened::MailboxDeleted,
        7 => Happened::MailboxMarked,
        kind => {
            return Err(StoreError::Damaged(format!(
                "the kind {kind} in the change log"
            )));
        }
    };
    Ok(Changed {
        modseq: ModSeq(row.int(0)?.max(0) as u64),
        mailbox: MailboxId(row.int(1)?),
        what,
    })
}
