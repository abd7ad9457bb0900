//! `postroad alias`: further addresses of accounts, who gets what nobody has (`@example.org`), and what goes on
//! to other servers.

use clap::Subcommand;
use mail::Domain;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Durability;

use super::{Context, find};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Give an account a further address, or forward it to another server; `@example.org` catches all
    /// that nobody else has
    Add {
        /// Such as info@example.org, or @example.org for a catch-all
        alias: String,
        /// Whose mailbox it leads to, or an address at another server
        target: String,
    },
    /// List all aliases, or those of one domain
    List {
        /// Only this domain's
        domain: Option<String>,
    },
    /// Remove an alias, or only its way to one target
    Remove {
        alias: String,
        target: Option<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add {
        alias: String,
        target: String,
    },
    List {
        domain: Option<String>,
    },
    Remove {
        alias: String,
        target: Option<String>,
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
            Command::Add { alias, target } => Request::Add { alias, target },
            Command::List { domain } => Request::List { domain },
            Command::Remove { alias, target } => Request::Remove { alias, target },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add { alias, target } => add(context, &alias, &target),
        Request::List { domain } => list(context, domain.as_deref()),
        Request::Remove { alias, target } => remove(context, &alias, target.as_deref()),
    }
}

fn add(context: &Context, alias: &str, target: &str) -> Result<Answer, Failure> {
    let left = parse_left(alias)?;
    let target = find::parse_address(target)?;
    let now = context.now();
    let shown = left_text(left.local.as_deref(), &left.domain);
    let said = format!("Mail for {shown} goes to {target}.");
    let to = target.clone();
    let elsewhere = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            find::domain(change, &left.domain)?;
            let elsewhere = !change.is_local(target.domain())?;
            if elsewhere {
                change.add_forward(left.local.as_deref(), &left.domain, &target, now)?;
            } else {
                find::account(change, &target)?;
                change.add_alias(left.local.as_deref(), &left.domain, &target, now)?;
            }
            Ok::<_, Failure>(elsewhere)
        })?;
    let value = describe_way(&shown, &to.to_string(), elsewhere);
    let answer = Answer::new(value).line(said);
    Ok(match elsewhere {
        false => answer,
        true => answer.remark(format!(
            "{} is another server's: mail goes on as it came, with a return address here. What fails DMARC is not passed on.",
            to.domain()
        )),
    })
}

fn list(context: &Context, domain: Option<&str>) -> Result<Answer, Failure> {
    let domain = domain.map(find::parse_domain).transpose()?;
    let (aliases, forwards) = context.store.read_blocking(move |view| {
        if let Some(domain) = &domain {
            find::domain(view, domain)?;
        }
        let aliases = view.aliases(domain.as_ref())?;
        Ok::<_, Failure>((aliases, view.forwards(domain.as_ref())?))
    })?;
    let here = aliases.iter().map(|alias| Way {
        alias: left_text(alias.local.as_deref(), &alias.domain),
        target: alias.target.to_string(),
        catch_all: alias.local.is_none(),
        elsewhere: false,
    });
    let away = forwards.iter().map(|forward| Way {
        alias: left_text(forward.local.as_deref(), &forward.domain),
        target: forward.target.to_string(),
        catch_all: forward.local.is_none(),
        elsewhere: true,
    });
    let mut ways: Vec<Way> = here.chain(away).collect();
    ways.sort();
    let answer = Answer::new(ways.iter().map(describe).collect());
    if ways.is_empty() {
        return Ok(answer.remark(
            "No aliases yet. Add one with: postroad alias add info@example.org you@example.org",
        ));
    }
    let place = |way: &Way| {
        if way.elsewhere {
            "another server"
        } else {
            "here"
        }
    };
    let rows = ways
        .iter()
        .map(|way| vec![way.alias.clone(), way.target.clone(), place(way).to_owned()])
        .collect();
    Ok(answer.table(&["alias", "goes to", "at"], rows))
}

/// One way of an alias, for showing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    alias: String,
    target: String,
    catch_all: bool,
    elsewhere: bool,
}

fn remove(context: &Context, alias: &str, target: Option<&str>) -> Result<Answer, Failure> {
    let left = parse_left(alias)?;
    let target = target.map(find::parse_address).transpose()?;
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

fn describe(way: &Way) -> Value {
    let mut value = describe_way(&way.alias, &way.target, way.elsewhere);
    value["catch_all"] = json!(way.catch_all);
    value
}

/// An account is named as such; where mail goes on to is not one.
fn describe_way(alias: &str, target: &str, elsewhere: bool) -> Value {
    match elsewhere {
        false => json!({ "alias": alias, "account": target }),
        true => json!({ "alias": alias, "forward": target }),
    }
}
