//! Asks block lists about our addresses and names (RFC 5782), and each list about itself first: one that fails its
//! test, or refuses us, says nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use doctor::checks::{Listed, ListingFacts, Weight};
use futures_util::future::join_all;
use serde::Deserialize;
use world::{AnswerStatus, Kind, Record, World};

use super::limits;

/// The lists this program was built with.
const BUILT_IN: &str = include_str!("../../../../knowledge/blocklists.toml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocklist {
    pub zone: String,
    of: Subjects,
    weight: ListWeight,
    removal: String,
    #[serde(default)]
    listed: Vec<Ipv4Addr>,
    #[serde(default)]
    dynamic: Vec<Ipv4Addr>,
    mask: Option<u8>,
    test: Option<String>,
    clean: Option<String>,
    #[serde(default)]
    fresh: bool,
    #[serde(default)]
    ipv6: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Subjects {
    Addresses,
    Domains,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ListWeight {
    High,
    Medium,
    Low,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for people")]
    date: String,
    list: Vec<Blocklist>,
}

/// The lists that are asked.
pub fn blocklists() -> &'static [Blocklist] {
    static LISTS: LazyLock<Vec<Blocklist>> = LazyLock::new(|| {
        toml::from_str::<File>(BUILT_IN).map_or_else(
            |error| {
                tracing::error!(%error, "the built-in block lists");
                Vec::new()
            },
            |file| file.list,
        )
    });
    &LISTS
}

impl Blocklist {
    /// The name that must be listed, if the list has one. RFC 5782 §5
    pub fn test_point(&self) -> Option<String> {
        match self.of {
            Subjects::Addresses => Some(format!("2.0.0.127.{}", self.zone)),
            Subjects::Domains => Some(format!("{}.{}", self.test.as_ref()?, self.zone)),
        }
    }

    /// The name that must not be.
    fn clean_point(&self) -> Option<String> {
        match self.of {
            Subjects::Addresses => Some(format!("1.0.0.127.{}", self.zone)),
            Subjects::Domains => Some(format!("{}.{}", self.clean.as_ref()?, self.zone)),
        }
    }

    /// Where the list speaks of an address.
    pub fn point(&self, address: IpAddr) -> String {
        let reverse = world::reverse_name(address);
        let bare = reverse
            .trim_end_matches(".in-addr.arpa")
            .trim_end_matches(".ip6.arpa");
        format!("{bare}.{}", self.zone)
    }

    /// What one answer means.
    fn means(&self, address: Ipv4Addr) -> Said {
        let [first, second, third, last] = address.octets();
        if first != 127 || (second, third) == (255, 255) {
            return Said::Error(address);
        }
        if self.dynamic.contains(&address) {
            return Said::Dynamic;
        }
        if let Some(mask) = self.mask {
            return if last & mask != 0 {
                Said::Listed
            } else {
                Said::Error(address)
            };
        }
        match self.listed.is_empty() {
            true if (second, third) == (0, 0) && last != 1 => Said::Listed,
            false if self.listed.contains(&address) => Said::Listed,
            // An answer that the list does not document.
            _ => Said::Error(address),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    No,
    Listed,
    Dynamic,
    Error(Ipv4Addr),
}

/// Said to resolvers that many share. The same with all lists that say it.
const PUBLIC_RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 254);

#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) listings: Vec<ListingFacts>,
    /// Addresses that a list of dynamic ones names, or does not.
    pub(super) dynamic: BTreeMap<IpAddr, bool>,
    /// A list refused the resolver as a public one.
    pub(super) is_public_resolver: bool,
    /// Some list did not answer.
    pub(super) failed: bool,
}

/// What the lists say of addresses alone, where nothing else is known yet.
pub async fn listings(world: &World, addresses: &[IpAddr]) -> Vec<ListingFacts> {
    ask(world, addresses, &[]).await.listings
}

pub(super) async fn ask(world: &World, addresses: &[IpAddr], names: &[String]) -> Lists {
    let asked = blocklists()
        .iter()
        .map(|list| ask_one(world, list, addresses, names));
    let mut all = Lists::default();
    for one in join_all(asked).await {
        all.listings.extend(one.listings);
        all.is_public_resolver |= one.is_public_resolver;
        all.failed |= one.failed;
        for (address, dynamic) in one.dynamic {
            *all.dynamic.entry(address).or_default() |= dynamic;
        }
    }
    all
}

async fn ask_one(world: &World, list: &Blocklist, addresses: &[IpAddr], names: &[String]) -> Lists {
    let mut found = Lists::default();
    let Some(works) = works(world, list, &mut found).await else {
        found.failed = true;
        return found;
    };
    let subjects: Vec<(String, String, Option<IpAddr>)> = match list.of {
        Subjects::Addresses => addresses
            .iter()
            .filter(|address| address.is_ipv4() || list.ipv6)
            .take(limits::ADDRESSES_MAX)
            .map(|address| (address.to_string(), list.point(*address), Some(*address)))
            .collect(),
        Subjects::Domains => names
            .iter()
            .take(limits::DOMAINS_MAX)
            .map(|name| (name.clone(), format!("{name}.{}", list.zone), None))
            .collect(),
    };
    for (subject, point, address) in subjects {
        let answer = match works {
            false => Listed::Broken,
            true => match said(world, list, &point).await {
                None => {
                    found.failed = true;
                    continue;
                }
                Some(Said::Listed) => Listed::Yes,
                Some(said @ (Said::No | Said::Dynamic)) => {
                    if let (Some(address), false) = (address, list.dynamic.is_empty()) {
                        found.dynamic.insert(address, said == Said::Dynamic);
                    }
                    Listed::No
                }
                Some(Said::Error(_)) => Listed::Broken,
            },
        };
        found.listings.push(ListingFacts {
            list: list.zone.clone(),
            subject,
            is_domain: list.of == Subjects::Domains,
            is_fresh_list: list.fresh,
            weight: match list.weight {
                ListWeight::High => Weight::High,
                ListWeight::Medium => Weight::Medium,
                ListWeight::Low => Weight::Low,
            },
            answer,
            removal: list.removal.clone(),
        });
    }
    found
}

/// Whether a list passes its test; nothing where it cannot be asked.
async fn works(world: &World, list: &Blocklist, found: &mut Lists) -> Option<bool> {
    if let Some(point) = list.test_point() {
        match said(world, list, &point).await? {
            Said::Listed | Said::Dynamic => {}
            Said::No => return Some(false),
            Said::Error(answer) => {
                found.is_public_resolver |= answer == PUBLIC_RESOLVER;
                return Some(false);
            }
        }
    }
    match list.clean_point() {
        Some(point) => Some(said(world, list, &point).await? == Said::No),
        None => Some(true),
    }
}

async fn said(world: &World, list: &Blocklist, name: &str) -> Option<Said> {
    let answer = world.dns.ask(name, Kind::A).await.ok()?;
    if answer.status != AnswerStatus::Found {
        return Some(Said::No);
    }
    let mut all = answer.records.iter().filter_map(|record| match record {
        Record::A(address) => Some(list.means(*address)),
        _ => None,
    });
    // Listed beats all others; several sub-lists answer at once.
    let first = all.next().unwrap_or(Said::No);
    Some(all.fold(first, |worst, one| match (worst, one) {
        (Said::Listed, _) | (_, Said::Listed) => Said::Listed,
        (Said::Dynamic, _) | (_, Said::Dynamic) => Said::Dynamic,
        (worst, _) => worst,
    }))
}

#[cfg(test)]
mod tests {
    use super::{Said, blocklists};

    #[test]
    fn errors_are_no_listings() {
        let list = |zone: &str| blocklists().iter().find(|list| list.zone == zone);
        let table = [
            ("zen.spamhaus.org", "127.0.0.2", "listed"),
            ("zen.spamhaus.org", "127.0.0.11", "dynamic"),
            ("zen.spamhaus.org", "127.255.255.254", "error"),
            ("zen.spamhaus.org", "127.0.0.200", "error"),
            ("bl.spamcop.net", "127.0.0.2", "listed"),
            ("bl.spamcop.net", "127.0.0.1", "error"),
            ("bl.spamcop.net", "192.0.2.1", "error"),
            ("bl.score.senderscore.com", "127.255.255.255", "error"),
            ("multi.uribl.com", "127.0.0.1", "error"),
            ("multi.uribl.com", "127.0.0.2", "listed"),
            ("multi.surbl.org", "127.0.0.64", "listed"),
            ("dbl.spamhaus.org", "127.0.1.2", "listed"),
            ("dbl.spamhaus.org", "127.0.1.255", "error"),
        ];
        for (zone, answer, want) in table {
            let said = list(zone).map(|list| list.means(answer.parse().unwrap()));
            let said = match said {
                Some(Said::Listed) => "listed",
                Some(Said::Dynamic) => "dynamic",
                Some(Said::Error(_)) => "error",
                Some(Said::No) | None => "nothing",
            };
            assert_eq!(said, want, "{zone} {answer}");
        }
    }
}
