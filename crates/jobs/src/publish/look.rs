//! Asks every name server of each name itself, past all caches; the resolver where none of them can be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use doctor::compare::{Seen, questions};
use doctor::{Kind, RecordWish};
use futures_util::future::join_all;
use world::{Dns, DnsError, Record, World, ask_name_server_at};

use super::text;
use crate::limits;

/// Where name servers listen.
const PORT: u16 = 53;

/// Whom to ask.
#[derive(Clone, Debug)]
pub enum NameServers {
    /// Those of the zones, found through the resolver, and these.
    OfTheZones { and: Vec<SocketAddr> },
    /// Just these, such as the primary at which a zone was changed.
    These(Vec<SocketAddr>),
}

/// What everybody says about the names of these wishes. Bounded in questions at a time, and each in time.
pub async fn look(world: &World, wishes: &[RecordWish], whom: &NameServers) -> Vec<Seen> {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut zones = Zones::default();
    let questions = questions(wishes);
    let mut asking = Vec::new();
    for (name, kind) in &questions {
        let servers = match whom {
            NameServers::These(at) => at.iter().map(|at| (at.to_string(), *at)).collect(),
            NameServers::OfTheZones { and } => {
                let mut servers = zones.servers(&*world.dns, name).await;
                servers.extend(and.iter().map(|at| (at.to_string(), *at)));
                servers
            }
        };
        let servers = servers.into_iter();
        asking.extend(servers.map(|(server, at)| (server, at, name, *kind)));
    }
    // Who let one question pass unanswered is not waited for again.
    let mut silent = BTreeSet::new();
    for some in asking.chunks(limits::QUESTIONS_AT_ONCE) {
        let answers = some.iter().map(|(_, at, name, kind)| {
            let is_silent = silent.contains(at);
            async move {
                match is_silent {
                    true => Err(DnsError::TimedOut),
                    false => ask_name_server_at(world, *at, name, text::kind(*kind)).await,
                }
            }
        });
        let answers = join_all(answers).await;
        for ((server, at, name, kind), answer) in some.iter().zip(answers) {
            if answer == Err(DnsError::TimedOut) {
                silent.insert(*at);
            }
            note(&mut seen, server, name, *kind, answer);
        }
    }
    if let NameServers::OfTheZones { .. } = whom {
        ask_resolver(world, &questions, &mut seen).await;
    }
    seen.into_values().collect()
}

/// About what no name server told anything: they may be out of reach, or an alias leads elsewhere.
async fn ask_resolver(
    world: &World,
    questions: &[(String, Kind)],
    seen: &mut BTreeMap<String, Seen>,
) {
    const RESOLVER: &str = "resolver";
    let told = |question: &&(String, Kind)| {
        seen.values()
            .any(|one| matches!(one.answers.get(*question), Some(Ok(_))))
    };
    let open: Vec<_> = questions.iter().filter(|one| !told(one)).cloned().collect();
    for some in open.chunks(limits::QUESTIONS_AT_ONCE) {
        let answers = some
            .iter()
            .map(|(name, kind)| world.dns.ask(name, text::kind(*kind)));
        for ((name, kind), answer) in some.iter().zip(join_all(answers).await) {
            note(seen, RESOLVER, name, *kind, answer);
        }
    }
}

fn note(
    seen: &mut BTreeMap<String, Seen>,
    server: &str,
    name: &str,
    kind: Kind,
    answer: Result<world::Answer, DnsError>,
) {
    let values = match answer {
        Ok(answer) => Ok(answer.records.iter().map(text::of_record).collect()),
        Err(error) => Err(format!("{server} gave no answer: {error}.")),
    };
    let one = seen.entry(server.to_owned()).or_insert_with(|| Seen {
        server: server.to_owned(),
        answers: BTreeMap::new(),
    });
    one.answers.insert((name.to_owned(), kind), values);
}

/// The servers of each zone, found once.
#[derive(Default)]
struct Zones {
    /// By name: the hosts in its NS records; empty where it is no zone.
    hosts: BTreeMap<String, Vec<String>>,
    addresses: BTreeMap<String, Vec<IpAddr>>,
}

impl Zones {
    /// With their names. Nothing where the DNS does not tell.
    async fn servers(&mut self, dns: &dyn Dns, name: &str) -> Vec<(String, SocketAddr)> {
        let mut zone = name;
        loop {
            let hosts = self.hosts(dns, zone).await;
            if !hosts.is_empty() {
                return self.at(dns, &hosts).await;
            }
            match zone.split_once('.') {
                // Of a name directly below the root nobody here changes anything.
                Some((_, parent)) if parent.contains('.') => zone = parent,
                _ => return Vec::new(),
            }
        }
    }

    async fn hosts(&mut self, dns: &dyn Dns, zone: &str) -> Vec<String> {
        if let Some(known) = self.hosts.get(zone) {
            return known.clone();
        }
        let records = match dns.ask(zone, world::Kind::Ns).await {
            Ok(answer) => answer.records,
            Err(_) => Vec::new(),
        };
        let hosts: Vec<String> = records
            .into_iter()
            .filter_map(|record| match record {
                Record::Ns(host) => Some(host),
                _ => None,
            })
            .take(limits::NAME_SERVERS_MAX)
            .collect();
        self.hosts.insert(zone.to_owned(), hosts.clone());
        hosts
    }

    async fn at(&mut self, dns: &dyn Dns, hosts: &[String]) -> Vec<(String, SocketAddr)> {
        let mut found = Vec::new();
        for host in hosts {
            if !self.addresses.contains_key(host) {
                let mut addresses = Vec::new();
                for kind in [world::Kind::A, world::Kind::Aaaa] {
                    if let Ok(answer) = dns.ask(host, kind).await {
                        addresses.extend(answer.addresses());
                    }
                }
                self.addresses.insert(host.clone(), addresses);
            }
            let addresses = self.addresses.get(host).into_iter().flatten();
            found.extend(addresses.map(|address| {
                (
                    format!("{host} ({address})"),
                    SocketAddr::new(*address, PORT),
                )
            }));
        }
        found.truncate(limits::NAME_SERVERS_MAX);
        found
    }
}
