//! Allow and block lists: addresses, domains and networks, of an account, a domain or the whole server.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use mail::{Address, Domain, UnixMillis};

use super::Scope;
use crate::bans::Network;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{SENDER_RULE_LEVELS_MAX, SENDER_RULES_MAX};
use crate::{AccountId, Change, StoreError, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    Allow,
    Block,
}

/// By which name of the sender an entry fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOf {
    /// The address in From.
    Author,
    ReversePath,
    /// The host that sent it.
    Peer,
}

/// Under which names a message came.
#[derive(Clone, Copy, Debug, Default)]
pub struct SenderNames<'a> {
    pub author: Option<&'a Address>,
    pub reverse_path: Option<&'a Address>,
    pub peer: Option<IpAddr>,
}

/// An entry that fits a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderRule {
    pub wish: Wish,
    pub by: Scope,
    pub entry: String,
    pub even_unproven: bool,
    pub of: RuleOf,
}

/// An entry as it stands on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRule {
    pub scope: Scope,
    pub wish: Wish,
    pub entry: String,
    /// It lets mail through though nothing proves that the author sent it.
    pub even_unproven: bool,
    pub created: UnixMillis,
}

#[derive(Debug, thiserror::Error)]
pub enum BadRule {
    #[error(
        "{0:?} is no address (ann@example.org), no domain (example.org) and no network (192.0.2.0/24)"
    )]
    NotASender(String),
    #[error(
        "{0:?} is a large part of all senders; name a domain, or at the widest a network of /8 (IPv4) or /32 (IPv6)"
    )]
    TooWide(String),
    #[error("the list has {SENDER_RULES_MAX} entries already; remove some")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An entry that is well written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    kind: i64,
    text: String,
}

const ADDRESS: i64 = 1;
const DOMAIN: i64 = 2;
const NETWORK: i64 = 3;

impl Change<'_> {
    /// Puts an entry on a list, or takes it from the opposite list to this one. Returns how it is written.
    pub fn add_sender_rule(
        &mut self,
        scope: &Scope,
        wish: Wish,
        entry: &str,
        even_unproven: bool,
        now: UnixMillis,
    ) -> Result<String, BadRule> {
        let typed = entry.trim();
        let entry = Entry::parse(typed).ok_or_else(|| BadRule::NotASender(typed.to_owned()))?;
        if is_too_wide(typed, wish) {
            return Err(BadRule::TooWide(typed.to_owned()));
        }
        let (code, owner) = (scope.code(), scope.owner());
        let sql = "SELECT COUNT(*) FROM sender_rule WHERE scope = ?1 AND owner = ?2";
        let key = [Param::Int(code), Param::Text(&owner)];
        if SENDER_RULES_MAX <= self.sql.one(sql, &key, |row| row.int(0))? {
            return Err(BadRule::TooMany);
        }
        let sql = "INSERT INTO sender_rule (entry, scope, owner, kind, wish, even_unproven, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                   ON CONFLICT (entry, scope, owner) DO UPDATE SET wish = excluded.wish, even_unproven = excluded.even_unproven, \
                   created = excluded.created";
        let params = [
            Param::Text(&entry.text),
            Param::Int(code),
            Param::Text(&owner),
            Param::Int(entry.kind),
            Param::Int(wish.code()),
            Param::Int(i64::from(even_unproven)),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params)?;
        Ok(entry.text)
    }

    /// False if it was not there.
    pub fn remove_sender_rule(
        &mut self,
        scope: &Scope,
        wish: Wish,
        entry: &str,
    ) -> Result<bool, BadRule> {
        let entry = Entry::parse(entry).ok_or_else(|| BadRule::NotASender(entry.to_owned()))?;
        let owner = scope.owner();
        let sql =
            "DELETE FROM sender_rule WHERE entry = ?1 AND scope = ?2 AND owner = ?3 AND wish = ?4";
        let params = [
            Param::Text(&entry.text),
            Param::Int(scope.code()),
            Param::Text(&owner),
            Param::Int(wish.code()),
        ];
        Ok(self.sql.execute(sql, &params)? != 0)
    }
}

