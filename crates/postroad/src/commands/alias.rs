//! `postroad alias`: further addresses of accounts, and who gets what nobody has (`@example.org`).

use clap::Subcommand;
use mail::Domain;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Alias, Durability};

use super::{Context, find};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Give an account a further address; `@example.org` catches all that nobody else has
    Add {
        /// Such as info@example.org, or @example.org for a catch-all
        alias: String,
        /// Whose mailbox it leads to
        account: String,
    },
    /// List all aliases, or those of one domain
    List {
        /// Only this domain's
        domain: Option<String>,
    },
    /// Remove an alias, or only its way to one account
    Remove {
        alias: String,
        account: Option<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add {
        alias: String,
        account: String,
    },
    List {
        domain: Option<String>,
    },
    Remove {
        alias: String,
        account: Option<String>,
    },
}

/// What stands left of the arrow: an address, or a domain for its catch-all.
#[derive(Clone)]
struct Left {
    local: Option<String>,
    domain: Domain,
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Add { alias, account } => Request::Add { alias, account },
            Command::List { domain } => Request::List { domain },
            Command::Remove { alias, account } => Request::Remove { alias, account },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add { alias, account } => add(context, &alias, &account),
        Request::List { domain } => list(context, domain.as_deref()),
        Request::Remove { alias, account } => remove(context, &alias, account.as_deref()),
    }
}

fn add(context: &Context, alias: &str, account: &str) -> Result<Answer, Failure> {
    let left = parse_left(alias)?;
    let target = find::parse_address(account)?;
    let now = context.now();
    let said = format!(
        "Mail for {} goes to {target}.",
        left_text(left.local.as_deref(), &left.domain)
    );
    let value = json!({ "alias": left_text(left.local.as_deref(), &left.domain), "account": target.to_string() });
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &left.domain)?;
            find::account(change, &target)?;
            change.add_alias(left.local.as_deref(), &left.domain, &target, now)?;
            Ok::<_, Failure>(())
        })?;
    Ok(Answer::new(value).line(said))
}

fn list(context: &Context, domain: Option<&str>) -> Result<Answer, Failure> {
    let domain = domain.map(find::parse_domain).transpose()?;
    let aliases = context.store.read_blocking(move |view| {
        if let Some(domain) = &domain {
            find::domain(view, domain)?;
        }
        Ok::<_, Failure>(view.aliases(domain.as_ref())?)
    })?;
    let answer = Answer::new(aliases.iter().map(describe).collect());
    if aliases.is_empty() {
        return Ok(answer.remark(
            "No aliases yet. Add one with: postroad alias add info@example.org you@example.org",
        ));
    }
    let rows = aliases
        .iter()
        .map(|alias| {
            vec![
                left_text(alias.local.as_deref(), &alias.domain),
                alias.target.to_string(),
            ]
        })
        .collect();
    Ok(answer.table(&["alias", "account"], rows))
}

fn remove(context: &Context, alias: &str, account: Option<&str>) -> Result<Answer, Failure> {
    let left = parse_left(alias)?;
    let target = account.map(find::parse_address).transpose()?;
    let shown = left_text(left.local.as_deref(), &left.domain);
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &left.domain)?;
            change.remove_alias(left.local.as_deref(), &left.domain, target.as_ref())?;
            Ok::<_, Failure>(())
        })?;
    Ok(Answer::new(json!({ "alias": shown, "removed": true })).line(format!("Removed {shown}.")))
}

fn parse_left(text: &str) -> Result<Left, Failure> {
    if let Some(domain) = text.strip_prefix('@') {
        return Ok(Left {
            local: None,
            domain: find::parse_domain(domain)?,
        });
    }
    let address = find::parse_address(text)?;
    Ok(Left {
        local: Some(address.local().to_owned()),
        domain: address.domain().clone(),
    })
}

fn left_text(local: Option<&str>, domain: &Domain) -> String {
    format!("{}@{domain}", local.unwrap_or_default())
}

fn describe(alias: &Alias) -> Value {
    json!({
        "alias": left_text(alias.local.as_deref(), &alias.domain),
        "catch_all": alias.local.is_none(),
        "account": alias.target.to_string(),
    })
}
