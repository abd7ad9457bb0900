//! Rows of the greylist: doubtful senders that were asked to come again, networks whose mail was taken, and where
//! this is wanted. What is doubtful, and how long it waits, is decided in `mta`.

use std::net::IpAddr;
use std::time::Duration;

use mail::UnixMillis;

use super::limits::{
    GREYLIST_KEPT, GREYLIST_ROWS_MAX, KNOWN_PEERS_KEPT, KNOWN_PEERS_MAX, POOL_NETWORKS_MAX,
};
use super::millis;
use super::network::Network;
use crate::domains::stored_domain;
use crate::engine::Param;
use crate::{Change, StoreError, View};

/// One mail that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Shared by the servers of the sender.
    pub origin: Network,
    /// Empty for reports.
    pub sender: String,
    pub recipient: String,
}

/// How often it was tried, this time included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// From this network.
    pub first: UnixMillis,
    pub tries: u32,
    /// From anywhere; of reports, from this network: all servers of the world send them in the same name.
    pub first_anywhere: UnixMillis,
    pub tries_anywhere: u32,
}

impl Network {
    /// What the servers of one sender share: a /24 of IPv4, a /64 of IPv6.
    #[must_use]
    pub fn neighbourhood(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            four @ IpAddr::V4(_) => Self::block(four, 24),
            six @ IpAddr::V6(_) => Self::block(six, 64),
        }
    }
}

impl View<'_> {
    /// When mail of this network was taken last, as far as it was noted.
    pub fn known_peer(&self, network: &Network) -> Result<Option<UnixMillis>, StoreError> {
        let sql = "SELECT last FROM known_peer WHERE network = ?1";
        let network = network.to_string();
        self.sql.first(sql, &[Param::Text(&network)], |row| {
            row.int(0).map(UnixMillis)
        })
    }

    /// Whether doubtful senders are asked to come again when they write to this domain.
    pub fn wants_greylisting(&self, domain: &mail::Domain) -> Result<bool, StoreError> {
        let sql = "SELECT greylist FROM greylist_choice WHERE domain IN (?1, '') ORDER BY domain DESC LIMIT 1";
        let choice = self
            .sql
            .first(sql, &[Param::Text(domain.as_str())], |row| row.int(0))?;
        Ok(choice.is_none_or(|choice| choice != 0))
    }

    /// All that the operator said of it; `None` stands for all domains that say nothing.
    pub fn greylist_choices(&self) -> Result<Vec<(Option<mail::Domain>, bool)>, StoreError> {
        let sql = "SELECT domain, greylist FROM greylist_choice ORDER BY domain";
        self.sql.all(sql, &[], |row| {
            let domain = match row.text(0)? {
                "" => None,
                name => Some(stored_domain(name)?),
            };
            Ok((domain, row.int(1)? != 0))
        })
    }

    /// How many rows wait, and how many networks are known.
    pub fn greylist_counts(&self) -> Result<(u64, u64), StoreError> {
        let count = |sql| {
            let rows = self.sql.one(sql, &[], |row| row.int(0))?;
            Ok::<_, StoreError>(rows.max(0).unsigned_abs())
        };
        Ok((
            count("SELECT CAST(COUNT(*) AS BIGINT) FROM greylist")?,
            count("SELECT CAST(COUNT(*) AS BIGINT) FROM known_peer")?,
        ))
    }
}

