//! Opens connections to other servers: TCP, greeting, EHLO, TLS, login. What fails becomes a verdict.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use wire::sasl::Secret;
use wire::sasl::client::{ClearText, Credentials};
use wire::smtp::EnhancedCode;
use wire::smtp::client::{Client, Event, Patience, Settings, TlsRule};
use world::{Ended, Talk, Tls, TlsClient};

use super::classify::{Verdict, of_failure, ours};
use crate::settings::{Relay, RelaySecurity};
use crate::{Inner, limits};

/// An open conversation that is ready for a message.
pub(crate) struct Connection {
    pub(crate) talk: Box<Talk<Client>>,
    /// The name of the server, as it stands in the DNS or in the settings.
    pub(crate) host: String,
}

/// One server to try.
#[derive(Clone, Debug)]
pub(crate) struct Hop<'a> {
    pub(crate) host: &'a str,
    pub(crate) address: SocketAddr,
    /// The relay's settings, if it is one.
    pub(crate) relay: Option<&'a Relay>,
}

/// The two ways to trust a server, made once.
pub(crate) struct TlsClients {
    opportunistic: Arc<TlsClient>,
    verified: Option<Arc<TlsClient>>,
}

impl TlsClients {
    pub(crate) fn new(roots: Option<&[u8]>) -> Self {
        let verified = TlsClient::verified(roots).inspect_err(|error| {
            tracing::error!(%error, "the roots for relays are unusable: verified relays cannot be reached");
        });
        Self {
            opportunistic: Arc::new(TlsClient::opportunistic()),
            verified: verified.ok().map(Arc::new),
        }
    }
}

enum Broken {
    /// TLS itself failed: clear text may still do.
    Tls(Verdict),
    Otherwise(Verdict),
}

/// Connects, in clear text at the second try if TLS is broken there and nothing forbids it.
pub(crate) async fn open(inner: &Inner, hop: &Hop<'_>) -> Result<Connection, Verdict> {
    let rule = match hop.relay.map(|relay| relay.security) {
        Some(RelaySecurity::Implicit) => TlsRule::FromTheStart,
        Some(RelaySecurity::StartTls) => TlsRule::Required,
        Some(RelaySecurity::Opportunistic) | None => TlsRule::Opportunistic,
    };
    match attempt(inner, hop, rule).await {
        Ok(connection) => Ok(connection),
        Err(Broken::Tls(_)) if rule == TlsRule::Opportunistic => {
            tracing::info!(host = hop.host, "TLS is broken there: once more without it");
            match attempt(inner, hop, TlsRule::Never).await {
                Ok(connection) => Ok(connection),
                Err(Broken::Tls(verdict) | Broken::Otherwise(verdict)) => Err(verdict),
            }
        }
        Err(Broken::Tls(verdict) | Broken::Otherwise(verdict)) => Err(verdict),
    }
}

async fn attempt(inner: &Inner, hop: &Hop<'_>, rule: TlsRule) -> Result<Connection, Broken> {
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
    let clients = &inner.tls_clients;
    let client = match rule {
        TlsRule::Never | TlsRule::Opportunistic => Some(clients.opportunistic.clone()),
        TlsRule::Required | TlsRule::FromTheStart => clients.verified.clone(),
    };
    let Some(client) = client else {
        return Err(Broken::Otherwise(trouble(
            "the configured roots are unusable".to_owned(),
        )));
    };
    let mut secret = [0; 32];
    world.random.fill(&mut secret);
    let machine = Client::new(machine_settings(inner, hop, rule), secret);
    let tls = Tls::Client {
        client,
        name: hop.host.to_owned(),
    };
    let mut talk = Talk::new(world.clone(), stream, machine, tls);
    if rule == TlsRule::FromTheStart {
        talk = talk.with_tls_at_once();
    }
    let mut talk = Box::new(talk);
    match talk.event().await {
        Ok(Event::Ready) => Ok(Connection {
            talk,
            host: hop.host.to_owned(),
        }),
        Ok(Event::Failed(failure)) => {
            let verdict = of_failure(hop.host, &failure);
            close(inner, talk);
            Err(Broken::Otherwise(verdict))
        }
        Ok(Event::Finished(_)) => Err(Broken::Otherwise(trouble("out of step".to_owned()))),
        Err(Ended::Tls(error)) => Err(Broken::Tls(trouble(error.to_string()))),
        Err(ended) => Err(Broken::Otherwise(trouble(ended.to_string()))),
    }
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
fn source(ours: &[IpAddr], peer: IpAddr) -> Option<IpAddr> {
    ours.iter()
        .copied()
        .find(|address| address.is_ipv4() == peer.is_ipv4())
}

impl Connection {
    /// Ends the conversation beside the caller.
    pub(crate) fn quit(mut self, inner: &Inner) {
        self.talk.machine().quit();
        close(inner, self.talk);
    }

    /// Whether it may carry one more message.
    pub(crate) fn is_fresh(&mut self) -> bool {
        let machine = self.talk.machine();
        let most = machine
            .capabilities()
            .messages_max
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
