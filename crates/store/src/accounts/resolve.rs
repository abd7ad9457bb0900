//! Reading accounts and aliases; what an address means here.

use mail::{Address, UnixMillis};

use super::{Account, AccountState, Alias, OverQuota, Resolution, Target};
use crate::domains::stored_domain;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::ALIAS_TARGETS_MAX;
use crate::{AccountId, ModSeq, StoreError, View};

impl View<'_> {
    pub fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.sql
            .first(ACCOUNT_BY_ID, &[Param::Int(id.0)], read_account)
    }

    /// By its own address; case does not matter in local domains. Aliases and `+detail` do not count.
    pub fn account_by_address(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        let local = folded(address.local());
        self.sql.first(
            ACCOUNT_BY_ADDRESS,
            &[Param::Text(address.domain().as_str()), Param::Text(&local)],
            read_account,
        )
    }

    /// All accounts, or those of one domain, by address.
    pub fn accounts(&self, domain: Option<&mail::Domain>) -> Result<Vec<Account>, StoreError> {
        self.sql.all(
            ACCOUNTS,
            &[Param::Text(domain.map_or("", |domain| domain.as_str()))],
            read_account,
        )
    }

    /// All aliases, or those of one domain, by address; the catch-all first.
    pub fn aliases(&self, domain: Option<&mail::Domain>) -> Result<Vec<Alias>, StoreError> {
        let sql = "SELECT x.local, x.domain, x.account, a.spelling, a.domain FROM alias x JOIN account a ON a.id = x.account \
                   WHERE ?1 = '' OR x.domain = ?1 ORDER BY x.domain, x.local, x.account";
        self.sql.all(
            sql,
            &[Param::Text(domain.map_or("", |domain| domain.as_str()))],
            |row| {
                let local = row.text(0)?;
                Ok(Alias {
                    local: (!local.is_empty()).then(|| local.to_owned()),
                    domain: stored_domain(row.text(1)?)?,
                    account: AccountId(row.int(2)?),
                    target: stored_address(row.text(3)?, row.text(4)?)?,
                })
            },
        )
    }

    /// Who gets mail for this address: an account, an alias (also one that leads elsewhere), either of them without `+detail`, the
    /// domain's catch-all, in this order. `postmaster` and `abuse` of a local domain that nobody
    /// has lead to the oldest account of the domain (RFC 5321 §4.5.1). `size` is what the peer
    /// announced, 0 if nothing.
    pub fn resolve(&self, address: &Address, size: u64) -> Result<Resolution, StoreError> {
        let domain = address.domain().as_str();
        let local = folded(address.local());
        for (local, detail) in spellings(&local) {
            if let Some(owner) = self.account_owner(domain, local, detail)? {
                return Ok(judge(vec![owner], Vec::new(), size));
            }
            let found = self.alias_owners(domain, local, detail)?;
            let forwards = self.forwards_of(domain, local)?;
            if !found.is_empty() || !forwards.is_empty() {
                return Ok(judge(found, forwards, size));
            }
        }
        if !self.is_local(address.domain())? {
            return Ok(Resolution::NotLocal);
        }
        if local == "postmaster" || local == "abuse" {
            let found = self.sql.all(OLDEST_OWNER, &[Param::Text(domain)], |row| {
                read_owner(row, None)
            })?;
            if !found.is_empty() {
                return Ok(judge(found, Vec::new(), size));
            }
        }
        Ok(Resolution::NoSuchUser)
    }

    /// Whether the account owns the address: its own, an alias of it, either with `+detail`, or one
    /// that only the domain's catch-all has and which leads to it.
    pub fn may_send_as(&self, account: AccountId, address: &Address) -> Result<bool, StoreError> {
        let local = folded(address.local());
        for (local, detail) in spellings(&local) {
            let found = self.owners(address.domain().as_str(), local, detail)?;
            if !found.is_empty() {
                return Ok(found.iter().any(|owner| {
                    owner.target.account == account && owner.state == AccountState::Active
                }));
            }
            if !self
                .forwards_of(address.domain().as_str(), local)?
                .is_empty()
            {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// The account and the targets of the alias of exactly this address; an account goes before an alias.
    fn owners(&self, domain: &str, local: &str, detail: Option<&str>) -> SqlResult<Vec<Owner>> {
        match self.account_owner(domain, local, detail)? {
            Some(owner) => Ok(vec![owner]),
            None => self.alias_owners(domain, local, detail),
        }
    }

    fn account_owner(
        &self,
        domain: &str,
        local: &str,
        detail: Option<&str>,
    ) -> SqlResult<Option<Owner>> {
        if local.is_empty() {
            return Ok(None);
        }
        let key = [Param::Text(domain), Param::Text(local)];
        self.sql.first(OWNER, &key, |row| read_owner(row, detail))
    }

    fn alias_owners(
        &self,
        domain: &str,
        local: &str,
        detail: Option<&str>,
    ) -> SqlResult<Vec<Owner>> {
        let params = [
            Param::Text(domain),
            Param::Text(local),
            Param::Int(ALIAS_TARGETS_MAX),
        ];
        self.sql
            .all(ALIAS_OWNERS, &params, |row| read_owner(row, detail))
    }
}

struct Owner {
    target: Target,
    state: AccountState,
}

/// What to look for, best first: as it is, without detail, the catch-all.
fn spellings(local: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let bare = local.split_once('+').filter(|(user, _)| !user.is_empty());
    [
        Some((local, None)),
        bare.map(|(user, detail)| (user, Some(detail))),
        Some(("", None)),
    ]
    .into_iter()
    .flatten()
}

fn judge(found: Vec<Owner>, forwards: Vec<Address>, size: u64) -> Resolution {
    let active = found
        .into_iter()
        .filter(|owner| owner.state == AccountState::Active);
    let active: Vec<Target> = active.map(|owner| owner.target).collect();
    if !forwards.is_empty() {
        return Resolution::Forward {
            targets: active,
            forwards,
        };
    }
    if active.is_empty() {
        return Resolution::Disabled;
    }
    let has_room = |target: &Target| match target.room {
        OverQuota::Unbounded => true,
        OverQuota::Left(left) => size <= left,
        OverQuota::Over => false,
    };
    // One who has no room must not lose what the others get, nor keep it from them.
    if active.iter().any(has_room) {
        Resolution::Deliver(active)
    } else {
        Resolution::OverQuota
    }
}

/// Case does not matter in the local parts of our own domains.
pub(crate) fn folded(local: &str) -> String {
    local.to_lowercase()
}

macro_rules! account_columns {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.spelling, a.domain, a.name, a.state, a.created, l.quota, l.used_bytes, l.used_messages, l.modseq ",
            "FROM account a JOIN ledger l ON l.account = a.id ",
            $rest
        )
    };
}

