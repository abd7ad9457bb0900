//! Opens connections to other servers: TCP, greeting, EHLO, TLS, login. What fails becomes a verdict.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use store::queue::TlsWish;
use wire::sasl::Secret;
use wire::sasl::client::{ClearText, Credentials};
use wire::smtp::EnhancedCode;
use wire::smtp::client::{Client, Event, Failure, Loss, Patience, Phase, Settings, TlsRule};
use world::{Ended, Talk, Tls, TlsClient, TlsClients, TlsFailure, World};

use super::classify::{Verdict, of_failure, ours, tame};
use crate::policy::{self, Demand, HostPlan, Secured, Tlsa};
use crate::route::{HostName, Route, Way};
use crate::settings::{Relay, RelaySecurity};
use crate::{Inner, limits};

/// An open conversation that is ready for a message.
pub(crate) struct Connection {
    pub(crate) talk: Box<Talk<Client>>,
    /// The name of the server, as it stands in the DNS or in the settings.
    pub(crate) host: String,
    /// The same as a destination's list of hosts has it; nothing for a relay.
    pub(crate) mx: Option<HostName>,
    relay: Option<Relay>,
    pub(crate) peer: IpAddr,
    pub(crate) secured: Secured,
    /// What the DNS said of its TLSA records when it was opened.
    pub(crate) tlsa: Tlsa,
}

/// One server to try.
#[derive(Clone, Debug)]
pub(crate) struct Hop<'a> {
    pub(crate) host: &'a str,
    pub(crate) address: SocketAddr,
    /// The relay's settings, if it is one.
    pub(crate) relay: Option<&'a Relay>,
    /// Else its name in the list of mail hosts, with what the DNS says of it.
    pub(crate) mx: Option<(&'a HostName, &'a Tlsa)>,
    pub(crate) demand: &'a Demand,
    /// A name that a certificate below a TLSA authority may be for: the destination itself. RFC 7672 §3.2.2.
    pub(crate) next_hop: &'a str,
}

/// How an attempt to connect ended.
pub(crate) struct Opened {
    pub(crate) result: Result<Connection, Verdict>,
    /// Our address, if there was a connection at all.
    pub(crate) source: Option<IpAddr>,
    /// What was wrong with the server's TLS, also where clear text did.
    pub(crate) tls_failure: Option<TlsFailure>,
}

/// The ways to trust a server, made once. Roots that cannot be used are left out: servers that need them
/// are then not believed.
pub(crate) fn tls_clients(world: &World, roots: Option<&[u8]>) -> TlsClients {
    let clock = || world.clock.clone();
    match TlsClients::new(clock(), roots) {
        Ok(clients) => clients,
        Err(error) => {
            tracing::error!(%error, "the configured roots are unusable: servers that need them cannot be reached");
            TlsClients::new(clock(), None).expect("the built-in roots are well-formed")
        }
    }
}

enum Broken {
    /// TLS itself failed: clear text may still do.
    Tls(TlsFailure, Verdict),
    Otherwise(Verdict),
}

/// Connects, in clear text at the second try if TLS is broken there and nothing forbids it.
pub(crate) async fn open(inner: &Inner, hop: &Hop<'_>) -> Opened {
    let rule = match (hop.relay.map(|relay| relay.security), hop.demand) {
        (Some(RelaySecurity::Implicit), _) => TlsRule::FromTheStart,
        (Some(RelaySecurity::StartTls), _) => TlsRule::Required,
        (Some(RelaySecurity::Opportunistic) | None, Demand::Nothing) => TlsRule::Opportunistic,
        _ => TlsRule::Required,
    };
    let mut source = None;
    match attempt(inner, hop, rule, &mut source).await {
        Ok(connection) => Opened {
            source,
            tls_failure: (!connection.secured.encrypted)
                .then_some(TlsFailure::StartTlsNotSupported),
            result: Ok(connection),
        },
        Err(Broken::Tls(failure, _)) if rule == TlsRule::Opportunistic => {
            tracing::info!(host = hop.host, "TLS is broken there: once more without it");
            let result = attempt(inner, hop, TlsRule::Never, &mut source).await;
            Opened {
                source,
                result: result.map_err(|broken| match broken {
                    Broken::Tls(_, verdict) | Broken::Otherwise(verdict) => verdict,
                }),
                tls_failure: Some(failure),
            }
        }
        Err(Broken::Tls(failure, verdict)) => Opened {
            source,
            result: Err(verdict),
            tls_failure: Some(failure),
        },
        Err(Broken::Otherwise(verdict)) => Opened {
            source,
            result: Err(verdict),
            tls_failure: None,
        },
    }
}

