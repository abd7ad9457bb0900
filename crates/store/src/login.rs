//! Who someone is: passwords, SCRAM keys, and the bound on guessing.

use std::net::IpAddr;

use mail::{Address, UnixMillis};

use crate::{AccountId, Store, StoreError};

/// Proof that a peer showed an account's secret. Only this file makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    account: AccountId,
    address: Address,
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

impl Store {
    /// Checks a password. `login` is the account's address (an alias will do as well); unknown ones take as long
    /// as known ones.
    pub async fn log_in(&self, login: &str, password: &str, peer: IpAddr, now: UnixMillis) -> Result<LoggedIn, LoginError> {
        let _ = (login, password, peer, now);
        todo!()
    }

    /// The keys for a SCRAM exchange. An unknown login gets made-up ones, the same each time, with
    /// which the exchange fails at its end.
    pub async fn scram_keys(&self, login: &str, peer: IpAddr, now: UnixMillis) -> Result<ScramKeys, LoginError> {
        let _ = (login, peer, now);
        todo!()
    }

    /// After the machine verified a SCRAM proof against `keys`, which [`Store::scram_keys`] gave
    /// for this login. Keys that are not (any more) the account's make no [`LoggedIn`].
    pub async fn log_in_scram(
        &self,
        login: &str,
        keys: &ScramKeys,
        peer: IpAddr,
        now: UnixMillis,
    ) -> Result<LoggedIn, LoginError> {
        let _ = (login, keys, peer, now);
        todo!()
    }

    /// A SCRAM exchange ended with a wrong proof: counts as a failed log-in.
    pub fn scram_failed(&self, login: &str, peer: IpAddr, now: UnixMillis) {
        let _ = (login, peer, now);
        todo!()
    }
}
