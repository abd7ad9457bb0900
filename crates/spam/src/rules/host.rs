//! The sending host: what it calls itself and what the DNS calls it.

use std::net::IpAddr;

use crate::facts::Envelope;
use crate::reasons::{Finding, Kind};

pub(super) fn look(envelope: &Envelope<'_>, found: &mut Vec<Finding>) {
    let Some(peer) = envelope.peer.filter(|peer| !is_near(*peer)) else {
        return;
    };
    match envelope.reverse_name {
        Some("") => found.push(Finding::new(Kind::NoReverseName, [peer.to_string()])),
        Some(name) if is_dynamic(name, peer) => {
            found.push(Finding::new(Kind::DynamicReverseName, [name]));
        }
        _ => {}
    }
    let hello = envelope.hello.trim().to_ascii_lowercase();
    if hello.is_empty() {
        return;
    }
    if envelope.own_hosts.contains(&hello) {
        found.push(Finding::new(Kind::HelloOurs, [hello.as_str()]));
    } else if !hello.contains('.') && !hello.starts_with('[') || hello.parse::<IpAddr>().is_ok() {
        found.push(Finding::new(Kind::HelloBare, [hello.as_str()]));
    }
}

fn is_near(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
        IpAddr::V6(peer) => peer.is_loopback(),
    }
}

/// Whether a name was made from the address, as those of private lines are.
fn is_dynamic(name: &str, peer: IpAddr) -> bool {
    let name = name.to_ascii_lowercase();
    let marks = [
        "dyn",
        "dynamic",
        "dhcp",
        "pool",
        "pppoe",
        "ppp",
        "dsl",
        "adsl",
        "cable",
        "dialup",
        "dial",
        "broadband",
        "cust",
        "customer",
    ];
    let pieces = || name.split(['.', '-', '_']);
    let is_marked =
        pieces().any(|piece| marks.contains(&piece.trim_end_matches(|c: char| c.is_ascii_digit())));
    let IpAddr::V4(peer) = peer else {
        return is_marked && name.matches(':').count() > 0;
    };
    let octets = peer.octets().map(|octet| octet.to_string());
    let numbers: Vec<&str> = name
        .split(|c: char| !c.is_ascii_digit())
        .filter(|piece| !piece.is_empty())
        .collect();
    let held = octets
        .iter()
        .filter(|octet| numbers.contains(&octet.as_str()))
        .count();
    is_marked && held >= 2
}
