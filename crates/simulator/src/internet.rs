//! The pocket internet itself: makes hosts and servers, keeps DNS, trace and time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;
use world::http::HttpClient;
use world::{
    BlockingMode, Clock, DnsSettings, OsRandom, Random, Resolver, RootKey, SeededRandom, TlsClient,
    TlsClients, TokioClock, Validation, World,
};

use crate::authority::Authority;
use crate::client::Client;
use crate::dns::{DnsServer, Signer, SimulatedDns, serve_line};
use crate::host::HostBuilder;
use crate::https::{HttpsHost, Page};
use crate::limits;
use crate::net::{Doors, Network, RealNet};
use crate::remote::{Remote, Script, ScriptDoor, Servers, TlsOffer};
use crate::tasks::HostTasks;
use crate::trace::Trace;
use crate::zones::{NameRecords, Zones};

/// Clones are the same internet.
#[derive(Clone)]
pub struct Internet {
    inner: Arc<Inner>,
}

struct Inner {
    mode: Mode,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    zones: Zones,
    trace: Trace,
    authority: Authority,
    addresses: AtomicU32,
    home: TempDir,
    start: Instant,
}

enum Mode {
    Simulated {
        network: Network,
    },
    Real {
        dns: DnsServer,
        validation: Validation,
        network: Ipv4Addr,
        mx_port: u16,
        doors: Doors,
    },
}

/// Simulated time of day at the start: Monday, 2026-03-02, 09:00 UTC.
const SIMULATED_START: Duration = Duration::from_secs(1_772_442_000);

