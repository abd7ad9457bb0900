//! Log-ins from where an account was never seen: noted in the change that notes the log-in, and kept until its user was told.
//! Who is told when, and in which words, is the business of `jobs`.
//!
//! A provider moves its customers about, so what counts is not the network (/24, /48) but its neighbourhood (/16, /32).

use std::net::IpAddr;

use mail::UnixMillis;

use super::history::{MAIN, SignInNetwork};
use super::journal::Entry;
use super::{PasswordUsed, Protocol, RulesOf};
use crate::bans::Network;
use crate::engine::Param;
use crate::limits::{
    FAMILIAR_PEERS_READ_MAX, SIGN_IN_HISTORY_MIN_MILLIS, SIGN_IN_NEWS_MAX, SIGN_INS_TOLD_AT_ONCE,
};
use crate::{AccountId, Change, StoreError, View};

/// The first log-in from a neighbourhood that an account was never seen in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInNews {
    pub neighbourhood: Network,
    pub at: UnixMillis,
    pub protocol: Protocol,
    pub used: PasswordUsed,
    pub peer: IpAddr,
    /// What the client calls itself; empty if it did not say.
    pub client: String,
}

/// When an account's user was last told of any, and when before that.
pub type LastTold = [Option<UnixMillis>; 2];

const NEIGHBOURHOOD_BITS_V4: u8 = 16;
const NEIGHBOURHOOD_BITS_V6: u8 = 32;

/// Networks that are likely to be one provider's.
#[must_use]
pub fn neighbourhood_of(peer: IpAddr) -> Network {
    match peer.to_canonical() {
        IpAddr::V4(_) => Network::block(peer, NEIGHBOURHOOD_BITS_V4),
        IpAddr::V6(_) => Network::block(peer, NEIGHBOURHOOD_BITS_V6),
    }
}

/// Whether a log-in from a network that was not known before is worth telling. `known` has all the account's networks.
fn is_news(entry: &Entry, known: &[SignInNetwork]) -> bool {
    let here = neighbourhood_of(entry.visit.peer);
    let place = entry.likeness.place.to_string();
    let mut others = known.iter().filter(|one| one.network != place);
    // In its first days an account is seen in one place after the other where its programs are.
    let oldest = others.clone().map(|one| one.first.0).min();
    let has_history =
        oldest.is_some_and(|oldest| oldest + SIGN_IN_HISTORY_MIN_MILLIS <= entry.first.0);
    let is_near = others.any(|one| {
        let network: Result<Network, _> = one.network.parse();
        network.is_ok_and(|network| here.contains(network.first()))
    });
    has_history && !is_near && !entry.visit.peer.to_canonical().is_loopback()
}

