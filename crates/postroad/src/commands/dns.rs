//! `postroad dns`: the DNS records that a domain should have.

use clap::{Subcommand, ValueEnum};
use doctor::{DkimFact, DomainFacts, RecordWish, Sending, Services};
use mail::{Address, Domain};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{DkimState, Resolution};

use super::{Context, find};
use crate::addresses;
use crate::config::{Config, Service};
use crate::output::{Answer, Failure};
use crate::signing_keys;

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show the records that a domain should have
    Show {
        /// A domain of this server
        domain: String,
        /// How to show them
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people
    Table,
    /// Lines of a zone file
    Bind,
    /// For programs
    Json,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Show { domain: String, format: Format },
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        match command {
            Command::Show { domain, format } => Request::Show { domain, format },
        }
    }
}

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    let Request::Show { domain, format } = request;
    let domain = find::parse_domain(&domain)?;
    let records = wishes(context, &domain)?;
    let answer = Answer::new(json!(records));
    Ok(match format {
        Format::Table => table(answer, &context.config, &records),
        Format::Bind => answer.line(doctor::zone::text(domain.as_str(), &records).trim_end()),
        Format::Json => {
            let text = format!("{:#}", answer.value);
            answer.line(text)
        }
    })
}

/// The records for a domain of this server.
pub fn wishes(context: &Context, domain: &Domain) -> Result<Vec<RecordWish>, Failure> {
    let name = domain.clone();
    let (keys, reports) = context.store.read_blocking(move |view| {
        find::domain(view, &name)?;
        // Reports are asked for only when somebody would get them (RFC 5321 §4.5.1 names the address).
        let reader = Address::parse(&format!("postmaster@{name}")).ok();
        let read = match &reader {
            Some(address) => matches!(view.resolve(address, 0)?, Resolution::Deliver(_)),
            None => false,
        };
        Ok::<_, Failure>((view.dkim_keys(&name)?, reader.filter(|_| read)))
    })?;
    let dkim = keys
        .iter()
        .filter(|key| key.state != DkimState::Retired)
        .map(|key| {
            let record = signing_keys::record(&key.private)?;
            Ok(DkimFact {
                selector: key.selector.clone(),
                record,
            })
        })
        .collect::<Result<_, Failure>>()?;
    Ok(doctor::for_domain(&facts(
        &context.config,
        domain,
        dkim,
        reports,
    )))
}

fn facts(
    config: &Config,
    domain: &Domain,
    dkim: Vec<DkimFact>,
    reports: Option<Address>,
) -> DomainFacts {
    let relayed = config.outbound.relay.is_some() || !config.outbound.relays.is_empty();
    let port = |service| config.listen.port(service).filter(|port| *port != 0);
    DomainFacts {
        domain: domain.to_string(),
        host: config.hostname.clone(),
        addresses: addresses::public(config),
        dkim,
        report_address: reports.map(|address| address.to_string()),
        sending: if relayed {
            Sending::ThroughRelay
        } else {
            Sending::Direct
        },
        services: Services {
            submissions: port(Service::Submissions),
            imaps: port(Service::Imaps),
            pop3s: port(Service::Pop3s),
        },
    }
}

fn table(answer: Answer, config: &Config, records: &[RecordWish]) -> Answer {
    let rows = records
        .iter()
        .map(|record| {
            vec![
                record.name.clone(),
                record.kind.to_string(),
                shortened(&record.value),
                record.why.clone(),
            ]
        })
        .collect();
    let answer = answer.table(&["name", "type", "value", "why"], rows);
    let known = addresses::public(config)
        .into_iter()
        .any(addresses::is_public);
    let answer = if known {
        answer
    } else {
        answer.remark(format!(
            "No public address of this host is known: the A record of {} must have the one that the world sees.",
            config.hostname
        ))
    };
    answer.remark("Long values are cut here; whole in: --format bind, or --format json")
}

fn shortened(value: &str) -> String {
    const VALUE_CHARS_MAX: usize = 64;
    if value.chars().count() <= VALUE_CHARS_MAX {
        return value.to_owned();
    }
    value
        .chars()
        .take(VALUE_CHARS_MAX - 3)
        .chain("...".chars())
        .collect()
}
