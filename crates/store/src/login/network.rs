//! Networks as log-ins know them: the place that somebody comes from, and lists of networks as they are stored.

use std::net::IpAddr;

use crate::StoreError;
use crate::bans::Network;

/// Bits that the addresses of one place have in common, as far as an address tells: a provider moves its customers
/// about within it.
const PLACE_BITS_V4: u8 = 24;
const PLACE_BITS_V6: u8 = 48;

/// Where a peer is, as sign-ins remember it.
#[must_use]
pub fn place_of(peer: IpAddr) -> Network {
    match peer.to_canonical() {
        IpAddr::V4(_) => Network::block(peer, PLACE_BITS_V4),
        IpAddr::V6(_) => Network::block(peer, PLACE_BITS_V6),
    }
}

/// As it is stored: divided by commas, empty for any.
pub(super) fn join(networks: &[Network]) -> String {
    let texts: Vec<String> = networks.iter().map(Network::to_string).collect();
    texts.join(",")
}

/// One that cannot be read must not make the bound wider.
pub(super) fn split(text: &str) -> Result<Vec<Network>, StoreError> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    let networks: Result<_, _> = parts.map(str::parse).collect();
    networks.map_err(|e: crate::bans::BadNetwork| StoreError::Damaged(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_wider_than_a_customer() {
        for (peer, place) in [
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
            ("192.0.2.7", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ] {
            assert_eq!(place_of(peer.parse().expect(peer)).to_string(), place);
        }
    }

    #[test]
    fn what_is_damaged_opens_nothing() {
        assert_eq!(split("").expect("any"), Vec::new());
        let both = split("192.0.2.0/24,2001:db8::/32").expect("two");
        assert_eq!(join(&both), "192.0.2.0/24,2001:db8::/32");
        assert!(split("192.0.2.0/24,nonsense").is_err());
    }
}
