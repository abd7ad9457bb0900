//! Asks each name server of a zone itself: whether they agree, and whether a new key has reached them all.

use std::net::{IpAddr, SocketAddr};

use doctor::checks::{Nameserver, ResolverFacts, ZoneFacts};
use doctor::{DkimStage, DomainFacts};
use futures_util::future::{join, join_all};
use world::{AnswerStatus, DnsError, Kind, Record, World, ask_name_server};

use super::{limits, names};

/// Where name servers listen.
const PORT: u16 = 53;

pub(super) async fn zone(world: &World, domain: &DomainFacts) -> ZoneFacts {
    let (servers, wildcard) = join(
        servers(world, &domain.domain),
        wildcard(world, &domain.domain),
    )
    .await;
    let mut zone = ZoneFacts {
        wildcard,
        ..ZoneFacts::default()
    };
    let Some(hosts) = servers else {
        return zone;
    };
    let asked = hosts.iter().map(|host| server(world, host, domain));
    let mut found = join_all(asked).await;
    // Where none can be reached this network lets nobody ask.
    if !found.iter().any(|server| server.answers_tcp == Some(true)) {
        for server in &mut found {
            server.answers_tcp = None;
        }
    }
    let mut own = hosts;
    own.sort_unstable();
    zone.own_ns = Some(own);
    zone.nameservers = Some(found);
    zone
}

/// Names of the servers of the zone that a domain lies in.
async fn servers(world: &World, domain: &str) -> Option<Vec<String>> {
    let mut zone = domain;
    loop {
        let answer = world.dns.ask(zone, Kind::Ns).await.ok()?;
        let hosts = answer
            .records
            .into_iter()
            .filter_map(|record| match record {
                Record::Ns(host) => Some(host),
                _ => None,
            });
        let hosts: Vec<String> = hosts.take(limits::NAME_SERVERS_MAX).collect();
        if !hosts.is_empty() {
            return Some(hosts);
        }
        zone = zone.split_once('.').map(|(_, parent)| parent)?;
        if !zone.contains('.') {
            return None;
        }
    }
}

async fn server(world: &World, host: &str, domain: &DomainFacts) -> Nameserver {
    let mut found = Nameserver {
        name: host.to_owned(),
        addresses: addresses(world, host).await,
        ..Nameserver::default()
    };
    let Some(at) = found.addresses.first().copied() else {
        return found;
    };
    let connecting = world.net.connect(None, SocketAddr::new(at, PORT));
    let deadline = world.now() + limits::CONNECT_PATIENCE;
    let connected = world.tasks.deadline(deadline, connecting).await;
    found.answers_tcp = Some(matches!(connected, Ok(Ok(_))));
    if found.answers_tcp != Some(true) {
        return found;
    }
    let name = &domain.domain;
    let (soa, mx) = join(
        ask_name_server(world, at, name, Kind::Soa),
        ask_name_server(world, at, name, Kind::Mx),
    )
    .await;
    if let Ok(answer) = soa {
        found.serial = answer.records.iter().find_map(|record| match record {
            Record::Soa { serial, .. } => Some(*serial),
            _ => None,
        });
    }
    if let Ok(answer) = mx {
        let mut mx: Vec<String> = answer.records.iter().map(names::text).collect();
        mx.sort_unstable();
        found.mx = Some(mx);
    }
    let coming = domain
        .dkim
        .iter()
        .find(|key| key.stage == DkimStage::Coming);
    if let Some(key) = coming {
        let record = format!("{}._domainkey.{name}", key.selector);
        let answer = ask_name_server(world, at, &record, Kind::Txt).await;
        found.has_coming_key = answer
            .ok()
            .map(|answer| answer.status == AnswerStatus::Found);
    }
    found
}

async fn addresses(world: &World, host: &str) -> Vec<IpAddr> {
    let (four, six) = join(
        world.dns.ask(host, Kind::A),
        world.dns.ask(host, Kind::Aaaa),
    )
    .await;
    let answers = [four, six].into_iter().flatten();
    answers
        .flat_map(|answer| answer.addresses().collect::<Vec<_>>())
        .collect()
}

async fn wildcard(world: &World, domain: &str) -> Option<bool> {
    let name = format!("{}.{domain}", random_label(world));
    let answer = world.dns.ask(&name, Kind::A).await.ok()?;
    Some(answer.status == AnswerStatus::Found)
}

/// A name that nobody has.
pub(super) fn random_label(world: &World) -> String {
    let mut bytes = [0; 6];
    world.random.branch("doctor").fill(&mut bytes);
    let mut label = String::from("pr-");
    for byte in bytes {
        label.push_str(&format!("{byte:02x}"));
    }
    label
}

/// Broken on purpose by those who test resolvers.
const BROKEN: &str = "dnssec-failed.org";

pub(super) async fn resolver(world: &World, domain: Option<&DomainFacts>) -> ResolverFacts {
    let validates = match world.dns.ask(BROKEN, Kind::A).await {
        Err(DnsError::Bogus | DnsError::ServerFailure) => Some(true),
        Ok(answer) if answer.status == AnswerStatus::Found => Some(false),
        _ => None,
    };
    let mut millis = None;
    if let Some(domain) = domain {
        // The best of three: one lost packet says nothing.
        for _ in 0..3 {
            let name = format!("{}.{}", random_label(world), domain.domain);
            let before = world.now();
            if world.dns.ask(&name, Kind::A).await.is_ok() {
                let took = u32::try_from((world.now() - before).as_millis()).unwrap_or(u32::MAX);
                millis = Some(millis.map_or(took, |best: u32| best.min(took)));
            }
        }
    }
    ResolverFacts {
        validates,
        millis,
        ..ResolverFacts::default()
    }
}
