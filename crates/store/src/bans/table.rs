//! The rows of bans, allowances and homes.

use mail::UnixMillis;

use super::conduct::Cause;
use super::limits::{ALLOWANCES_MAX, BAN_FORGOTTEN_AFTER, BANS_MAX, HOME_REMEMBERED, HOMES_MAX};
use super::network::Network;
use super::set::{Banned, Scope};
use crate::engine::{Param, Row};
use crate::{Change, StoreError, View};

/// One ban, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    pub banned: Banned,
    pub since: UnixMillis,
    /// What happened, or what the operator said of it.
    pub words: String,
}

/// The operator's word on a network that is never banned by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub network: Network,
    /// False takes back one that is built in.
    pub allowed: bool,
    pub words: String,
    pub changed: UnixMillis,
}

macro_rules! put_ban {
    () => {
        "INSERT INTO ban (network, since, until, level, scope, cause, words, changed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (network) DO UPDATE SET \
         since = excluded.since, until = excluded.until, level = excluded.level, scope = excluded.scope, \
         cause = excluded.cause, words = excluded.words, changed = excluded.changed"
    };
}

const PUT_BAN: &str = put_ban!();
const PUT_BAN_IF_NEWEST: &str = concat!(put_ban!(), " WHERE ban.changed <= excluded.changed");

impl View<'_> {
    /// All bans that are on, the newest first.
    pub fn bans(&self, now: UnixMillis, limit: usize) -> Result<Vec<Ban>, StoreError> {
        let sql = "SELECT network, since, until, level, scope, cause, words FROM ban \
                   WHERE until > ?1 ORDER BY since DESC, network LIMIT ?2";
        let limit = i64::try_from(limit.min(BANS_MAX)).unwrap_or(i64::MAX);
        self.sql
            .all(sql, &[Param::Int(now.0), Param::Int(limit)], read_ban)
    }

    /// Those that changed since, lifted ones (whose end is 0) included.
    pub(super) fn bans_changed_since(&self, since: i64) -> Result<Vec<Ban>, StoreError> {
        let sql = "SELECT network, since, until, level, scope, cause, words FROM ban \
                   WHERE changed >= ?1 ORDER BY changed DESC LIMIT ?2";
        let limit = i64::try_from(BANS_MAX).unwrap_or(i64::MAX);
        self.sql
            .all(sql, &[Param::Int(since), Param::Int(limit)], read_ban)
    }

    pub fn ban_allowances(&self) -> Result<Vec<Allowance>, StoreError> {
        let sql = "SELECT network, allowed, words, changed FROM ban_allowance ORDER BY network";
        self.sql.all(sql, &[], |row| {
            Ok(Allowance {
                network: stored_network(row.text(0)?)?,
                allowed: row.int(1)? != 0,
                words: row.text(2)?.to_owned(),
                changed: UnixMillis(row.int(3)?),
            })
        })
    }

    pub(super) fn homes(&self) -> Result<Vec<(Network, UnixMillis)>, StoreError> {
        let sql = "SELECT network, last FROM home_network ORDER BY last DESC LIMIT ?1";
        let limit = i64::try_from(HOMES_MAX / 2).unwrap_or(i64::MAX);
        self.sql.all(sql, &[Param::Int(limit)], |row| {
            Ok((stored_network(row.text(0)?)?, UnixMillis(row.int(1)?)))
        })
    }
}

