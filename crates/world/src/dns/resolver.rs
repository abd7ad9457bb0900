//! The real resolver: whom to ask, and who checks the signatures. Built at the first question.
//! The asking is in `stub.rs` (plain, or trusting the AD bit) and `validator.rs` (DNSSEC here).

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use hickory_proto::rr::Name;
use tokio::sync::{OnceCell, Semaphore};

use super::island::Island;
use super::stub::Stub;
use super::validator::Validator;
use super::{Answer, Dns, DnsError, Kind, Record};
use crate::limits;

/// Whom to ask, and who checks signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSettings {
    /// Empty: the system's configuration.
    pub servers: Vec<SocketAddr>,
    pub validation: Validation,
    /// Keys of the root zone to begin with instead of the built-in ones; empty: those.
    pub root_keys: Vec<RootKey>,
}

/// A key that signs a root zone. RFC 4034 §2.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey {
    pub algorithm: u8,
    pub public_key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// If all servers are on loopback and show that they validate, their AD bit counts: RFC 7672 §2.1.1
    /// asks for a secure path to the validating resolver. Otherwise signatures are checked here.
    Auto,
    /// Signatures are checked here, if the servers hand them on.
    Here,
    /// Nothing is ever secure.
    Off,
}

impl DnsSettings {
    /// The system's servers.
    pub fn system() -> Self {
        Self {
            servers: Vec::new(),
            validation: Validation::Auto,
            root_keys: Vec::new(),
        }
    }

    pub fn servers(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            ..Self::system()
        }
    }
}

pub struct Resolver {
    settings: DnsSettings,
    engine: OnceCell<Engine>,
    turns: Semaphore,
}

struct Engine {
    servers: Vec<SocketAddr>,
    stub: Stub,
    /// Watched where the servers are the system's.
    island: Option<Island>,
    /// Who checks here; known for sure once it is set.
    validator: OnceCell<Option<Validator>>,
    /// The servers could not show whether they validate: not to be asked again before.
    probe_after: Mutex<Option<Instant>>,
}

/// How long servers that do not answer the probe are left alone.
const PROBE_PERIOD: Duration = Duration::from_secs(60);

impl Resolver {
    pub fn new(settings: DnsSettings) -> Self {
        let turns = Semaphore::new(limits::DNS_QUESTIONS_MAX);
        Self {
            settings,
            engine: OnceCell::new(),
            turns,
        }
    }

    async fn look_up(&self, name: &str, kind: Kind) -> Result<Answer, DnsError> {
        if let Some(answer) = on_this_host(name, kind) {
            return Ok(answer);
        }
        let Some(query) = parse(name) else {
            // No such name can be registered, so none exists.
            return Ok(Answer::no_such_name(limits::DNS_NEGATIVE_TTL_MAX));
        };
        let engine = self
            .engine
            .get_or_try_init(|| async { self.build() })
            .await?;
        if let Some(answer) = engine.stub.cached(name, kind) {
            return Ok(answer);
        }
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let asking = async {
            if let Some(island) = &engine.island
                && island.lacks(name, &engine.stub).await
            {
                return Ok(Answer::no_such_name(limits::DNS_ISLAND_TTL));
            }
            match self.validator(engine).await? {
                // Looking for signatures that are never handed on takes seconds for each name.
                Some(validator) if validator.servers_hand_on_signatures(&engine.stub).await => {
                    match validator.ask(&query, kind).await {
                        Err(DnsError::Bogus) => engine.doubtful(validator, query, kind).await,
                        answer => answer,
                    }
                }
                _ => engine.stub.ask(query, kind).await,
            }
        };
        let answer = tokio::time::timeout(limits::DNS_PATIENCE, asking);
        let answer = answer.await.map_err(|_| DnsError::TimedOut)??;
        engine.stub.remember(name, kind, &answer);
        Ok(answer)
    }

    fn build(&self) -> Result<Engine, DnsError> {
        let servers = match self.settings.servers.is_empty() {
            true => system_servers()?,
            false => self.settings.servers.clone(),
        };
        let trust_ad = self.settings.validation == Validation::Auto && on_loopback(&servers);
        Ok(Engine {
            stub: Stub::new(servers.clone(), trust_ad),
            island: self.settings.servers.is_empty().then(Island::default),
            servers,
            validator: OnceCell::new(),
            probe_after: Mutex::default(),
        })
    }

