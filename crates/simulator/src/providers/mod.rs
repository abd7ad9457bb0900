//! Big providers: mail servers that behave like Gmail's, Microsoft's and others, with their published
//! rules, their own words and their memory of who sends what. What they do stands in
//! `crates/simulator/providers/*.toml`; here it is carried out, over sockets.

mod books;
mod conversation;
mod facts;
mod model;
mod range;
mod standing;
mod visit;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mailauth::verdict::Verdict;
use world::{Listener, Random, Stream, World};

use crate::internet::Internet;
use crate::remote::Servers;
use crate::trace::Trace;
use books::Books;
pub use books::Mailbox;
pub use model::{Condition, Model, Point, Rule};
pub use range::Range;

/// A running provider with all its hosts. Clones are the same provider.
#[derive(Clone)]
pub struct Provider {
    shared: Arc<Shared>,
}

struct Shared {
    model: Model,
    world: World,
    random: Arc<dyn Random>,
    trace: Trace,
    start: Instant,
    hosts: Vec<(String, SocketAddr)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    books: Books,
    taken: Vec<Accepted>,
    refused: Vec<Refused>,
    connections: usize,
}

/// A message that a provider has taken.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The reverse-path, empty for `<>`.
    pub from: String,
    pub to: Vec<String>,
    pub message: Vec<u8>,
    pub verdict: Verdict,
    /// The rule that put it into the spam folder; without one it is in the inbox.
    pub spam: Option<String>,
    pub ip: IpAddr,
    pub helo: String,
    /// The TLS version, if there was TLS.
    pub tls: Option<String>,
    /// The host that took it.
    pub host: String,
    /// The number of the connection, from 1.
    pub connection: usize,
    /// Since the internet began.
    pub at: Duration,
}

impl Accepted {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }
}

/// A refusal, for good or for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The rule's id in the provider's file.
    pub rule: String,
    pub point: Point,
    /// All lines, divided by `\n`; empty where the line was closed without a word.
    pub reply: String,
    pub ip: IpAddr,
    pub host: String,
    pub from: String,
    pub to: Vec<String>,
    pub connection: usize,
    /// Since the internet began.
    pub at: Duration,
}

impl Internet {
    /// A provider like the real one of this name (`gmail`, `microsoft`, `yahoo`, `apple`, `gmx`, `t-online`):
    /// its domains, hosts and their names are in the DNS, and its servers listen.
    pub async fn provider(&self, id: &str) -> Provider {
        Provider::start(self, Model::built_in(id)).await
    }

    /// As [`Internet::provider`], by a model that the test has changed.
    pub async fn provider_like(&self, model: Model) -> Provider {
        Provider::start(self, model).await
    }
}

impl Provider {
    async fn start(internet: &Internet, model: Model) -> Self {
        let mut addresses = Vec::new();
        let mut hosts: Vec<(String, SocketAddr)> = Vec::new();
        for exchange in &model.exchange {
            for domain in &exchange.domains {
                let mut records = internet.domain(domain);
                for (preference, name) in &exchange.hosts {
                    records = records.mx_at(*preference, name);
                }
            }
            for (_, name) in &exchange.hosts {
                if hosts.iter().all(|(known, _)| known != name) {
                    let address = internet.fresh_address();
                    internet.zones().host(name, address);
                    addresses.push(address);
                    hosts.push((name.clone(), SocketAddr::new(address, internet.mx_port())));
                }
            }
        }
        let world = internet.world(&format!("provider {}", model.id), addresses);
        let shared = Shared {
            random: world.random.branch("replies"),
            trace: internet.trace().clone(),
            start: internet.now() - internet.elapsed(),
            model,
            world,
            hosts,
            state: Mutex::default(),
        };
        let provider = Self {
            shared: Arc::new(shared),
        };
        for (name, at) in provider.shared.hosts.clone() {
            let listener = provider.shared.world.net.listen(at).await;
            let servers = Servers::new(&name, internet.authority());
            provider.listen(listener.expect("the address is free"), name, servers);
        }
        provider
    }

    fn listen(&self, listener: Listener, host: String, servers: Servers) {
        let provider = self.clone();
        let tasks = self.shared.world.tasks.clone();
        tasks.spawn(format!("provider {host}"), async move {
            while let Ok(stream) = listener.accept().await {
                provider.serve(stream, &host, &servers);
            }
        });
    }

    fn serve(&self, stream: Stream, host: &str, servers: &Servers) {
        let (provider, host, servers) = (self.clone(), host.to_owned(), servers.clone());
        let ip = stream.peer_addr().ip();
        let now = self.shared.world.now();
        let mut state = self.state();
        state.connections += 1;
        let number = state.connections;
        state.books.opened(&self.shared.model, ip, now);
        drop(state);
        let open = Open(self.clone(), ip);
        let tasks = self.shared.world.tasks.clone();
        tasks.spawn(format!("provider {host} #{number}"), async move {
            let _open = open;
            conversation::hold(&provider, &host, &servers, stream, number).await;
        });
    }

