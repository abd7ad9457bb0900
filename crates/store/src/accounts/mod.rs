//! Accounts, aliases, catch-all: who a local address is, and who may write as it.

mod edit;
mod resolve;

pub(crate) use resolve::folded;

use mail::{Address, UnixMillis};

use crate::{AccountId, ModSeq, StoreError};

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
    #[error(
        "there is no account {0}; an alias leads to an account of this server or to an address elsewhere"
    )]
    NoSuchTarget(String),
    #[error("{0} is an address of this server; an alias leads to its account itself")]
    NotElsewhere(Address),
    #[error("the alias has as many targets as it may have")]
    TooManyTargets,
    #[error("{0} is no domain of this server; add it first")]
    NoSuchDomain(mail::Domain),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an address means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Never empty. More than one when an alias has several targets. Disabled targets are left out
    /// as long as there are others; those without room get what the others get.
    Deliver(Vec<Target>),
    /// An alias that leads to other servers, and perhaps to accounts here as well. `forwards` is
    /// never empty.
    Forward {
        targets: Vec<Target>,
        forwards: Vec<Address>,
    },
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
