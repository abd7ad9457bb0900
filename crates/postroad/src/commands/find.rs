//! From what a person typed to what the store has, with an error that says what there is.

use mail::{Address, Domain};
use store::{Account, AccountError, AliasError, DomainError, StoreError, View};

use crate::nearest::nearest;
use crate::output::Failure;

/// More names than this in an error help nobody.
const NAMES_SHOWN_MAX: usize = 10;

pub fn parse_domain(text: &str) -> Result<Domain, Failure> {
    Domain::parse(text.trim_end_matches('.')).map_err(|_| {
        Failure::usage(format!(
            "{text:?} is not a domain name, such as example.org"
        ))
    })
}

pub fn parse_address(text: &str) -> Result<Address, Failure> {
    Address::parse(text)
        .ok()
        // A domain, not an IP address in brackets.
        .filter(|address| address.domain().literal().is_none())
        .ok_or_else(|| {
            Failure::usage(format!(
                "{text:?} is not an address, such as you@example.org"
            ))
        })
}

/// A domain of this server.
pub fn domain(view: &View<'_>, name: &Domain) -> Result<store::Domain, Failure> {
    if let Some(domain) = view.domain(name)? {
        return Ok(domain);
    }
    let known = view
        .domains()?
        .iter()
        .map(|domain| domain.name.to_string())
        .collect();
    Err(Failure::failed(unknown(
        &format!("{name} is not a domain of this server"),
        name.as_str(),
        known,
        &format!("add it with: postroad domain add {name}"),
    )))
}

/// An account of this server.
pub fn account(view: &View<'_>, address: &Address) -> Result<Account, Failure> {
    if let Some(account) = view.account_by_address(address)? {
        return Ok(account);
    }
    let known = view
        .accounts(None)?
        .iter()
        .map(|account| account.address.to_string())
        .collect();
    Err(Failure::failed(unknown(
        &format!("there is no account {address}"),
        &address.to_string(),
        known,
        &format!("make it with: postroad account add {address}"),
    )))
}

/// "X is not there; did you mean Y? Known: A, B, C".
pub fn unknown(what: &str, typed: &str, mut known: Vec<String>, remedy: &str) -> String {
    if let Some(guess) = nearest(typed, known.iter().map(String::as_str)) {
        return format!("{what}; did you mean {guess}?");
    }
    if known.is_empty() {
        return format!("{what}, and there are none yet; {remedy}");
    }
    let more = known.len().saturating_sub(NAMES_SHOWN_MAX);
    known.truncate(NAMES_SHOWN_MAX);
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!("{what}; known: {}{rest}; {remedy}", known.join(", "))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::failed(error.to_string())
    }
}

impl From<DomainError> for Failure {
    fn from(error: DomainError) -> Self {
        Failure::failed(error.to_string())
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        Failure::failed(error.to_string())
    }
}

impl From<AliasError> for Failure {
    fn from(error: AliasError) -> Self {
        Failure::failed(error.to_string())
    }
}