impl View<'_> {
    /// Whether an account's user is told: as was chosen for it, else for the server, else yes.
    pub fn tells_sign_ins(&self, account: AccountId) -> Result<bool, StoreError> {
        let own = self.sign_in_notices(RulesOf::Account(account))?;
        let server = self.sign_in_notices(RulesOf::Server)?;
        Ok(own.or(server).unwrap_or(true))
    }

    /// What was chosen for an account or the server; nothing if nobody chose.
    pub fn sign_in_notices(&self, of: RulesOf) -> Result<Option<bool>, StoreError> {
        let sql = "SELECT choice FROM sign_in_notice WHERE account = ?1";
        let choice = self
            .sql
            .first(sql, &[Param::Int(of.key())], |row| row.int(0))?;
        Ok(match choice {
            Some(YES) => Some(true),
            Some(NO) => Some(false),
            _ => None,
        })
    }

    /// Some of the accounts whose users are not told yet; ascending, after one that was seen.
    pub fn sign_ins_to_tell(&self, after: Option<AccountId>) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT DISTINCT account FROM sign_in_news WHERE account > ?1 ORDER BY account LIMIT ?2";
        let after = after.map_or(0, |after| after.0);
        let params = [Param::Int(after), Param::Int(SIGN_INS_TOLD_AT_ONCE)];
        self.sql.all(sql, &params, |row| Ok(AccountId(row.int(0)?)))
    }

    /// What an account's user is not told yet, the oldest first.
    pub fn sign_in_news(&self, account: AccountId) -> Result<Vec<SignInNews>, StoreError> {
        let sql = "SELECT neighbourhood, at, protocol, credential, peer, client FROM sign_in_news WHERE account = ?1 \
                   ORDER BY at, neighbourhood";
        self.sql.all(sql, &[Param::Int(account.0)], |row| {
            let damaged = |what: &str| StoreError::Damaged(format!("a log-in to tell of: {what}"));
            Ok(SignInNews {
                neighbourhood: row.text(0)?.parse().map_err(|_| damaged("its network"))?,
                at: UnixMillis(row.int(1)?),
                protocol: Protocol::of_code(row.int(2)?),
                used: match row.text(3)? {
                    MAIN => PasswordUsed::Main,
                    name => PasswordUsed::App(name.into()),
                },
                peer: row.text(4)?.parse().map_err(|_| damaged("its address"))?,
                client: row.text(5)?.to_owned(),
            })
        })
    }

    pub fn sign_ins_last_told(&self, account: AccountId) -> Result<LastTold, StoreError> {
        let sql = "SELECT told, told_before FROM sign_in_notice WHERE account = ?1";
        let time = |at: i64| (at > 0).then_some(UnixMillis(at));
        let found = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok([time(row.int(0)?), time(row.int(1)?)])
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Addresses that an account was logged in from of late, one of each neighbourhood and the newest first, without those
    /// that its user is to be told of.
    pub fn familiar_peers(
        &self,
        account: AccountId,
        most: usize,
    ) -> Result<Vec<IpAddr>, StoreError> {
        let mut seen: Vec<Network> = self
            .sign_in_news(account)?
            .into_iter()
            .map(|news| news.neighbourhood)
            .collect();
        let sql = "SELECT peer, MAX(last) FROM sign_in WHERE account = ?1 AND outcome = 1 GROUP BY peer \
                   ORDER BY MAX(last) DESC, peer LIMIT ?2";
        let params = [Param::Int(account.0), Param::Int(FAMILIAR_PEERS_READ_MAX)];
        let peers = self
            .sql
            .all(sql, &params, |row| Ok(row.text(0)?.parse::<IpAddr>().ok()))?;
        let mut familiar = Vec::new();
        for peer in peers.into_iter().flatten() {
            let here = neighbourhood_of(peer);
            if familiar.len() < most && !seen.contains(&here) {
                seen.push(here);
                familiar.push(peer);
            }
        }
        Ok(familiar)
    }
}

