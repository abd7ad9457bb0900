//! Making, renaming and removing mailboxes; subscriptions.

use mail::UnixMillis;

use super::{Mailbox, MailboxError, MailboxName, SpecialUse};
use crate::changes::Kind;
use crate::engine::Param;
use crate::limits::MAILBOXES_MAX;
use crate::{AccountId, Change, MailboxId, StoreError, UidSet};

impl Change<'_> {
    /// Makes a mailbox, and those above it that are missing. RFC 9051 §6.3.4.
    pub fn create_mailbox(
        &mut self,
        account: AccountId,
        name: &MailboxName,
        special: Option<SpecialUse>,
        now: UnixMillis,
    ) -> Result<MailboxId, MailboxError> {
        self.lock(account)?;
        if self.mailbox_by_name(account, name)?.is_some() {
            return Err(MailboxError::Exists(name.clone()));
        }
        self.create_above(account, name, now)?;
        let id = self.insert_mailbox(account, name.as_str(), now)?;
        if special.is_some() {
            self.set_special_use(account, id, special)?;
        }
        Ok(id)
    }

    /// Renames a mailbox and all below it. Renaming INBOX makes a new mailbox and moves INBOX's
    /// messages there; INBOX stays, empty. RFC 9051 §6.3.6. Subscriptions follow.
    pub fn rename_mailbox(
        &mut self,
        account: AccountId,
        from: &MailboxName,
        to: &MailboxName,
        now: UnixMillis,
    ) -> Result<(), MailboxError> {
        self.lock(account)?;
        let source = self
            .mailbox_by_name(account, from)?
            .ok_or_else(|| MailboxError::NoSuchMailbox(from.to_string()))?;
        if self.mailbox_by_name(account, to)?.is_some() {
            return Err(MailboxError::Exists(to.clone()));
        }
        if source.id == MailboxId::INBOX {
            let target = self.create_mailbox(account, to, None, now)?;
            return match self.move_to(account, source.id, &UidSet::all(), target, now) {
                Ok(_) => Ok(()),
                Err(crate::MessageError::Store(e)) => Err(e.into()),
                Err(e) => Err(StoreError::Damaged(e.to_string()).into()),
            };
        }
        if to.is_below(from) {
            return Err(MailboxError::BelowItself);
        }
        self.rename_tree(account, from, to, now)
    }

    /// Removes a mailbox and its messages; those below it stay. Its name, made again, has another
    /// UIDVALIDITY. Subscriptions stay. RFC 9051 §6.3.5.
    pub fn delete_mailbox(
        &mut self,
        account: AccountId,
        name: &MailboxName,
    ) -> Result<(), MailboxError> {
        self.lock(account)?;
        let mailbox = self
            .mailbox_by_name(account, name)?
            .ok_or_else(|| MailboxError::NoSuchMailbox(name.to_string()))?;
        if mailbox.id == MailboxId::INBOX {
            return Err(MailboxError::Inbox);
        }
        self.drop_all_placements(account, mailbox.id)?;
        let key = [Param::Int(account.0), Param::Int(mailbox.id.0)];
        self.sql
            .execute("DELETE FROM mailbox WHERE account = ?1 AND id = ?2", &key)?;
        self.sql.execute(
            "UPDATE ledger SET mailboxes = mailboxes - 1 WHERE account = ?1",
            &key[..1],
        )?;
        Ok(self.log_new(account, mailbox.id, Kind::MailboxDeleted)?)
    }

    pub fn subscribe(
        &mut self,
        account: AccountId,
        name: &MailboxName,
    ) -> Result<(), MailboxError> {
        let sql = "INSERT INTO subscription (account, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.mark(account, name, sql)
    }

    pub fn unsubscribe(
        &mut self,
        account: AccountId,
        name: &MailboxName,
    ) -> Result<(), MailboxError> {
        self.mark(
            account,
            name,
            "DELETE FROM subscription WHERE account = ?1 AND name = ?2",
        )
    }

    /// Gives this mailbox a special use, which another one loses, or takes its own away. RFC 6154.
    pub fn set_special_use(
        &mut self,
        account: AccountId,
        mailbox: MailboxId,
        special: Option<SpecialUse>,
    ) -> Result<(), MailboxError> {
        if mailbox == MailboxId::INBOX || special == Some(SpecialUse::Inbox) {
            return Err(MailboxError::Inbox);
        }
        let code = Param::Int(special.map_or(0, SpecialUse::code));
        let clear =
            "UPDATE mailbox SET special = 0 WHERE account = ?1 AND special = ?2 AND special <> 0";
        self.sql.execute(clear, &[Param::Int(account.0), code])?;
        let set = "UPDATE mailbox SET special = ?3 WHERE account = ?1 AND id = ?2";
        if self
            .sql
            .execute(set, &[Param::Int(account.0), Param::Int(mailbox.0), code])?
            == 0
        {
            return Err(MailboxError::NoSuchMailbox(mailbox.to_string()));
        }
        Ok(self.log_new(account, mailbox, Kind::MailboxMarked)?)
    }

    pub(crate) fn insert_standard_mailbox(
        &mut self,
        account: AccountId,
        name: &str,
        special: SpecialUse,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let id = match self.insert_mailbox(account, name, now) {
            Ok(id) => id,
            Err(MailboxError::Store(e)) => return Err(e),
            Err(e) => return Err(StoreError::Damaged(e.to_string())),
        };
        let sql = "UPDATE mailbox SET special = ?3 WHERE account = ?1 AND id = ?2";
        let key = [
            Param::Int(account.0),
            Param::Int(id.0),
            Param::Int(special.code()),
        ];
        self.sql.execute(sql, &key)?;
        let sql = "INSERT INTO subscription (account, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.sql
            .execute(sql, &[Param::Int(account.0), Param::Text(name)])
            .map(drop)
    }

    fn insert_mailbox(
        &mut self,
        account: AccountId,
        name: &str,
        now: UnixMillis,
    ) -> Result<MailboxId, MailboxError> {
        let sql = "UPDATE ledger SET modseq = modseq + 1, next_mailbox = next_mailbox + 1, \
                   next_uid_validity = next_uid_validity + 1, mailboxes = mailboxes + 1 \
                   WHERE account = ?1 AND mailboxes < ?2 RETURNING modseq, next_mailbox, next_uid_validity";
        let read =
            |row: &crate::engine::Row<'_>| Ok((row.int(0)?, row.int(1)? - 1, row.int(2)? - 1));
        let found = self.sql.first(
            sql,
            &[Param::Int(account.0), Param::Int(MAILBOXES_MAX)],
            read,
        )?;
        let (modseq, id, uid_validity) = found.ok_or(MailboxError::TooMany)?;
        let sql = "INSERT INTO mailbox (account, id, name, special, uid_validity, uid_next, modseq, messages, unseen, deleted, \
                   bytes, created) VALUES (?1, ?2, ?3, 0, ?4, 1, ?5, 0, 0, 0, 0, ?6)";
        let params = [
            Param::Int(account.0),
            Param::Int(id),
            Param::Text(name),
            Param::Int(uid_validity),
            Param::Int(modseq),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params)?;
        self.log(account, modseq, MailboxId(id), Kind::MailboxCreated, "")?;
        Ok(MailboxId(id))
    }

    fn create_above(
        &mut self,
        account: AccountId,
        name: &MailboxName,
        now: UnixMillis,
    ) -> Result<(), MailboxError> {
        let mut missing = Vec::new();
        let mut above = name.parent();
        while let Some(parent) = above {
            if self.mailbox_by_name(account, &parent)?.is_some() {
                break;
            }
            above = parent.parent();
            missing.push(parent);
        }
        for parent in missing.iter().rev() {
            self.insert_mailbox(account, parent.as_str(), now)?;
        }
        Ok(())
    }

    fn rename_tree(
        &mut self,
        account: AccountId,
        from: &MailboxName,
        to: &MailboxName,
        now: UnixMillis,
    ) -> Result<(), MailboxError> {
        let moved: Vec<Mailbox> = self
            .mailboxes(account)?
            .into_iter()
            .filter(|mailbox| mailbox.name == *from || mailbox.name.is_below(from))
            .collect();
        let new_names: Vec<MailboxName> = moved
            .iter()
            .map(|mailbox| {
                MailboxName::parse(&format!(
                    "{to}{}",
                    mailbox
                        .name
                        .as_str()
                        .get(from.as_str().len()..)
                        .unwrap_or_default()
                ))
            })
            .collect::<Result<_, _>>()?;
        for name in &new_names {
            if self.mailbox_by_name(account, name)?.is_some() {
                return Err(MailboxError::Exists(name.clone()));
            }
        }
        self.create_above(account, to, now)?;
        for (mailbox, name) in moved.iter().zip(&new_names) {
            let sql = "UPDATE mailbox SET name = ?3 WHERE account = ?1 AND id = ?2";
            self.sql.execute(
                sql,
                &[
                    Param::Int(account.0),
                    Param::Int(mailbox.id.0),
                    Param::Text(name.as_str()),
                ],
            )?;
            if mailbox.subscribed {
                let old = [Param::Int(account.0), Param::Text(mailbox.name.as_str())];
                self.sql.execute(
                    "DELETE FROM subscription WHERE account = ?1 AND name = ?2",
                    &old,
                )?;
                let new = [Param::Int(account.0), Param::Text(name.as_str())];
                let sql = "INSERT INTO subscription (account, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                self.sql.execute(sql, &new)?;
            }
            self.log_new(account, mailbox.id, Kind::MailboxRenamed)?;
        }
        Ok(())
    }

    fn mark(
        &mut self,
        account: AccountId,
        name: &MailboxName,
        sql: &'static str,
    ) -> Result<(), MailboxError> {
        if self
            .sql
            .execute(sql, &[Param::Int(account.0), Param::Text(name.as_str())])?
            != 0
        {
            let mailbox = self
                .mailbox_by_name(account, name)?
                .map_or(MailboxId(0), |mailbox| mailbox.id);
            self.log_new(account, mailbox, Kind::MailboxMarked)?;
        }
        Ok(())
    }
}
