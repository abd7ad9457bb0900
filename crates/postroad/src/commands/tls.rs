//! `postroad tls`: how safe the way to other servers must be: the list of destinations that get mail over TLS
//! only, what was learnt of others, and what would be demanded of a domain now.

mod check;

use clap::{Subcommand, ValueEnum};
use mailauth::mta_sts::MxPattern;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::transport::{LearntTls, TlsLevel, TlsRequirement, TlsScope};
use store::{Durability, StoreError};

use super::{Context, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Send to a destination over TLS only; else its mail waits
    Require {
        /// A domain, *. and a domain for all below it, or * for all
        destination: String,
        /// How good the TLS must be
        #[arg(long, value_enum, default_value_t = Level::Verified)]
        level: Level,
        /// Only to mail hosts of this name, or *.NAME for one label below it; may be given several times
        /// [default: those that mail went to first]
        #[arg(long, value_name = "HOST")]
        mx: Vec<String>,
    },
    /// List what is required, and what was learnt
    List,
    /// Require nothing of a destination any more, and forget what was learnt of it
    Forget {
        /// As it stands in the list
        destination: String,
    },
    /// Insist on the TLS of destinations that had it, valid each time, for 30 days [at first: off]
    Learn {
        #[arg(value_enum)]
        choice: Choice,
    },
    /// Look up what is demanded of the way to a domain now, and why
    Check {
        /// Such as example.org
        domain: String,
        /// Connect to its mail hosts as well
        #[arg(long)]
        connect: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Any certificate will do
    Encrypted,
    /// The certificate must be valid for the mail host
    Verified,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    On,
    Off,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Require {
        destination: String,
        level: Level,
        mx: Vec<String>,
    },
    List,
    Forget {
        destination: String,
    },
    Learn {
        choice: Choice,
    },
    Check {
        domain: String,
        connect: bool,
    },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Require {
                destination,
                level,
                mx,
            } => Request::Require {
                destination,
                level,
                mx,
            },
            Command::List => Request::List,
            Command::Forget { destination } => Request::Forget { destination },
            Command::Learn { choice } => Request::Learn { choice },
            Command::Check { domain, connect } => Request::Check { domain, connect },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Require {
            destination,
            level,
            mx,
        } => require(context, &destination, level, &mx),
        Request::List => list(context),
        Request::Forget { destination } => forget(context, &destination),
        Request::Learn { choice } => learn(context, choice),
        Request::Check { domain, connect } => check::run(context, &domain, connect),
    }
}

fn parse_scope(text: &str) -> Result<TlsScope, Failure> {
    text.parse()
        .map_err(|error: store::transport::BadTlsScope| Failure::usage(error.to_string()))
}

fn require(
    context: &Context,
    destination: &str,
    level: Level,
    mx: &[String],
) -> Result<Answer, Failure> {
    let scope = parse_scope(destination)?;
    for text in mx {
        if MxPattern::parse(text).is_none() {
            return Err(Failure::usage(format!("{text} is no name of a mail host")));
        }
    }
    if level == Level::Encrypted && !mx.is_empty() {
        return Err(Failure::usage(
            "--mx goes with --level verified: without a check of certificates the names of hosts prove nothing",
        ));
    }
    let requirement = TlsRequirement {
        scope: scope.clone(),
        level: match level {
            Level::Encrypted => TlsLevel::Encrypted,
            Level::Verified => TlsLevel::Verified,
        },
        mx: mx.iter().map(|text| text.to_ascii_lowercase()).collect(),
        created: context.now(),
    };
    let value = describe(&requirement);
    let (level, written) = (requirement.level, requirement.clone());
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.require_tls(&written)?;
            // Said again it means: as it is from now on.
            if let TlsScope::Domain(domain) = &written.scope {
                change.forget_learnt_tls(domain)?;
            }
            Ok::<_, StoreError>(())
        })?;
    let what = match level {
        TlsLevel::Encrypted => "over TLS only",
        TlsLevel::Verified => "over TLS with a valid certificate only",
    };
    Ok(Answer::new(value)
        .line(format!(
            "Mail for {} goes {what}; else it waits.",
            all(&scope)
        ))
        .remark(format!("Undo: postroad tls forget '{scope}'")))
}

fn all(scope: &TlsScope) -> String {
    match scope {
        TlsScope::Domain(domain) => domain.to_string(),
        TlsScope::Below(domain) => format!("all domains below {domain}"),
        TlsScope::All => "all destinations".to_owned(),
    }
}