    /// Nobody, where the servers check, or nobody shall.
    async fn validator<'a>(&self, engine: &'a Engine) -> Result<Option<&'a Validator>, DnsError> {
        if let Some(known) = engine.validator.get() {
            return Ok(known.as_ref());
        }
        let here = match self.settings.validation {
            Validation::Off => false,
            Validation::Here => true,
            Validation::Auto if !on_loopback(&engine.servers) => true,
            Validation::Auto => match engine.servers_validate().await {
                Some(validate) => !validate,
                None => return Ok(None),
            },
        };
        let validator = match here {
            true => Some(Validator::new(&engine.servers, &self.settings.root_keys)?),
            false => None,
        };
        // Somebody else may have found out at the same time: the same.
        Ok(engine
            .validator
            .get_or_init(|| async { validator })
            .await
            .as_ref())
    }
}

impl Engine {
    /// What seems to be forged may come from a wildcard, or from a server that drops signatures.
    async fn doubtful(
        &self,
        validator: &Validator,
        query: Name,
        kind: Kind,
    ) -> Result<Answer, DnsError> {
        let found = validator.expanded(&query, kind, &self.stub).await;
        found.ok_or(DnsError::Bogus)
    }

    /// The root is signed: a server that does not say so does not check. `None` while it cannot be asked.
    async fn servers_validate(&self) -> Option<bool> {
        if !self.may_probe(Instant::now()) {
            return None;
        }
        let root = self.stub.ask(Name::root(), Kind::Soa).await.ok()?;
        if !root.secure {
            tracing::info!("the DNS servers on this host do not check signatures: it is done here");
        }
        Some(root.secure)
    }

    fn may_probe(&self, now: Instant) -> bool {
        let after = self.probe_after.lock();
        let mut after = after.unwrap_or_else(PoisonError::into_inner);
        let may = after.is_none_or(|after| after <= now);
        if may {
            *after = Some(now + PROBE_PERIOD);
        }
        may
    }
}

fn on_loopback(servers: &[SocketAddr]) -> bool {
    servers.iter().all(|server| server.ip().is_loopback())
}

impl Dns for Resolver {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        Box::pin(self.look_up(name, kind))
    }
}

/// RFC 6761 §6.3: `localhost` is this host, and nobody is asked.
fn on_this_host(name: &str, kind: Kind) -> Option<Answer> {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next()?;
    if !last.eq_ignore_ascii_case("localhost") {
        return None;
    }
    let ttl = limits::DNS_POSITIVE_TTL_MAX;
    Some(match kind {
        Kind::A => Answer::found(vec![Record::A(std::net::Ipv4Addr::LOCALHOST)], ttl),
        Kind::Aaaa => Answer::found(vec![Record::Aaaa(std::net::Ipv6Addr::LOCALHOST)], ttl),
        _ => Answer::no_data(ttl),
    })
}

/// Labels are taken byte for byte: the macros of SPF make names with any characters (RFC 7208 §7.3).
fn parse(name: &str) -> Option<Name> {
    match name {
        "" => None,
        "." => Some(Name::root()),
        _ => {
            let labels = name.strip_suffix('.').unwrap_or(name).split('.');
            // At most 255 octets, as it is sent.
            let name = Name::from_labels(labels.map(str::as_bytes)).ok()?;
            (name.len() <= 255).then_some(name)
        }
    }
}

fn system_servers() -> Result<Vec<SocketAddr>, DnsError> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| DnsError::Network(format!("/etc/resolv.conf: {error}")))?;
    let servers = config.name_servers().iter().map(|server| {
        let port = server
            .connections
            .first()
            .map_or(53, |connection| connection.port);
        SocketAddr::new(server.ip, port)
    });
    let mut servers: Vec<_> = servers.collect();
    if servers.is_empty() {
        // As resolv.conf(5): without a nameserver line, the one on this host.
        servers.push(SocketAddr::from(([127, 0, 0, 1], 53)));
    }
    Ok(servers)
}

#[cfg(test)]
mod tests;