impl View<'_> {
    /// A whole list, by scope and entry; `None` for those of all scopes.
    pub fn sender_rules_of(
        &self,
        scope: Option<&Scope>,
        wish: Wish,
    ) -> Result<Vec<StoredRule>, StoreError> {
        let sql = "SELECT entry, scope, owner, wish, even_unproven, created FROM sender_rule WHERE wish = ?1 \
                   AND (?2 = 0 OR (scope = ?2 AND owner = ?3)) ORDER BY scope DESC, owner, entry";
        let owner = scope.map_or_else(String::new, Scope::owner);
        let params = [
            Param::Int(wish.code()),
            Param::Int(scope.map_or(0, Scope::code)),
            Param::Text(&owner),
        ];
        self.sql.all(sql, &params, |row| {
            Ok(StoredRule {
                scope: Scope::stored(row.int(1)?, row.text(2)?)?,
                wish: Wish::of_code(row.int(3)?),
                entry: row.text(0)?.to_owned(),
                even_unproven: row.int(4)? != 0,
                created: UnixMillis(row.int(5)?),
            })
        })
    }

    /// Entries that fit a message for this account: those of the account before those of its domain before those of the
    /// server. In each of these one of each wish at most for each name that the message came under, the narrower first: an
    /// address before a domain, a longer domain before a shorter one.
    pub fn sender_rules(
        &self,
        account: AccountId,
        names: &SenderNames<'_>,
    ) -> Result<Vec<SenderRule>, StoreError> {
        let mut all = self.sender_rules_for(&[account], names)?;
        Ok(all.pop().unwrap_or_default())
    }

    /// [`View::sender_rules`] for several accounts, in their order. The lists are read once.
    pub fn sender_rules_for(
        &self,
        accounts: &[AccountId],
        names: &SenderNames<'_>,
    ) -> Result<Vec<Vec<SenderRule>>, StoreError> {
        let sql = "SELECT entry FROM sender_rule LIMIT 1";
        if self.sql.first(sql, &[], |_| Ok(()))?.is_none() {
            return Ok(vec![Vec::new(); accounts.len()]);
        }
        let mut fitting = Fitting::default();
        let mut concerned = Vec::with_capacity(accounts.len());
        for account in accounts {
            let domain = (DOMAIN_SCOPE, self.account_domain(*account)?);
            let own = [Scope::Account(*account), Scope::Server];
            let [own, server] = own.map(|scope| (scope.code(), scope.owner()));
            concerned.push([own, domain, server]);
        }
        for key in concerned.iter().flatten() {
            fitting.scopes.entry(key.clone()).or_default();
        }
        let sql =
            "SELECT entry, scope, owner, wish, even_unproven FROM sender_rule WHERE entry = ?1";
        for (of, entry) in candidates(names) {
            self.sql.each(sql, &[Param::Text(&entry)], |row| {
                fitting.keep_first(row, of)
            })?;
        }
        if let Some(peer) = names.peer {
            for entry in self.networks_around(peer)? {
                self.sql.each(sql, &[Param::Text(&entry)], |row| {
                    fitting.keep_first(row, RuleOf::Peer)
                })?;
            }
        }
        let rules = concerned.iter().map(|scopes| {
            let fitting = scopes.iter().filter_map(|key| fitting.scopes.get(key));
            fitting.flatten().cloned().collect()
        });
        Ok(rules.collect())
    }

    /// Entries with networks that hold the peer, the narrowest first.
    fn networks_around(&self, peer: IpAddr) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT entry FROM sender_rule WHERE kind = 3";
        let mut around: Vec<(u8, String)> = Vec::new();
        self.sql.each(sql, &[], |row| {
            let network = row.text(0)?;
            around.extend(fits(network, peer).map(|bits| (bits, network.to_owned())));
            Ok(())
        })?;
        around.sort_by_key(|(bits, _)| std::cmp::Reverse(*bits));
        Ok(around.into_iter().map(|(_, entry)| entry).collect())
    }
}

/// How domains stand in the column `scope`.
const DOMAIN_SCOPE: i64 = 2;

/// Rules that fit a message, by the scope and the owner of their list. Others than those named here concern nobody.
#[derive(Default)]
struct Fitting {
    scopes: BTreeMap<(i64, String), Vec<SenderRule>>,
}

impl Fitting {
    /// Keeps the rule of a row, if it concerns somebody and is the first of its name and its wish.
    fn keep_first(&mut self, row: &Row<'_>, of: RuleOf) -> SqlResult<()> {
        let key = (row.int(1)?, row.text(2)?.to_owned());
        let Some(rules) = self.scopes.get_mut(&key) else {
            return Ok(());
        };
        let wish = Wish::of_code(row.int(3)?);
        if rules.iter().any(|one| one.wish == wish && one.of == of) {
            return Ok(());
        }
        rules.push(SenderRule {
            wish,
            by: Scope::stored(key.0, &key.1)?,
            entry: row.text(0)?.to_owned(),
            even_unproven: row.int(4)? != 0,
            of,
        });
        Ok(())
    }
}

