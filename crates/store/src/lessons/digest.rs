//! Whose daily summary of junk is due, and until when each person was told.

use mail::UnixMillis;

use crate::engine::Param;
use crate::messages::{hash_of_id, read_body};
use crate::{AccountId, AccountState, BodyRef, Change, SpecialUse, StoreError, View};

/// An account whose person wants summaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestState {
    pub account: AccountId,
    /// The local day of the last one, in days since 1970.
    pub day: Option<i64>,
    /// What came until then was told.
    pub told_until: Option<UnixMillis>,
}

/// Of a hash: a hundred bits.
const OWN_NAME_CHARS: usize = 26;

impl View<'_> {
    /// Accounts whose person, or domain, or server wants summaries; ascending, after one that was seen.
    pub fn digests(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<DigestState>, StoreError> {
        let sql = "SELECT a.id, d.day, d.told_until FROM account a LEFT JOIN junk_digest d ON d.account = a.id \
                   LEFT JOIN spam_choice p ON p.scope = 1 AND p.owner = CAST(a.id AS TEXT) AND p.name = 'digest' \
                   LEFT JOIN spam_choice q ON q.scope = 2 AND q.owner = a.domain AND q.name = 'digest' \
                   LEFT JOIN spam_choice r ON r.scope = 3 AND r.owner = '' AND r.name = 'digest' \
                   WHERE a.id > ?1 AND a.state = ?3 AND COALESCE(p.value, q.value, r.value, 'off') = 'on' ORDER BY a.id LIMIT ?2";
        let params = [
            Param::Int(after.map_or(0, |after| after.0)),
            Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
            Param::Int(AccountState::Active.code()),
        ];
        self.sql.all(sql, &params, |row| {
            Ok(DigestState {
                account: AccountId(row.int(0)?),
                day: row.opt_int(1)?,
                told_until: row.opt_int(2)?.map(UnixMillis),
            })
        })
    }

    /// What one account was told, whether it wants summaries or not.
    pub fn digest(&self, account: AccountId) -> Result<DigestState, StoreError> {
        let sql = "SELECT day, told_until FROM junk_digest WHERE account = ?1";
        let found = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok((row.int(0)?, UnixMillis(row.int(1)?)))
        })?;
        Ok(DigestState {
            account,
            day: found.map(|(day, _)| day),
            told_until: found.map(|(_, until)| until),
        })
    }

    /// Whether a message with this Message-ID ever came to the account.
    pub fn knows_message_id(&self, account: AccountId, id: &str) -> Result<bool, StoreError> {
        let sql = "SELECT thread FROM thread_key WHERE account = ?1 AND hash = ?2";
        let key = [Param::Int(account.0), Param::Int(hash_of_id(id))];
        Ok(self.sql.first(sql, &key, |row| row.int(0))?.is_some())
    }

    /// A name for a message of our own, the same each time, that nobody else can make up: a letter that mentions it beforehand
    /// would pass for it.
    #[must_use]
    pub fn own_message_name(&self, plain: &str) -> String {
        let key = self
            .shared
            .sealing
            .derive("postroad 2026 names of own messages");
        let hash = blake3::keyed_hash(&key, plain.as_bytes()).to_hex();
        hash.chars().take(OWN_NAME_CHARS).collect()
    }

    /// The last message that the person wrote.
    pub fn newest_sent(&self, account: AccountId) -> Result<Option<BodyRef>, StoreError> {
        let sql = "SELECT b.segment, b.place, b.length, b.hash, b.id FROM mailbox x \
                   JOIN placement p ON p.account = x.account AND p.mailbox = x.id \
                   JOIN message m ON m.account = p.account AND m.id = p.message JOIN blob b ON b.id = m.blob_id \
                   WHERE x.account = ?1 AND x.special = ?2 ORDER BY p.uid DESC LIMIT 1";
        let params = [Param::Int(account.0), Param::Int(SpecialUse::Sent.code())];
        self.sql.first(sql, &params, |row| read_body(row, 0))
    }
}

impl Change<'_> {
    pub fn note_digest(
        &mut self,
        account: AccountId,
        day: i64,
        told_until: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO junk_digest (account, day, told_until) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (account) DO UPDATE SET day = excluded.day, told_until = excluded.told_until";
        let params = [
            Param::Int(account.0),
            Param::Int(day),
            Param::Int(told_until.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}
