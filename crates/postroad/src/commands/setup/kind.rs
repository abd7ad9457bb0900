//! What kind of address this is, as far as it and its reverse name tell: servers of others judge by the same signs. Pure.

use std::net::{IpAddr, Ipv4Addr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressKind {
    /// Nothing speaks against it.
    Fixed,
    /// Only this machine knows it.
    Loopback,
    /// Of a network behind a router.
    Private,
    /// Shared with other customers by the provider (RFC 6598): nothing reaches us.
    Shared,
    /// Its reverse name is one of those that providers give to homes.
    Home,
}

pub(super) fn of(address: IpAddr, reverse_name: Option<&str>) -> AddressKind {
    let private = match address {
        IpAddr::V4(address) if address.is_loopback() => return AddressKind::Loopback,
        IpAddr::V6(address) if address.is_loopback() => return AddressKind::Loopback,
        IpAddr::V4(address) if is_shared(address) => return AddressKind::Shared,
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    };
    match (private, reverse_name) {
        (true, _) => AddressKind::Private,
        (false, Some(name)) if is_of_homes(name) => AddressKind::Home,
        (false, _) => AddressKind::Fixed,
    }
}

fn is_shared(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    a == 100 && b & 0xc0 == 64
}

/// Words that stand in the names of pools of dynamic addresses, between dots, dashes and digits.
fn is_of_homes(name: &str) -> bool {
    const WORDS: [&str; 18] = [
        "adsl",
        "broadband",
        "cable",
        "catv",
        "cpe",
        "customer",
        "dial",
        "dialup",
        "dhcp",
        "dip",
        "dsl",
        "dyn",
        "dynamic",
        "home",
        "pool",
        "ppp",
        "vdsl",
        "wireless",
    ];
    // The last two labels are the provider's own name.
    let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
    let own = labels.len().saturating_sub(2);
    labels.iter().take(own).any(|label| {
        label
            .split(|c: char| !c.is_ascii_alphabetic())
            .any(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()))
    })
}
