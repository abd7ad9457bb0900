//! `postroad dns`: the DNS records that a domain should have.

use clap::{Subcommand, ValueEnum};
use doctor::{
    Action, DkimFact, DkimStage, DomainFacts, MtaStsFact, RecordWish, ReportAddresses, Sending,
    Services,
};
use mail::Domain;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::reports::ReportKind;
use store::{DkimState, MtaStsMode};

use super::{Context, find};
use crate::addresses;
use crate::config::{Config, Service};
use crate::output::{Answer, Failure};
use crate::server::{fetched, settings, tls};
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
    let (keys, mode) = context.store.read_blocking(move |view| {
        find::domain(view, &name)?;
        Ok::<_, Failure>((view.dkim_keys(&name)?, view.mta_sts_mode(&name)?))
    })?;
    let dkim = keys
        .iter()
        .map(|key| {
            Ok(DkimFact {
                selector: key.selector.clone(),
                record: signing_keys::record(&key.private)?,
                stage: match key.state {
                    DkimState::Coming => DkimStage::Coming,
                    DkimState::Active => DkimStage::Active,
                    DkimState::Kept => DkimStage::Kept,
                    DkimState::Retired => DkimStage::Retired,
                },
            })
        })
        .collect::<Result<_, Failure>>()?;
    Ok(doctor::for_domain(&facts(context, domain, dkim, mode)?))
}

fn facts(
    context: &Context,
    domain: &Domain,
    dkim: Vec<DkimFact>,
    mode: MtaStsMode,
) -> Result<DomainFacts, Failure> {
    let config = &*context.config;
    let relayed = config.outbound.relay.is_some() || !config.outbound.relays.is_empty();
    let port = |service| config.listen.port(service).filter(|port| *port != 0);
    let address = |kind: ReportKind| format!("{}@{domain}", kind.local_part());
    Ok(DomainFacts {
        domain: domain.to_string(),
        host: config.hostname.clone(),
        addresses: addresses::public(config),
        dkim,
        reports: ReportAddresses {
            dmarc: address(ReportKind::Dmarc),
            tls: address(ReportKind::Tls),
        },
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
        mta_sts: match config.listen.port(Service::Https) {
            Some(_) => Some(policy(config, mode)?),
            None => None,
        },
        certificate_keys: certificate_keys(context)?,
        authority: config.tls.acme.as_deref().and_then(authority),
    })
}

/// The name in CAA records of those authorities whose directory we know. (RFC 8659 §4.2)
fn authority(directory: &str) -> Option<String> {
    const KNOWN: [(&str, &str); 5] = [
        ("letsencrypt.org", "letsencrypt.org"),
        ("pki.goog", "pki.goog"),
        ("zerossl.com", "sectigo.com"),
        ("buypass.com", "buypass.com"),
        ("ssl.com", "ssl.com"),
    ];
    let host = directory.strip_prefix("https://")?.split(['/', ':']).next()?;
    let known = KNOWN.iter().find(|(domain, _)| {
        host.strip_suffix(domain)
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    });
    known.map(|(_, name)| (*name).to_owned())
}

fn policy(config: &Config, mode: MtaStsMode) -> Result<MtaStsFact, Failure> {
    let settings = settings::web(config).map_err(|error| Failure::failed(error.to_string()))?;
    let text = web::mta_sts::policy_text(mode, &settings.mx());
    Ok(MtaStsFact {
        id: web::mta_sts::policy_id(&text),
        mode: mode.name(),
    })
}

/// Of the certificate that mail servers are shown when they ask for this host, and of the one after it, whose record
/// must be out before.
fn certificate_keys(context: &Context) -> Result<Vec<[u8; 32]>, Failure> {
    let name = &context.config.hostname;
    let stored = context.store.read_blocking(|view| view.certificates())?;
    let stored = stored.iter().find(|one| one.names.contains(name));
    let fetched = stored.and_then(fetched::parse).and_then(Result::ok);
    let certificate = match (&context.tls, fetched) {
        (Some(server), _) => Some(server.certificate_for(name)),
        (None, Some(fetched)) if context.config.tls.files.is_none() => Some(fetched),
        (None, _) => tls::current(&context.config).map(|server| server.certificate_for(name)),
    };
    let present = certificate.and_then(|certificate| certificate.tlsa_data(1, 1)?.try_into().ok());
    let next = stored.and_then(|one| jobs::tlsa_of_key(&one.next_key.as_ref()?.0));
    Ok(present.into_iter().chain(next).collect())
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