impl Change<'_> {
    pub fn put_ban(&mut self, ban: &Ban, now: UnixMillis) -> Result<(), StoreError> {
        self.write_ban(PUT_BAN, ban, now)
    }

    /// As [`Change::put_ban`], unless something newer is known of the network: what nobody waits for may come late.
    pub(super) fn put_ban_if_newest(
        &mut self,
        ban: &Ban,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        self.write_ban(PUT_BAN_IF_NEWEST, ban, now)
    }

    fn write_ban(
        &mut self,
        sql: &'static str,
        ban: &Ban,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let network = ban.banned.network.to_string();
        let params = [
            Param::Text(&network),
            Param::Int(ban.since.0),
            Param::Int(ban.banned.until.0),
            Param::Int(i64::from(ban.banned.level)),
            Param::Int(ban.banned.scope.code()),
            Param::Text(ban.banned.cause.word()),
            Param::Text(&ban.words),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Ends a ban, and forgets that there was one. False if there is none.
    pub fn lift_ban(&mut self, network: &Network, now: UnixMillis) -> Result<bool, StoreError> {
        let sql =
            "UPDATE ban SET until = 0, level = 0, changed = ?2 WHERE network = ?1 AND until > ?2";
        let network = network.to_string();
        let params = [Param::Text(&network), Param::Int(now.0)];
        Ok(self.sql.execute(sql, &params)? != 0)
    }

    /// Says of a network that it is never banned by itself. False if there are too many of these already.
    pub fn put_ban_allowance(&mut self, allowance: &Allowance) -> Result<bool, StoreError> {
        let count = "SELECT CAST(COUNT(*) AS BIGINT) FROM ban_allowance WHERE network <> ?1";
        let network = allowance.network.to_string();
        let others = self
            .sql
            .one(count, &[Param::Text(&network)], |row| row.int(0))?;
        if i64::try_from(ALLOWANCES_MAX).unwrap_or(i64::MAX) <= others {
            return Ok(false);
        }
        let sql = "INSERT INTO ban_allowance (network, allowed, words, changed) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (network) DO UPDATE SET \
                   allowed = excluded.allowed, words = excluded.words, changed = excluded.changed";
        let params = [
            Param::Text(&network),
            Param::Int(i64::from(allowance.allowed)),
            Param::Text(&allowance.words),
            Param::Int(allowance.changed.0),
        ];
        self.sql.execute(sql, &params).map(|_| true)
    }

    /// Takes back what the operator said. False if nothing was said.
    pub fn forget_ban_allowance(&mut self, network: &Network) -> Result<bool, StoreError> {
        let sql = "DELETE FROM ban_allowance WHERE network = ?1";
        let network = network.to_string();
        Ok(self.sql.execute(sql, &[Param::Text(&network)])? != 0)
    }

    pub(super) fn put_home(
        &mut self,
        network: &Network,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO home_network (network, last) VALUES (?1, ?2) \
                   ON CONFLICT (network) DO UPDATE SET last = excluded.last";
        let network = network.to_string();
        let params = [Param::Text(&network), Param::Int(now.0)];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Rows that say nothing any more.
    pub(super) fn tidy_bans(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let before = |age: std::time::Duration| {
            Param::Int(now.0 - i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
        };
        // A lifted one stays for as long, so that other nodes see it.
        let bans = "DELETE FROM ban WHERE until < ?1 AND changed < ?1";
        self.sql.execute(bans, &[before(BAN_FORGOTTEN_AFTER)])?;
        let homes = "DELETE FROM home_network WHERE last < ?1";
        self.sql.execute(homes, &[before(HOME_REMEMBERED)])?;
        let beyond = "DELETE FROM ban WHERE since <= \
                      (SELECT since FROM ban ORDER BY since DESC LIMIT 1 OFFSET ?1)";
        let most = i64::try_from(BANS_MAX).unwrap_or(i64::MAX);
        self.sql.execute(beyond, &[Param::Int(most)]).map(drop)
    }
}

fn read_ban(row: &Row<'_>) -> Result<Ban, StoreError> {
    Ok(Ban {
        banned: Banned {
            network: stored_network(row.text(0)?)?,
            until: UnixMillis(row.int(2)?),
            level: u32::try_from(row.int(3)?).unwrap_or(0),
            scope: Scope::of_code(row.int(4)?),
            cause: Cause::of_word(row.text(5)?),
        },
        since: UnixMillis(row.int(1)?),
        words: row.text(6)?.to_owned(),
    })
}

fn stored_network(text: &str) -> Result<Network, StoreError> {
    text.parse()
        .map_err(|error| StoreError::Damaged(format!("a ban: {error}")))
}

impl Scope {
    fn code(self) -> i64 {
        match self {
            Self::Everything => 1,
            Self::Mx => 2,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            2 => Self::Mx,
            _ => Self::Everything,
        }
    }
}

impl Cause {
    fn of_word(word: &str) -> Self {
        let found = Self::ALL.into_iter().find(|cause| cause.word() == word);
        found.unwrap_or(Self::Operator)
    }
}
