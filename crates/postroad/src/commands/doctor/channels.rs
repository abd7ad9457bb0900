//! `postroad doctor notify`: who is told when something is wrong, and when it is well again.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Durability;
use store::findings::{Channel, ChannelError, ChannelId, ChannelKind, NewChannel};

use crate::commands::{Context, find, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Tell an address elsewhere, a webhook or an ntfy topic
    Add {
        #[arg(value_enum)]
        kind: Kind,
        /// A mail address on another server, or the address (https://…) of the webhook or of the topic
        target: String,
        /// A file with the key that signs what a webhook gets (X-Postroad-Signature), or with ntfy's access token
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Tell it no more
    Remove {
        /// Its number in the list
        id: i64,
    },
    /// Show who is told, and whether it got through
    List,
    /// Send something to try them
    Test {
        /// Only this one
        id: Option<i64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Mail,
    Webhook,
    Ntfy,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add {
        kind: Kind,
        target: String,
        secret: Option<String>,
    },
    Remove {
        id: i64,
    },
    List,
    Test {
        id: Option<i64>,
    },
}

impl Command {
    pub fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Self::Add {
                kind,
                target,
                secret_file,
            } => Request::Add {
                kind,
                target,
                secret: secret_file.map(|path| read_secret(&path)).transpose()?,
            },
            Self::Remove { id } => Request::Remove { id },
            Self::List => Request::List,
            Self::Test { id } => Request::Test { id },
        })
    }
}

fn read_secret(path: &PathBuf) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(Failure::failed(format!("{} is empty", path.display())));
    }
    Ok(secret.to_owned())
}

pub(super) fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add {
            kind,
            target,
            secret,
        } => add(context, kind, &target, secret),
        Request::Remove { id } => remove(context, id),
        Request::List => list(context),
        Request::Test { id } => test(context, id),
    }
}

fn add(
    context: &Context,
    kind: Kind,
    target: &str,
    secret: Option<String>,
) -> Result<Answer, Failure> {
    let target = match kind {
        Kind::Mail => {
            let address = find::parse_address(target)?;
            let domain = address.domain().clone();
            let local = context
                .store
                .read_blocking(move |view| view.is_local(&domain))?;
            if local {
                return Err(Failure::usage(format!(
                    "{address} is on this server: when it is in trouble you would not hear of it; name an address elsewhere"
                )));
            }
            if secret.is_some() {
                return Err(Failure::usage("a mail address takes no secret"));
            }
            address.to_string()
        }
        Kind::Webhook | Kind::Ntfy => {
            if !target.starts_with("https://") && !target.starts_with("http://") {
                return Err(Failure::usage(format!(
                    "{target:?} is not an address, such as https://example.org/hook"
                )));
            }
            if target.starts_with("http://") && secret.is_some() && kind == Kind::Ntfy {
                return Err(Failure::usage(
                    "a token would be readable on the way; use https",
                ));
            }
            target.to_owned()
        }
    };
    let channel = NewChannel {
        kind: match kind {
            Kind::Mail => ChannelKind::Mail,
            Kind::Webhook => ChannelKind::Webhook,
            Kind::Ntfy => ChannelKind::Ntfy,
        },
        target: target.clone(),
        secret: secret.map(String::into_bytes),
    };
    let now = context.now();
    let added = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.add_operator_channel(&channel, now)
        });
    let id = added.map_err(|error| match error {
        ChannelError::Store(error) => Failure::from(error),
        other => Failure::failed(other.to_string()),
    })?;
    Ok(Answer::new(json!({ "id": id.0, "target": target }))
        .line(format!("{target} is told from now on (number {}).", id.0))
        .remark(format!("Try it: postroad doctor notify test {}", id.0)))
}

fn remove(context: &Context, id: i64) -> Result<Answer, Failure> {
    let removed = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.remove_operator_channel(ChannelId(id))
        })?;
    if !removed {
        return Err(unknown(id));
    }
    Ok(Answer::new(json!({ "id": id })).line(format!("Number {id} is told no more.")))
}

