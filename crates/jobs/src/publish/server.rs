//! Where a zone can be changed: from what the operator gave to an address and a key.

use store::DnsServer;
use world::{Dns, Kind, TsigHash, TsigKey, UpdateServer};

use crate::Desk;

/// Where the records at a name can be changed; `None` where the operator gave no server for its zone, or what was given
/// does not work now (which is logged).
pub async fn server_for(desk: &Desk, name: &str) -> Option<UpdateServer> {
    let asked = name.to_owned();
    let stored = desk.store.read(move |view| view.dns_server_for(&asked));
    match stored.await {
        Ok(Some(stored)) => match server_of(&*desk.world.dns, &stored).await {
            Ok(server) => Some(server),
            Err(problem) => {
                tracing::warn!(zone = %stored.zone, %problem, "the name server cannot be used");
                None
            }
        },
        Ok(None) => None,
        Err(error) => {
            tracing::warn!(%error, "which name server takes changes");
            None
        }
    }
}

/// The stored one with its address looked up. The error is text for the operator.
pub async fn server_of(dns: &dyn Dns, stored: &DnsServer) -> Result<UpdateServer, String> {
    let key = match &stored.key {
        Some(key) => Some(TsigKey {
            name: key.name.clone(),
            algorithm: TsigHash::parse(&key.algorithm)
                .ok_or_else(|| format!("the algorithm {} is not known", key.algorithm))?,
            secret: key.secret.clone(),
        }),
        None => None,
    };
    Ok(UpdateServer {
        at: address(dns, &stored.at).await?,
        zone: stored.zone.as_str().to_owned(),
        key,
    })
}

async fn address(dns: &dyn Dns, at: &str) -> Result<std::net::SocketAddr, String> {
    if let Ok(socket) = at.parse() {
        return Ok(socket);
    }
    let bad = || format!("{at} is not a host with a port, such as ns1.example.org:53");
    let (host, port) = at.rsplit_once(':').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    for kind in [Kind::A, Kind::Aaaa] {
        let answer = dns.ask(host, kind).await;
        let answer = answer.map_err(|error| format!("{host}: {error}"))?;
        if let Some(address) = answer.addresses().next() {
            return Ok(std::net::SocketAddr::new(address, port));
        }
    }
    Err(format!("{host} has no address"))
}
