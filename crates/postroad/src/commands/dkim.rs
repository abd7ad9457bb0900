//! `postroad dkim`: the keys that sign outgoing mail.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{DkimAlgorithm, DkimKey, DkimState};

use super::{Context, find, show};
use crate::output::{Answer, Failure};
use crate::signing_keys;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List the keys of all domains, or of one
    List {
        /// Only this domain's
        domain: Option<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    List { domain: Option<String> },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::List { domain } => Request::List { domain },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let Request::List { domain } = request;
    let wanted = domain.as_deref().map(find::parse_domain).transpose()?;
    let keys = context.store.read_blocking(move |view| {
        let domains = match &wanted {
            Some(name) => vec![find::domain(view, name)?],
            None => view.domains()?,
        };
        let mut keys = Vec::new();
        for domain in domains {
            keys.extend(view.dkim_keys(&domain.name)?);
        }
        Ok::<_, Failure>(keys)
    })?;
    let value = keys
        .iter()
        .map(describe)
        .collect::<Result<Vec<Value>, Failure>>()?;
    let rows = keys.iter().map(row).collect();
    Ok(Answer::new(json!(value))
        .table(
            &["domain", "selector", "algorithm", "state", "created"],
            rows,
        )
        .remark("The DNS records: postroad dns show DOMAIN"))
}

fn describe(key: &DkimKey) -> Result<Value, Failure> {
    Ok(json!({
        "domain": key.domain.to_string(),
        "selector": key.selector,
        "algorithm": algorithm_text(key.algorithm),
        "state": state_text(key.state),
        "created": show::time(key.created),
        "record_name": format!("{}._domainkey.{}", key.selector, key.domain),
        "record": signing_keys::record(&key.private)?,
    }))
}

fn row(key: &DkimKey) -> Vec<String> {
    vec![
        key.domain.to_string(),
        key.selector.clone(),
        algorithm_text(key.algorithm).to_owned(),
        state_text(key.state).to_owned(),
        show::time(key.created),
    ]
}

fn algorithm_text(algorithm: DkimAlgorithm) -> &'static str {
    match algorithm {
        DkimAlgorithm::RsaSha256 => "rsa-sha256",
        DkimAlgorithm::Ed25519Sha256 => "ed25519-sha256",
    }
}

fn state_text(state: DkimState) -> &'static str {
    match state {
        DkimState::Active => "active",
        DkimState::Coming => "coming",
        DkimState::Kept => "kept",
        DkimState::Retired => "retired",
    }
}