fn unknown(id: i64) -> Failure {
    Failure::failed(format!(
        "there is no number {id}; see: postroad doctor notify list"
    ))
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let channels = context
        .store
        .read_blocking(|view| view.operator_channels())?;
    let values: Vec<Value> = channels.iter().map(describe).collect();
    let answer = Answer::new(json!(values));
    if channels.is_empty() {
        return Ok(answer
            .line("Nobody outside this server is told.")
            .remark("Add somebody: postroad doctor notify add mail you@elsewhere.example"));
    }
    let rows = channels.iter().map(|one| {
        vec![
            one.id.0.to_string(),
            one.channel.kind.name().to_owned(),
            one.channel.target.clone(),
            one.told.map_or_else(|| "never".to_owned(), show::time),
            one.problem.clone().unwrap_or_default(),
        ]
    });
    Ok(answer.table(
        &["number", "kind", "target", "last told", "problem"],
        rows.collect(),
    ))
}

fn describe(one: &Channel) -> Value {
    json!({
        "id": one.id.0,
        "kind": one.channel.kind.name(),
        "target": one.channel.target,
        "has_secret": one.channel.secret.is_some(),
        "since": show::time(one.created),
        "told": one.told.map(show::time),
        "problem": one.problem,
    })
}

/// How long it is waited for the server to tell: it looks every half minute.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

fn test(context: &Context, id: Option<i64>) -> Result<Answer, Failure> {
    let channels = context
        .store
        .read_blocking(|view| view.operator_channels())?;
    let chosen: Vec<Channel> = channels
        .into_iter()
        .filter(|one| id.is_none_or(|id| one.id.0 == id))
        .collect();
    if chosen.is_empty() {
        return Err(match id {
            Some(id) => unknown(id),
            None => Failure::failed("nobody is told yet; see: postroad doctor notify add --help"),
        });
    }
    let now = context.now();
    let body = jobs::doctor::trial(&context.config.hostname, now);
    for one in &chosen {
        let (channel, body) = (one.id, body.clone());
        context
            .store
            .write_blocking(Durability::Durable, move |change| {
                change.post_to_operator(channel, &body, now)
            })?;
    }
    if context.tls.is_none() {
        return Ok(Answer::new(json!({ "sent": false }))
            .line("It is sent once the server runs; see then: postroad doctor notify list"));
    }
    let until = context.clock.now() + PATIENCE;
    loop {
        let after = context
            .store
            .read_blocking(|view| view.operator_channels())?;
        let state = |one: &Channel| after.iter().find(|other| other.id == one.id).cloned();
        let settled = chosen.iter().all(|one| {
            state(one).is_none_or(|after| after.told != one.told || after.problem.is_some())
        });
        if settled || until < context.clock.now() {
            let shown: Vec<Channel> = chosen.iter().filter_map(state).collect();
            return Ok(tried(&chosen, &shown));
        }
        std::thread::park_timeout(PAUSE);
    }
}

fn tried(before: &[Channel], after: &[Channel]) -> Answer {
    let mut answer = Answer::new(json!(after.iter().map(describe).collect::<Vec<_>>()));
    let mut all = true;
    for (before, after) in before.iter().zip(after) {
        let target = &after.channel.target;
        let through = after.told != before.told && after.problem.is_none();
        all &= through;
        answer = answer.line(match (through, &after.problem, after.channel.kind) {
            (true, _, ChannelKind::Mail) => {
                format!("{target}: in the queue; see whether it arrives")
            }
            (true, ..) => format!("{target}: taken"),
            (false, Some(problem), _) => format!("{target}: {problem}"),
            (false, None, _) => format!("{target}: nothing is known yet"),
        });
    }
    if all { answer } else { answer.findings() }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the secret.
        f.write_str("Request")
    }
}
