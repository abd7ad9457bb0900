//! `postroad dns`: the DNS records that a domain should have, how they differ from what is there, and their publishing.

mod check;
mod publish;
mod server;
mod wishes;

use clap::{Subcommand, ValueEnum};
use doctor::{Action, RecordWish};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Context, find};
use crate::addresses;
use crate::config::Config;
use crate::output::{Answer, Failure};

pub use check::NameServerArgs;
pub(crate) use wishes::{domain_facts, for_job, wishes};

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
    /// Compare them with what every name server of the domain says; exit status 3 when something differs
    Check {
        /// A domain of this server
        domain: String,
        #[command(flatten)]
        name_servers: NameServerArgs,
    },
    /// Publish what is missing or wrong at the name server that was named with `dns server add` (RFC 2136)
    ///
    /// What others put there stays: other senders in the SPF record, your DMARC policy, other mail hosts.
    Publish {
        /// A domain of this server
        domain: String,
        /// Only show what would be changed
        #[arg(long)]
        dry_run: bool,
        /// Also remove mail hosts and addresses that do not lead here, so that no mail goes elsewhere
        #[arg(long)]
        take_over: bool,
        #[command(flatten)]
        name_servers: NameServerArgs,
    },
    /// The name servers at which this server may change records by itself
    #[command(subcommand)]
    Server(server::Command),
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
    Show {
        domain: String,
        format: Format,
    },
    Check {
        domain: String,
        name_servers: NameServerArgs,
    },
    Publish {
        domain: String,
        dry_run: bool,
        take_over: bool,
        name_servers: NameServerArgs,
    },
    Server(server::Request),
}

impl Command {
    /// Reads the key where one is named.
    pub fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Command::Show { domain, format } => Request::Show { domain, format },
            Command::Check {
                domain,
                name_servers,
            } => Request::Check {
                domain,
                name_servers,
            },
            Command::Publish {
                domain,
                dry_run,
                take_over,
                name_servers,
            } => Request::Publish {
                domain,
                dry_run,
                take_over,
                name_servers,
            },
            Command::Server(command) => Request::Server(command.into_request()?),
        })
    }
}

pub use server::{Key, Request as ServerRequest, read_key};

pub fn execute(context: &Context, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Show { domain, format } => show(context, &domain, format),
        Request::Check {
            domain,
            name_servers,
        } => check::run(context, &domain, &name_servers),
        Request::Publish {
            domain,
            dry_run,
            take_over,
            name_servers,
        } => publish::run(context, &domain, dry_run, take_over, &name_servers),
        Request::Server(request) => server::execute(context, request),
    }
}

fn show(context: &Context, domain: &str, format: Format) -> Result<Answer, Failure> {
    let domain = find::parse_domain(domain)?;
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

fn table(answer: Answer, config: &Config, records: &[RecordWish]) -> Answer {
    let rows = |action| {
        let chosen = records.iter().filter(move |record| record.action == action);
        chosen.map(row).collect::<Vec<_>>()
    };
    let columns = ["name", "type", "value", "why"];
    let mut answer = answer.table(&columns, rows(Action::Publish));
    let to_remove = rows(Action::Remove);
    if !to_remove.is_empty() {
        answer = answer
            .line("To be removed from the DNS:")
            .table(&columns, to_remove);
    }
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

fn row(record: &RecordWish) -> Vec<String> {
    vec![
        record.name.clone(),
        record.kind.to_string(),
        shortened(&record.value),
        record.why.clone(),
    ]
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
