//! From the config file to what each room is told once at start.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use access::AccessSettings;
use jobs::doctor::DoctorSettings;
use jobs::{CertificatesSettings, JobsSettings};
use mta::{MtaSettings, OutboundSettings};
use store::{ChallengeKind, Store};
use web::WebSettings;
use web::client_setup::ClientServices;
use world::http::HttpClient;
use world::{CertificateError, TlsClient, TlsClients, TlsServer, World};

use super::Authority;
use crate::addresses;
use crate::config::{Config, Relay, RelaySecurity, Service};

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{0:?} in postroad.toml is not a host name, such as \"mail.example.org\"")]
    HostName(String),
    #[error("the file with extra roots, {path}, cannot be read: {source}")]
    Roots {
        path: String,
        source: std::io::Error,
    },
    #[error("the file with extra roots: {0}")]
    BadRoots(#[from] CertificateError),
}

pub fn mta(
    config: &Config,
    tls: Arc<TlsServer>,
    listeners: &[(Service, SocketAddr)],
) -> Result<MtaSettings, SettingsError> {
    let mut settings = MtaSettings::new(domain(&config.hostname)?);
    settings.tls = Some(tls);
    settings.clear_text_login = if config.tls.cleartext_login {
        mta::ClearTextLogin::Allowed
    } else {
        mta::ClearTextLogin::Refused
    };
    let limits = &config.limits;
    settings.message_bytes_max = limits.message_bytes.unwrap_or(settings.message_bytes_max);
    settings.recipients_max = limits.recipients.unwrap_or(settings.recipients_max);
    settings.connections_max = limits.connections.unwrap_or(settings.connections_max);
    settings.ask_blocklists = true;
    settings.connections_per_address_max = limits
        .connections_per_address
        .unwrap_or(settings.connections_per_address_max);
    settings.outbound = outbound(config, listeners)?;
    settings.filters = config.filters.clone();
    Ok(settings)
}

/// What a look at the ways out needs, where nothing is served.
pub fn outbound_only(config: &Config) -> Result<MtaSettings, SettingsError> {
    let mut settings = MtaSettings::new(domain(&config.hostname)?);
    settings.outbound = outbound(config, &[])?;
    Ok(settings)
}

pub fn access(config: &Config, tls: Arc<TlsServer>) -> AccessSettings {
    AccessSettings {
        hostname: config.hostname.clone(),
        tls: Some(tls),
        clear_text_login: if config.tls.cleartext_login {
            access::ClearTextLogin::Allowed
        } else {
            access::ClearTextLogin::Refused
        },
        message_bytes_max: config
            .limits
            .message_bytes
            .unwrap_or(mta::limits::MESSAGE_BYTES_MAX),
        appends_in_flight_bytes_max: access::limits::APPENDS_IN_FLIGHT_BYTES_MAX,
    }
}

pub fn jobs(config: &Config) -> JobsSettings {
    JobsSettings {
        host: config.hostname.clone(),
        addresses: addresses::own(config),
    }
}

pub fn web(config: &Config) -> Result<WebSettings, SettingsError> {
    let host = domain(&config.hostname)?;
    let port = |service| config.listen.port(service).filter(|port| *port != 0);
    Ok(WebSettings {
        hostname: host.clone(),
        more_mx: Vec::new(),
        services: ClientServices {
            host,
            imaps: port(Service::Imaps),
            imap: port(Service::Imap),
            pop3s: port(Service::Pop3s),
            submissions: port(Service::Submissions),
            submission: port(Service::Submission),
        },
    })
}

fn outbound(
    config: &Config,
    listeners: &[(Service, SocketAddr)],
) -> Result<OutboundSettings, SettingsError> {
    let mut settings = OutboundSettings::new();
    let outbound = &config.outbound;
    settings.port = outbound.port;
    settings.addresses = outbound.addresses.clone();
    settings.own_listeners = addresses::own_mail_doors(listeners);
    settings.relay = outbound.relay.as_ref().map(relay);
    for (name, to) in &outbound.relays {
        settings.relays.insert(domain(name)?, relay(to));
    }
    settings.roots = roots(config)?;
    if let Some(days) = config.limits.queue_days {
        settings.queue_lifetime = Duration::from_secs(u64::from(days) * 86_400);
    }
    Ok(settings)
}

/// What jobs send by HTTPS goes to servers whose certificate is valid.
/// Where certificates come from; nowhere if the config names no authority.
pub fn certificates(
    config: &Config,
    authority: &Authority,
    tls: &Arc<TlsServer>,
) -> Option<CertificatesSettings> {
    // HTTP first: it works behind a proxy that keeps TLS to itself.
    let ways = [
        (Service::Http, ChallengeKind::Http01),
        (Service::Https, ChallengeKind::TlsAlpn01),
    ];
    let open = |service| config.listen.port(service).is_some();
    let tls = tls.clone();
    Some(CertificatesSettings {
        ways: ways
            .into_iter()
            .filter(|(service, _)| open(*service))
            .map(|(_, way)| way)
            .collect(),
        answer_in_tls: Arc::new(move |answers| {
            if let Err(error) = tls.answer_challenges(answers) {
                tracing::error!(%error, "the authority cannot be answered over TLS");
            }
        }),
        directory: config.tls.acme.clone()?,
        contact: config
            .tls
            .contact
            .as_ref()
            .and_then(|contact| mail::Address::parse(contact).ok()),
        fetched: authority.fetched.clone(),
        wanted: authority.wanted.clone(),
    })
}

pub fn http(world: &World, config: &Config) -> Result<HttpClient, SettingsError> {
    let tls = TlsClient::verified(roots(config)?.as_deref())?;
    Ok(HttpClient::new(world.clone(), Arc::new(tls)))
}

/// How the server examines itself.
pub fn doctor(
    world: &World,
    config: &Arc<Config>,
    store: &Store,
    tls: &Arc<TlsServer>,
) -> Result<DoctorSettings, SettingsError> {
    let clients = TlsClients::new(world.clock.clone(), roots(config)?.as_deref())?;
    Ok(DoctorSettings {
        briefing: super::doctor::briefing(config.clone(), store.clone(), tls.clone()),
        tls: clients.opportunistic(),
    })
}

pub fn roots(config: &Config) -> Result<Option<Vec<u8>>, SettingsError> {
    let Some(path) = &config.tls.roots else {
        return Ok(None);
    };
    let read = std::fs::read(path).map_err(|source| SettingsError::Roots {
        path: path.display().to_string(),
        source,
    });
    read.map(Some)
}

fn relay(relay: &Relay) -> mta::Relay {
    mta::Relay {
        host: relay.host.clone(),
        port: relay.port,
        security: match relay.security {
            RelaySecurity::Implicit => mta::RelaySecurity::Implicit,
            RelaySecurity::StartTls => mta::RelaySecurity::StartTls,
            RelaySecurity::Opportunistic => mta::RelaySecurity::Opportunistic,
        },
        login: relay.login.as_ref().map(|login| mta::RelayLogin {
            user: login.user.clone(),
            password: login.password.clone(),
        }),
    }
}

fn domain(name: &str) -> Result<mail::Domain, SettingsError> {
    mail::Domain::parse(name).map_err(|_| SettingsError::HostName(name.to_owned()))
}
