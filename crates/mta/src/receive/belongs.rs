//! Whether the host that speaks for a sender evidently belongs to the sender's domain. Asked only
//! before something would be sent back: a report to a forged address is backscatter.
//! SPF will say it better.

use std::net::IpAddr;

use mail::Domain;

use crate::route::addresses_of;
use crate::{Inner, limits};

/// The host is one of the domain's mail servers, or the domain's own address. In doubt it is not.
pub(super) async fn belongs(inner: &Inner, ip: IpAddr, domain: &Domain) -> bool {
    if domain.literal() == Some(ip) {
        return true;
    }
    let deadline = inner.world.now() + limits::SENDER_LOOKUP_PATIENCE;
    let asked = inner
        .world
        .tasks
        .deadline(deadline, is_host_of(inner, ip, domain));
    asked.await.unwrap_or(false)
}

async fn is_host_of(inner: &Inner, ip: IpAddr, domain: &Domain) -> bool {
    let ip = ip.to_canonical();
    let mut hosts = vec![domain.as_str().to_owned()];
    if let Ok(answer) = inner.world.dns.ask(domain.as_str(), world::Kind::Mx).await {
        hosts.extend(
            answer
                .records
                .into_iter()
                .filter_map(|record| match record {
                    world::Record::Mx { exchange, .. } => Some(exchange),
                    _ => None,
                }),
        );
    }
    for host in hosts.iter().take(limits::SENDER_HOSTS_MAX) {
        let addresses = addresses_of(&inner.world, host).await.unwrap_or_default();
        if addresses.contains(&ip) {
            return true;
        }
    }
    false
}
