//! Gathers what the DNS says of a destination: MX records, else addresses; and the addresses of hosts.

use std::net::IpAddr;

use mail::Domain;
use world::{AnswerStatus, DnsError, Kind, Record, World};

use super::{HostName, MxFacts, MxHost, Route, Unroutable, plan};
use crate::settings::MtaSettings;

/// The route for a domain, by settings and DNS.
pub(crate) async fn find(
    world: &World,
    settings: &MtaSettings,
    domain: &Domain,
) -> Result<Route, Unroutable> {
    if let Some(relay) = settings.outbound.relay_for(domain) {
        return Ok(Route::Relay(relay.clone()));
    }
    if let Some(address) = domain.literal() {
        let host = MxHost {
            preference: 0,
            host: HostName::Address(address),
        };
        return Ok(Route::Hosts(vec![host]));
    }
    let facts = match gather(world, domain).await {
        Ok(facts) => facts,
        Err(error) => {
            return Err(Unroutable::Dns {
                domain: domain.clone(),
                error,
            });
        }
    };
    plan(domain, facts, &settings.hostname)
}

async fn gather(world: &World, domain: &Domain) -> Result<MxFacts, DnsError> {
    let answer = world.dns.ask(domain.as_str(), Kind::Mx).await?;
    match answer.status {
        AnswerStatus::NoSuchName => return Ok(MxFacts::NoSuchDomain),
        AnswerStatus::Found => {
            let hosts = answer
                .records
                .into_iter()
                .filter_map(|record| match record {
                    Record::Mx {
                        preference,
                        exchange,
                    } => Some((preference, exchange)),
                    _ => None,
                });
            return Ok(MxFacts::Mx(hosts.collect()));
        }
        AnswerStatus::NoData => {}
    }
    if addresses_of(world, domain.as_str()).await?.is_empty() {
        return Ok(MxFacts::Nothing);
    }
    Ok(MxFacts::AddressOnly)
}

/// The addresses of a host, both families in turn, IPv6 first (RFC 8305 §4). One family that cannot
/// be asked does not hide the other.
pub(crate) async fn addresses_of(world: &World, host: &str) -> Result<Vec<IpAddr>, DnsError> {
    let (six, four) = tokio::join!(
        world.dns.ask(host, Kind::Aaaa),
        world.dns.ask(host, Kind::A)
    );
    let collect = |answer: &Result<world::Answer, DnsError>| -> Vec<IpAddr> {
        answer
            .as_ref()
            .map(|answer| answer.addresses().collect())
            .unwrap_or_default()
    };
    let addresses = interleave(collect(&six), collect(&four));
    match (addresses.is_empty(), six, four) {
        (true, _, Err(error)) | (true, Err(error), _) => Err(error),
        _ => Ok(addresses),
    }
}

fn interleave(first: Vec<IpAddr>, second: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut out = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        match (first.next(), second.next()) {
            (None, None) => return out,
            (a, b) => out.extend(a.into_iter().chain(b)),
        }
    }
}