const ACCOUNT_BY_ID: &str = account_columns!("WHERE a.id = ?1");
const ACCOUNT_BY_ADDRESS: &str = account_columns!("WHERE a.domain = ?1 AND a.local = ?2");
const ACCOUNTS: &str =
    account_columns!("WHERE ?1 = '' OR a.domain = ?1 ORDER BY a.domain, a.local");
const OWNER: &str = account_columns!("WHERE a.domain = ?1 AND a.local = ?2");
const OLDEST_OWNER: &str = account_columns!("WHERE a.domain = ?1 ORDER BY a.id LIMIT 1");
const ALIAS_OWNERS: &str = account_columns!(
    "JOIN alias x ON x.account = a.id WHERE x.domain = ?1 AND x.local = ?2 ORDER BY a.id LIMIT ?3"
);

fn read_account(row: &Row<'_>) -> SqlResult<Account> {
    let quota = row.int(6)?;
    Ok(Account {
        id: AccountId(row.int(0)?),
        address: stored_address(row.text(1)?, row.text(2)?)?,
        name: row.text(3)?.to_owned(),
        state: AccountState::of_code(row.int(4)?),
        created: UnixMillis(row.int(5)?),
        quota: (quota != 0).then_some(quota.max(0) as u64),
        used_bytes: row.int(7)?.max(0) as u64,
        used_messages: row.int(8)?.max(0) as u64,
        modseq: ModSeq(row.int(9)?.max(0) as u64),
    })
}

fn read_owner(row: &Row<'_>, detail: Option<&str>) -> SqlResult<Owner> {
    let account = read_account(row)?;
    let room = match account.quota {
        None => OverQuota::Unbounded,
        Some(quota) => match quota.saturating_sub(account.used_bytes) {
            0 => OverQuota::Over,
            left => OverQuota::Left(left),
        },
    };
    let target = Target {
        account: account.id,
        address: account.address,
        detail: detail.map(str::to_owned),
        room,
    };
    Ok(Owner {
        target,
        state: account.state,
    })
}

/// An address as it was written here earlier.
fn stored_address(local: &str, domain: &str) -> SqlResult<Address> {
    Address::new(local, stored_domain(domain)?)
        .map_err(|e| StoreError::Damaged(format!("the stored address {local}@{domain}: {e}")))
}

impl AccountState {
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Disabled => 2,
        }
    }

    fn of_code(code: i64) -> Self {
        if code == 1 {
            Self::Active
        } else {
            Self::Disabled
        }
    }
}
