//! Names that criminals borrow, with the domains that really belong to them; and services that lend their
//! name to everybody. A dated file of knowledge.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::phrasebook::Phrasebook;

/// What this program was built with.
const BUILT_IN: &str = include_str!("../../../knowledge/brands.toml");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    /// When it was looked over.
    pub date: String,
    pub brand: Vec<Brand>,
    /// Domains at which anybody can have an address.
    pub freemail: Vec<String>,
    /// Top-level domains that cost next to nothing and are used for little but bulk.
    pub cheap_ends: Vec<String>,
    /// Services that give everybody a name below theirs.
    pub tenants: Vec<String>,
    /// Hosts that shorten links.
    pub shorteners: Vec<String>,
    /// Hosts below which, or at which, anybody can put up a page or a form.
    pub free_hosts: Vec<String>,
    /// Hosts with an open redirect, which lead on to what their query names.
    pub redirectors: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// As people write it.
    pub name: String,
    /// What to look for in domains: one label, lower case. Empty: the name is too common a word.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What to look for in display names, lower case, whole words. Empty: the name alone.
    #[serde(default)]
    pub words: Vec<String>,
    /// What to look for as a whole display name, lower case: words too common to be sought in one.
    #[serde(default)]
    pub alone: Vec<String>,
    /// Registrable domains that are theirs.
    pub domains: Vec<String>,
}

/// What is built in. A file that cannot be read gives nothing; a test sees to it that it can.
pub fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: LazyLock<Knowledge> =
        LazyLock::new(|| toml::from_str(BUILT_IN).unwrap_or_default());
    &KNOWLEDGE
}

/// What is known of a host by its name and those above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The first brand that owns it, by its place.
    owner: Option<usize>,
    pub is_shortener: bool,
    pub is_free_host: bool,
    pub has_cheap_end: bool,
    pub is_tenant: bool,
}

impl Known {
    /// The brand that the host belongs to.
    pub fn owner(&self) -> Option<&'static Brand> {
        knowledge().brand.get(self.owner?)
    }
}

/// What is known of a host (lower case).
pub fn of_host(host: &str) -> Known {
    let mut known = Known::default();
    for name in from_each_label(host) {
        if let Some(here) = NAMES.get(name) {
            known.owner = match (known.owner, here.owner) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            known.is_shortener |= here.is_shortener;
            known.is_free_host |= here.is_free_host;
            known.has_cheap_end |= here.has_cheap_end;
            known.is_tenant |= here.is_tenant;
        }
    }
    known
}

/// The place of the first brand to which exactly this name belongs.
pub(crate) fn place_of_owner(domain: &str) -> Option<usize> {
    NAMES.get(domain)?.owner
}

/// The brands whose words stand in a text (lower case), in their order.
pub fn named_in(text: &str) -> Vec<&'static Brand> {
    static BOOK: LazyLock<Phrasebook> = LazyLock::new(|| {
        let brands = knowledge().brand.iter().enumerate();
        Phrasebook::of(brands.flat_map(|(at, brand)| {
            let words = brand.words.iter();
            words.map(move |words| (at, words.as_str()))
        }))
    });
    let brands = &knowledge().brand;
    let named = BOOK.all(text).into_iter();
    named.filter_map(|at| brands.get(at)).collect()
}

/// The brands that a sender's name (lower case) claims to be.
pub fn claimed_by(name: &str) -> Vec<&'static Brand> {
    static ALONE: LazyLock<HashMap<&'static str, &'static Brand>> = LazyLock::new(|| {
        let brands = knowledge().brand.iter();
        let pairs = brands.flat_map(|brand| brand.alone.iter().map(move |name| (&**name, brand)));
        pairs.collect()
    });
    let mut claimed = named_in(name);
    claimed.extend(ALONE.get(name.trim()));
    claimed
}

/// `a.b.c`, `b.c`, `c`
pub(crate) fn from_each_label(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |rest| Some(rest.split_once('.')?.1))
}

/// All names of hosts that the file has.
static NAMES: LazyLock<HashMap<&'static str, Known>> = LazyLock::new(|| {
    let knowledge = knowledge();
    let mut names: HashMap<&'static str, Known> = HashMap::new();
    for (at, brand) in knowledge.brand.iter().enumerate() {
        for domain in &brand.domains {
            names.entry(domain).or_default().owner.get_or_insert(at);
        }
    }
    let mut mark = |domains: &'static [String], set: fn(&mut Known)| {
        for domain in domains {
            set(names.entry(domain).or_default());
        }
    };
    mark(&knowledge.shorteners, |known| known.is_shortener = true);
    mark(&knowledge.free_hosts, |known| known.is_free_host = true);
    mark(&knowledge.cheap_ends, |known| known.has_cheap_end = true);
    mark(&knowledge.tenants, |known| known.is_tenant = true);
    names
});

impl Brand {
    /// Whether a host belongs to the brand, or bears its very name at an end that costs something: nobody knows all the
    /// countries that a firm has a domain in.
    pub fn may_own(&self, host: &str) -> bool {
        let label = crate::domains::registrable(host).split('.').next();
        let is_called = || {
            self.labels
                .iter()
                .any(|known| Some(known.as_str()) == label)
        };
        self.owns(host) || is_called() && !of_host(host).has_cheap_end
    }

    /// Whether a host belongs to the brand.
    pub fn owns(&self, host: &str) -> bool {
        self.domains
            .iter()
            .any(|domain| crate::domains::is_at_or_below(host, domain))
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Knowledge, knowledge, named_in, of_host};

    #[test]
    fn the_index_says_what_the_lists_say() {
        let lists = knowledge();
        let hosts = lists.brand.iter().flat_map(|brand| &brand.domains);
        let hosts = hosts.chain(&lists.free_hosts).chain(&lists.shorteners);
        for name in hosts {
            for host in [name.clone(), format!("a.b-c.{name}"), format!("x{name}")] {
                let known = of_host(&host);
                let owner = lists.brand.iter().find(|brand| brand.owns(&host));
                assert_eq!(
                    known.owner().map(|brand| &brand.name),
                    owner.map(|brand| &brand.name),
                    "{host}"
                );
                let below = |names: &[String]| {
                    let mut names = names.iter();
                    names.any(|name| crate::domains::is_at_or_below(&host, name))
                };
                assert_eq!(known.is_free_host, below(&lists.free_hosts), "{host}");
                assert_eq!(known.is_shortener, below(&lists.shorteners), "{host}");
                assert_eq!(known.has_cheap_end, below(&lists.cheap_ends), "{host}");
            }
        }
        for brand in &lists.brand {
            for words in &brand.words {
                let named = named_in(&format!("from {words}: x"));
                assert!(named.iter().any(|one| one.name == brand.name), "{words}");
            }
        }
    }

    #[test]
    fn the_file_can_be_read() {
        let knowledge: Knowledge = toml::from_str(BUILT_IN).unwrap();
        assert!(knowledge.brand.len() > 50);
        for brand in &knowledge.brand {
            assert!(!brand.domains.is_empty(), "{}", brand.name);
            for text in brand
                .domains
                .iter()
                .chain(&brand.labels)
                .chain(&brand.words)
            {
                assert_eq!(*text, text.to_lowercase(), "{}", brand.name);
            }
        }
    }
}
