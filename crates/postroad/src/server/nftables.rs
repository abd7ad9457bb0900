//! Bans in the kernel's firewall: a table of our own in nftables, with sets whose elements end by themselves. What is
//! to be said is pure; it is said to one `nft` program that is started while we may still be root, and kept.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use mail::UnixMillis;
use store::bans::{Banned, Network, Scope};

use super::limits::{FIREWALL_ELEMENTS_MAX, FIREWALL_LEASE_MILLIS};
use crate::config::Service;

pub mod standing;

/// The program, and what it was told so far.
#[derive(Debug)]
pub struct Firewall {
    services: Vec<(Service, SocketAddr)>,
    child: Arc<Mutex<Child>>,
    input: ChildStdin,
    pushed: Pushed,
    /// It did not take all that it was told to add.
    refused: Arc<AtomicBool>,
    /// The table has gone: whoever loads a ruleset of their own flushes all of the kernel's first.
    missing: Arc<AtomicBool>,
    /// Hears what is wrong, until the end of the program.
    hears: Option<JoinHandle<()>>,
    /// Networks in one command: one that it does not take takes the others of its command with it.
    at_once: usize,
}

/// Ends an `nft` that does not read any more.
#[derive(Debug)]
pub(super) struct Killer(Arc<Mutex<Child>>);

impl Killer {
    pub(super) fn kill(&self) {
        let _ = locked(&self.0).kill();
    }
}

fn locked(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, thiserror::Error)]
pub enum FirewallError {
    #[error(
        "nft cannot be started ({0}); install nftables, or take `nftables` out of [bans] in postroad.toml"
    )]
    Start(std::io::Error),
    #[error(
        "nft refused ({0}); the server must be started as root or have CAP_NET_ADMIN for `nftables` in [bans] of \
         postroad.toml"
    )]
    Refused(String),
    #[error("nft has gone ({0})")]
    Gone(std::io::Error),
}

/// What the sets hold: until when, by scope and network.
type Pushed = BTreeMap<(Scope, Network), i64>;

impl Firewall {
    /// Makes the table, empty, in place of one that an earlier run left.
    pub fn start(services: &[(Service, SocketAddr)]) -> Result<Self, FirewallError> {
        run_once(&table(services))?;
        Self::listen_to(nft(&["-i"])?, services)
    }

    fn listen_to(
        mut child: Child,
        services: &[(Service, SocketAddr)],
    ) -> Result<Self, FirewallError> {
        let input = child.stdin.take();
        let input = input.ok_or_else(|| FirewallError::Refused("it does not listen".to_owned()))?;
        let refused = Arc::new(AtomicBool::new(false));
        let missing = Arc::new(AtomicBool::new(false));
        let mut hears = None;
        if let Some(errors) = child.stderr.take() {
            let (refused, missing) = (refused.clone(), missing.clone());
            let name = std::thread::Builder::new().name("nft errors".to_owned());
            let heard = name.spawn(move || {
                for line in BufReader::new(errors.take(u64::MAX))
                    .lines()
                    .map_while(Result::ok)
                {
                    tracing::debug!(line, "nft");
                    // It repeats the command after what is wrong with it. What it cannot delete is gone by itself.
                    if line.starts_with("add element") {
                        refused.store(true, Ordering::Relaxed);
                    }
                    if line.trim_end() == probe().trim_end() {
                        missing.store(true, Ordering::Relaxed);
                    }
                }
            });
            hears = heard.ok();
        }
        Ok(Self {
            services: services.to_vec(),
            child: Arc::new(Mutex::new(child)),
            input,
            pushed: Pushed::new(),
            refused,
            missing,
            hears,
            at_once: FIREWALL_ELEMENTS_MAX,
        })
    }

    pub(super) fn services(&self) -> Vec<(Service, SocketAddr)> {
        self.services.clone()
    }

    pub(super) fn killer(&self) -> Killer {
        Killer(self.child.clone())
    }

