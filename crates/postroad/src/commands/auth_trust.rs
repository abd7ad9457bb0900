//! `postroad auth trust`: whose word is taken for mail that they passed on, beside those built in.

use clap::{Args, Subcommand};
use mail::Domain;
use mta::built_in_sealers;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Durability, Trust, TrustKind};

use super::{Context, find, show};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Trust a domain: mail that fails DMARC is let through if it vouches for it
    Add {
        /// The d= of its ARC seals, or the domain that signs or sends the list's mail
        domain: String,
        #[command(flatten)]
        kind: Kind,
    },
    /// Trust a domain no more, also if it is built in
    Remove {
        domain: String,
        #[command(flatten)]
        kind: Kind,
    },
    /// List all that are trusted
    List,
}

/// For what.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Kind {
    /// As an ARC sealer: what it says it saw is believed
    #[arg(long)]
    arc: bool,
    /// As a mailing list: mail with list fields that it signed or sent is let through
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add { domain: String, list: bool },
    Remove { domain: String, list: bool },
    List,
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Add { domain, kind } => Request::Add {
                domain,
                list: kind.list,
            },
            Command::Remove { domain, kind } => Request::Remove {
                domain,
                list: kind.list,
            },
            Command::List => Request::List,
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Add { domain, list } => add(context, find::parse_domain(&domain)?, kind(list)),
        Request::Remove { domain, list } => {
            remove(context, find::parse_domain(&domain)?, kind(list))
        }
        Request::List => list(context),
    }
}

fn kind(list: bool) -> TrustKind {
    match list {
        true => TrustKind::MailingList,
        false => TrustKind::ArcSealer,
    }
}

fn add(context: &Context, domain: Domain, kind: TrustKind) -> Result<Answer, Failure> {
    let now = context.now();
    let trust = Trust {
        kind,
        domain: domain.clone(),
        trusted: true,
        changed: now,
    };
    let name = domain.clone();
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            match is_built_in(kind, &name) {
                true => change.forget_trust(kind, &name).map(drop)?,
                false => change.set_trust(&trust)?,
            }
            Ok::<_, Failure>(())
        })?;
    Ok(
        Answer::new(json!({ "domain": domain.to_string(), "kind": word(kind), "trusted": true }))
            .line(format!("{domain} is trusted as {}.", words(kind))),
    )
}

fn remove(context: &Context, domain: Domain, kind: TrustKind) -> Result<Answer, Failure> {
    let (name, now) = (domain.clone(), context.now());
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            if is_built_in(kind, &name) {
                change.set_trust(&Trust {
                    kind,
                    domain: name.clone(),
                    trusted: false,
                    changed: now,
                })?;
            } else if !change.forget_trust(kind, &name)? {
                return Err(Failure::failed(format!(
                    "{name} is not trusted as {}; see: postroad auth trust list",
                    words(kind)
                )));
            }
            Ok(())
        })?;
    Ok(
        Answer::new(json!({ "domain": domain.to_string(), "kind": word(kind), "trusted": false }))
            .line(format!("{domain} is no longer trusted as {}.", words(kind))),
    )
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let said = context.store.read_blocking(|view| view.trust())?;
    let built_in = built_in_sealers();
    let mut rows = Vec::new();
    let mut values = Vec::new();
    let mut push = |domain: &str, kind, trusted: bool, from: String| {
        values.push(json!({
            "domain": domain, "kind": word(kind), "trusted": trusted, "from": from,
        }));
        let state = if trusted { "trusted" } else { "not trusted" };
        rows.push(vec![
            domain.to_owned(),
            words(kind).to_owned(),
            state.to_owned(),
            from,
        ]);
    };
    for sealer in &built_in.sealers {
        let overruled = said
            .iter()
            .any(|word| word.kind == TrustKind::ArcSealer && word.domain.as_str() == sealer.domain);
        if !overruled {
            let from = format!("built in {}: {}", built_in.date, sealer.who);
            push(&sealer.domain, TrustKind::ArcSealer, true, from);
        }
    }
    for word in &said {
        let from = format!("you, {}", show::time(word.changed));
        push(word.domain.as_str(), word.kind, word.trusted, from);
    }
    Ok(Answer::new(values.into()).table(&["domain", "as", "state", "said by"], rows))
}

fn is_built_in(kind: TrustKind, domain: &Domain) -> bool {
    let mut sealers = built_in_sealers().sealers.iter();
    kind == TrustKind::ArcSealer && sealers.any(|sealer| sealer.domain == domain.as_str())
}

fn word(kind: TrustKind) -> &'static str {
    match kind {
        TrustKind::ArcSealer => "arc",
        TrustKind::MailingList => "list",
    }
}

fn words(kind: TrustKind) -> &'static str {
    match kind {
        TrustKind::ArcSealer => "ARC sealer",
        TrustKind::MailingList => "mailing list",
    }
}
