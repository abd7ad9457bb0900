//! Whom an account wrote to and who wrote to it. Rows are made in the transaction that sends or files the message.

use mail::{Address, UnixMillis};

use super::{SenderLesson, key_of};
use crate::engine::Param;
use crate::limits::{
    CORRESPONDENT_DOMAINS_READ_MAX, CORRESPONDENTS_COUNTED_MAX, THREAD_REFERENCES_MAX,
};
use crate::{AccountId, Change, StoreError, View};

/// So many messages without a proof make a network somebody's own: the first one may be a forger's.
const UNPROVEN_MIN: u64 = 3;

/// What an account and an address had to do with one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Messages to it.
    pub sent: u64,
    pub first_sent: Option<UnixMillis>,
    pub last_sent: Option<UnixMillis>,
    /// Messages from it that were not junk, whether or not they proved to be from there.
    pub received: u64,
    /// Those of them that proved to be from there.
    pub confirmed: u64,
    /// Messages from it that a person called junk.
    pub junked: u64,
    pub first_received: Option<UnixMillis>,
    pub last_received: Option<UnixMillis>,
    /// The network that those which proved it came from, or else all of at least some, if it was one.
    pub network: Option<String>,
    /// Addresses of the same domain that the account wrote to, up to a bound.
    pub written_at_domain: u64,
}

/// A message that was filed for an account, not as junk: that makes nobody a correspondent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReceived {
    pub account: AccountId,
    pub author: Address,
    /// It proved to be from its author's domain.
    pub confirmed: bool,
    /// Where it came from, as [`super::SenderKind::Network`] is named.
    pub network: Option<String>,
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
        let sql = "SELECT sent, first_sent, last_sent, received, confirmed, junked, first_received, last_received, \
                   network FROM correspondent WHERE account = ?1 AND address = ?2";
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
                network: row
                    .opt_text(8)?
                    .filter(|network| !network.is_empty())
                    .filter(|_| {
                        count(4).is_ok_and(|confirmed| confirmed > 0)
                            || count(3).is_ok_and(|received| received >= UNPROVEN_MIN)
                    })
                    .map(str::to_owned),
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

