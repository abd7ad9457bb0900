//! `postroad account app-password`: a password for one device, printed once, that opens only what it is for.

use clap::Subcommand;
use mail::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::bans::Network;
use store::{
    Account, AppPassword, AppPasswordBounds, AppPasswordError, Durability, NewAppPassword,
    Protocols,
};

use super::{Context, find_account, parse_networks, parse_protocols};
use crate::commands::{find, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Make one and print it, once
    Add {
        /// The account's address
        address: String,
        /// The device, such as phone
        name: String,
        /// What it opens: smtp (sending), imap, pop3; without it all
        #[arg(long, value_delimiter = ',', value_name = "NAMES")]
        protocols: Vec<String>,
        /// From where it is good, such as 192.0.2.0/24,2001:db8::/32; without it everywhere
        #[arg(long, value_delimiter = ',', value_name = "NETWORKS")]
        networks: Vec<String>,
        /// How long it is good, such as 90d; without it until it is removed
        #[arg(long, value_name = "DAYS", value_parser = parse_days)]
        expires: Option<u16>,
    },
    /// List an account's app passwords, with their last use
    List {
        /// The account's address
        address: String,
    },
    /// Remove one, or those made of late; their sessions end
    Remove {
        /// The account's address
        address: String,
        /// As when it was added
        #[arg(required_unless_present_any = ["all", "since"])]
        name: Option<String>,
        /// Remove all
        #[arg(long, conflicts_with_all = ["name", "since"])]
        all: bool,
        /// Remove those made within so many days, such as 30d
        #[arg(long, value_name = "DAYS", value_parser = parse_days, conflicts_with = "name")]
        since: Option<u16>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add {
        address: String,
        name: String,
        protocols: Vec<String>,
        networks: Vec<String>,
        days: Option<u16>,
    },
    List {
        address: String,
    },
    Remove {
        address: String,
        which: Which,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Named(String),
    All,
    /// Made within so many days.
    Since(u16),
}

const DAY_MILLIS: i64 = 86_400_000;

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Add {
                address,
                name,
                protocols,
                networks,
                expires,
            } => Self::Add {
                address,
                name,
                protocols,
                networks,
                days: expires,
            },
            Command::List { address } => Self::List { address },
            Command::Remove {
                address,
                name,
                since,
                ..
            } => Self::Remove {
                address,
                which: match (name, since) {
                    (Some(name), _) => Which::Named(name),
                    (None, Some(days)) => Which::Since(days),
                    (None, None) => Which::All,
                },
            },
        }
    }
}

pub(super) fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add {
            address,
            name,
            protocols,
            networks,
            days,
        } => {
            let bounds = AppPasswordBounds {
                protocols: match protocols.as_slice() {
                    [] => Protocols::all(),
                    names => parse_protocols(names)?,
                },
                networks: parse_networks(&networks)?,
                expires: days
                    .map(|days| UnixMillis(context.now().0 + i64::from(days) * DAY_MILLIS)),
            };
            add(context, &address, NewAppPassword { name, bounds })
        }
        Request::List { address } => list(context, &address),
        Request::Remove { address, which } => remove(context, &address, which),
    }
}

fn add(context: &Context, address: &str, new: NewAppPassword) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let name = new.name.clone();
    let bounds = new.bounds.clone();
    let password = context
        .store
        .add_app_password_blocking(account.id, new, context.now())?;
    let value = json!({
        "address": account.address.to_string(),
        "name": name,
        "password": password,
        "bounds": describe_bounds(&bounds),
    });
    Ok(Answer::new(value)
        .line(format!("Login     {}", account.address))
        .line(format!("Password  {password}"))
        .remark(format!(
            "Shown only now. Good for {}; the dashes may be left out. Remove it with: postroad account app-password remove {} {name}",
            bounds_text(&bounds),
            account.address,
        )))
}

fn list(context: &Context, address: &str) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let (id, now) = (account.id, context.now());
    context.store.write_sign_ins_blocking()?;
    let all = context
        .store
        .read_blocking(move |view| view.app_passwords(id))?;
    let answer = Answer::new(all.iter().map(describe).collect());
    if all.is_empty() {
        return Ok(answer.remark(format!(
            "No app passwords. Make one with: postroad account app-password add {address} phone"
        )));
    }
    let rows = all.iter().map(|one| row(one, now)).collect();
    Ok(answer.table(&["name", "good for", "made", "last used"], rows))
}

