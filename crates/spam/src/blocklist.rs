//! Lists of addresses and domains in the DNS (RFC 5782): what to ask, and what an answer means.
//! Who asks is elsewhere; here is no network. The lists are knowledge; the operator may add and leave out.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::facts::ListedOf;

/// The lists this program was built with.
const BUILT_IN: &str = include_str!("../../../knowledge/blocklists.toml");

/// One list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocklist {
    pub zone: String,
    pub of: Subjects,
    /// How many receivers in the world use it.
    pub weight: ListWeight,
    /// Where one asks to be taken off.
    pub removal: String,
    /// Answers that mean listed, in full.
    #[serde(default)]
    pub listed: Vec<Ipv4Addr>,
    /// Answers that mean a dynamic address.
    #[serde(default)]
    pub dynamic: Vec<Ipv4Addr>,
    /// Bits of the last number that mean listed.
    pub mask: Option<u8>,
    /// What stands before the zone in the name that must be listed, of a list of domains.
    pub test: Option<String>,
    /// The same for the name that must not be.
    pub clean: Option<String>,
    /// It lists domains for being new.
    #[serde(default)]
    pub fresh: bool,
    #[serde(default)]
    pub ipv6: bool,
    /// What it is asked about for mail that comes in, unless the operator wishes otherwise.
    #[serde(default)]
    pub inbound: Inbound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subjects {
    Addresses,
    Domains,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListWeight {
    High,
    Medium,
    Low,
}

/// What a list says of mail that comes in, as log-odds; nothing where it is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inbound {
    /// Of the sending host.
    pub peer: f32,
    /// Of the sender's domains.
    pub sender: f32,
    /// Of links.
    pub link: f32,
    /// Of the sending host, where the list says that its address is dynamic.
    pub dynamic: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for people")]
    date: String,
    list: Vec<Blocklist>,
}

/// What one list said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It does not know the name.
    No,
    Listed,
    /// A private line: no host that sends mail should have one.
    Dynamic,
    /// No answer to the question: the list is broken, or refuses us.
    Error(Ipv4Addr),
}

/// Said to resolvers that many share. The same with all lists that say it.
pub const PUBLIC_RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 254);

/// The built-in lists.
pub fn built_in() -> &'static [Blocklist] {
    static LISTS: LazyLock<Vec<Blocklist>> = LazyLock::new(|| {
        toml::from_str::<File>(BUILT_IN).map_or_else(|_| Vec::new(), |file| file.list)
    });
    &LISTS
}

/// The lists that are asked about mail that comes in, unless the operator wishes otherwise.
pub fn inbound() -> impl Iterator<Item = &'static Blocklist> {
    built_in()
        .iter()
        .filter(|list| list.inbound != Inbound::default())
}

impl Blocklist {
    /// The name that must be listed, if the list has one. RFC 5782 §5
    pub fn test_point(&self) -> Option<String> {
        match self.of {
            Subjects::Addresses => Some(format!("2.0.0.127.{}", self.zone)),
            Subjects::Domains => Some(format!("{}.{}", self.test.as_ref()?, self.zone)),
        }
    }

    /// The name that must not be. RFC 5782 §5
    pub fn clean_point(&self) -> Option<String> {
        match self.of {
            Subjects::Addresses => Some(format!("1.0.0.127.{}", self.zone)),
            Subjects::Domains => Some(format!("{}.{}", self.clean.as_ref()?, self.zone)),
        }
    }

    /// Whether the list speaks of addresses of this kind.
    pub fn knows(&self, address: IpAddr) -> bool {
        self.of == Subjects::Addresses && (address.is_ipv4() || self.ipv6)
    }

    /// Where the list speaks of an address. RFC 5782 §2.1, §2.4
    pub fn point(&self, address: IpAddr) -> String {
        format!("{}.{}", reversed(address), self.zone)
    }

    /// Where the list speaks of a domain. RFC 5782 §3
    pub fn domain_point(&self, domain: &str) -> String {
        format!("{}.{}", domain.trim_end_matches('.'), self.zone)
    }

    /// What one address of an answer means.
    pub fn means(&self, answer: Ipv4Addr) -> Said {
        let [first, second, third, last] = answer.octets();
        if first != 127 || (second, third) == (255, 255) {
            return Said::Error(answer);
        }
        if self.dynamic.contains(&answer) {
            return Said::Dynamic;
        }
        if let Some(mask) = self.mask {
            return if last & mask != 0 {
                Said::Listed
            } else {
                Said::Error(answer)
            };
        }
        match self.listed.is_empty() {
            true if (second, third) == (0, 0) && last != 1 => Said::Listed,
            false if self.listed.contains(&answer) => Said::Listed,
            // An answer that the list does not document.
            _ => Said::Error(answer),
        }
    }

    /// What a whole answer means: several sub-lists answer at once, and listed beats all others.
    pub fn read(&self, answers: impl IntoIterator<Item = Ipv4Addr>) -> Said {
        let mut all = answers.into_iter().map(|answer| self.means(answer));
        let first = all.next().unwrap_or(Said::No);
        all.fold(first, |loudest, one| match (loudest, one) {
            (Said::Listed, _) | (_, Said::Listed) => Said::Listed,
            (Said::Dynamic, _) | (_, Said::Dynamic) => Said::Dynamic,
            (loudest, _) => loudest,
        })
    }

    /// Whether the list works, from what it said at [`Self::test_point`] and [`Self::clean_point`].
    pub fn works(test: Option<Said>, clean: Option<Said>) -> bool {
        test.is_none_or(|said| matches!(said, Said::Listed | Said::Dynamic))
            && clean.is_none_or(|said| said == Said::No)
    }

    /// What `said` weighs for mail that comes in; nothing where it does not count.
    pub fn log_odds(&self, said: Said, of: ListedOf) -> Option<f32> {
        let weight = match (said, of) {
            (Said::Listed, ListedOf::Peer) => self.inbound.peer,
            (Said::Dynamic, ListedOf::Peer) => self.inbound.dynamic,
            (Said::Listed, ListedOf::Sender) => self.inbound.sender,
            (Said::Listed, ListedOf::Link) => self.inbound.link,
            _ => 0.0,
        };
        (weight > 0.0).then_some(weight)
    }
}

/// The numbers of an address from the last to the first, as names in the DNS have them.
fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(address) => {
            let pairs = address.octets().into_iter().rev();
            let nibbles: Vec<String> = pairs
                .flat_map(|octet| [octet & 15, octet >> 4])
                .map(|nibble| format!("{nibble:x}"))
                .collect();
            nibbles.join(".")
        }
    }
}

#[cfg(test)]
mod tests;