impl Change<'_> {
    /// Chooses whether users are told; nothing takes a choice back.
    pub fn set_sign_in_notices(
        &mut self,
        of: RulesOf,
        choice: Option<bool>,
    ) -> Result<(), StoreError> {
        let choice = match choice {
            None => 0,
            Some(true) => YES,
            Some(false) => NO,
        };
        let sql = "INSERT INTO sign_in_notice (account, choice, told, told_before) VALUES (?1, ?2, 0, 0) \
                   ON CONFLICT (account) DO UPDATE SET choice = excluded.choice";
        self.sql
            .execute(sql, &[Param::Int(of.key()), Param::Int(choice)])
            .map(drop)
    }

    /// These need not be told any more. With a time, since they were told then.
    pub fn drop_sign_in_news(
        &mut self,
        account: AccountId,
        news: &[SignInNews],
        told: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        for one in news {
            let sql = "DELETE FROM sign_in_news WHERE account = ?1 AND neighbourhood = ?2";
            let neighbourhood = one.neighbourhood.to_string();
            let key = [Param::Int(account.0), Param::Text(&neighbourhood)];
            self.sql.execute(sql, &key)?;
        }
        let Some(at) = told else {
            return Ok(());
        };
        let sql = "INSERT INTO sign_in_notice (account, choice, told, told_before) VALUES (?1, 0, ?2, 0) \
                   ON CONFLICT (account) DO UPDATE SET told_before = sign_in_notice.told, told = excluded.told";
        self.sql
            .execute(sql, &[Param::Int(account.0), Param::Int(at.0)])
            .map(drop)
    }

    /// A log-in from a network that the account was not known from.
    pub(super) fn note_sign_in_news(
        &mut self,
        account: AccountId,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        let known = self.sign_in_networks(account)?;
        if !is_news(entry, &known) || !self.tells_sign_ins(account)? {
            return Ok(());
        }
        let sql = "SELECT COUNT(*) FROM sign_in_news WHERE account = ?1";
        let waiting = self
            .sql
            .one(sql, &[Param::Int(account.0)], |row| row.int(0))?;
        if SIGN_IN_NEWS_MAX <= waiting {
            return Ok(());
        }
        let neighbourhood = neighbourhood_of(entry.visit.peer).to_string();
        let peer = entry.visit.peer.to_canonical().to_string();
        let used = super::history::stored_used(entry.likeness.used.as_ref());
        let sql = "INSERT INTO sign_in_news (account, neighbourhood, at, protocol, credential, peer, client) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (account, neighbourhood) DO NOTHING";
        let params = [
            Param::Int(account.0),
            Param::Text(&neighbourhood),
            Param::Int(entry.first.0),
            Param::Int(entry.likeness.protocol.code()),
            Param::Text(used),
            Param::Text(&peer),
            Param::Text(&entry.client),
        ];
        self.sql.execute(sql, &params)?;
        self.effects.note_sign_in_news();
        Ok(())
    }
}

const YES: i64 = 1;
const NO: i64 = 2;

#[cfg(test)]
mod tests {
    use super::super::{SignInOutcome, Visit};
    use super::*;

    const DAY: i64 = 86_400_000;

    fn entry(peer: &str, at: i64) -> Entry {
        let visit = Visit {
            protocol: Protocol::Imap,
            peer: peer.parse().expect("an address"),
        };
        let used = Some(PasswordUsed::Main);
        let now = UnixMillis(at);
        Entry::new(
            AccountId(1),
            SignInOutcome::Right,
            used,
            visit,
            ("mutt", ""),
            now,
        )
    }

    fn known(networks: &[(&str, i64)]) -> Vec<SignInNetwork> {
        let known = networks.iter().map(|(network, first)| SignInNetwork {
            network: (*network).to_owned(),
            first: UnixMillis(*first),
            last: UnixMillis(*first),
            count: 1,
        });
        known.collect()
    }

    #[test]
    fn what_is_worth_telling() {
        let home = ("192.0.2.0/24", 0);
        let home6 = ("2001:db8:1::/48", 0);
        type Row<'a> = (&'a str, &'a [(&'a str, i64)], &'a str, i64, bool);
        let table: &[Row<'_>] = &[
            ("the very first", &[], "192.0.2.7", 30 * DAY, false),
            ("elsewhere", &[home], "203.0.113.9", 7 * DAY, true),
            ("in the first days", &[home], "203.0.113.9", 6 * DAY, false),
            ("next door", &[home], "192.0.77.9", 30 * DAY, false),
            ("the other family", &[home], "2001:db8:1::9", 30 * DAY, true),
            (
                "its provider",
                &[home6],
                "2001:db8:ffff::9",
                30 * DAY,
                false,
            ),
            ("another one", &[home6], "2001:db9:1::9", 30 * DAY, true),
            ("in disguise", &[home], "::ffff:192.0.9.9", 30 * DAY, false),
            ("this host", &[home], "127.0.0.1", 30 * DAY, false),
            (
                "near a place of yesterday",
                &[home, ("203.0.5.0/24", 29 * DAY)],
                "203.0.113.9",
                30 * DAY,
                false,
            ),
        ];
        for (name, networks, peer, at, expected) in table {
            let mut networks = known(networks);
            let entry = entry(peer, *at);
            // It is among them by the time somebody asks.
            networks.extend(known(&[(&entry.likeness.place.to_string(), *at)]));
            assert_eq!(is_news(&entry, &networks), *expected, "{name}");
        }
    }
}
