//! Accounts, aliases, catch-all: who a local address is, and who may write as it.

use mail::{Address, UnixMillis};

use crate::{AccountId, Change, ModSeq, StoreError, View};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    /// The account's own address, which is its login name as well.
    pub address: Address,
    /// The person's name, as it may stand in From.
    pub name: String,
    pub state: AccountState,
    /// Bytes; nothing means no bound.
    pub quota: Option<u64>,
    pub used_bytes: u64,
    pub used_messages: u64,
    pub modseq: ModSeq,
    pub created: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    Active,
    /// No login, and mail for it is refused for now.
    Disabled,
}

/// An account to be made. The password is hashed by [`crate::Store::add_account`], outside of the
/// transaction, because that is slow on purpose.
#[derive(Clone)]
pub struct NewAccount {
    pub address: Address,
    pub name: String,
    pub password: String,
    pub quota: Option<u64>,
}

/// A further address of an account. Without local part it catches all of its domain that nobody
/// else has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    pub local: Option<String>,
    pub domain: mail::Domain,
    pub account: AccountId,
    pub target: Address,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("{0} is already an account or alias")]
    Exists(Address),
    #[error("there is no account {0}")]
    NoSuchAccount(String),
    #[error("{0} is no domain of this server; add it first")]
    NoSuchDomain(mail::Domain),
    #[error("this cannot be an account's address: {0}")]
    BadAddress(&'static str),
    #[error("the password {0}")]
    BadPassword(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum AliasError {
    #[error("{0} already exists")]
    Exists(String),
    #[error("there is no alias {0}")]
    NoSuchAlias(String),
    #[error("there is no account {0}; an alias leads to an account of this server")]
    NoSuchTarget(String),
    #[error("{0} is no domain of this server; add it first")]
    NoSuchDomain(mail::Domain),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an address means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Never empty. More than one when an alias has several targets. Disabled targets and those
    /// without room are left out as long as there are others.
    Deliver(Vec<Target>),
    /// Ours to answer for, and nobody has it: 550 5.1.1.
    NoSuchUser,
    /// Another server's.
    NotLocal,
    /// All its accounts are disabled: 550 5.2.1.
    Disabled,
    /// None of its accounts has room: 452 4.2.2.
    OverQuota,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub account: AccountId,
    /// The account's own address.
    pub address: Address,
    /// What stood after `+` in the local part. RFC 5233.
    pub detail: Option<String>,
    pub room: OverQuota,
}

/// How much more the account may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverQuota {
    Unbounded,
    /// Bytes left, at least one.
    Left(u64),
    /// Nothing is left.
    Over,
}

impl View<'_> {
    pub fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let _ = id;
        todo!()
    }

    /// By its own address; case does not matter in local domains. Aliases and `+detail` do not count.
    pub fn account_by_address(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        let _ = address;
        todo!()
    }

    /// All accounts, or those of one domain, by address.
    pub fn accounts(&self, domain: Option<&mail::Domain>) -> Result<Vec<Account>, StoreError> {
        let _ = domain;
        todo!()
    }

    /// All aliases, or those of one domain, by address; the catch-all first.
    pub fn aliases(&self, domain: Option<&mail::Domain>) -> Result<Vec<Alias>, StoreError> {
        let _ = domain;
        todo!()
    }

    /// Who gets mail for this address: an account, an alias, either of them without `+detail`, the
    /// domain's catch-all, in this order. `postmaster` and `abuse` of a local domain that nobody
    /// has lead to the oldest account of the domain (RFC 5321 §4.5.1). `size` is what the peer
    /// announced, 0 if nothing.
    pub fn resolve(&self, address: &Address, size: u64) -> Result<Resolution, StoreError> {
        let _ = (address, size);
        todo!()
    }

    /// Whether the account owns the address: its own, an alias of it, either with `+detail`, or one
    /// that only the domain's catch-all has and which leads to it.
    pub fn may_send_as(&self, account: AccountId, address: &Address) -> Result<bool, StoreError> {
        let _ = (account, address);
        todo!()
    }

    /// Bytes used and the bound, for QUOTA.
    pub fn quota(&self, account: AccountId) -> Result<Option<Account>, StoreError> {
        self.account(account)
    }
}

impl Change<'_> {
    pub fn set_quota(&mut self, account: AccountId, quota: Option<u64>) -> Result<(), AccountError> {
        let _ = (account, quota);
        todo!()
    }

    pub fn set_account_state(&mut self, account: AccountId, state: AccountState) -> Result<(), AccountError> {
        let _ = (account, state);
        todo!()
    }

    /// Removes an account with all it has. Its id is never used again.
    pub fn remove_account(&mut self, account: AccountId) -> Result<(), AccountError> {
        let _ = account;
        todo!()
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
        let _ = (local, domain, target, now);
        todo!()
    }

    /// Without a target all of this address go.
    pub fn remove_alias(
        &mut self,
        local: Option<&str>,
        domain: &mail::Domain,
        target: Option<&Address>,
    ) -> Result<(), AliasError> {
        let _ = (local, domain, target);
        todo!()
    }
}
