//! The addresses of this host: what the world would use, and where its own mail door is.

use std::net::{IpAddr, SocketAddr};

use crate::config::{Config, Service};

/// Addresses for the DNS: those that the settings call public, else those mail is sent from, else those listened on, else those of the interfaces.
/// Private ones are left out as long as the host is not a trial on loopback.
pub fn public(config: &Config) -> Vec<IpAddr> {
    let mut found = config.public_addresses.clone();
    if found.is_empty() {
        found = config.outbound.addresses.clone();
    }
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

/// Every address that mail of ours may leave from, as far as it is known.
pub fn own(config: &Config) -> Vec<IpAddr> {
    let mut found = config.outbound.addresses.clone();
    found.extend(&config.public_addresses);
    found.extend(listened_on(config));
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether the world may be told this address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_private() || address.is_loopback() || address.is_link_local())
        }
        IpAddr::V6(address) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
    }
}

/// The sockets at which other mail servers end up talking to this one: an MX that leads there is a loop.
pub fn own_mail_doors(listeners: &[(Service, SocketAddr)]) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for (_, socket) in listeners
        .iter()
        .filter(|(service, _)| *service == Service::Smtp)
    {
        if socket.ip().is_unspecified() {
            let all = interfaces().into_iter();
            found.extend(all.map(|address| SocketAddr::new(address, socket.port())));
        } else {
            found.push(*socket);
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
