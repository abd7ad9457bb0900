//! Who logged in, when, how and from where: rows of days, and the networks an account is known from.

use std::net::IpAddr;

use mail::UnixMillis;

use super::journal::Entry;
use super::network::place_of;
use super::{PasswordUsed, Protocol, SignInOutcome};
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{SIGN_IN_NETWORKS_MAX, SIGN_INS_AGE_MILLIS, SIGN_INS_MAX};
use crate::{AccountId, Change, Durability, Store, StoreError, View};

/// Log-ins of one day that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    pub outcome: SignInOutcome,
    pub protocol: Protocol,
    /// Where they came from (/24, /48), and the newest one's address.
    pub network: String,
    pub peer: Option<IpAddr>,
    /// None after a failure.
    pub used: Option<PasswordUsed>,
    /// What the client calls itself, and its TLS; empty if it did not say.
    pub client: String,
    pub tls: String,
    pub first: UnixMillis,
    pub last: UnixMillis,
    pub count: u64,
}

/// A network that an account was logged in from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInNetwork {
    pub network: String,
    pub first: UnixMillis,
    pub last: UnixMillis,
    pub count: u64,
}

/// What the sign-ins of an account tell about a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignInFacts {
    /// When the account was first logged in to from the peer's network (/24, /48).
    pub first_from_here: Option<UnixMillis>,
    /// When it was first logged in to at all, as far as is remembered.
    pub first_ever: Option<UnixMillis>,
    /// The account is known from elsewhere for longer, and from here for less than a day.
    pub is_new_network: bool,
    /// Different networks of the last hour, and of the last day.
    pub networks_in_last_hour: u32,
    pub networks_in_last_day: u32,
}

const HOUR_MILLIS: i64 = 3_600_000;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;

impl Store {
    /// Counts a sign-in, and writes what is due. Nobody waits for it, nor for the disk.
    pub(super) fn count_sign_in(&self, entry: Entry) {
        if let Some(entry) = self.inner.shared.gate.journal.note(entry) {
            self.write_and_forget(Durability::Relaxed, move |change| {
                change.put_sign_in(&entry)
            });
        }
    }

    /// Writes what was counted and not written: at the end, and now and then.
    pub(crate) fn write_sign_ins(&self) {
        let waiting = self.inner.shared.gate.journal.waiting();
        if !waiting.is_empty() {
            self.write_and_forget(Durability::Relaxed, move |change| {
                waiting
                    .iter()
                    .try_for_each(|entry| change.put_sign_in(entry))
            });
        }
    }

    /// Writes what was counted, and waits for it: before somebody looks.
    pub fn write_sign_ins_blocking(&self) -> Result<(), StoreError> {
        let waiting = self.inner.shared.gate.journal.waiting();
        self.write_bulk_blocking(Durability::Relaxed, move |change| {
            waiting
                .iter()
                .try_for_each(|entry| change.put_sign_in(entry))
        })?;
        self.settle();
        Ok(())
    }
}

impl View<'_> {
    /// The sign-ins of an account, the newest first.
    pub fn sign_ins(&self, account: AccountId, most: usize) -> Result<Vec<SignIn>, StoreError> {
        let sql = "SELECT outcome, protocol, network, credential, client, tls, first, last, count, peer FROM sign_in \
                   WHERE account = ?1 ORDER BY last DESC, network, protocol LIMIT ?2";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let params = [Param::Int(account.0), Param::Int(most)];
        self.sql.all(sql, &params, read_sign_in)
    }

    /// The networks an account is known from, the newest first.
    pub fn sign_in_networks(&self, account: AccountId) -> Result<Vec<SignInNetwork>, StoreError> {
        let sql = "SELECT network, first, last, count FROM sign_in_network WHERE account = ?1 ORDER BY last DESC, network";
        self.sql.all(sql, &[Param::Int(account.0)], |row| {
            Ok(SignInNetwork {
                network: row.text(0)?.to_owned(),
                first: UnixMillis(row.int(1)?),
                last: UnixMillis(row.int(2)?),
                count: row.int(3)?.max(0) as u64,
            })
        })
    }

    /// Whether an account was logged in to from the peer's network.
    pub(super) fn has_signed_in_from(
        &self,
        account: AccountId,
        peer: IpAddr,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count FROM sign_in_network WHERE account = ?1 AND network = ?2";
        let network = place_of(peer).to_string();
        let params = [Param::Int(account.0), Param::Text(&network)];
        let found = self.sql.first(sql, &params, |row| row.int(0))?;
        Ok(found.is_some())
    }

    /// What the sign-ins of an account tell about a peer that acts for it now.
    pub fn sign_in_facts(
        &self,
        account: AccountId,
        peer: IpAddr,
        now: UnixMillis,
    ) -> Result<SignInFacts, StoreError> {
        let here = place_of(peer).to_string();
        let sql = "SELECT network, first, last FROM sign_in_network WHERE account = ?1";
        let mut facts = SignInFacts::default();
        self.sql.each(sql, &[Param::Int(account.0)], |row| {
            let (first, last) = (row.int(1)?, row.int(2)?);
            if row.text(0)? == here {
                facts.first_from_here = Some(UnixMillis(first));
            }
            let ever = facts.first_ever.map_or(first, |ever| ever.0.min(first));
            facts.first_ever = Some(UnixMillis(ever));
            facts.networks_in_last_hour += u32::from(now.0 - HOUR_MILLIS <= last);
            facts.networks_in_last_day += u32::from(now.0 - DAY_MILLIS <= last);
            Ok(())
        })?;
        let since = facts.first_from_here.unwrap_or(now);
        facts.is_new_network = now.0 - since.0 < DAY_MILLIS
            && facts
                .first_ever
                .is_some_and(|ever| ever.0 + DAY_MILLIS <= since.0);
        Ok(facts)
    }
}