/// All entries that would fit the names, the narrowest first.
fn candidates(names: &SenderNames<'_>) -> Vec<(RuleOf, String)> {
    let mut found = Vec::new();
    let both = [
        (RuleOf::Author, names.author),
        (RuleOf::ReversePath, names.reverse_path),
    ];
    for (of, address) in both {
        if let Some(address) = address {
            let written = written(address);
            if let Some((user, _)) = address.local().split_once('+') {
                found.push((of, written.clone()));
                found.push((of, format!("{}@{}", user.to_lowercase(), address.domain())));
            } else {
                found.push((of, written));
            }
        }
    }
    for (of, address) in both {
        let mut rest = address.map(|address| address.domain().as_str());
        let mut levels = 0;
        while let Some(name) = rest.filter(|name| !name.is_empty()) {
            found.push((of, name.to_owned()));
            levels += 1;
            rest = name
                .split_once('.')
                .map(|(_, above)| above)
                .filter(|_| levels < SENDER_RULE_LEVELS_MAX);
        }
    }
    found
}

fn written(address: &Address) -> String {
    format!("{}@{}", address.local().to_lowercase(), address.domain())
}

/// The bits of a network, if the address lies in it.
fn fits(network: &str, peer: IpAddr) -> Option<u8> {
    let (base, bits) = network.split_once('/')?;
    let bits: u8 = bits.parse().ok()?;
    let same = match (base.parse::<IpAddr>().ok()?, peer.to_canonical()) {
        (IpAddr::V4(base), IpAddr::V4(peer)) => {
            let shift = 32_u32.saturating_sub(bits.into());
            let cut = |ip: u32| ip.checked_shr(shift).unwrap_or(0);
            cut(base.to_bits()) == cut(peer.to_bits())
        }
        (IpAddr::V6(base), IpAddr::V6(peer)) => {
            let shift = 128_u32.saturating_sub(bits.into());
            let cut = |ip: u128| ip.checked_shr(shift).unwrap_or(0);
            cut(base.to_bits()) == cut(peer.to_bits())
        }
        _ => false,
    };
    same.then_some(bits)
}

impl Entry {
    /// `ann@example.org`, `example.org` (also as `@example.org`, `*.example.org` or `.example.org`), `192.0.2.1`, `192.0.2.0/24`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(network) = network(text) {
            return Some(Self {
                kind: NETWORK,
                text: format!("{}/{}", network.first(), network.bits()),
            });
        }
        let bare = text
            .strip_prefix("*@")
            .or_else(|| text.strip_prefix("*."))
            .or_else(|| text.strip_prefix(['@', '.']))
            .unwrap_or(text);
        if bare.contains('@') {
            let address = Address::parse(bare).ok()?;
            return Some(Self {
                kind: ADDRESS,
                text: written(&address),
            });
        }
        let domain = Domain::parse(bare).ok()?;
        Some(Self {
            kind: DOMAIN,
            text: domain.to_string(),
        })
    }
}

/// Everybody, or nearly. All of a top domain may be unwanted (`top`, `xyz`), but not wanted.
fn is_too_wide(text: &str, wish: Wish) -> bool {
    match network(text) {
        Some(network) => network.is_too_wide(),
        None => wish == Wish::Allow && is_top_domain(text),
    }
}

fn is_top_domain(text: &str) -> bool {
    !text.contains('@')
        && !text
            .trim_start_matches("*.")
            .trim_matches('.')
            .contains('.')
}

/// In its one spelling, the bits behind the network's own set to nothing.
fn network(text: &str) -> Option<Network> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok()
}

impl Wish {
    fn code(self) -> i64 {
        match self {
            Self::Allow => 1,
            Self::Block => 2,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            1 => Self::Allow,
            _ => Self::Block,
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Block => "block",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, fits};

    #[track_caller]
    fn check(text: &str, written: Option<&str>) {
        let entry = Entry::parse(text).map(|entry| entry.text);
        assert_eq!(entry.as_deref(), written, "{text}");
    }

    #[test]
    fn entries_have_one_spelling() {
        check("Ann@Example.ORG", Some("ann@example.org"));
        check("*@Example.org", Some("example.org"));
        check("@example.org", Some("example.org"));
        check(".example.org", Some("example.org"));
        check("192.0.2.77", Some("192.0.2.77/32"));
        check("192.0.2.77/24", Some("192.0.2.0/24"));
        check("2001:DB8::77/32", Some("2001:db8::/32"));
        check("0.0.0.0/0", Some("0.0.0.0/0"));
        check("192.0.2.0/33", None);
        check("", None);
        check("a b", None);
    }

    #[test]
    fn networks_hold_what_they_hold() {
        let fits = |network: &str, peer: &str| fits(network, peer.parse().expect("an address"));
        assert_eq!(fits("192.0.2.0/24", "192.0.2.9"), Some(24));
        assert_eq!(fits("192.0.2.0/24", "192.0.3.9"), None);
        assert_eq!(fits("0.0.0.0/0", "192.0.3.9"), Some(0));
        assert_eq!(fits("2001:db8::/32", "2001:db8::9"), Some(32));
        assert_eq!(fits("192.0.2.9/32", "::ffff:192.0.2.9"), Some(32));
        assert_eq!(fits("2001:db8::/32", "192.0.2.9"), None);
    }
}
