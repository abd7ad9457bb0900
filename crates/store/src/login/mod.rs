//! Who someone is: passwords, SCRAM keys, what they are good for and from where, who came, and the bound on guessing.

mod app;
mod check;
mod credential;
mod entrance;
mod gate;
mod history;
mod holder;
mod journal;
mod lanes;
mod network;
mod news;
mod passwords;
mod protocol;
mod rules;
mod scram;
mod sessions;
mod throttle;
mod workspace;

pub use app::{AppPassword, AppPasswordError, AppPasswordUse, NewAppPassword, readable_password};
pub use entrance::{Client, Entrance};
pub use history::{SignIn, SignInFacts, SignInNetwork};
pub use journal::SignInOutcome;
pub use network::place_of;
pub use news::{LastTold, SignInNews, neighbourhood_of};
pub use protocol::{Protocol, Protocols};
pub use rules::{AppPasswordBounds, Barred, LoginRules, RulesOf};
pub use scram::{ScramAttempt, ScramKeys, ScramPair};
pub use sessions::SessionWatch;

pub(crate) use gate::Gate;
pub(crate) use sessions::Sessions;

use std::net::IpAddr;

use mail::Address;

use crate::{AccountId, StoreError};

/// Proof that a peer showed an account's secret. Only this room makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    account: AccountId,
    address: Address,
    used: PasswordUsed,
    /// When the app password is good no more.
    expires: Option<mail::UnixMillis>,
    /// The account's and the server's epoch in which it logged in.
    epochs: (i64, i64),
}

/// Which of an account's passwords was shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PasswordUsed {
    Main,
    /// The app password of this name.
    App(Box<str>),
}

/// By which door somebody comes, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    pub protocol: Protocol,
    pub peer: IpAddr,
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

    #[must_use]
    pub fn used(&self) -> &PasswordUsed {
        &self.used
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Wrong password, unknown login, disabled account, or a right password that is not taken here: a peer must not
    /// learn which.
    #[error("the login or the password is wrong")]
    Wrong,
    /// Too many failures from this peer; `until` it gets this answer whatever it sends.
    #[error("too many failed log-ins")]
    Throttled { until: mail::UnixMillis },
    #[error(transparent)]
    Store(#[from] StoreError),
}