/// Whom to believe, and by which name to ask.
fn trust(inner: &Inner, hop: &Hop<'_>, rule: TlsRule) -> (Arc<TlsClient>, String) {
    let clients = &inner.tls_clients;
    let strict = match hop.relay.map(|relay| relay.security) {
        Some(RelaySecurity::Implicit | RelaySecurity::StartTls) => true,
        Some(RelaySecurity::Opportunistic) | None => false,
    };
    match hop.demand {
        _ if rule == TlsRule::Never => (clients.opportunistic(), hop.host.to_owned()),
        Demand::Dane { records, base } => (
            // The first name is the one that is asked for.
            clients.dane(records, &[base, hop.host, hop.next_hop]),
            base.clone(),
        ),
        Demand::Certificate => (clients.verified(), hop.host.to_owned()),
        Demand::Nothing | Demand::Encryption if strict => (clients.verified(), hop.host.to_owned()),
        Demand::Nothing | Demand::Encryption => (clients.opportunistic(), hop.host.to_owned()),
    }
}

/// `local` is set to our address as soon as there is a connection.
async fn attempt(
    inner: &Inner,
    hop: &Hop<'_>,
    rule: TlsRule,
    local: &mut Option<IpAddr>,
) -> Result<Connection, Broken> {
    let world = &inner.world;
    let trouble = |text: String| {
        Verdict::Temporary(ours(
            hop.host,
            EnhancedCode(4, 4, 1),
            format!("{}: {text}", hop.address),
        ))
    };
    let from = source(&inner.settings.outbound.addresses, hop.address.ip());
    let connecting = world.net.connect(from, hop.address);
    let deadline = world.now() + limits::CONNECT_PATIENCE;
    let stream = match world.tasks.deadline(deadline, connecting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Broken::Otherwise(trouble(format!("connect: {error}")))),
        Err(_) => {
            return Err(Broken::Otherwise(trouble(
                "connect: no answer in time".to_owned(),
            )));
        }
    };
    *local = Some(stream.local_addr().ip());
    let (client, name) = trust(inner, hop, rule);
    let mut secret = [0; 32];
    world.random.fill(&mut secret);
    let machine = Client::new(machine_settings(inner, hop, rule), secret);
    let tls = Tls::Client { client, name };
    let mut talk = Talk::new(world.clone(), stream, machine, tls);
    if rule == TlsRule::FromTheStart {
        talk = talk.with_tls_at_once();
    }
    let mut talk = Box::new(talk);
    match talk.event().await {
        Ok(Event::Ready) => checked(inner, hop, talk),
        Ok(Event::Failed(failure)) => {
            let verdict = of_failure(hop.host, &failure);
            close(inner, talk);
            Err(match tls_refused(&failure) {
                true if rule == TlsRule::Required => {
                    let lack = TlsFailure::StartTlsNotSupported;
                    Broken::Tls(lack, unsafe_way(hop, lack, &detail(&failure)))
                }
                _ => Broken::Otherwise(verdict),
            })
        }
        Ok(Event::Finished(_)) => Err(Broken::Otherwise(trouble("out of step".to_owned()))),
        Err(Ended::Tls(error)) => {
            let failure = error.failure();
            Err(Broken::Tls(
                failure,
                unsafe_way(hop, failure, &error.to_string()),
            ))
        }
        Err(ended) => Err(Broken::Otherwise(trouble(ended.to_string()))),
    }
}

/// The handshake kept to the demand already; what slipped through would be a mistake of ours.
fn checked(inner: &Inner, hop: &Hop<'_>, talk: Box<Talk<Client>>) -> Result<Connection, Broken> {
    let secured = Secured::of(talk.tls());
    if !hop.demand.is_met_by(&secured) {
        close(inner, talk);
        let failure = secured
            .certificate
            .err()
            .unwrap_or(TlsFailure::ValidationFailure);
        return Err(Broken::Tls(failure, unsafe_way(hop, failure, "")));
    }
    Ok(Connection {
        talk,
        host: hop.host.to_owned(),
        mx: hop.mx.map(|(host, _)| host.clone()),
        relay: hop.relay.cloned(),
        peer: hop.address.ip(),
        secured,
        tlsa: hop.mx.map_or(Tlsa::NotAsked, |(_, tlsa)| tlsa.clone()),
    })
}