    /// Says what changed since the last time.
    pub(super) fn push(&mut self, bans: &[Banned], now: UnixMillis) -> Result<(), FirewallError> {
        self.pushed.retain(|_, until| now.0 < *until);
        if self.missing.swap(false, Ordering::Relaxed) {
            tracing::warn!("the firewall's table of bans has gone; it is made anew");
            self.refused.store(false, Ordering::Relaxed);
            self.pushed.clear();
            self.say(&table(&self.services))?;
        }
        if self.refused.swap(false, Ordering::Relaxed) && 1 < self.at_once {
            // Which of them it has is not known: all anew, in smaller pieces.
            self.at_once = (self.at_once / 10).max(1);
            self.pushed.clear();
            self.say(&flush())?;
        }
        let wanted = leased(cover(bans), &self.pushed, now);
        let script = difference(&self.pushed, &wanted, now, self.at_once);
        if !script.is_empty() {
            self.say(&script)?;
        }
        self.pushed = wanted;
        // If the table has gone, it says so, and the next push makes it anew.
        self.say(&probe())
    }

    /// Takes the table away.
    pub(super) fn remove(mut self) {
        let said = self.say(&format!("delete table inet {TABLE}\n"));
        let Self {
            child,
            input,
            hears,
            ..
        } = self;
        // The end of its input is its end.
        drop(input);
        if said.is_err() {
            let _ = locked(&child).kill();
        }
        // Not while the lock is held: somebody may have to end it.
        if let Some(hears) = hears {
            let _ = hears.join();
        }
        let _ = locked(&child).wait();
    }

    /// After it went wrong: ends it, and takes the table away if that is (still) allowed.
    pub(super) fn give_up(self) -> Result<(), FirewallError> {
        let mut child = locked(&self.child);
        let _ = child.kill();
        let _ = child.wait();
        drop(child);
        run_once(&format!(
            "add table inet {TABLE}\ndelete table inet {TABLE}\n"
        ))
    }

    fn say(&mut self, script: &str) -> Result<(), FirewallError> {
        let said = self.input.write_all(script.as_bytes());
        said.and_then(|()| self.input.flush())
            .map_err(FirewallError::Gone)
    }
}

/// Its name in `nft list ruleset`.
const TABLE: &str = "postroad";

fn nft(arguments: &[&str]) -> Result<Child, FirewallError> {
    let started = Command::new("nft")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    started.map_err(FirewallError::Start)
}

fn run_once(script: &str) -> Result<(), FirewallError> {
    let mut child = nft(&["-f", "-"])?;
    if let Some(mut input) = child.stdin.take() {
        // If it does not read, it says why.
        let _ = input.write_all(script.as_bytes());
    }
    let done = child.wait_with_output().map_err(FirewallError::Start)?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let line = said.lines().find(|line| !line.trim().is_empty());
    Err(FirewallError::Refused(
        line.unwrap_or("no reason given").trim().to_owned(),
    ))
}

/// The table with its sets and rules. Only our own ports are shut: a ban never closes SSH to its operator.
fn table(services: &[(Service, SocketAddr)]) -> String {
    let ports = |wanted: fn(Service) -> bool| {
        let mut ports: Vec<u16> = services
            .iter()
            .filter(|(service, _)| wanted(*service))
            .map(|(_, address)| address.port())
            .collect();
        ports.sort_unstable();
        ports.dedup();
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        ports.join(", ")
    };
    let mut script = format!(
        "add table inet {TABLE}\ndelete table inet {TABLE}\nadd table inet {TABLE}\n\
         add chain inet {TABLE} doors {{ type filter hook input priority -10; policy accept; }}\n"
    );
    let scopes = [
        (Scope::Everything, ports(|_| true)),
        (Scope::Mx, ports(|service| service == Service::Smtp)),
    ];
    for (scope, ports) in scopes {
        for (is_ipv6, kind, field) in [(false, "ipv4_addr", "ip"), (true, "ipv6_addr", "ip6")] {
            let set = set(scope, is_ipv6);
            script.push_str(&format!(
                "add set inet {TABLE} {set} {{ type {kind}; flags interval, timeout; }}\n"
            ));
            if !ports.is_empty() {
                script.push_str(&format!(
                    "add rule inet {TABLE} doors {field} saddr @{set} tcp dport {{ {ports} }} counter reject with tcp reset\n"
                ));
            }
        }
    }
    script
}

