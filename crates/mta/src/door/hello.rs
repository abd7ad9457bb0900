//! What the name in EHLO or HELO says about a peer. Pure; nobody is refused for it but who takes our own name.

use std::net::IpAddr;

use mail::Domain;

/// The kind of name that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hello {
    /// A name with a dot, or the peer's own address in brackets (RFC 5321 §4.1.3).
    Fine,
    /// Our own name or our own address: nobody else has these.
    Ours,
    /// An address in brackets that is not the peer's.
    WrongLiteral,
    /// An address without brackets, which the grammar does not have (RFC 5321 §4.1.1.1).
    BareAddress,
    /// `localhost`, or a name of a private network.
    Private,
    /// A name without a dot, or none at all.
    Nonsense,
}

impl Hello {
    pub(crate) fn of(name: &str, ours: &Domain, own: IpAddr, peer: IpAddr) -> Self {
        let (own, peer) = (own.to_canonical(), peer.to_canonical());
        if let Some(literal) = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            return match address_of(literal) {
                Some(address) if address == peer => Self::Fine,
                Some(address) if address == own => Self::Ours,
                _ => Self::WrongLiteral,
            };
        }
        if let Ok(address) = name.parse::<IpAddr>() {
            return match address.to_canonical() {
                address if address == own && address != peer => Self::Ours,
                _ => Self::BareAddress,
            };
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name == ours.as_str() {
            return Self::Ours;
        }
        let Ok(domain) = Domain::parse(&name) else {
            return Self::Nonsense;
        };
        match domain.as_str().rsplit_once('.') {
            None if domain.as_str() == "localhost" => Self::Private,
            None => Self::Nonsense,
            Some((_, top)) if PRIVATE_TOPS.contains(&top) => Self::Private,
            Some(_) => Self::Fine,
        }
    }
}

/// Tops of names that mean nothing outside a house. RFC 6762, RFC 8375, and custom.
const PRIVATE_TOPS: [&str; 9] = [
    "local",
    "localdomain",
    "lan",
    "internal",
    "home",
    "corp",
    "localhost",
    "intranet",
    "workgroup",
];

fn address_of(literal: &str) -> Option<IpAddr> {
    let six = literal
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    let text = if six.is_some() {
        literal.get(5..)?
    } else {
        literal
    };
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
