//! `[listen]`: which services are offered, on which addresses and ports.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use toml::de::DeValue;

use super::reader::{Reader, integer};

/// A service with a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    Smtp,
    Submissions,
    Submission,
    Imap,
    Imaps,
    Pop3,
    Pop3s,
    Http,
    Https,
}

/// Where each service listens. A service that is not in the map is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub services: BTreeMap<Service, Vec<SocketAddr>>,
}

impl Service {
    pub const ALL: [Service; 9] = [
        Service::Smtp,
        Service::Submissions,
        Service::Submission,
        Service::Imap,
        Service::Imaps,
        Service::Pop3,
        Service::Pop3s,
        Service::Http,
        Service::Https,
    ];

    /// The name in the config file and in the `ready` line.
    pub fn name(self) -> &'static str {
        match self {
            Service::Smtp => "smtp",
            Service::Submissions => "submissions",
            Service::Submission => "submission",
            Service::Imap => "imap",
            Service::Imaps => "imaps",
            Service::Pop3 => "pop3",
            Service::Pop3s => "pop3s",
            Service::Http => "http",
            Service::Https => "https",
        }
    }

    /// The port that the world expects.
    pub fn standard_port(self) -> u16 {
        match self {
            Service::Smtp => 25,
            Service::Submissions => 465,
            Service::Submission => 587,
            Service::Imap => 143,
            Service::Imaps => 993,
            Service::Pop3 => 110,
            Service::Pop3s => 995,
            Service::Http => 80,
            Service::Https => 443,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Listen {
    /// All services on the standard ports of all addresses.
    pub fn standard() -> Self {
        Self::on(
            &[
                IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            ],
            0,
        )
        .unwrap_or(Listen {
            services: BTreeMap::new(),
        })
    }

    /// All services on these addresses, at the standard ports plus `offset`. `None` when a port would not fit.
    pub fn on(addresses: &[IpAddr], offset: u16) -> Option<Self> {
        let services = Service::ALL
            .into_iter()
            .map(|service| {
                let port = service.standard_port().checked_add(offset)?;
                let sockets = addresses
                    .iter()
                    .map(|address| SocketAddr::new(*address, port));
                Some((service, sockets.collect()))
            })
            .collect::<Option<_>>()?;
        Some(Listen { services })
    }

    /// All services at ports that the system chooses.
    pub fn anywhere(address: IpAddr) -> Self {
        let services = Service::ALL
            .into_iter()
            .map(|service| (service, vec![SocketAddr::new(address, 0)]));
        Listen {
            services: services.collect(),
        }
    }

    /// The first port of a service, when it is on.
    pub fn port(&self, service: Service) -> Option<u16> {
        self.services
            .get(&service)
            .and_then(|sockets| sockets.first())
            .map(SocketAddr::port)
    }
}

pub(super) fn read(table: &mut Reader<'_>, listen: &mut Listen) {
    let mut addresses = table.addresses("address");
    if addresses.is_empty() {
        addresses = vec![
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ];
    }
    let offset = table.port("port_offset").unwrap_or(0);
    match Listen::on(&addresses, offset) {
        Some(all) => *listen = all,
        None => table.bad(
            "port_offset",
            "with this offset the ports leave the range; use 64542 at most",
        ),
    }
    for service in Service::ALL {
        read_service(table, service, &addresses, listen);
    }
}

/// `false`, a port, an "address:port", or an array of the last two.
fn read_service(
    table: &mut Reader<'_>,
    service: Service,
    addresses: &[IpAddr],
    listen: &mut Listen,
) {
    let Some(value) = table.value(service.name()) else {
        return;
    };
    let sockets = match value.get_ref() {
        DeValue::Boolean(false) => {
            listen.services.remove(&service);
            return;
        }
        DeValue::Boolean(true) => return,
        DeValue::Array(items) => items
            .iter()
            .map(|item| sockets_of(item.get_ref(), addresses))
            .collect::<Option<Vec<_>>>()
            .map(|lists| lists.concat()),
        single => sockets_of(single, addresses),
    };
    match sockets {
        Some(sockets) if !sockets.is_empty() => {
            listen.services.insert(service, sockets);
        }
        _ => table.bad(
            service.name(),
            "use a port, an \"address:port\", an array of them, or false",
        ),
    }
}

fn sockets_of(value: &DeValue<'_>, addresses: &[IpAddr]) -> Option<Vec<SocketAddr>> {
    if let Some(text) = value.as_str() {
        return text.parse().ok().map(|socket| vec![socket]);
    }
    let port = u16::try_from(integer(value)?).ok()?;
    Some(
        addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port))
            .collect(),
    )
}
