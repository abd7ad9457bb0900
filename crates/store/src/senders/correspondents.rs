//! Whom an account wrote to and who wrote to it. Rows are made in the transaction that sends or files the message.

use mail::{Address, UnixMillis};

use super::key_of;
use crate::engine::Param;
use crate::limits::CORRESPONDENTS_COUNTED_MAX;
use crate::{AccountId, Change, StoreError, View};

/// What an account and an address had to do with one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Messages to it.
    pub sent: u64,
    pub first_sent: Option<UnixMillis>,
    pub last_sent: Option<UnixMillis>,
    /// Messages from it that were not junk, whether or not they proved to be from there.
    pub received: u64,
    /// Those of them that proved to be from there.
    pub confirmed: u64,
    /// Messages from it that were junk, or were called so.
    pub junked: u64,
    pub first_received: Option<UnixMillis>,
    pub last_received: Option<UnixMillis>,
    /// Addresses of the same domain that the account wrote to, up to a bound.
    pub written_at_domain: u64,
}

/// A message that was filed for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReceived {
    pub account: AccountId,
    pub author: Address,
    /// It proved to be from its author's domain.
    pub confirmed: bool,
    pub junk: bool,
}

impl View<'_> {
    /// Whether the account never wrote to this address.
    pub fn is_first_time(&self, account: AccountId, address: &Address) -> Result<bool, StoreError> {
        let sql = "SELECT sent, provisional FROM correspondent WHERE account = ?1 AND address = ?2";
        let key = key_of(address);
        let params = [Param::Int(account.0), Param::Text(&key)];
        let row = self
            .sql
            .first(sql, &params, |row| Ok((row.int(0)?, row.int(1)?)))?;
        Ok(row.is_none_or(|(sent, provisional)| sent == 0 || provisional != 0))
    }

    /// What the account and the address had to do with one another. Nothing at all is a value too.
    pub fn history(&self, account: AccountId, address: &Address) -> Result<History, StoreError> {
        let sql = "SELECT sent, first_sent, last_sent, received, confirmed, junked, first_received, last_received \
                   FROM correspondent WHERE account = ?1 AND address = ?2";
        let key = key_of(address);
        let params = [Param::Int(account.0), Param::Text(&key)];
        let found = self.sql.first(sql, &params, |row| {
            let count = |at| Ok::<u64, StoreError>(row.int(at)?.max(0).unsigned_abs());
            let time = |at| Ok::<_, StoreError>(row.opt_int(at)?.map(UnixMillis));
            Ok(History {
                sent: count(0)?,
                first_sent: time(1)?,
                last_sent: time(2)?,
                received: count(3)?,
                confirmed: count(4)?,
                junked: count(5)?,
                first_received: time(6)?,
                last_received: time(7)?,
                written_at_domain: 0,
            })
        })?;
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM correspondent \
                   WHERE account = ?1 AND domain = ?2 AND sent > 0 LIMIT ?3) AS written";
        let params = [
            Param::Int(account.0),
            Param::Text(address.domain().as_str()),
            Param::Int(CORRESPONDENTS_COUNTED_MAX),
        ];
        let at_domain = self.sql.one(sql, &params, |row| row.int(0))?;
        Ok(History {
            written_at_domain: at_domain.max(0).unsigned_abs(),
            ..found.unwrap_or_default()
        })
    }
}

impl Change<'_> {
    /// The account sends a message to these addresses.
    pub fn note_sent(
        &mut self,
        account: AccountId,
        addresses: &[Address],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO correspondent (account, address, domain, sent, first_sent, last_sent, provisional, \
                   received, confirmed, junked) VALUES (?1, ?2, ?3, 1, ?4, ?4, 0, 0, 0, 0) \
                   ON CONFLICT (account, address) DO UPDATE SET sent = correspondent.sent + 1, provisional = 0, \
                   first_sent = COALESCE(correspondent.first_sent, excluded.first_sent), last_sent = excluded.last_sent";
        let mut keys: Vec<(String, &str)> = addresses
            .iter()
            .map(|address| (key_of(address), address.domain().as_str()))
            .collect();
        // Always in the same order, so that two changes do not wait for each other in a circle.
        keys.sort();
        keys.dedup();
        for (key, domain) in keys {
            let params = [
                Param::Int(account.0),
                Param::Text(&key),
                Param::Text(domain),
                Param::Int(now.0),
            ];
            self.sql.execute(sql, &params)?;
        }
        Ok(())
    }

    /// A message from an address was filed. Junk makes nobody a correspondent: it counts only where the address is known.
    pub fn note_received(&mut self, new: &NewReceived, now: UnixMillis) -> Result<(), StoreError> {
        let key = key_of(&new.author);
        let account = Param::Int(new.account.0);
        if new.junk {
            let sql =
                "UPDATE correspondent SET junked = junked + 1 WHERE account = ?1 AND address = ?2";
            return self
                .sql
                .execute(sql, &[account, Param::Text(&key)])
                .map(drop);
        }
        let sql = "INSERT INTO correspondent (account, address, domain, sent, provisional, received, confirmed, junked, \
                   first_received, last_received) VALUES (?1, ?2, ?3, 0, 0, 1, ?4, 0, ?5, ?5) \
                   ON CONFLICT (account, address) DO UPDATE SET received = correspondent.received + 1, \
                   confirmed = correspondent.confirmed + excluded.confirmed, \
                   first_received = COALESCE(correspondent.first_received, excluded.first_received), \
                   last_received = excluded.last_received";
        let params = [
            account,
            Param::Text(&key),
            Param::Text(new.author.domain().as_str()),
            Param::Int(i64::from(new.confirmed)),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}
