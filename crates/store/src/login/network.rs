//! Networks: of one customer, for counting; of one place, for history; and such as an operator writes them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::StoreError;

/// Addresses with the same first bits. RFC 4632 §3.1, RFC 4291 §2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpNetwork {
    address: IpAddr,
    bits: u8,
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no network: write an address such as 192.0.2.7, or a network such as 192.0.2.0/24 or 2001:db8::/32"
)]
pub struct BadNetwork(String);

impl IpNetwork {
    /// The network of so many bits that an address lies in.
    #[must_use]
    pub fn of(address: IpAddr, bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ip) => {
                let bits = bits.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Self {
                    address: Ipv4Addr::from_bits(ip.to_bits() & mask).into(),
                    bits,
                }
            }
            IpAddr::V6(ip) => {
                let bits = bits.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Self {
                    address: Ipv6Addr::from_bits(ip.to_bits() & mask).into(),
                    bits,
                }
            }
        }
    }

    /// One customer: an IPv4 address, or the /64 that a line has (RFC 6177 gives out no less).
    #[must_use]
    pub fn customer(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            IpAddr::V4(_) => Self::of(peer, 32),
            IpAddr::V6(_) => Self::of(peer, 64),
        }
    }

    /// One place, as far as an address tells: a provider moves its customers about within it.
    #[must_use]
    pub fn place(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            IpAddr::V4(_) => Self::of(peer, 24),
            IpAddr::V6(_) => Self::of(peer, 48),
        }
    }

    #[must_use]
    pub fn contains(self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        peer.is_ipv4() == self.address.is_ipv4() && Self::of(peer, self.bits) == self
    }
}

impl FromStr for IpNetwork {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let bad = || BadNetwork(text.to_owned());
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| bad())?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        match bits.unwrap_or(most) {
            bits if bits <= most => Ok(Self::of(address, bits)),
            _ => Err(bad()),
        }
    }
}

/// A single address stands without its bits.
impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.bits) {
            (IpAddr::V4(ip), 32) => f.pad(&ip.to_string()),
            (IpAddr::V6(ip), 128) => f.pad(&ip.to_string()),
            (ip, bits) => f.pad(&format!("{ip}/{bits}")),
        }
    }
}

/// As it is stored: divided by commas, empty for any.
pub(super) fn join(networks: &[IpNetwork]) -> String {
    let texts: Vec<String> = networks.iter().map(IpNetwork::to_string).collect();
    texts.join(",")
}

/// One that cannot be read must not make the bound wider.
pub(super) fn split(text: &str) -> Result<Vec<IpNetwork>, StoreError> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    let networks: Result<_, BadNetwork> = parts.map(str::parse).collect();
    networks.map_err(|e| StoreError::Damaged(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_hold_what_lies_in_them() {
        for (text, shown, within, without) in [
            ("192.0.2.7/24", "192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "::ffff:192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            (
                "2001:db8::7/32",
                "2001:db8::/32",
                "2001:db8:ffff::1",
                "2001:db9::",
            ),
            ("::1", "::1", "::1", "127.0.0.1"),
        ] {
            let network: IpNetwork = text.parse().expect(text);
            assert_eq!(network.to_string(), shown);
            assert!(network.contains(within.parse().expect(within)), "{text}");
            assert!(!network.contains(without.parse().expect(without)), "{text}");
        }
        for text in [
            "",
            "192.0.2.0/33",
            "192.0.2/24",
            "host",
            "::/129",
            "1.2.3.4/-1",
        ] {
            assert!(text.parse::<IpNetwork>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_is_wider_than_a_customer() {
        let v6: IpAddr = "2001:db8:1:2::3".parse().expect("an address");
        assert_eq!(IpNetwork::customer(v6).to_string(), "2001:db8:1:2::/64");
        assert_eq!(IpNetwork::place(v6).to_string(), "2001:db8:1::/48");
        let v4: IpAddr = "::ffff:192.0.2.7".parse().expect("an address");
        assert_eq!(IpNetwork::customer(v4).to_string(), "192.0.2.7");
        assert_eq!(IpNetwork::place(v4).to_string(), "192.0.2.0/24");
    }
}