    pub fn model(&self) -> &Model {
        &self.shared.model
    }

    /// Its hosts and where they listen.
    pub fn hosts(&self) -> &[(String, SocketAddr)] {
        &self.shared.hosts
    }

    // ---- What a test learns -------------------------------------------------------------------

    /// The messages taken so far, in order.
    pub fn taken(&self) -> Vec<Accepted> {
        self.state().taken.clone()
    }

    pub fn taken_count(&self) -> usize {
        self.state().taken.len()
    }

    /// Everything refused so far, in order.
    pub fn refused(&self) -> Vec<Refused> {
        self.state().refused.clone()
    }

    /// How many times each rule refused.
    pub fn refusals(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for refused in &self.state().refused {
            *counts.entry(refused.rule.clone()).or_default() += 1;
        }
        counts
    }

    /// The refusals whose reply has this text.
    pub fn refused_with(&self, text: &str) -> Vec<Refused> {
        let state = self.state();
        let said = |refused: &&Refused| refused.reply.contains(text);
        state.refused.iter().filter(said).cloned().collect()
    }

    /// Connections so far, of everybody.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    pub fn connections_from(&self, ip: IpAddr) -> usize {
        self.state().books.connections(ip)
    }

    /// Messages taken from an address within one minute, at its busiest.
    pub fn most_in_a_minute(&self, ip: IpAddr) -> usize {
        self.state().books.most_in_a_minute(ip)
    }

    /// The points of an address and of its range, from 0 to 100.
    pub fn reputation(&self, ip: IpAddr) -> (f64, f64) {
        let (model, now) = (&self.shared.model, self.shared.world.now());
        let books = &mut self.state().books;
        (
            books.address_points(model, ip, now),
            books.range_points(model, ip, now),
        )
    }

    // ---- What a test does ---------------------------------------------------------------------

    /// Blocks a range, such as `203.0.113.0/24`, until [`Provider::unblock`].
    ///
    /// # Panics
    /// When the text is no range.
    pub fn block_range(&self, range: &str) {
        let range: Range = range.parse().unwrap_or_else(|why| panic!("{why}"));
        self.note(format!("blocks {range}"));
        self.state().books.blocked_ranges.insert(range);
    }

    pub fn block_address(&self, ip: IpAddr) {
        self.note(format!("blocks {ip}"));
        self.state().books.blocked_addresses.insert(ip);
    }

    /// Nothing is blocked any more.
    pub fn unblock(&self) {
        self.note("unblocks all");
        let books = &mut self.state().books;
        books.blocked_ranges.clear();
        books.blocked_addresses.clear();
    }

    /// The postmaster lets an address in (where strangers are refused).
    pub fn let_in(&self, ip: IpAddr) {
        let now = self.shared.world.now();
        self.state().books.let_in(ip, now);
    }

    /// On a public block list, or no longer.
    pub fn list(&self, ip: IpAddr, listed: bool) {
        let books = &mut self.state().books;
        match listed {
            true => books.listed.insert(ip),
            false => books.listed.remove(&ip),
        };
    }

    /// In dynamic space.
    pub fn dial_up(&self, ip: IpAddr) {
        self.state().books.dial_up.insert(ip);
    }

    pub fn set_reputation(&self, ip: IpAddr, points: f64) {
        let (model, now) = (&self.shared.model, self.shared.world.now());
        self.state().books.set_points(model, ip, points, now);
    }

    pub fn set_range_reputation(&self, ip: IpAddr, points: f64) {
        let (model, now) = (&self.shared.model, self.shared.world.now());
        self.state().books.set_range_points(model, ip, points, now);
    }

    /// A user says "spam" to a message from this address.
    pub fn complain(&self, ip: IpAddr) {
        let (model, now) = (&self.shared.model, self.shared.world.now());
        let cost = model.reputation.complaint;
        self.state().books.fall(model, ip, cost, now);
    }

    /// So many recipients had mail of an organisational domain from elsewhere.
    pub fn note_volume(&self, domain: &str, count: usize) {
        let (model, now) = (&self.shared.model, self.shared.world.now());
        self.state().books.volume(model, domain, count, now);
    }

    pub fn set_mailbox(&self, address: &str, mailbox: Mailbox) {
        self.state().books.set_mailbox(address, mailbox);
    }

    /// Trouble of its own, or no more.
    pub fn set_trouble(&self, has_trouble: bool) {
        self.state().books.has_trouble = has_trouble;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, text: impl AsRef<str>) {
        self.shared
            .trace
            .note(format!("{} {}", self.shared.model.id, text.as_ref()));
    }

    fn elapsed(&self) -> Duration {
        self.shared
            .world
            .now()
            .saturating_duration_since(self.shared.start)
    }
}

struct Open(Provider, IpAddr);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().books.closed(self.1);
    }
}
