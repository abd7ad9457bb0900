//! For whom something is said: an account, a domain, or the whole server.

use clap::Args;
use mail::{Address, Domain};
use serde::{Deserialize, Serialize};
use store::View;
use store::lessons::Scope;

use crate::commands::find;
use crate::output::Failure;

/// As options of a command; without any it is the whole server.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub struct ScopeArgs {
    /// For this account only
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// For the accounts of this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

/// As it crosses the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeName {
    Account(String),
    Domain(String),
    Server,
}

/// A name that can be typed in one piece: an address, a domain, or `all`.
pub fn parse_whose(text: &str) -> Result<ScopeName, String> {
    if text == "all" {
        return Ok(ScopeName::Server);
    }
    if text.contains('@') {
        return Address::parse(text)
            .map(|_| ScopeName::Account(text.to_owned()))
            .map_err(|_| format!("{text:?} is not an address, such as you@example.org"));
    }
    Domain::parse(text)
        .map(|_| ScopeName::Domain(text.to_owned()))
        .map_err(|_| "give an address, a domain, or `all` for the whole server".to_owned())
}

impl From<ScopeArgs> for ScopeName {
    fn from(args: ScopeArgs) -> Self {
        match (args.account, args.domain) {
            (Some(account), _) => Self::Account(account),
            (None, Some(domain)) => Self::Domain(domain),
            (None, None) => Self::Server,
        }
    }
}

impl ScopeName {
    /// Whom it names here.
    pub fn find(&self, view: &View<'_>) -> Result<Scope, Failure> {
        match self {
            Self::Account(address) => {
                let address = find::parse_address(address)?;
                Ok(Scope::Account(find::account(view, &address)?.id))
            }
            Self::Domain(domain) => {
                let domain = find::parse_domain(domain)?;
                Ok(Scope::Domain(find::domain(view, &domain)?.name))
            }
            Self::Server => Ok(Scope::Server),
        }
    }
}

/// How a scope is shown: `ann@example.org`, `example.org`, `all`.
pub fn name(view: &View<'_>, scope: &Scope) -> Result<String, Failure> {
    Ok(match scope {
        Scope::Account(account) => view.account(*account)?.map_or_else(
            || format!("account {account}"),
            |account| account.address.to_string(),
        ),
        Scope::Domain(domain) => domain.to_string(),
        Scope::Server => "all".to_owned(),
    })
}
