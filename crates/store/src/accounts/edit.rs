//! Making and changing accounts and aliases.

use mail::{Address, UnixMillis};

use super::{AccountError, AccountState, AliasError, NewAccount, folded};
use crate::engine::Param;
use crate::limits::ALIAS_TARGETS_MAX;
use crate::mailboxes::STANDARD_MAILBOXES;
use crate::{AccountId, Change, StoreError};

impl Change<'_> {
    /// Makes an account with its mailboxes. The secret is sealed by the caller, who needs the id for
    /// it, so it comes later.
    pub(crate) fn insert_account(
        &mut self,
        account: &NewAccount,
        now: UnixMillis,
    ) -> Result<AccountId, AccountError> {
        let address = &account.address;
        if !self.is_local(address.domain())? {
            return Err(AccountError::NoSuchDomain(address.domain().clone()));
        }
        let local = folded(address.local());
        if local.contains('+') {
            return Err(AccountError::BadAddress(
                "what follows a + is a detail of another address",
            ));
        }
        let key = [Param::Text(address.domain().as_str()), Param::Text(&local)];
        let alias = "SELECT account FROM alias WHERE domain = ?1 AND local = ?2 LIMIT 1";
        if local.is_empty()
            || self.sql.first(alias, &key, |row| row.int(0))?.is_some()
            || !self
                .forwards_of(address.domain().as_str(), &local)?
                .is_empty()
        {
            return Err(AccountError::Exists(address.clone()));
        }
        let sql = "INSERT INTO account (domain, local, spelling, name, state, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT DO NOTHING RETURNING id";
        let params = [
            key[0],
            key[1],
            Param::Text(address.local()),
            Param::Text(&account.name),
            Param::Int(AccountState::Active.code()),
            Param::Int(now.0),
        ];
        let id = self
            .sql
            .first(sql, &params, |row| row.int(0))?
            .ok_or_else(|| AccountError::Exists(address.clone()))?;
        self.insert_ledger(id, account.quota, now)?;
        for (name, special) in STANDARD_MAILBOXES {
            self.insert_standard_mailbox(AccountId(id), name, *special, now)?;
        }
        Ok(AccountId(id))
    }

    pub fn set_quota(
        &mut self,
        account: AccountId,
        quota: Option<u64>,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE ledger SET quota = ?2 WHERE account = ?1";
        found(
            self.sql.execute(
                sql,
                &[Param::Int(account.0), Param::Int(stored_quota(quota))],
            )?,
            account,
        )
    }

    pub fn set_account_state(
        &mut self,
        account: AccountId,
        state: AccountState,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE account SET state = ?2 WHERE id = ?1";
        found(
            self.sql
                .execute(sql, &[Param::Int(account.0), Param::Int(state.code())])?,
            account,
        )?;
        self.end_sessions(account).map_err(AccountError::from)
    }

    /// The person's name, as it may stand in From.
    pub fn set_account_name(&mut self, account: AccountId, name: &str) -> Result<(), AccountError> {
        let sql = "UPDATE account SET name = ?2 WHERE id = ?1";
        found(
            self.sql
                .execute(sql, &[Param::Int(account.0), Param::Text(name)])?,
            account,
        )
    }

    /// Removes an account with all it has. Its id is never used again. What it has in the queue is
    /// still sent, but for what an alarm holds: nobody who would know what of it is meant is left.
    pub fn remove_account(&mut self, account: AccountId) -> Result<(), AccountError> {
        let key = [Param::Int(account.0)];
        found(
            self.sql
                .execute("DELETE FROM account WHERE id = ?1", &key)?,
            account,
        )?;
        self.remove_held(account)?;
        let bodies = "SELECT blob_id, COUNT(*) FROM message WHERE account = ?1 GROUP BY blob_id";
        let bodies = self
            .sql
            .all(bodies, &key, |row| Ok((row.int(0)?, row.int(1)?)))?;
        for (blob, count) in bodies {
            self.release_body(blob, count)?;
        }
        for sql in [
            "DELETE FROM message WHERE account = ?1",
            "DELETE FROM placement WHERE account = ?1",
            "DELETE FROM thread_key WHERE account = ?1",
            "DELETE FROM change_log WHERE account = ?1",
            "DELETE FROM mailbox WHERE account = ?1",
            "DELETE FROM subscription WHERE account = ?1",
            "DELETE FROM keyword WHERE account = ?1",
            "DELETE FROM credential WHERE account = ?1",
            "DELETE FROM alias WHERE account = ?1",
            "DELETE FROM ledger WHERE account = ?1",
            "DELETE FROM correspondent WHERE account = ?1",
            "DELETE FROM correspondent_seed WHERE account = ?1",
            "DELETE FROM reputation_voice WHERE account = ?1",
            "DELETE FROM sent_id WHERE account = ?1",
            "DELETE FROM login_rule WHERE account = ?1",
            "DELETE FROM app_password WHERE account = ?1",
            "DELETE FROM sign_in WHERE account = ?1",
            "DELETE FROM sign_in_network WHERE account = ?1",
            "DELETE FROM sign_in_news WHERE account = ?1",
            "DELETE FROM sign_in_notice WHERE account = ?1",
            "UPDATE queue_message SET account = NULL WHERE account = ?1",
        ] {
            self.sql.execute(sql, &key)?;
        }
        self.forget_sending(account)?;
        self.remove_lessons(account)?;
        // Sessions find out that it is gone.
        self.effects.note_account(account, i64::MAX);
        self.effects.note_ended(account, i64::MAX);
        Ok(())
    }

    /// `local` of nothing makes a catch-all. An alias may be added several times with different
    /// targets: mail goes to all of them.
    pub fn add_alias(
        &mut self,
        local: Option<&str>,
        domain: &mail::Domain,
        target: &Address,
        now: UnixMillis,
    ) -> Result<(), AliasError> {
        if !self.is_local(domain)? {
            return Err(AliasError::NoSuchDomain(domain.clone()));
        }
        let account = self
            .account_by_address(target)?
            .ok_or_else(|| AliasError::NoSuchTarget(target.to_string()))?;
        let local = folded(local.unwrap_or_default());
        let key = [Param::Text(domain.as_str()), Param::Text(&local)];
        let same = "SELECT id FROM account WHERE domain = ?1 AND local = ?2";
        if self.sql.first(same, &key, |row| row.int(0))?.is_some() {
            return Err(AliasError::Exists(format!("{local}@{domain}")));
        }
        let sql = "INSERT INTO alias (domain, local, account, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        match self.sql.execute(
            sql,
            &[key[0], key[1], Param::Int(account.id.0), Param::Int(now.0)],
        )? {
            0 => Err(AliasError::Exists(format!("{local}@{domain} to {target}"))),
            _ => Ok(()),
        }
    }

    /// A way of an alias to an address of another server. It may have several, and accounts beside them.
    pub fn add_forward(
        &mut self,
        local: Option<&str>,
        domain: &mail::Domain,
        target: &Address,
        now: UnixMillis,
    ) -> Result<(), AliasError> {
        if !self.is_local(domain)? {
            return Err(AliasError::NoSuchDomain(domain.clone()));
        }
        if self.is_local(target.domain())? {
            return Err(AliasError::NotElsewhere(target.clone()));
        }
        let local = folded(local.unwrap_or_default());
        let key = [Param::Text(domain.as_str()), Param::Text(&local)];
        let same = "SELECT id FROM account WHERE domain = ?1 AND local = ?2";
        if self.sql.first(same, &key, |row| row.int(0))?.is_some() {
            return Err(AliasError::Exists(format!("{local}@{domain}")));
        }
        if ALIAS_TARGETS_MAX <= self.forwards_of(domain.as_str(), &local)?.len() as i64 {
            return Err(AliasError::TooManyTargets);
        }
        let sql = "INSERT INTO forward (domain, local, target, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let text = target.to_string();
        match self.sql.execute(
            sql,
            &[key[0], key[1], Param::Text(&text), Param::Int(now.0)],
        )? {
            0 => Err(AliasError::Exists(format!("{local}@{domain} to {target}"))),
            _ => Ok(()),
        }
    }

    /// Without a target all of this address go, to other servers too.
    pub fn remove_alias(
        &mut self,
        local: Option<&str>,
        domain: &mail::Domain,
        target: Option<&Address>,
    ) -> Result<(), AliasError> {
        let folded_local = folded(local.unwrap_or_default());
        let key = [Param::Text(domain.as_str()), Param::Text(&folded_local)];
        let away =
            "DELETE FROM forward WHERE domain = ?1 AND local = ?2 AND (?3 = '' OR target = ?3)";
        let text = target.map(ToString::to_string).unwrap_or_default();
        let mut removed = self
            .sql
            .execute(away, &[key[0], key[1], Param::Text(&text)])?;
        let account = match target {
            None => Some(0),
            Some(target) => match self.account_by_address(target)? {
                Some(account) => Some(account.id.0),
                None if removed == 0 && self.is_local(target.domain())? => {
                    return Err(AliasError::NoSuchTarget(target.to_string()));
                }
                None => None,
            },
        };
        if let Some(account) = account {
            let sql =
                "DELETE FROM alias WHERE domain = ?1 AND local = ?2 AND (?3 = 0 OR account = ?3)";
            removed += self
                .sql
                .execute(sql, &[key[0], key[1], Param::Int(account)])?;
        }
        match (removed, target) {
            (0, None) => Err(AliasError::NoSuchAlias(format!("{folded_local}@{domain}"))),
            (0, Some(target)) => Err(AliasError::NoSuchAlias(format!(
                "{folded_local}@{domain} to {target}"
            ))),
            _ => Ok(()),
        }
    }

    fn insert_ledger(
        &mut self,
        account: i64,
        quota: Option<u64>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        // UIDVALIDITY grows with time even if the whole database is made anew: clients must notice.
        let uid_validity = (now.0 / 1000).clamp(1, i64::from(u32::MAX) / 2);
        let sql = "INSERT INTO ledger (account, modseq, log_from, next_message, next_mailbox, next_uid_validity, \
                   mailboxes, quota, used_bytes, used_messages) VALUES (?1, 1, 1, 1, 1, ?2, 0, ?3, 0, 0)";
        let params = [
            Param::Int(account),
            Param::Int(uid_validity),
            Param::Int(stored_quota(quota)),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

fn found(rows: u64, account: AccountId) -> Result<(), AccountError> {
    if rows == 0 {
        Err(AccountError::NoSuchAccount(account.to_string()))
    } else {
        Ok(())
    }
}

/// In the table 0 means none, so the smallest bound is one byte, in which no message fits either.
fn stored_quota(quota: Option<u64>) -> i64 {
    quota.map_or(0, |bytes| i64::try_from(bytes.max(1)).unwrap_or(i64::MAX))
}