impl Change<'_> {
    /// Notes one more try; one whose first was before `forget_before` begins anew. Nothing is noted of one that is new if
    /// it may not begin.
    pub fn note_greylist_try(
        &mut self,
        attempt: &Attempt,
        may_begin: bool,
        forget_before: UnixMillis,
        now: UnixMillis,
    ) -> Result<Option<Attempts>, StoreError> {
        let old = "DELETE FROM greylist WHERE sender = ?1 AND recipient = ?2 AND first < ?3";
        let (sender, recipient) = (
            Param::Text(&attempt.sender),
            Param::Text(&attempt.recipient),
        );
        self.sql
            .execute(old, &[sender, recipient, Param::Int(forget_before.0)])?;
        let origin = attempt.origin.to_string();
        if !may_begin {
            let sql = "SELECT 1 FROM greylist WHERE sender = ?1 AND recipient = ?2 AND origin = ?3";
            let key = [sender, recipient, Param::Text(&origin)];
            if self.sql.first(sql, &key, |_| Ok(()))?.is_none() {
                return Ok(None);
            }
        }
        let sql = "INSERT INTO greylist (sender, recipient, origin, first, last, tries) VALUES (?1, ?2, ?3, ?4, ?4, 1) \
                   ON CONFLICT (sender, recipient, origin) DO UPDATE SET \
                   last = excluded.last, tries = greylist.tries + 1 RETURNING first, tries";
        let params = [sender, recipient, Param::Text(&origin), Param::Int(now.0)];
        let (first, tries) = self
            .sql
            .one(sql, &params, |row| Ok((row.int(0)?, row.int(1)?)))?;
        let (first_anywhere, tries_anywhere) = match attempt.sender.as_str() {
            "" => (first, tries),
            _ => self.tries_anywhere(&[sender, recipient, Param::Int(POOL_NETWORKS_MAX)])?,
        };
        Ok(Some(Attempts {
            first: UnixMillis(first),
            tries: u32::try_from(tries).unwrap_or(u32::MAX),
            first_anywhere: UnixMillis(first_anywhere),
            tries_anywhere: u32::try_from(tries_anywhere).unwrap_or(u32::MAX),
        }))
    }

    /// The first try of a mail, and how many there were, over all networks.
    fn tries_anywhere(&mut self, mail: &[Param<'_>; 3]) -> Result<(i64, i64), StoreError> {
        let sql = "SELECT CAST(MIN(first) AS BIGINT), CAST(SUM(tries) AS BIGINT) FROM \
                   (SELECT first, tries FROM greylist WHERE sender = ?1 AND recipient = ?2 LIMIT ?3) AS pool";
        self.sql
            .one(sql, mail, |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// Mail of this network was taken.
    pub fn note_known_peer(
        &mut self,
        network: &Network,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO known_peer (network, since, last, messages) VALUES (?1, ?2, ?2, 1) \
                   ON CONFLICT (network) DO UPDATE SET last = excluded.last, messages = known_peer.messages + 1";
        let network = network.to_string();
        let params = [Param::Text(&network), Param::Int(now.0)];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Somebody says that what came from there was junk: it is to be seen anew whether it is known. Costs an honest network
    /// no more than its next wanted message.
    pub(crate) fn forget_known_peer(&mut self, network: &Network) -> Result<(), StoreError> {
        let sql = "DELETE FROM known_peer WHERE network = ?1";
        let network = network.to_string();
        self.sql.execute(sql, &[Param::Text(&network)]).map(drop)
    }

    /// Switches greylisting for a local domain, or for all that say nothing.
    pub fn set_greylisting(
        &mut self,
        domain: Option<&mail::Domain>,
        greylist: bool,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO greylist_choice (domain, greylist, changed) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (domain) DO UPDATE SET greylist = excluded.greylist, changed = excluded.changed";
        let params = [
            Param::Text(domain.map_or("", mail::Domain::as_str)),
            Param::Int(i64::from(greylist)),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Rows that nobody came back for, and networks that were not heard of for long; beyond the bounds the oldest go.
    pub(super) fn tidy_greylist(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let before = |age: Duration| Param::Int(now.0 - millis(age));
        let old = "DELETE FROM greylist WHERE last < ?1";
        self.sql.execute(old, &[before(GREYLIST_KEPT)])?;
        let beyond = "DELETE FROM greylist WHERE last <= \
                      (SELECT last FROM greylist ORDER BY last DESC LIMIT 1 OFFSET ?1)";
        self.sql.execute(beyond, &[Param::Int(GREYLIST_ROWS_MAX)])?;
        let old = "DELETE FROM known_peer WHERE last < ?1";
        self.sql.execute(old, &[before(KNOWN_PEERS_KEPT)])?;
        let beyond = "DELETE FROM known_peer WHERE last <= \
                      (SELECT last FROM known_peer ORDER BY last DESC LIMIT 1 OFFSET ?1)";
        self.sql
            .execute(beyond, &[Param::Int(KNOWN_PEERS_MAX)])
            .map(drop)
    }
}
