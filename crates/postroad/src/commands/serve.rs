//! `postroad serve`: what the service unit runs. Ends with the process.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use store::Store;
use world::{DnsSettings, World};

use crate::config::{Config, Service};
use crate::data_dir::DataDir;
use crate::local::open_store;
use crate::output::Failure;
use crate::place::Place;
use crate::server::nftables::{Firewall, standing};
use crate::server::process::{self, Signals};
use crate::server::tls::{self, Certificates};
use crate::server::{Ending, Server};
use crate::version::VERSION;

/// Serves until stopped by a signal.
pub fn run(place: &Place) -> Result<(), Failure> {
    let config = place.load_or_fail()?;
    serve(config, |_listeners, _store| Ok(()))
}

/// Opens the ports, then the store; lets `prepare` work with both; serves; says `ready`.
pub fn serve(config: Config, prepare: impl Prepare) -> Result<(), Failure> {
    let data = DataDir::open(&config.data)?;
    let _lock = data.lock("serve")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("postroad")
        .build()
        .map_err(|error| Failure::failed(format!("the runtime does not start: {error}")))?;
    let ending = runtime.block_on(run_server(config, prepare))?;
    // Sessions that were cut are dropped here, not waited for.
    runtime.shutdown_background();
    match ending {
        Ending::Clean => tracing::info!("stopped"),
        Ending::Cut(sessions) => tracing::warn!(sessions, "stopped without waiting for sessions"),
    }
    Ok(())
}

/// What happens between opening the ports and the first answer: the first account and its like.
pub trait Prepare:
    FnOnce(&[(Service, SocketAddr)], &Store) -> Result<(), Failure> + Send + 'static
{
}

impl<F> Prepare for F where
    F: FnOnce(&[(Service, SocketAddr)], &Store) -> Result<(), Failure> + Send + 'static
{
}

async fn run_server(config: Config, prepare: impl Prepare) -> Result<Ending, Failure> {
    let world = World::real(DnsSettings::servers(config.resolvers.clone()));
    process::raise_descriptor_limit();
    let signals =
        Signals::listen().map_err(|error| Failure::failed(format!("signals: {error}")))?;
    let bound = Server::bind(world.clone(), &config).await.map_err(failed)?;
    let firewall = start_firewall(&config, &bound.addresses());
    let pem = read_certificate(&world, &config)?;
    let (settings, listeners) = (config.clone(), bound.addresses());
    // Opening waits for disks and database servers, which the event loop's threads must not.
    let opening = world.tasks.blocking(move || {
        let store = open_store(&settings)?;
        prepare(&listeners, &store)?;
        Ok::<_, Failure>(store)
    });
    let settings = config.clone();
    let reading = world
        .tasks
        .blocking(move || Certificates::serve(&settings, pem));
    let (certificates, store) = tokio::join!(reading, opening);
    let certificates = Arc::new(certificates.map_err(failed)?.map_err(failed)?);
    let store = store.map_err(failed)??;
    let tls = certificates.server().clone();
    let mut running = bound.serve(store, tls).map_err(failed)?;
    running.watch_certificates(certificates.clone());
    running.open_admin(&config.data, &config).map_err(failed)?;
    if let Some(firewall) = firewall {
        running.guard(firewall);
    }
    announce(running.addresses());
    Ok(process::until_stopped(running, signals, certificates).await)
}

/// Before the privileges go. Without it bans still hold at our own doors, so mail does not wait for it.
fn start_firewall(config: &Config, services: &[(Service, SocketAddr)]) -> Option<Firewall> {
    if !config.bans.nftables {
        return None;
    }
    Firewall::start(services)
        .inspect_err(|error| {
            standing::has_trouble(error);
            tracing::error!(%error, "bans are not pushed to the firewall");
        })
        .ok()
}

/// Files that the config names may be readable for root only, so they come before the privileges go. Those of our
/// own making come after, so that they belong to the user who reads them the next time.
fn read_certificate(world: &World, config: &Config) -> Result<tls::Pem, Failure> {
    let early = if tls::uses_own(config) {
        None
    } else {
        Some(tls::read_or_make(world, config).map_err(failed)?)
    };
    process::drop_privileges(config).map_err(failed)?;
    match early {
        Some(pem) => Ok(pem),
        None => tls::read_or_make(world, config).map_err(failed),
    }
}

fn failed(error: impl std::error::Error) -> Failure {
    Failure::failed(error.to_string())
}

/// The one line that scripts wait for. Nobody may be reading it, which is no reason to stop.
fn announce(addresses: &[(Service, SocketAddr)]) {
    tracing::info!(version = VERSION, "serving");
    let line = ready_line(addresses);
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// `ready smtp=127.0.0.1:2025 submissions=…`; several addresses of one service are joined by commas.
fn ready_line(addresses: &[(Service, SocketAddr)]) -> String {
    let mut line = "ready".to_owned();
    for service in Service::ALL {
        let own: Vec<String> = addresses
            .iter()
            .filter(|(of, _)| *of == service)
            .map(|(_, address)| address.to_string())
            .collect();
        if !own.is_empty() {
            line.push_str(&format!(" {service}={}", own.join(",")));
        }
    }
    line
}
