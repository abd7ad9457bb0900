//! Scripted mail servers: they accept, defer, refuse, hang, cut the line and break TLS as told,
//! and remember everything that was said to them. Their SMTP is their own, not the one under test.

mod conversation;
mod input;
mod login;
mod script;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use world::{Listener, Random, Record, Stream, World};

use crate::authority::Authority;
use crate::trace::Trace;
pub(crate) use conversation::path;
pub(crate) use input::Input;
use script::Rule;
pub use script::{Act, Phase, Script, ScriptDoor, TlsOffer};
pub(crate) use tls::Servers;

/// A running scripted server. Clones are the same server.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
}

/// A message that a scripted server has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The reverse-path, empty for `<>`.
    pub from: String,
    /// The parameters of MAIL, as they came.
    pub from_parameters: String,
    /// Each recipient with the parameters of its RCPT.
    pub recipients: Vec<(String, String)>,
    /// Without dot-stuffing.
    pub message: Vec<u8>,
    /// The number of the connection, from 1.
    pub connection: usize,
    /// The TLS version, if there was TLS.
    pub tls: Option<String>,
    /// Who logged in.
    pub login: Option<String>,
    /// The name of EHLO.
    pub helo: String,
    pub peer: SocketAddr,
}

impl Taken {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }

    /// The recipients without parameters.
    pub fn to(&self) -> Vec<&str> {
        self.recipients
            .iter()
            .map(|(address, _)| address.as_str())
            .collect()
    }
}

struct Shared {
    name: String,
    at: SocketAddr,
    world: World,
    random: Arc<dyn Random>,
    trace: Trace,
    servers: Servers,
    state: Mutex<State>,
}

struct State {
    script: Script,
    taken: Vec<Taken>,
    connections: usize,
    open: usize,
    open_most: usize,
    handshakes: usize,
    resumptions: usize,
    attempts: BTreeMap<String, usize>,
    grey: BTreeMap<(String, String, String), Instant>,
}

impl Remote {
    pub(crate) fn start(
        name: &str,
        listener: Listener,
        script: Script,
        world: World,
        authority: &Authority,
        trace: Trace,
    ) -> Self {
        let shared = Shared {
            name: name.to_owned(),
            at: listener.local_addr(),
            random: world.random.branch(&format!("remote {name}")),
            trace,
            servers: Servers::new(name, authority),
            state: Mutex::new(State {
                script,
                taken: Vec::new(),
                connections: 0,
                open: 0,
                open_most: 0,
                handshakes: 0,
                resumptions: 0,
                attempts: BTreeMap::new(),
                grey: BTreeMap::new(),
            }),
            world,
        };
        let remote = Self {
            shared: Arc::new(shared),
        };
        let accepting = remote.clone();
        let tasks = remote.shared.world.tasks.clone();
        tasks.spawn(format!("remote {name}"), async move {
            while let Ok(stream) = listener.accept().await {
                accepting.serve(stream);
            }
        });
        remote
    }

    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Where it listens.
    pub fn at(&self) -> SocketAddr {
        self.shared.at
    }

    /// Other behaviour from now on, also for conversations that are under way.
    pub fn set_script(&self, script: Script) {
        self.state().script = script;
    }

    /// The messages taken so far, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    pub fn taken_count(&self) -> usize {
        self.state().taken.len()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// The most connections that were open at once.
    pub fn connections_at_once(&self) -> usize {
        self.state().open_most
    }

    /// TLS handshakes that were completed.
    pub fn handshakes(&self) -> usize {
        self.state().handshakes
    }

    /// Those that took up an earlier session again.
    pub fn resumptions(&self) -> usize {
        self.state().resumptions
    }

    /// The TLSA record for the certificate it shows now: its own for usage 1 and 3, its authority's
    /// for 0 and 2 (its own if it has none).
    pub fn tlsa(&self, usage: u8, selector: u8, matching: u8) -> Record {
        let offer = self.state().script.tls;
        let certificate = self.shared.servers.certificate(offer);
        let certificate = certificate.expect("a server that shows a certificate");
        let own = certificate.tlsa_data(selector, matching);
        let data = match usage {
            0 | 2 => certificate.tlsa_data_of_issuer(selector, matching).or(own),
            _ => own,
        };
        Record::Tlsa {
            usage,
            selector,
            matching,
            data: data.expect("a selector and a matching type of RFC 6698"),
        }
    }

    /// Where its TLSA records stand.
    pub fn tlsa_name(&self) -> String {
        format!("_{}._tcp.{}", self.shared.at.port(), self.shared.name)
    }

    /// How many times this recipient was named in RCPT.
    pub fn attempts(&self, recipient: &str) -> usize {
        self.state().attempts.get(recipient).copied().unwrap_or(0)
    }

    fn serve(&self, stream: Stream) {
        let mut state = self.state();
        state.connections += 1;
        state.open += 1;
        state.open_most = state.open_most.max(state.open);
        let number = state.connections;
        drop(state);
        let remote = self.clone();
        self.shared.world.tasks.spawn(
            format!("remote {} {number}", self.shared.name),
            async move {
                // Counts as open until dropped, however the conversation ends.
                let _open = Open(remote.clone());
                conversation::hold(&remote, stream, number).await;
            },
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, number: usize, text: impl AsRef<str>) {
        self.shared
            .trace
            .note(format!("{} #{number} {}", self.shared.name, text.as_ref()));
    }

    /// What the script wants at this point, if it wants anything odd.
    fn act(&self, phase: Phase, recipient: Option<&str>) -> Option<Act> {
        let mut state = self.state();
        let rule = state
            .script
            .rules
            .iter_mut()
            .find(|rule| applies(rule, phase, recipient));
        if let Some(rule) = rule {
            if let Some(left) = &mut rule.left {
                *left -= 1;
            }
            return Some(rule.act.clone());
        }
        let permille = state.script.faults_permille;
        drop(state);
        (self.shared.random.below(1000) < permille).then(|| self.draw_fault(phase))
    }

    fn draw_fault(&self, phase: Phase) -> Act {
        match (self.shared.random.below(6), phase) {
            (0, _) => Act::Cut,
            (1, _) => Act::Hang,
            (2, Phase::End) => Act::KeepAndCut,
            (3, Phase::Recipient | Phase::Mail | Phase::End | Phase::Data) => {
                Act::Reply("550 5.7.1 a fault of the season".to_owned())
            }
            (4, Phase::Greeting | Phase::Mail) => Act::Reply("421 4.3.2 going down".to_owned()),
            (_, Phase::Body) => Act::Cut,
            _ => Act::Reply("451 4.3.0 a passing fault".to_owned()),
        }
    }

    /// Whether this triplet must come again later.
    fn greylisted(&self, peer: SocketAddr, from: &str, recipient: &str) -> bool {
        let now = self.shared.world.now();
        let mut state = self.state();
        let Some(delay) = state.script.greylist else {
            return false;
        };
        let triplet = (peer.ip().to_string(), from.to_owned(), recipient.to_owned());
        let since = *state.grey.entry(triplet).or_insert(now);
        now.saturating_duration_since(since) < delay
    }
}

fn applies(rule: &Rule, phase: Phase, recipient: Option<&str>) -> bool {
    let for_recipient = match (&rule.recipient, recipient) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted), Some(recipient)) => {
            wanted == recipient || (wanted.starts_with('@') && recipient.ends_with(wanted.as_str()))
        }
    };
    rule.phase == phase && for_recipient && rule.left != Some(0)
}

struct Open(Remote);

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.open = state.open.saturating_sub(1);
    }
}
