//! `postroad greylist`: whether senders that look doubtful are asked to come again.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Durability;

use super::{Context, find};
use crate::output::{Answer, Failure};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Where it is switched on, how many wait, and how many networks are known
    Status,
    /// Ask doubtful senders to come again (this is how it begins)
    On {
        /// Only for this domain of ours; without it for all that say nothing themselves
        domain: Option<String>,
    },
    /// Take mail of doubtful senders at once
    Off {
        /// Only for this domain of ours; without it for all that say nothing themselves
        domain: Option<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Status,
    Set { domain: Option<String>, on: bool },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Status => Self::Status,
            Command::On { domain } => Self::Set { domain, on: true },
            Command::Off { domain } => Self::Set { domain, on: false },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Status => status(context),
        Request::Set { domain, on } => set(context, domain.as_deref(), on),
    }
}

fn status(context: &Context) -> Result<Answer, Failure> {
    let (choices, waiting, known) = context.store.read_blocking(|view| {
        let (waiting, known) = view.greylist_counts()?;
        Ok::<_, store::StoreError>((view.greylist_choices()?, waiting, known))
    })?;
    let everywhere = choices
        .iter()
        .find(|(domain, _)| domain.is_none())
        .is_none_or(|(_, on)| *on);
    let domains: Vec<_> = choices
        .iter()
        .filter_map(|(domain, on)| Some((domain.as_ref()?.to_string(), *on)))
        .collect();
    let word = |on: bool| if on { "on" } else { "off" };
    let value = json!({
        "on": everywhere,
        "domains": domains.iter().map(|(domain, on)| (domain.clone(), json!(on))).collect::<serde_json::Map<_, _>>(),
        "waiting": waiting,
        "known_networks": known,
    });
    let mut answer = Answer::new(value).line(format!("Greylisting is {}.", word(everywhere)));
    for (domain, on) in domains {
        answer = answer.line(format!("For {domain} it is {}.", word(on)));
    }
    Ok(answer.line(format!(
        "{waiting} tries are noted; {known} networks are known and never wait."
    )))
}

fn set(context: &Context, domain: Option<&str>, on: bool) -> Result<Answer, Failure> {
    let domain = domain.map(find::parse_domain).transpose()?;
    let (name, now) = (domain.clone(), context.now());
    context
        .store
        .write_blocking(Durability::Durable, move |change| {
            if let Some(domain) = &name {
                find::domain(change, domain)?;
            }
            change.set_greylisting(name.as_ref(), on, now)?;
            Ok::<_, Failure>(())
        })?;
    let whose = domain
        .as_ref()
        .map_or_else(String::new, |domain| format!(" for {domain}"));
    let words = if on { "on" } else { "off" };
    let value = json!({ "domain": domain.map(|domain| domain.to_string()), "on": on });
    Ok(Answer::new(value).line(format!("Greylisting is {words}{whose}.")))
}