fn set(scope: Scope, is_ipv6: bool) -> &'static str {
    match (scope, is_ipv6) {
        (Scope::Everything, false) => "banned4",
        (Scope::Everything, true) => "banned6",
        (Scope::Mx, false) => "banned4_smtp",
        (Scope::Mx, true) => "banned6_smtp",
    }
}

/// Changes nothing where the table is, and fails where it is not.
fn probe() -> String {
    let set = set(Scope::Everything, false);
    format!("add set inet {TABLE} {set} {{ type ipv4_addr; flags interval, timeout; }}\n")
}

/// The bans without those that lie within a wider one of the same scope: intervals of a set may not overlap.
fn cover(bans: &[Banned]) -> Pushed {
    let mut sorted: Vec<&Banned> = bans.iter().collect();
    sorted.sort_by_key(|banned| (banned.scope, banned.network.bits()));
    let mut covered = Pushed::new();
    // Of the same family and scope; there are never many.
    let mut lengths = BTreeSet::new();
    for banned in sorted {
        let (network, scope) = (banned.network, banned.scope);
        let is_within = lengths
            .iter()
            .filter(|(of, six, bits)| {
                (*of, *six) == (scope, network.is_ipv6()) && *bits < network.bits()
            })
            .any(|(_, _, bits)| {
                let wider = Network::block(network.first(), *bits);
                covered.contains_key(&(scope, wider))
            });
        if !is_within {
            covered.insert((scope, network), banned.until.0);
            lengths.insert((scope, network.is_ipv6(), network.bits()));
        }
    }
    covered
}

/// What the sets are to hold: long bans for a while only, said again when half of that is over.
fn leased(mut wanted: Pushed, have: &Pushed, now: UnixMillis) -> Pushed {
    for (key, until) in &mut wanted {
        let lease = now.0 + FIREWALL_LEASE_MILLIS;
        if *until <= lease {
            continue;
        }
        let half = now.0 + FIREWALL_LEASE_MILLIS / 2;
        let running = have
            .get(key)
            .filter(|ends| half < **ends && **ends <= *until);
        *until = running.copied().unwrap_or(lease);
    }
    wanted
}

/// Empties all sets.
fn flush() -> String {
    [Scope::Everything, Scope::Mx]
        .iter()
        .flat_map(|scope| [set(*scope, false), set(*scope, true)])
        .map(|set| format!("flush set inet {TABLE} {set}\n"))
        .collect()
}

/// What makes the one out of the other. Removals first: what is wider comes in the place of what is narrower.
fn difference(have: &Pushed, want: &Pushed, now: UnixMillis, at_once: usize) -> String {
    let gone = have
        .iter()
        .filter(|(key, until)| want.get(key) != Some(until))
        .map(|((scope, network), _)| (*scope, *network, network.to_string()));
    let new = want
        .iter()
        .filter(|(key, until)| have.get(key) != Some(until))
        .map(|((scope, network), until)| {
            let seconds = ((until - now.0) / 1000).max(1);
            (*scope, *network, format!("{network} timeout {seconds}s"))
        });
    // One that is gone by itself makes its whole command fail, so each is taken out by its own.
    commands("delete", gone, 1) + &commands("add", new, at_once)
}

fn commands(
    verb: &str,
    elements: impl Iterator<Item = (Scope, Network, String)>,
    at_once: usize,
) -> String {
    let mut by_set: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (scope, network, element) in elements {
        by_set
            .entry(set(scope, network.is_ipv6()))
            .or_default()
            .push(element);
    }
    let mut script = String::new();
    for (set, elements) in by_set {
        for elements in elements.chunks(at_once.max(1)) {
            let list = elements.join(", ");
            script.push_str(&format!("{verb} element inet {TABLE} {set} {{ {list} }}\n"));
        }
    }
    script
}

#[cfg(test)]
mod tests;