impl View<'_> {
    /// Domains where people live whom the account wrote to, some of them if there are many.
    pub fn domains_written_to(&self, account: AccountId) -> Result<Vec<String>, StoreError> {
        let sql =
            "SELECT DISTINCT domain FROM correspondent WHERE account = ?1 AND sent > 0 LIMIT ?2";
        let params = [
            Param::Int(account.0),
            Param::Int(CORRESPONDENT_DOMAINS_READ_MAX),
        ];
        self.sql
            .all(sql, &params, |row| Ok(row.text(0)?.to_owned()))
    }

    /// Whether one of these Message-IDs is of a message that the account sent.
    pub fn is_answer_to(&self, account: AccountId, ids: &[String]) -> Result<bool, StoreError> {
        let sql = "SELECT sent FROM sent_id WHERE account = ?1 AND hash = ?2";
        for id in ids.iter().take(THREAD_REFERENCES_MAX) {
            let params = [Param::Int(account.0), Param::Int(hash_of_id(id))];
            if self.sql.first(sql, &params, |row| row.int(0))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Change<'_> {
    /// The account sends a message with this Message-ID (without its brackets).
    pub fn note_sent_id(
        &mut self,
        account: AccountId,
        id: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO sent_id (account, hash, sent) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let params = [
            Param::Int(account.0),
            Param::Int(hash_of_id(id)),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// A program of the account sends a message with this Message-ID by itself: whoever it goes to becomes no correspondent, and
    /// an answer to it is none to the account.
    pub fn note_sent_by_itself(
        &mut self,
        account: AccountId,
        id: Option<&str>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        match id {
            Some(id) => self.note_sent_id(account, &by_itself(id), now),
            None => Ok(()),
        }
    }

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

    /// A message to these addresses never left, and its account did not write it: they are as if it had not been.
    pub(crate) fn note_unsent(
        &mut self,
        account: AccountId,
        addresses: &[Address],
    ) -> Result<(), StoreError> {
        let less = "UPDATE correspondent SET sent = sent - 1, \
                    first_sent = CASE WHEN sent = 1 THEN NULL ELSE first_sent END, \
                    last_sent = CASE WHEN sent = 1 THEN NULL ELSE last_sent END \
                    WHERE account = ?1 AND address = ?2 AND sent > 0";
        let gone = "DELETE FROM correspondent WHERE account = ?1 AND address = ?2 AND sent = 0 AND received <= 0";
        let mut keys: Vec<String> = addresses.iter().map(key_of).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let params = [Param::Int(account.0), Param::Text(&key)];
            self.sql.execute(less, &params)?;
            self.sql.execute(gone, &params)?;
        }
        Ok(())
    }

    /// A message from an address was filed. What proves nothing does not change the network of what did.
    pub fn note_received(&mut self, new: &NewReceived, now: UnixMillis) -> Result<(), StoreError> {
        let sql = "INSERT INTO correspondent (account, address, domain, sent, provisional, received, confirmed, junked, \
                   first_received, last_received, network) VALUES (?1, ?2, ?3, 0, 0, 1, ?4, 0, ?5, ?5, ?6) \
                   ON CONFLICT (account, address) DO UPDATE SET received = correspondent.received + 1, \
                   confirmed = correspondent.confirmed + excluded.confirmed, \
                   first_received = COALESCE(correspondent.first_received, excluded.first_received), \
                   last_received = excluded.last_received, \
                   network = CASE WHEN correspondent.confirmed = 0 AND excluded.confirmed > 0 THEN excluded.network \
                   WHEN correspondent.confirmed > 0 AND excluded.confirmed = 0 THEN correspondent.network \
                   WHEN correspondent.received <= 0 OR correspondent.network = excluded.network \
                   THEN excluded.network ELSE '' END";
        let key = key_of(&new.author);
        let params = [
            Param::Int(new.account.0),
            Param::Text(&key),
            Param::Text(new.author.domain().as_str()),
            Param::Int(i64::from(new.confirmed)),
            Param::Int(now.0),
            Param::OptText(new.network.as_deref()),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// A person judged a message of an address, or takes it back.
    pub(super) fn note_judged(
        &mut self,
        lesson: &SenderLesson,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let Some(author) = &lesson.origin.author else {
            return Ok(());
        };
        let key = key_of(author);
        let step = if lesson.undone { -1 } else { 1 };
        // What is junk was no wanted message, and the other way round.
        let (junk, wanted) = if lesson.junk {
            (step, -step)
        } else {
            (0, step)
        };
        if !lesson.junk && !lesson.undone {
            let sql = "INSERT INTO correspondent (account, address, domain, sent, provisional, received, confirmed, junked, \
                       first_received, last_received) VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, ?4, ?4) ON CONFLICT DO NOTHING";
            let params = [
                Param::Int(lesson.account.0),
                Param::Text(&key),
                Param::Text(author.domain().as_str()),
                Param::Int(now.0),
            ];
            self.sql.execute(sql, &params)?;
        }
        // What the filter had junked by itself was never counted: below nothing, so that taking it back makes nothing of it.
        let sql = "UPDATE correspondent SET junked = CASE WHEN junked + ?3 < 0 THEN 0 ELSE junked + ?3 END, \
                   received = received + ?4, confirmed = confirmed + ?5 WHERE account = ?1 AND address = ?2";
        let params = [
            Param::Int(lesson.account.0),
            Param::Text(&key),
            Param::Int(junk),
            Param::Int(wanted),
            Param::Int(if lesson.origin.confirmed { wanted } else { 0 }),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

/// What is kept of a Message-ID that no person sent: nobody can answer it, since none has a space.
pub(super) fn by_itself(id: &str) -> String {
    format!("by itself {id}")
}

fn hash_of_id(id: &str) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(id.as_bytes()).as_bytes();
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}
