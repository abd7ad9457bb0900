//! What the doctor is told of this server before it looks: what is configured, and what the machine says of itself.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use doctor::checks::{AcmeWay, FilterFacts, SettingFacts};
use jobs::doctor::{Brief, Briefing, Door, Machine};
use mail::Domain;
use mta::WhenUnavailable;
use nix::sys::statvfs::statvfs;
use store::Store;
use world::TlsServer;

use super::nftables::standing;
use crate::addresses;
use crate::commands::dns::domain_facts;
use crate::config::{Config, Service};
use crate::filters;
use crate::output::Failure;

/// For the job: asked before each examination.
pub fn briefing(config: Arc<Config>, store: Store, tls: Arc<TlsServer>) -> Briefing {
    Arc::new(move || brief(&config, &store, Some(&tls), None).map_err(|failure| failure.message))
}

/// With `tls` a server runs here. With a domain only that one is told.
pub fn brief(
    config: &Arc<Config>,
    store: &Store,
    tls: Option<&Arc<TlsServer>>,
    only: Option<&Domain>,
) -> Result<Brief, Failure> {
    let (about, server, only) = (config.clone(), tls.cloned(), only.cloned());
    let domains = store.read_blocking(move |view| {
        let names = view.domains()?.into_iter().map(|domain| domain.name);
        let wanted = |name: &Domain| only.as_ref().is_none_or(|only| only == name);
        names
            .filter(wanted)
            .map(|name| domain_facts(view, &about, server.as_deref(), &name))
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    let public = addresses::public(config);
    Ok(Brief {
        host: config.hostname.clone(),
        domains,
        own: addresses::own(config),
        addresses: public,
        doors: doors(config),
        serves: tls.is_some(),
        mx_port: config.outbound.port,
        settings: settings(config),
        machine: config.doctor.machine.then(|| machine(config)),
    })
}

fn doors(config: &Config) -> Vec<Door> {
    let door = |service: &Service| {
        let port = config.listen.port(*service).filter(|port| *port != 0)?;
        Some(Door {
            service: match service {
                Service::Smtp => jobs::doctor::Service::Smtp,
                Service::Submissions => jobs::doctor::Service::Submissions,
                Service::Submission => jobs::doctor::Service::Submission,
                Service::Imap => jobs::doctor::Service::Imap,
                Service::Imaps => jobs::doctor::Service::Imaps,
                Service::Pop3 => jobs::doctor::Service::Pop3,
                Service::Pop3s => jobs::doctor::Service::Pop3s,
                Service::Http => jobs::doctor::Service::Http,
                Service::Https => jobs::doctor::Service::Https,
            },
            port,
        })
    };
    Service::ALL.iter().filter_map(door).collect()
}

fn settings(config: &Config) -> SettingFacts {
    let addresses = addresses::public(config);
    SettingFacts {
        sends_ipv6: Some(addresses.iter().any(IpAddr::is_ipv6)),
        acme: config
            .tls
            .acme
            .as_ref()
            .map(|_| match config.listen.port(Service::Http) {
                Some(_) => AcmeWay::Http01,
                None => AcmeWay::TlsAlpn01,
            }),
        relay_ready: Some(config.outbound.relay.is_some() || !config.outbound.relays.is_empty()),
        // One transaction is for one destination, always.
        one_domain_per_transaction: Some(true),
        hop_limit: u16::try_from(mta::limits::RECEIVED_FIELDS_MAX).ok(),
        ca: config
            .tls
            .acme
            .as_ref()
            .filter(|directory| directory.contains("letsencrypt.org"))
            .map(|_| "letsencrypt.org".to_owned()),
        header_default: Some(true),
        ..SettingFacts::default()
    }
}

fn machine(config: &Config) -> Machine {
    Machine {
        disks: disk(&config.data).map(|disk| vec![disk]),
        memory_free: memory(),
        reboot_needed: Path::new("/etc/debian_version")
            .exists()
            .then(|| Path::new("/var/run/reboot-required").exists()),
        readable_secrets: Some(readable(config)),
        host_is_loopback: host_is_loopback(&config.hostname),
        filters: Some(filters(config)),
        firewall: match config.bans.nftables {
            true => standing::known(),
            false => Some(None),
        },
    }
}

fn filters(config: &Config) -> Vec<FilterFacts> {
    let asked = filters::ask_all(config).into_iter();
    let facts = asked.map(|(filter, problem)| FilterFacts {
        name: filter.name.clone(),
        at: filter.at.to_string(),
        problem,
        defers: filter.when_unavailable == WhenUnavailable::Defer,
    });
    facts.collect()
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn disk(data: &Path) -> Option<(String, f64)> {
    let volume = statvfs(data).ok()?;
    let blocks = volume.blocks();
    let free = volume.blocks_available();
    (blocks > 0).then(|| (data.display().to_string(), free as f64 / blocks as f64))
}

/// The share that programs may still take.
fn memory() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok()
    };
    let (all, free) = (value("MemTotal:")?, value("MemAvailable:")?);
    (all > 0.0).then(|| free / all)
}

/// Keys that somebody else on this machine can read.
fn readable(config: &Config) -> Vec<String> {
    let mut paths = vec![config.data.join("secret.key"), config.data.clone()];
    paths.extend(config.tls.files.as_ref().map(|(_, key)| key.clone()));
    let is_open = |path: &std::path::PathBuf| {
        let mode = fs::metadata(path).map(|found| found.permissions().mode());
        mode.is_ok_and(|mode| mode & 0o004 != 0)
    };
    let open = paths.iter().filter(|path| is_open(path));
    open.map(|path| path.display().to_string()).collect()
}

/// Debian's installer maps the host's name to 127.0.1.1.
fn host_is_loopback(host: &str) -> Option<bool> {
    let text = fs::read_to_string("/etc/hosts").ok()?;
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""));
    let is_it = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
        address.is_some_and(|address| address.is_loopback())
            && words.any(|name| name.eq_ignore_ascii_case(host))
    };
    Some(lines.into_iter().any(is_it))
}
