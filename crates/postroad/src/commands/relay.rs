//! `postroad relay`: servers of others that take our mail for single providers, always or while these refuse us.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::deliveries::{ProviderRelay, RelayProtection};
use store::{Durability, StoreError};

use super::{Context, provider, show};
use crate::config::{Relay, RelaySecurity, parse_relay};
use crate::output::{Answer, Failure};
use crate::password::PasswordSource;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Let a relay take the mail for one provider while that refuses this server's address
    Add {
        /// The provider, such as microsoft, gmail or gmx; see: postroad delivery
        #[arg(long = "for", value_name = "PROVIDER")]
        provider: String,
        /// Such as smtps://user@relay.example or smtp://user@relay.example:587
        url: String,
        #[command(flatten)]
        password: PasswordSource,
        /// All mail for the provider goes by it, whether that refuses us or not
        #[arg(long)]
        always: bool,
    },
    /// List the relays for single providers
    List,
    /// Send straight again
    Remove {
        /// As when it was added
        provider: String,
    },
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add {
        provider: String,
        url: String,
        password: Option<String>,
        always: bool,
    },
    List,
    Remove {
        provider: String,
    },
}

impl Command {
    /// Reads the password where one is needed.
    pub fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Command::Add {
                provider,
                url,
                password,
                always,
            } => {
                let (_, user) = parse(&url)?;
                let password = match user {
                    Some(user) => Some(password.read(&user)?),
                    None if password.is_named() => {
                        return Err(Failure::usage(
                            "a password goes with a user: smtps://USER@relay.example",
                        ));
                    }
                    None => None,
                };
                Request::Add {
                    provider,
                    url,
                    password,
                    always,
                }
            }
            Command::List => Request::List,
            Command::Remove { provider } => Request::Remove { provider },
        })
    }
}

/// Without the password.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Request::Add { provider, .. } => f.debug_tuple("Add").field(provider).finish(),
            Request::List => f.write_str("List"),
            Request::Remove { provider } => f.debug_tuple("Remove").field(provider).finish(),
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add {
            provider,
            url,
            password,
            always,
        } => add(context, &provider, &url, password, always),
        Request::List => list(context),
        Request::Remove { provider } => remove(context, &provider),
    }
}

fn parse(url: &str) -> Result<(Relay, Option<String>), Failure> {
    parse_relay(url).ok_or_else(|| {
        Failure::usage(format!(
            "{url} is no address of a relay: use smtps://user@relay.example:465 or smtp://relay.example:587; \
             the password does not belong into it"
        ))
    })
}

fn add(
    context: &Context,
    name: &str,
    url: &str,
    password: Option<String>,
    always: bool,
) -> Result<Answer, Failure> {
    let groups = provider::known(name);
    if groups.is_empty() {
        return Err(provider::unknown(name));
    }
    let (relay, user) = parse(url)?;
    let login = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (Some(_), None) => return Err(Failure::usage("the relay's user needs a password")),
        (None, _) => None,
    };
    let now = context.now();
    let rows: Vec<ProviderRelay> = groups
        .iter()
        .map(|group| ProviderRelay {
            provider: group.clone(),
            host: relay.host.clone(),
            port: relay.port,
            protection: match relay.security {
                RelaySecurity::Implicit => RelayProtection::Implicit,
                RelaySecurity::StartTls => RelayProtection::StartTls,
                RelaySecurity::Opportunistic => RelayProtection::Opportunistic,
            },
            login: login.clone(),
            always,
            created: now,
        })
        .collect();
    let value = json!({ "added": rows.iter().map(describe).collect::<Vec<_>>() });
    // The queue believes what it knows of a way for so long.
    let due = now.plus(mta::limits::ROUTE_AGE + std::time::Duration::from_secs(5));
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            for row in &rows {
                change.keep_provider_relay(row)?;
                change.retry_provider(&row.provider, due)?;
            }
            Ok::<_, StoreError>(())
        })?;
    let names: Vec<String> = groups.iter().map(|group| provider::name(group)).collect();
    let when = match always {
        true => "goes by",
        false => "goes, while these refuse this server's address, by",
    };
    Ok(Answer::new(value)
        .line(format!(
            "Mail for {} {when} {}:{}.",
            names.join(" and "),
            relay.host,
            relay.port
        ))
        .line("What waits for them is tried in a minute.")
        .remark(format!(
            "The relay must be allowed to send for your domains: add it to their SPF records. Undo: postroad relay remove {name}"
        )))
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let relays = context
        .store
        .read_blocking(|view| view.provider_relays())
        .map_err(|error: StoreError| Failure::from(error))?;
    let answer = Answer::new(json!({ "relays": relays.iter().map(describe).collect::<Vec<_>>() }));
    if relays.is_empty() {
        return Ok(answer
            .line("No provider has a relay of its own.")
            .remark("Add one: postroad relay add --for microsoft smtps://user@relay.example"));
    }
    let rows = relays.iter().map(|relay| {
        vec![
            provider::name(&relay.provider),
            url_of(relay),
            use_of(relay).to_owned(),
            show::time(relay.created),
        ]
    });
    Ok(answer.table(&["provider", "relay", "used", "since"], rows.collect()))
}

fn remove(context: &Context, name: &str) -> Result<Answer, Failure> {
    let groups = provider::groups(name)?;
    let named = groups.clone();
    let due = context
        .now()
        .plus(mta::limits::ROUTE_AGE + std::time::Duration::from_secs(5));
    let removed = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            let mut removed = Vec::new();
            for group in &groups {
                if change.forget_provider_relay(group)? {
                    change.retry_provider(group, due)?;
                    removed.push(group.clone());
                }
            }
            Ok::<_, StoreError>(removed)
        })?;
    if removed.is_empty() {
        return Err(Failure::failed(format!(
            "{} has no relay; see: postroad relay list",
            named.join(" and ")
        )));
    }
    let names: Vec<String> = removed.iter().map(|group| provider::name(group)).collect();
    Ok(Answer::new(json!({ "removed": removed })).line(format!(
        "Mail for {} goes straight again.",
        names.join(" and ")
    )))
}

fn use_of(relay: &ProviderRelay) -> &'static str {
    match relay.always {
        true => "always",
        false => "while refused",
    }
}

fn url_of(relay: &ProviderRelay) -> String {
    let scheme = match relay.protection {
        RelayProtection::Implicit => "smtps",
        RelayProtection::StartTls | RelayProtection::Opportunistic => "smtp",
    };
    let user = relay.login.as_ref().map(|(user, _)| format!("{user}@"));
    let (host, port) = (&relay.host, relay.port);
    format!("{scheme}://{}{host}:{port}", user.unwrap_or_default())
}

fn describe(relay: &ProviderRelay) -> Value {
    json!({
        "provider": relay.provider,
        "relay": url_of(relay),
        "always": relay.always,
        "since": show::time(relay.created),
    })
}
