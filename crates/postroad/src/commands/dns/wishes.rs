//! What is known here of a domain, and the records that follow from it.

use doctor::{
    DkimFact, DkimStage, DomainFacts, MtaStsFact, RecordWish, ReportAddresses, Sending, Services,
};
use jobs::publish::Wishes;
use mail::Domain;
use std::sync::Arc;
use store::reports::ReportKind;
use store::{DkimState, MtaStsMode, StoreError, View};
use world::TlsServer;

use crate::addresses;
use crate::commands::{Context, find};
use crate::config::{Config, Service};
use crate::output::Failure;
use crate::server::{fetched, settings, tls};
use crate::signing_keys;

/// The records for a domain of this server.
pub fn wishes(context: &Context, domain: &Domain) -> Result<Vec<RecordWish>, Failure> {
    let (name, config, server) = (domain.clone(), context.config.clone(), context.tls.clone());
    context.store.read_blocking(move |view| {
        find::domain(view, &name)?;
        of(view, &config, server.as_deref(), &name)
    })
}

/// The same for the job that keeps them published.
pub fn for_job(config: Arc<Config>, tls: Arc<TlsServer>) -> Wishes {
    Arc::new(
        move |view, domain| match of(view, &config, Some(&tls), domain) {
            Ok(wishes) => Ok(Some(wishes)),
            Err(failure) => {
                tracing::warn!(%domain, problem = failure.message, "which records a domain should have");
                Ok::<_, StoreError>(None)
            }
        },
    )
}

fn of(
    view: &View<'_>,
    config: &Config,
    tls: Option<&TlsServer>,
    domain: &Domain,
) -> Result<Vec<RecordWish>, Failure> {
    Ok(doctor::for_domain(&domain_facts(
        view, config, tls, domain,
    )?))
}

/// What the records, and the doctor's checks, follow from.
pub fn domain_facts(
    view: &View<'_>,
    config: &Config,
    tls: Option<&TlsServer>,
    domain: &Domain,
) -> Result<DomainFacts, Failure> {
    let keys = view.dkim_keys(domain)?;
    let mode = view.mta_sts_mode(domain)?;
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
    let mut facts = facts(config, domain, dkim, mode)?;
    facts.certificate_keys = certificate_keys(view, config, tls)?;
    Ok(facts)
}

fn facts(
    config: &Config,
    domain: &Domain,
    dkim: Vec<DkimFact>,
    mode: MtaStsMode,
) -> Result<DomainFacts, Failure> {
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
        certificate_keys: Vec::new(),
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
    let host = directory
        .strip_prefix("https://")?
        .split(['/', ':'])
        .next()?;
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
/// must be out before. None as long as a certificate is still to be fetched: the key before it is not to be pinned.
fn certificate_keys(
    view: &View<'_>,
    config: &Config,
    server: Option<&TlsServer>,
) -> Result<Vec<[u8; 32]>, Failure> {
    let name = &config.hostname;
    let stored = view.certificates()?;
    let stored = stored.iter().find(|one| one.names.contains(name));
    let fetched = stored.and_then(fetched::parse).and_then(Result::ok);
    let by_files = config.tls.files.is_some() || config.tls.certificates.is_some();
    if fetched.is_none() && config.tls.acme.is_some() && !by_files {
        return Ok(Vec::new());
    }
    let certificate = match (server, fetched) {
        // One that was fetched a moment ago is not served yet.
        (_, Some(fetched)) if !by_files => Some(fetched),
        (Some(server), _) => Some(server.certificate_for(name)),
        (None, _) => tls::current(config).map(|server| server.certificate_for(name)),
    };
    let present = certificate.and_then(|certificate| certificate.tlsa_data(1, 1)?.try_into().ok());
    let next = stored.and_then(|one| jobs::tlsa_of_key(&one.next_key.as_ref()?.0));
    Ok(present.into_iter().chain(next).collect())
}
