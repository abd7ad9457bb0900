//! Where a message came from, and under which names that is remembered.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mail::{Address, Domain};

/// Where a message came from, as far as it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The host that handed it over.
    pub ip: Option<IpAddr>,
    /// The domain that proved to stand behind it. A name that anybody can write has no reputation.
    pub domain: Option<Domain>,
    /// Who it says it is from.
    pub author: Option<Address>,
    /// Whether it proved to be from the author's domain.
    pub confirmed: bool,
}

/// What a reputation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SenderKind {
    /// One IPv4 address, or an IPv6 network of 64 bits: a host has no less.
    Address,
    /// 24 bits of IPv4, 48 of IPv6.
    Network,
    /// An authenticated domain.
    Domain,
}

/// What a reputation is kept under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderKey {
    pub kind: SenderKind,
    pub name: String,
}

impl Origin {
    /// As one line, for keeping it; [`Origin::of_text`] reads it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let part = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let author = part(self.author.as_ref().map(ToString::to_string));
        format!(
            "{} {} {} {author}",
            part(self.ip.map(|ip| ip.to_string())),
            part(self.domain.as_ref().map(ToString::to_string)),
            u8::from(self.confirmed),
        )
    }

    /// What makes no sense is not known.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let mut parts = text.splitn(4, ' ');
        let mut part = || parts.next().unwrap_or_default();
        Self {
            ip: part().parse().ok(),
            domain: Domain::parse(part()).ok(),
            confirmed: part() == "1",
            author: Address::parse(part()).ok(),
        }
    }

    /// All that is remembered of such an origin, each kind once at most. Addresses that nobody has for long, as those of
    /// private networks, are left out.
    #[must_use]
    pub fn keys(&self) -> Vec<SenderKey> {
        let mut keys = Vec::with_capacity(3);
        if let Some(ip) = self.ip.map(|ip| ip.to_canonical()).filter(is_public) {
            keys.push(SenderKey {
                kind: SenderKind::Address,
                name: block(ip, 32, 64),
            });
            keys.push(SenderKey {
                kind: SenderKind::Network,
                name: block(ip, 24, 48),
            });
        }
        if let Some(domain) = &self.domain {
            keys.push(SenderKey {
                kind: SenderKind::Domain,
                name: domain.as_str().to_owned(),
            });
        }
        keys
    }
}

impl SenderKind {
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Address => 1,
            Self::Network => 2,
            Self::Domain => 3,
        }
    }
}

impl fmt::Display for SenderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn is_public(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified())
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local())
        }
    }
}

fn block(ip: IpAddr, bits4: u32, bits6: u32) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - bits4).unwrap_or(0);
            let net = Ipv4Addr::from_bits(ip.to_bits() & mask);
            if bits4 == 32 {
                net.to_string()
            } else {
                format!("{net}/{bits4}")
            }
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - bits6).unwrap_or(0);
            format!("{}/{bits6}", Ipv6Addr::from_bits(ip.to_bits() & mask))
        }
    }
}
