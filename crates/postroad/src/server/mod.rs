//! The server as one value: opens the ports, joins the rooms, runs until told to stop.
//! Used by the program and, in a simulated world, by tests. Decides nothing about mail.

mod admission;
mod bans;
mod limits;
pub mod nftables;
mod post;
mod sessions;

pub mod doctor;
pub(crate) mod fetched;
pub mod process;
pub(crate) mod settings;
pub mod tls;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::Access;
use jobs::Jobs;
use mta::Mta;
use store::Store;
use tokio::sync::Notify;
use web::Web;
use world::{Listener, Stop, Task, TlsServer, World};

use crate::admin;
use crate::commands::Context;
use crate::config::{Config, Service};

pub use settings::SettingsError;

/// How a server begins: [`Server::start`], or [`Server::bind`] and then [`Bound::serve`] when something must
/// happen between (dropping privileges, making the first account).
pub struct Server;

/// The ports are open; nobody is answered yet.
pub struct Bound {
    world: World,
    config: Arc<Config>,
    listeners: Vec<(Service, Listener)>,
}

/// A server at work. Dropping it does not stop it; [`Running::stop`] does.
pub struct Running {
    world: World,
    store: Store,
    mta: Mta,
    tls: Arc<TlsServer>,
    authority: Authority,
    stop: Stop,
    addresses: Vec<(Service, SocketAddr)>,
    /// Loops that end by themselves after the stop: accepting, queue, housekeeping.
    loops: Vec<Task>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{}", port_advice(*.service, *.address, .source))]
    Listen {
        service: Service,
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the admin socket in {path} cannot be opened: {source}")]
    Admin {
        path: String,
        source: std::io::Error,
    },
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// What the job of certificates and the rest of the program tell one another.
#[derive(Clone, Default)]
pub(crate) struct Authority {
    /// A certificate was fetched.
    fetched: Arc<Notify>,
    /// There may be one to fetch.
    wanted: Arc<Notify>,
    /// There may be a record to publish.
    changed: Arc<Notify>,
}

/// Whether all ended in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Clean,
    /// So many sessions were cut.
    Cut(usize),
}

impl Authority {
    /// What wakes the job that keeps records published.
    fn records(&self) -> jobs::publish::Changed {
        jobs::publish::Changed {
            by_command: self.changed.clone(),
            certificate: self.fetched.clone(),
        }
    }
}

impl Server {
    /// Opens the ports and serves. The store is closed by [`Running::stop`].
    pub async fn start(
        world: World,
        config: &Config,
        store: Store,
        tls: Arc<TlsServer>,
    ) -> Result<Running, StartError> {
        Self::bind(world, config).await?.serve(store, tls)
    }

    /// Opens the ports.
    pub async fn bind(world: World, config: &Config) -> Result<Bound, StartError> {
        let mut listeners = Vec::new();
        for (service, addresses) in &config.listen.services {
            let mut open = 0_usize;
            for address in addresses {
                match world.net.listen(*address).await {
                    Ok(listener) => {
                        open += 1;
                        listeners.push((*service, listener));
                    }
                    // A host without IPv6 is served on IPv4, and one whose IPv6 wildcard takes both is done.
                    Err(error) if address.ip().is_unspecified() && is_spared(&error, open) => {
                        tracing::info!(%service, %address, %error, "not listening here");
                    }
                    Err(source) => {
                        return Err(StartError::Listen {
                            service: *service,
                            address: *address,
                            source,
                        });
                    }
                }
            }
        }
        Ok(Bound {
            world,
            config: Arc::new(config.clone()),
            listeners,
        })
    }
}

/// Whether one wildcard address may fail: the family is missing here, or another wildcard took the port for both.
fn is_spared(error: &std::io::Error, open: usize) -> bool {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => 0 < open,
        std::io::ErrorKind::AddrNotAvailable | std::io::ErrorKind::Unsupported => true,
        _ => error.raw_os_error() == Some(nix::errno::Errno::EAFNOSUPPORT as i32),
    }
}

impl Bound {
    /// Where the listeners really are, also when the config said port 0.
    pub fn addresses(&self) -> Vec<(Service, SocketAddr)> {
        self.listeners
            .iter()
            .map(|(service, listener)| (*service, listener.local_addr()))
            .collect()
    }

    /// Begins to answer.
    pub fn serve(self, store: Store, tls: Arc<TlsServer>) -> Result<Running, StartError> {
        let addresses = self.addresses();
        let Bound {
            world,
            config,
            listeners,
        } = self;
        let stop = Stop::new();
        let rooms = rooms(&world, &config, &store, &tls, &addresses)?;
        let mta = rooms.mta.clone();
        let desk = sessions::Desk::new(world.clone(), &config, rooms, tls.clone(), stop.clone());
        let mut loops: Vec<Task> = listeners
            .into_iter()
            .map(|(service, listener)| desk.open(service, listener))
            .collect();
        let authority = Authority::default();
        let jobs = Jobs::new(
            world.clone(),
            store.clone(),
            Arc::new(post::Outbox::new(mta.clone())),
            settings::jobs(&config),
        )
        .with_http(settings::http(&world, &config)?)
        .with_publishing(
            crate::commands::dns::for_job(config.clone(), tls.clone()),
            authority.records(),
        );
        let doctor = settings::doctor(&world, &config, &store, &tls)?;
        let jobs = jobs.with_messenger().with_letters(doctor.clone());
        let jobs = match config.doctor.daily {
            true => jobs.with_doctor(doctor),
            false => jobs,
        };
        let jobs = match settings::certificates(&config, &authority, &tls) {
            Some(settings) => jobs.with_certificates(settings),
            None => jobs,
        };
        loops.push(world.tasks.spawn("jobs", jobs.run(stop.clone())));
        let (queue, until) = (mta.clone(), stop.clone());
        loops.push(
            world
                .tasks
                .spawn("queue", async move { queue.run_queue(until).await }),
        );
        loops.push(world.tasks.spawn(
            "housekeeping",
            keep_house(world.clone(), store.clone(), stop.clone()),
        ));
        let bans = bans::keep(world.clone(), store.clone(), stop.clone());
        loops.push(world.tasks.spawn("bans", bans));
        Ok(Running {
            world,
            store,
            mta,
            tls,
            authority,
            stop,
            addresses,
            loops,
        })
    }
}