impl Change<'_> {
    fn put_sign_in(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let account = entry.likeness.account;
        // It may have been removed meanwhile.
        if self.account(account)?.is_none() {
            return Ok(());
        }
        if self.put_sign_in_row(entry)? {
            self.trim_sign_ins(account, entry.last)?;
        }
        if entry.likeness.outcome == SignInOutcome::Right {
            self.put_sign_in_network(account, entry)?;
            if let Some(PasswordUsed::App(name)) = &entry.likeness.used {
                self.note_app_password_use(account, name, entry)?;
            }
        }
        Ok(())
    }

    /// True if it is the first of its kind today.
    fn put_sign_in_row(&mut self, entry: &Entry) -> Result<bool, StoreError> {
        let likeness = &entry.likeness;
        let (place, peer) = (likeness.place.to_string(), entry.visit.peer.to_string());
        let sql = "INSERT INTO sign_in (account, day, outcome, protocol, network, credential, program, first, last, \
                   count, peer, client, tls) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
                   ON CONFLICT (account, day, outcome, protocol, network, credential, program) DO UPDATE SET \
                   last = excluded.last, count = sign_in.count + excluded.count, peer = excluded.peer, \
                   client = excluded.client, tls = excluded.tls RETURNING count";
        let params = [
            Param::Int(likeness.account.0),
            Param::Int(likeness.day),
            Param::Int(likeness.outcome.code()),
            Param::Int(likeness.protocol.code()),
            Param::Text(&place),
            Param::Text(stored_used(likeness.used.as_ref())),
            Param::Text(&likeness.program),
            Param::Int(entry.first.0),
            Param::Int(entry.last.0),
            Param::Int(entry.count),
            Param::Text(&peer),
            Param::Text(&entry.client),
            Param::Text(&entry.tls),
        ];
        let count = self.sql.one(sql, &params, |row| row.int(0))?;
        Ok(count == entry.count)
    }

    fn put_sign_in_network(&mut self, account: AccountId, entry: &Entry) -> Result<(), StoreError> {
        let place = entry.likeness.place.to_string();
        let sql = "INSERT INTO sign_in_network (account, network, first, last, count) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (account, network) DO UPDATE SET \
                   last = CASE WHEN sign_in_network.last < excluded.last THEN excluded.last ELSE sign_in_network.last END, \
                   count = sign_in_network.count + excluded.count RETURNING count";
        let params = [
            Param::Int(account.0),
            Param::Text(&place),
            Param::Int(entry.first.0),
            Param::Int(entry.last.0),
            Param::Int(entry.count),
        ];
        let count = self.sql.one(sql, &params, |row| row.int(0))?;
        if count != entry.count {
            return Ok(());
        }
        let sql = "DELETE FROM sign_in_network WHERE account = ?1 AND last <= \
                   (SELECT last FROM sign_in_network WHERE account = ?1 ORDER BY last DESC LIMIT 1 OFFSET ?2)";
        let params = [Param::Int(account.0), Param::Int(SIGN_IN_NETWORKS_MAX)];
        self.sql.execute(sql, &params)?;
        self.note_sign_in_news(account, entry)
    }

    /// What is old goes, and what is too much: of failures and of the rest for themselves, so that who guesses from everywhere
    /// does not wipe out who was there.
    fn trim_sign_ins(&mut self, account: AccountId, now: UnixMillis) -> Result<(), StoreError> {
        let old = now.0 - SIGN_INS_AGE_MILLIS;
        let sql = "DELETE FROM sign_in WHERE account = ?1 AND last < ?2";
        self.sql
            .execute(sql, &[Param::Int(account.0), Param::Int(old)])?;
        let params = [Param::Int(account.0), Param::Int(SIGN_INS_MAX)];
        let right = "DELETE FROM sign_in WHERE account = ?1 AND outcome = 1 AND last <= \
                     (SELECT last FROM sign_in WHERE account = ?1 AND outcome = 1 ORDER BY last DESC LIMIT 1 OFFSET ?2)";
        self.sql.execute(right, &params)?;
        let failed = "DELETE FROM sign_in WHERE account = ?1 AND outcome > 1 AND last <= \
                      (SELECT last FROM sign_in WHERE account = ?1 AND outcome > 1 ORDER BY last DESC LIMIT 1 OFFSET ?2)";
        self.sql.execute(failed, &params).map(drop)
    }
}

/// Nothing for none, `main`, or the name of an app password.
pub(super) fn stored_used(used: Option<&PasswordUsed>) -> &str {
    match used {
        None => "",
        Some(PasswordUsed::Main) => MAIN,
        Some(PasswordUsed::App(name)) => name,
    }
}

/// No app password has an empty name, or this one.
pub(super) const MAIN: &str = "main";

fn read_sign_in(row: &Row<'_>) -> SqlResult<SignIn> {
    Ok(SignIn {
        outcome: SignInOutcome::of_code(row.int(0)?),
        protocol: Protocol::of_code(row.int(1)?),
        network: row.text(2)?.to_owned(),
        used: match row.text(3)? {
            "" => None,
            MAIN => Some(PasswordUsed::Main),
            name => Some(PasswordUsed::App(name.into())),
        },
        client: row.text(4)?.to_owned(),
        tls: row.text(5)?.to_owned(),
        first: UnixMillis(row.int(6)?),
        last: UnixMillis(row.int(7)?),
        count: row.int(8)?.max(0) as u64,
        peer: row.text(9)?.parse().ok(),
    })
}
