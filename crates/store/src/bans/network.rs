//! A block of addresses: one address, or all that share their first bits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses with the same first bits. IPv4 in IPv6 clothes is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// What was written is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is neither an address nor a network such as 192.0.2.0/24 or 2001:db8::/48")]
pub struct BadNetwork(String);

/// One customer of IPv6 has at least so much.
const CUSTOMER_BITS: u8 = 64;

impl Network {
    /// Who a peer is to us: an IPv4 address, or the /64 that one customer of IPv6 has.
    #[must_use]
    pub fn of(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            first @ IpAddr::V4(_) => Self { first, bits: 32 },
            six @ IpAddr::V6(_) => Self::block(six, CUSTOMER_BITS),
        }
    }

    /// The block of so many bits around an address; more than there are count as all.
    #[must_use]
    pub fn block(address: IpAddr, bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => {
                let bits = bits.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Self {
                    first: Ipv4Addr::from(u32::from(four) & mask).into(),
                    bits,
                }
            }
            IpAddr::V6(six) => {
                let bits = bits.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Self {
                    first: Ipv6Addr::from(u128::from(six) & mask).into(),
                    bits,
                }
            }
        }
    }

    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.first.is_ipv6()
    }

    /// A block of which nobody can say anything as a whole: more than a /8 of IPv4, or than the /32 that a registry
    /// gives to one provider of IPv6.
    #[must_use]
    pub fn is_too_wide(&self) -> bool {
        self.bits < if self.is_ipv6() { 32 } else { 8 }
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv6() == self.is_ipv6() && Self::block(address, self.bits).first == self.first
    }

    /// Whether every address of `other` is one of ours.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.first)
    }

    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let bad = || BadNetwork(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let most = if address.is_ipv6() { 128 } else { 32 };
        let bits = bits.unwrap_or(most);
        if most < bits {
            return Err(bad());
        }
        match (address, address.to_canonical()) {
            // ::ffff:192.0.2.0/120 is 192.0.2.0/24.
            (IpAddr::V6(_), four @ IpAddr::V4(_)) => bits
                .checked_sub(96)
                .map(|bits| Self::block(four, bits))
                .ok_or_else(bad),
            (_, address) => Ok(Self::block(address, bits)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.is_ipv6() { 128 } else { 32 };
        match self.bits == whole {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}/{}", self.first, self.bits),
        }
    }
}