/// Mail in and out, mail programs and web pages, all of the same store.
fn rooms(
    world: &World,
    config: &Config,
    store: &Store,
    tls: &Arc<TlsServer>,
    addresses: &[(Service, SocketAddr)],
) -> Result<sessions::Rooms, SettingsError> {
    let mta = settings::mta(config, tls.clone(), addresses)?;
    let access = settings::access(config, tls.clone());
    let web = settings::web(config)?;
    Ok(sessions::Rooms {
        store: store.clone(),
        mta: Mta::new(world.clone(), store.clone(), mta),
        access: Access::new(world.clone(), store.clone(), access),
        web: Web::new(world.clone(), store.clone(), web),
    })
}

impl Running {
    pub fn addresses(&self) -> &[(Service, SocketAddr)] {
        &self.addresses
    }

    /// The first address of a service.
    pub fn address(&self, service: Service) -> Option<SocketAddr> {
        self.addresses
            .iter()
            .find(|(of, _)| *of == service)
            .map(|(_, address)| *address)
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn mta(&self) -> &Mta {
        &self.mta
    }

    /// Serves certificates anew when their files change.
    pub fn watch_certificates(&mut self, certificates: Arc<tls::Certificates>) {
        let fetched = fetched::keep(
            self.world.clone(),
            self.store.clone(),
            certificates.clone(),
            self.authority.fetched.clone(),
            self.stop.clone(),
        );
        let watching = certificates.watch(self.world.clone(), self.stop.clone());
        let tasks = &self.world.tasks;
        self.loops.push(tasks.spawn("certificates", watching));
        self.loops
            .push(tasks.spawn("fetched certificates", fetched));
    }

    /// Has the firewall turn away who is banned.
    pub fn guard(&mut self, firewall: nftables::Firewall) {
        let pushing = bans::push(
            self.world.clone(),
            self.store.clone(),
            firewall,
            self.stop.clone(),
        );
        self.loops.push(self.world.tasks.spawn("firewall", pushing));
    }

    /// Lets commands reach this server through the data directory. Not in simulated worlds.
    pub fn open_admin(&mut self, data: &Path, config: &Config) -> Result<(), StartError> {
        let listener = admin::server::bind(data).map_err(|source| StartError::Admin {
            path: data.display().to_string(),
            source,
        })?;
        let context = Context {
            store: self.store.clone(),
            config: Arc::new(config.clone()),
            clock: self.world.clock.clone(),
            random: self.world.random.clone(),
            tls: Some(self.tls.clone()),
            wanted: Some(self.authority.wanted.clone()),
            changed: Some(self.authority.changed.clone()),
            post: Some(Arc::new(post::Outbox::new(self.mta.clone()))),
        };
        let serving =
            admin::server::serve(self.world.clone(), listener, context, self.stop.clone());
        self.loops
            .push(self.world.tasks.spawn("admin socket", serving));
        Ok(())
    }

    /// Stops gracefully: ports close, sessions finish their command, attempts in flight end, the store is closed.
    /// After `patience` what is left is cut, which loses nothing that was answered with 250.
    pub async fn stop(self, patience: Duration) -> Ending {
        self.stop.request();
        let until = self.world.now() + patience;
        let stop = self.stop.clone();
        let all_ended = async {
            for task in self.loops {
                let _ = task.ended().await;
            }
            stop.all_ended().await;
        };
        let ending = match self.world.tasks.deadline(until, all_ended).await {
            Ok(()) => Ending::Clean,
            Err(_late) => Ending::Cut(self.stop.sessions()),
        };
        let store = self.store;
        let _ = self.world.tasks.blocking(move || store.close()).await;
        ending
    }
}

/// Lets the store tidy up now and then.
async fn keep_house(world: World, store: Store, stop: Stop) {
    loop {
        let next = world.clock.until(world.now() + limits::TIDY_PERIOD);
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = next => {}
        }
        tokio::select! {
            biased;
            () = stop.requested() => return,
            tidied = store.tidy() => {
                if let Err(error) = tidied {
                    tracing::warn!(%error, "housekeeping");
                }
            }
        }
    }
}

fn port_advice(service: Service, address: SocketAddr, error: &std::io::Error) -> String {
    let port = address.port();
    match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "port {port} on {} (for {service}) is taken by another program; stop that one (find it with: ss -ltnp 'sport = :{port}'), or in postroad.toml choose other ports ([listen] port_offset or {service}) or switch the service off ({service} = false)",
            address.ip()
        ),
        std::io::ErrorKind::PermissionDenied => format!(
            "port {port} (for {service}) may be opened by root only; start as root with `user` set in postroad.toml, or use a port_offset of 1000 or more"
        ),
        std::io::ErrorKind::AddrNotAvailable => format!(
            "{} is not an address of this machine; correct [listen] in postroad.toml",
            address.ip()
        ),
        _ => format!("cannot listen on {address} for {service}: {error}"),
    }
}
