//! The addresses of this host: what the world would use, and where its own mail door is.

use std::net::IpAddr;

use crate::config::{Config, Service};

/// Addresses for the DNS: those mail is sent from, else those listened on, else those of the interfaces.
/// Private ones are left out as long as the host is not a trial on loopback.
pub fn public(config: &Config) -> Vec<IpAddr> {
    let mut found = config.outbound.addresses.clone();
    if found.is_empty() {
        found = listened_on(config);
    }
    found.sort_by_key(|address| (address.is_ipv6(), *address));
    found.dedup();
    if found.iter().any(|address| is_public(*address)) {
        found.retain(|address| is_public(*address));
    }
    found
}

/// Addresses at which other mail servers would end up talking to this one: an MX that leads there is a loop.
pub fn own_mail_doors(config: &Config) -> Vec<IpAddr> {
    let sockets = config
        .listen
        .services
        .get(&Service::Smtp)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut found = Vec::new();
    for socket in sockets
        .iter()
        .filter(|socket| socket.port() == config.outbound.port)
    {
        if socket.ip().is_unspecified() {
            found.extend(interfaces());
        } else {
            found.push(socket.ip());
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn listened_on(config: &Config) -> Vec<IpAddr> {
    let sockets = config
        .listen
        .services
        .get(&Service::Smtp)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if sockets.iter().any(|socket| socket.ip().is_unspecified()) {
        return interfaces()
            .into_iter()
            .filter(|address| !address.is_loopback())
            .collect();
    }
    sockets.iter().map(|socket| socket.ip()).collect()
}

fn interfaces() -> Vec<IpAddr> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else {
        return Vec::new();
    };
    interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address
                .as_sockaddr_in()
                .map(|socket| IpAddr::V4(socket.ip()));
            v4.or_else(|| {
                address
                    .as_sockaddr_in6()
                    .map(|socket| IpAddr::V6(socket.ip()))
            })
        })
        .collect()
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_private() || address.is_loopback() || address.is_link_local())
        }
        IpAddr::V6(address) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
    }
}