/// The server has no STARTTLS, or refuses it when asked.
fn tls_refused(failure: &Failure) -> bool {
    match failure {
        Failure::Refused { phase, .. } => *phase == Phase::StartTls,
        Failure::Lost { loss, .. } => {
            matches!(loss, Loss::TlsNotOffered | Loss::InjectedBeforeTls)
        }
    }
}

/// What the server said to STARTTLS, if it said anything.
fn detail(failure: &Failure) -> String {
    match failure {
        Failure::Lost {
            loss: Loss::TlsNotOffered,
            ..
        } => String::new(),
        Failure::Lost { loss, .. } => loss.to_string(),
        Failure::Refused { reply, .. } => tame(&reply.to_string()),
    }
}

/// RFC 3463 §3.8: encryption needed, or a failure of cryptography.
fn unsafe_way(hop: &Hop<'_>, failure: TlsFailure, detail: &str) -> Verdict {
    let status = match failure {
        TlsFailure::StartTlsNotSupported => EnhancedCode(4, 7, 10),
        _ => EnhancedCode(4, 7, 5),
    };
    let text = policy::bad_certificate(failure, detail);
    Verdict::Temporary(ours(hop.host, status, text))
}

fn machine_settings(inner: &Inner, hop: &Hop<'_>, tls: TlsRule) -> Settings {
    let login = hop
        .relay
        .and_then(|relay| relay.login.as_ref())
        .map(|login| Credentials {
            login: login.user.clone(),
            password: Secret::new(login.password.clone()),
        });
    Settings {
        hello_name: inner.settings.hostname.to_string(),
        tls,
        login,
        clear_text: ClearText::Never,
        patience: Patience::RFC5321,
    }
}

/// Our address for this peer: one of its family, if the settings name any.
pub(super) fn source(ours: &[IpAddr], peer: IpAddr) -> Option<IpAddr> {
    ours.iter()
        .copied()
        .find(|address| address.is_ipv4() == peer.is_ipv4())
}

impl Connection {
    /// Whether a message may go over it that it was not opened for: it leads to one of the same hosts, and is
    /// as safe as is demanded of the way to that host.
    pub(crate) fn serves(&self, way: &Way, wish: TlsWish) -> bool {
        let demand = match (&way.route, &self.mx) {
            (Route::Relay(relay), None) if self.relay.as_ref() == Some(relay) => {
                HostPlan::of_relay(wish).demand
            }
            (Route::Hosts(hosts), Some(host)) if hosts.iter().any(|mx| mx.host == *host) => {
                if way.asks_for_tlsa(wish) && self.tlsa == Tlsa::NotAsked {
                    return false;
                }
                match policy::plan(&way.domain, &way.policy, wish, host, &self.tlsa) {
                    Ok(plan) => plan.demand,
                    Err(_) => return false,
                }
            }
            _ => return false,
        };
        demand.is_met_by(&self.secured)
    }

    /// Ends the conversation beside the caller.
    pub(crate) fn quit(mut self, inner: &Inner) {
        self.talk.machine().quit();
        close(inner, self.talk);
    }

    /// Whether it may carry one more message.
    pub(crate) fn is_fresh(&mut self) -> bool {
        let name = self.mx.as_ref().and_then(HostName::name);
        let known = doctor::replies::built_in().provider_of(name.unwrap_or_default(), "");
        let borne = known.and_then(|provider| provider.per_connection);
        let machine = self.talk.machine();
        let most = machine
            .capabilities()
            .messages_max
            .or(borne.map(u32::from))
            .unwrap_or(limits::MESSAGES_PER_CONNECTION_MAX);
        machine.messages() < most.min(limits::MESSAGES_PER_CONNECTION_MAX)
    }
}

fn close(inner: &Inner, mut talk: Box<Talk<Client>>) {
    let world = inner.world.clone();
    inner.world.tasks.spawn("close a connection", async move {
        let deadline = world.now() + Patience::RFC5321.quit;
        let ending = async { while talk.event().await.is_ok() {} };
        let _ = world.tasks.deadline(deadline, ending).await;
    });
}