fn remove(context: &Context, address: &str, which: Which) -> Result<Answer, Failure> {
    let account = find_account(context, address)?;
    let (id, now) = (account.id, context.now());
    let gone = match which {
        Which::Named(name) => remove_named(context, &account, &name)?,
        Which::All => remove_since(context, id, UnixMillis(i64::MIN))?,
        Which::Since(days) => {
            let since = UnixMillis(now.0 - i64::from(days) * DAY_MILLIS);
            remove_since(context, id, since)?
        }
    };
    let value = json!({ "address": account.address.to_string(), "removed": gone });
    let said = match gone.as_slice() {
        [] => format!("{} has none of these.", account.address),
        names => format!("Removed of {}: {}.", account.address, names.join(", ")),
    };
    Ok(Answer::new(value).line(said))
}

fn remove_named(context: &Context, account: &Account, name: &str) -> Result<Vec<String>, Failure> {
    let (id, wanted) = (account.id, name.to_owned());
    let gone = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.remove_app_password(id, &wanted)
        })?;
    if gone {
        return Ok(vec![name.to_owned()]);
    }
    let all = context
        .store
        .read_blocking(move |view| view.app_passwords(id))?;
    Err(Failure::failed(find::unknown(
        &format!("{} has no app password {name:?}", account.address),
        name,
        all.into_iter().map(|one| one.name).collect(),
        &format!(
            "see: postroad account app-password list {}",
            account.address
        ),
    )))
}

fn remove_since(
    context: &Context,
    account: store::AccountId,
    since: UnixMillis,
) -> Result<Vec<String>, Failure> {
    Ok(context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.remove_app_passwords_since(account, since)
        })?)
}

fn describe_bounds(bounds: &AppPasswordBounds) -> Value {
    let protocols: Vec<&str> = bounds.protocols.iter().map(store::Protocol::name).collect();
    let networks: Vec<String> = bounds.networks.iter().map(Network::to_string).collect();
    json!({
        "protocols": protocols,
        "networks": networks,
        "expires": bounds.expires.map(show::time),
    })
}

fn describe(one: &AppPassword) -> Value {
    let used = one.used.as_ref().map(|used| {
        json!({
            "at": show::time(used.at),
            "peer": used.peer.map(|peer| peer.to_string()),
            "protocol": used.protocol.name(),
            "client": used.client,
        })
    });
    json!({
        "name": one.name,
        "bounds": describe_bounds(&one.bounds),
        "created": show::time(one.created),
        "used": used,
    })
}

fn row(one: &AppPassword, now: UnixMillis) -> Vec<String> {
    let used = match &one.used {
        None => "never".to_owned(),
        Some(used) => {
            let peer = used.peer.map(|peer| format!(" from {peer}"));
            let client = match used.client.as_str() {
                "" => String::new(),
                client => format!(" by {client}"),
            };
            format!(
                "{}, {}{}{client}",
                show::relative(used.at, now),
                used.protocol,
                peer.unwrap_or_default()
            )
        }
    };
    let bounds = match one.bounds.expires {
        Some(expires) if expires.0 <= now.0 => "nothing: it has expired".to_owned(),
        _ => bounds_text(&one.bounds),
    };
    vec![
        one.name.clone(),
        bounds,
        show::relative(one.created, now),
        used,
    ]
}

/// `smtp, imap from 192.0.2.0/24 until 2026-12-01T00:00:00Z`.
fn bounds_text(bounds: &AppPasswordBounds) -> String {
    let mut text = match bounds.protocols == Protocols::all() {
        true => "all protocols".to_owned(),
        false => bounds.protocols.to_string(),
    };
    if !bounds.networks.is_empty() {
        let networks: Vec<String> = bounds.networks.iter().map(Network::to_string).collect();
        text.push_str(&format!(" from {}", networks.join(", ")));
    }
    if let Some(expires) = bounds.expires {
        text.push_str(&format!(" until {}", show::time(expires)));
    }
    text
}

/// `90d` or `90`.
fn parse_days(text: &str) -> Result<u16, String> {
    let number = text.trim().trim_end_matches('d');
    match number.parse::<u16>() {
        Ok(days) if 0 < days => Ok(days),
        _ => Err("a number of days, such as 90d".to_owned()),
    }
}

impl From<AppPasswordError> for Failure {
    fn from(error: AppPasswordError) -> Self {
        Failure::failed(error.to_string())
    }
}
