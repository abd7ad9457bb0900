//! Who someone is: passwords, SCRAM keys, and the bound on guessing.

mod app;
mod check;
mod credential;
mod gate;
mod history;
mod network;
mod protocol;
mod rules;
mod sessions;
mod throttle;
mod workspace;

pub use app::{AppPassword, AppPasswordUse};
pub use history::SignInFacts;
pub use network::{BadNetwork, IpNetwork};
pub use protocol::{Protocol, Protocols};
pub use rules::{AppPasswordBounds, Barred, LoginRules, RulesOf};
pub use sessions::SessionWatch;

pub(crate) use gate::Gate;
pub(crate) use sessions::Sessions;

use std::fmt;

use mail::{Address, UnixMillis};

use crate::{AccountId, StoreError};

/// Proof that a peer showed an account's secret. Only this file makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    account: AccountId,
    address: Address,
    /// The account's and the server's epoch in which it logged in.
    epochs: (i64, i64),
}

impl LoggedIn {
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The account's own address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Wrong password, unknown login or disabled account: a peer must not learn which.
    #[error("the login or the password is wrong")]
    Wrong,
    /// Too many failures from this peer; `until` it gets this answer whatever it sends.
    #[error("too many failed log-ins")]
    Throttled { until: UnixMillis },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What SCRAM-SHA-256 needs to know of an account. RFC 5802 §3, RFC 7677.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    pub salt: Vec<u8>,
    pub iterations: u32,
    pub stored_key: [u8; 32],
    pub server_key: [u8; 32],
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys")
    }
}
