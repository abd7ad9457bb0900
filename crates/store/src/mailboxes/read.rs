//! Reading mailboxes: one row each, counts included.

use super::{Mailbox, MailboxName, SpecialUse};
use crate::engine::{Param, Row, SqlResult};
use crate::{AccountId, MailboxId, ModSeq, StoreError, Uid, UidValidity, View};

impl View<'_> {
    /// All mailboxes with their counts, by name; one query, whatever their number.
    pub fn mailboxes(&self, account: AccountId) -> Result<Vec<Mailbox>, StoreError> {
        self.sql
            .all(MAILBOXES, &[Param::Int(account.0)], read_mailbox)
    }

    pub fn mailbox(
        &self,
        account: AccountId,
        id: MailboxId,
    ) -> Result<Option<Mailbox>, StoreError> {
        self.sql.first(
            MAILBOX_BY_ID,
            &[Param::Int(account.0), Param::Int(id.0)],
            read_mailbox,
        )
    }

    pub fn mailbox_by_name(
        &self,
        account: AccountId,
        name: &MailboxName,
    ) -> Result<Option<Mailbox>, StoreError> {
        self.sql.first(
            MAILBOX_BY_NAME,
            &[Param::Int(account.0), Param::Text(name.as_str())],
            read_mailbox,
        )
    }

    pub fn mailbox_by_use(
        &self,
        account: AccountId,
        special: SpecialUse,
    ) -> Result<Option<Mailbox>, StoreError> {
        self.sql.first(
            MAILBOX_BY_USE,
            &[Param::Int(account.0), Param::Int(special.code())],
            read_mailbox,
        )
    }

    /// Subscribed names, by name; some may have no mailbox (any more). RFC 9051 §6.3.7.
    pub fn subscriptions(&self, account: AccountId) -> Result<Vec<MailboxName>, StoreError> {
        let sql = "SELECT name FROM subscription WHERE account = ?1 ORDER BY name";
        self.sql.all(sql, &[Param::Int(account.0)], |row| {
            Ok(MailboxName::stored(row.text(0)?.to_owned()))
        })
    }
}

macro_rules! mailbox_columns {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.name, m.special, m.uid_validity, m.uid_next, m.modseq, m.messages, m.unseen, m.deleted, m.bytes, s.name ",
            "FROM mailbox m LEFT JOIN subscription s ON s.account = m.account AND s.name = m.name WHERE m.account = ?1 ",
            $rest
        )
    };
}

const MAILBOXES: &str = mailbox_columns!("ORDER BY m.name");
const MAILBOX_BY_ID: &str = mailbox_columns!("AND m.id = ?2");
const MAILBOX_BY_NAME: &str = mailbox_columns!("AND m.name = ?2");
const MAILBOX_BY_USE: &str = mailbox_columns!("AND m.special = ?2 ORDER BY m.id LIMIT 1");

fn read_mailbox(row: &Row<'_>) -> SqlResult<Mailbox> {
    Ok(Mailbox {
        id: MailboxId(row.int(0)?),
        name: MailboxName::stored(row.text(1)?.to_owned()),
        special_use: SpecialUse::of_code(row.int(2)?),
        uid_validity: UidValidity(small(row.int(3)?)),
        uid_next: Uid(small(row.int(4)?)),
        highest_modseq: ModSeq(row.int(5)?.max(0) as u64),
        messages: small(row.int(6)?),
        unseen: small(row.int(7)?),
        deleted: small(row.int(8)?),
        bytes: row.int(9)?.max(0) as u64,
        subscribed: row.opt_text(10)?.is_some(),
    })
}

fn small(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}