impl Internet {
    /// Runs a scenario in simulated time, on in-memory pipes. Equal seeds run equally.
    pub fn simulated<T>(seed: u64, scenario: impl AsyncFnOnce(Internet) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let start = SystemTime::UNIX_EPOCH + SIMULATED_START;
            let clock: Arc<dyn Clock> = Arc::new(TokioClock::simulated(start));
            let network = Network::new(clock.clone());
            let random = Arc::new(SeededRandom::new(seed));
            let internet = Self::new(Mode::Simulated { network }, clock, random, Zones::new());
            scenario(internet).await
        })
    }

    /// Runs a scenario in real time, on loopback addresses of its own.
    pub fn real<T>(scenario: impl AsyncFnOnce(Internet) -> T) -> T {
        Self::real_with(Validation::Auto, scenario)
    }

    /// As [`Internet::real`], and every host checks the signatures of the DNS itself.
    pub fn validating<T>(scenario: impl AsyncFnOnce(Internet) -> T) -> T {
        Self::real_with(Validation::Here, scenario)
    }

    fn real_with<T>(validation: Validation, scenario: impl AsyncFnOnce(Internet) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let zones = Zones::new();
            let mut drawn = [0; 2];
            OsRandom.fill(&mut drawn);
            // 127.64.0.0 upwards: away from 127.0.0.1, where other programs live.
            let network = Ipv4Addr::new(127, 64 + drawn[0] % 128, drawn[1], 0);
            let dns = DnsServer::start(zones.clone(), nth(network, 1));
            let dns = dns.await.expect("a loopback port for DNS");
            let mx_port = free_port(nth(network, 2));
            let mode = Mode::Real {
                dns,
                validation,
                network,
                mx_port,
                doors: Doors::default(),
            };
            let internet = Self::new(
                mode,
                Arc::new(TokioClock::real()),
                Arc::new(OsRandom),
                zones,
            );
            scenario(internet).await
        })
    }

    fn new(mode: Mode, clock: Arc<dyn Clock>, random: Arc<dyn Random>, zones: Zones) -> Self {
        let inner = Inner {
            mode,
            zones,
            trace: Trace::new(clock.clone()),
            authority: Authority::new(),
            // The first ones are the name server's and the port probe's.
            addresses: AtomicU32::new(10),
            home: TempDir::new().expect("a temporary directory"),
            start: clock.now(),
            clock,
            random,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// DNS records of a name, made by chaining calls.
    pub fn domain(&self, name: &str) -> NameRecords {
        self.inner.zones.name(name)
    }

    pub fn zones(&self) -> &Zones {
        &self.inner.zones
    }

    pub fn trace(&self) -> &Trace {
        &self.inner.trace
    }

    pub fn authority(&self) -> &Authority {
        &self.inner.authority
    }

    /// Of the simulated mode.
    ///
    /// # Panics
    /// In real mode.
    pub fn network(&self) -> &Network {
        match &self.inner.mode {
            Mode::Simulated { network } => network,
            Mode::Real { .. } => panic!("the real network is not ours to change"),
        }
    }

    pub fn is_simulated(&self) -> bool {
        matches!(self.inner.mode, Mode::Simulated { .. })
    }

    /// The name server, for programs that shall use it (real mode).
    pub fn dns_address(&self) -> Option<SocketAddr> {
        match &self.inner.mode {
            Mode::Simulated { .. } => None,
            Mode::Real { dns, .. } => Some(dns.address()),
        }
    }

    /// The key of the root zone, for those who check signatures themselves (real mode).
    pub fn dns_root_key(&self) -> Option<&RootKey> {
        match &self.inner.mode {
            Mode::Simulated { .. } => None,
            Mode::Real { dns, .. } => Some(dns.root_key()),
        }
    }

    /// Where mail servers listen: 25, or a free port in real mode.
    pub fn mx_port(&self) -> u16 {
        match &self.inner.mode {
            Mode::Simulated { .. } => 25,
            Mode::Real { mx_port, .. } => *mx_port,
        }
    }

    /// Randomness of the test's own, by the seed.
    pub fn random(&self, name: &str) -> Arc<dyn Random> {
        self.inner.random.branch(name)
    }

    /// An IPv4 address that nobody has.
    pub fn fresh_address(&self) -> IpAddr {
        let number = self.inner.addresses.fetch_add(1, Ordering::Relaxed);
        match &self.inner.mode {
            // RFC 2544: for testing networks, so it is nobody's.
            Mode::Simulated { .. } => nth(Ipv4Addr::new(198, 18, 0, 0), number),
            Mode::Real { network, .. } => nth(*network, number),
        }
    }

    /// A directory for a host's data, the same for the same name.
    pub fn home_of(&self, name: &str) -> std::path::PathBuf {
        self.inner.home.path().join(name)
    }

    /// The outside as a host with these addresses sees it.
    pub fn world(&self, name: &str, addresses: Vec<IpAddr>) -> World {
        self.world_with(name, addresses, Arc::new(self.tasks()))
    }

    pub(crate) fn tasks(&self) -> HostTasks {
        HostTasks::new(match self.inner.mode {
            Mode::Simulated { .. } => BlockingMode::Inline,
            Mode::Real { .. } => BlockingMode::Threads,
        })
    }

    pub(crate) fn world_with(
        &self,
        name: &str,
        addresses: Vec<IpAddr>,
        tasks: Arc<HostTasks>,
    ) -> World {
        let clock = self.inner.clock.clone();
        let random = self.inner.random.branch(name);
        match &self.inner.mode {
            Mode::Simulated { network } => World {
                dns: Arc::new(SimulatedDns::new(self.inner.zones.clone(), clock.clone())),
                net: Arc::new(network.host(addresses)),
                clock,
                random,
                tasks,
            },
            Mode::Real {
                dns,
                validation,
                doors,
                ..
            } => World {
                dns: Arc::new(Resolver::new(DnsSettings {
                    validation: *validation,
                    root_keys: vec![dns.root_key().clone()],
                    ..DnsSettings::servers(vec![dns.address()])
                })),
                net: Arc::new(RealNet::new(doors.clone())),
                clock,
                random,
                tasks,
            },
        }
    }

    /// An authoritative name server for all zones, at a fresh address, over TCP (simulated mode).
    pub async fn name_server(&self, name: &str) -> IpAddr {
        let address = self.fresh_address();
        self.inner.zones.host(name, address);
        let world = self.world(name, vec![address]);
        let listener = world.net.listen(SocketAddr::new(address, 53)).await;
        let listener = listener.expect("the address is free");
        let (zones, signer) = (self.inner.zones.clone(), Arc::new(Signer::new()));
        let tasks = world.tasks.clone();
        world.tasks.spawn("name server", async move {
            while let Ok(stream) = listener.accept().await {
                tasks.spawn("DNS", serve_line(zones.clone(), signer.clone(), stream));
            }
        });
        address
    }

    /// A scripted mail server at a fresh address, with forward and reverse names.
    pub async fn remote(&self, name: &str, script: Script) -> Remote {
        let address = self.fresh_address();
        self.inner.zones.host(name, address);
        self.remote_at(name, SocketAddr::new(address, self.mx_port()), script)
            .await
    }

    /// A scripted server for a domain of which it is the only MX: `mx.` and the domain.
    pub async fn remote_domain(&self, domain: &str, script: Script) -> Remote {
        let name = format!("mx.{domain}");
        self.domain(domain).mx(&name);
        self.remote(&name, script).await
    }

    /// A scripted server at a given place, without names. Port 0 becomes the usual one for its door
    /// (simulated) or a free one (real).
    pub async fn remote_at(&self, name: &str, at: SocketAddr, script: Script) -> Remote {
        let mut at = at;
        if at.port() == 0 && self.is_simulated() {
            at.set_port(match script.door_of() {
                ScriptDoor::Clear => 587,
                ScriptDoor::ImplicitTls => 465,
            });
        }
        let world = self.world(name, vec![at.ip()]);
        let listener = world.net.listen(at).await.expect("the address is free");
        let (authority, trace) = (&self.inner.authority, self.inner.trace.clone());
        Remote::start(name, listener, script, world, authority, trace)
    }

    /// Publishes the TLSA record of a scripted server as it is now.
    pub fn publish_tlsa(&self, remote: &Remote, usage: u8, selector: u8, matching: u8) {
        let record = remote.tlsa(usage, selector, matching);
        self.inner.zones.add(&remote.tlsa_name(), record);
    }

    /// A web server with a good certificate at a fresh address, on the port of `https`. Each file is a
    /// path and a text.
    pub async fn https(&self, name: &str, files: &[(&str, &str)]) -> HttpsHost {
        self.web(name, 443, TlsOffer::Trusted, files).await
    }

    /// A web server without TLS at a fresh address, on the port of `http`.
    pub async fn http(&self, name: &str, files: &[(&str, &str)]) -> HttpsHost {
        self.web(name, 80, TlsOffer::None, files).await
    }

    async fn web(&self, name: &str, port: u16, tls: TlsOffer, files: &[(&str, &str)]) -> HttpsHost {
        let address = self.fresh_address();
        self.inner.zones.host(name, address);
        let world = self.world(name, vec![address]);
        let listener = world.net.listen(SocketAddr::new(address, port)).await;
        let listener = listener.expect("the address is free");
        let servers = Servers::new(name, &self.inner.authority);
        let host = HttpsHost::start(name, listener, world, servers, self.inner.trace.clone());
        host.set_tls(tls);
        for (path, text) in files {
            host.set(path, Page::text(text));
        }
        host
    }

    /// A web client at a fresh address that trusts this internet's authority.
    pub fn http_client(&self) -> HttpClient {
        let world = self.world("web client", vec![self.fresh_address()]);
        let roots = self.inner.authority.root_pem();
        let tls = TlsClients::new(world.clock.clone(), Some(roots.as_bytes()));
        let tls = tls.expect("the authority's certificate is well-formed");
        HttpClient::new(world, tls.verified())
    }

    /// In real mode: who connects to `known` shall come to `at`.
    pub(crate) fn open_door(&self, known: SocketAddr, at: SocketAddr) {
        if let Mode::Real { doors, .. } = &self.inner.mode {
            let mut doors = doors.lock().unwrap_or_else(PoisonError::into_inner);
            doors.insert(known, at);
        }
    }

    /// A Postroad host in the making.
    pub fn host(&self, name: &str) -> HostBuilder {
        HostBuilder::new(self.clone(), name)
    }

    /// A connection from a fresh address, whose name is that of a mail server; nothing is said or read yet.
    pub async fn connect(&self, to: SocketAddr) -> Client {
        let address = self.fresh_address();
        let number = address.to_string().replace(['.', ':'], "");
        let name = format!("mail.s{number}.strangers.test");
        self.inner.zones.host(&name, address);
        self.connect_from(address, to).await
    }

    /// A connection from this address, whatever the DNS says of it.
    pub async fn connect_from(&self, address: IpAddr, to: SocketAddr) -> Client {
        let world = self.world("stranger", vec![address]);
        let stream = world.net.connect(Some(address), to).await;
        Client::new(stream.expect("the server listens"))
    }

    /// A connection of a stranger, at a fresh address, to a mail server's port; greeting read, EHLO
    /// said.
    pub async fn stranger(&self, to: SocketAddr) -> Client {
        let mut client = self.connect(to).await;
        client.reply().await.expect("a greeting");
        client
            .say("EHLO stranger.test")
            .await
            .expect("a reply to EHLO");
        client
    }

    /// A TLS client that trusts this internet's authority.
    pub fn tls_client(&self) -> TlsClient {
        TlsClient::verified(Some(self.inner.authority.root_pem().as_bytes()))
            .expect("the authority's certificate is well-formed")
    }

    pub fn now(&self) -> Instant {
        self.inner.clock.now()
    }

    /// The time of day.
    pub fn wall(&self) -> SystemTime {
        self.inner.clock.wall()
    }

    /// Since the internet began.
    pub fn elapsed(&self) -> Duration {
        self.now() - self.inner.start
    }

    /// Lets time pass. Only simulated time: real tests wait for what they want.
    pub async fn pass(&self, span: Duration) {
        assert!(
            self.is_simulated(),
            "real time is not to be wasted: use until"
        );
        self.inner.clock.after(span).await;
    }

    /// Lets time pass until the condition holds.
    ///
    /// # Panics
    /// With the newest lines of the trace, when it does not hold within that time.
    pub async fn until(&self, within: Duration, mut condition: impl FnMut() -> bool) {
        let look = match self.is_simulated() {
            true => (within / limits::LOOKS).min(limits::LOOK_SIMULATED_MAX),
            false => limits::LOOK_REAL,
        };
        let deadline = self.now() + within;
        while !condition() {
            if deadline <= self.now() {
                let lines = self.trace().lines();
                let newest = lines.len().saturating_sub(40);
                let newest = lines.get(newest..).unwrap_or_default().join("\n");
                panic!("it did not happen within {within:?}; the newest of the trace:\n{newest}");
            }
            self.inner.clock.after(look).await;
        }
    }
}

fn nth(network: Ipv4Addr, number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(u32::from(network) + number))
}

#[expect(clippy::disallowed_methods, reason = "before there is a world")]
fn free_port(address: IpAddr) -> u16 {
    let listener = std::net::TcpListener::bind((address, 0)).expect("loopback has a free port");
    listener.local_addr().expect("it has an address").port()
}