fn describe(requirement: &TlsRequirement) -> Value {
    json!({
        "destination": requirement.scope.to_string(),
        "level": requirement.level.to_string(),
        "mx": requirement.mx,
        "since": show::time(requirement.created),
    })
}

/// Destinations shown of those that were learnt.
const LEARNT_SHOWN_MAX: usize = 10_000;

fn list(context: &Context) -> Result<Answer, Failure> {
    let (required, learnt, insists) = context.store.read_blocking(|view| {
        Ok::<_, StoreError>((
            view.tls_requirements()?,
            view.all_learnt_tls(None, LEARNT_SHOWN_MAX)?,
            view.insists_on_learnt_tls()?,
        ))
    })?;
    let value = json!({
        "required": required.iter().map(describe).collect::<Vec<_>>(),
        "insist_on_learnt": insists,
        "learnt": learnt.iter().map(describe_learnt).collect::<Vec<_>>(),
    });
    let mut answer = Answer::new(value);
    if required.is_empty() {
        answer = answer.line("Nothing is required of any destination by this server's list.");
    } else {
        let rows = required.iter().map(|requirement| {
            vec![
                requirement.scope.to_string(),
                requirement.level.to_string(),
                requirement.mx.join(" "),
                show::time(requirement.created),
            ]
        });
        answer = answer.table(
            &["destination", "level", "mail hosts", "since"],
            rows.collect(),
        );
    }
    if !learnt.is_empty() {
        let rows = learnt.iter().map(|row| {
            vec![
                row.domain.to_string(),
                row.site.clone(),
                show::time(row.since),
                show::time(row.last),
                standing(row, insists).to_owned(),
            ]
        });
        answer = answer.line("").line("Valid TLS, each time:").table(
            &["destination", "mail hosts", "since", "last", "standing"],
            rows.collect(),
        );
    }
    Ok(match insists {
        true => answer
            .remark("What was learnt is insisted on after 30 days. Change: postroad tls learn off"),
        false => answer.remark("What was learnt is not insisted on. Change: postroad tls learn on"),
    })
}

fn describe_learnt(row: &LearntTls) -> Value {
    json!({
        "destination": row.domain.to_string(),
        "mx": row.site,
        "since": show::time(row.since),
        "last": show::time(row.last),
        "long_enough": is_long_enough(row),
    })
}

fn is_long_enough(row: &LearntTls) -> bool {
    mta::limits::LEARNT_AFTER <= row.last.since(row.since)
}

fn standing(row: &LearntTls, insists: bool) -> &'static str {
    match (is_long_enough(row), insists) {
        (true, true) => "insisted on",
        (true, false) => "would be insisted on",
        (false, _) => "not 30 days yet",
    }
}

fn forget(context: &Context, destination: &str) -> Result<Answer, Failure> {
    let scope = parse_scope(destination)?;
    let name = scope.to_string();
    let forgotten = context
        .store
        .write_blocking(Durability::Durable, move |change| {
            let required = change.forget_tls_requirement(&scope)?;
            let learnt = match &scope {
                TlsScope::Domain(domain) => change.forget_learnt_tls(domain)?,
                TlsScope::Below(_) | TlsScope::All => false,
            };
            Ok::<_, StoreError>((required, learnt))
        })?;
    let (required, learnt) = forgotten;
    if !required && !learnt {
        return Err(Failure::failed(format!(
            "{name} is not on the list, and nothing was learnt of it; see: postroad tls list"
        )));
    }
    let mut answer = Answer::new(json!({
        "destination": name,
        "was_required": required,
        "was_learnt": learnt,
    }));
    if required {
        answer = answer.line(format!("{name} is off the list."));
    }
    if learnt {
        answer = answer.line(format!(
            "What was learnt of {name} is forgotten; learning begins anew."
        ));
    }
    Ok(answer.remark(format!(
        "After a minute, for what waits: postroad queue retry {name}"
    )))
}

fn learn(context: &Context, choice: Choice) -> Result<Answer, Failure> {
    let on = choice == Choice::On;
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            change.insist_on_learnt_tls(on)
        })?;
    let line = match on {
        true => {
            "Destinations that had valid TLS for 30 days, each time, get mail over such TLS only; else it waits, and its \
             sender is told."
        }
        false => {
            "What was learnt is not insisted on; a destination that loses its TLS is named in the log."
        }
    };
    Ok(Answer::new(json!({ "insist_on_learnt": on })).line(line))
}
