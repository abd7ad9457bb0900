//! Gathers what the DNS says of a destination: MX records, else addresses; and the addresses of hosts.

use std::net::IpAddr;

use mail::Domain;
use world::{AnswerStatus, DnsError, Kind, Record, World};

use super::{HostName, MxFacts, MxHost, Route, Unroutable, plan};
use crate::settings::MtaSettings;

/// The route for a domain, by settings and DNS, and whether DNSSEC proves it.
pub(crate) async fn find(
    world: &World,
    settings: &MtaSettings,
    domain: &Domain,
) -> Result<(Route, bool), Unroutable> {
    if let Some(relay) = settings.outbound.relay_for(domain) {
        return Ok((Route::Relay(relay.clone()), false));
    }
    if let Some(address) = domain.literal() {
        let host = MxHost {
            preference: 0,
            host: HostName::Address(address),
        };
        return Ok((Route::Hosts(vec![host]), false));
    }
    let (facts, secure) = match gather(world, domain).await {
        Ok(facts) => facts,
        Err(error) => {
            return Err(Unroutable::Dns {
                domain: domain.clone(),
                error,
            });
        }
    };
    Ok((plan(domain, facts, &settings.hostname)?, secure))
}

async fn gather(world: &World, domain: &Domain) -> Result<(MxFacts, bool), DnsError> {
    let answer = world.dns.ask(domain.as_str(), Kind::Mx).await?;
    let secure = answer.secure;
    match answer.status {
        AnswerStatus::NoSuchName => return Ok((MxFacts::NoSuchDomain, secure)),
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
            return Ok((MxFacts::Mx(hosts.collect()), secure));
        }
        AnswerStatus::NoData => {}
    }
    if addresses_of(world, domain.as_str()).await?.0.is_empty() {
        return Ok((MxFacts::Nothing, secure));
    }
    Ok((MxFacts::AddressOnly, secure))
}

/// The addresses of a host, both families in turn, IPv6 first (RFC 8305 §4), and whether DNSSEC proves what
/// was answered. One family that cannot be asked does not hide the other.
pub(crate) async fn addresses_of(
    world: &World,
    host: &str,
) -> Result<(Vec<IpAddr>, bool), DnsError> {
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
        (_, six, four) => {
            let answers = [six.ok(), four.ok()];
            let secure = answers.iter().flatten().all(|answer| answer.secure);
            Ok((addresses, secure))
        }
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
