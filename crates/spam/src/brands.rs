//! Names that criminals borrow, with the domains that really belong to them; and services that lend their
//! name to everybody. A dated file of knowledge.

use std::sync::LazyLock;

use serde::Deserialize;

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
    /// Registrable domains that are theirs.
    pub domains: Vec<String>,
}

/// What is built in. A file that cannot be read gives nothing; a test sees to it that it can.
pub fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: LazyLock<Knowledge> =
        LazyLock::new(|| toml::from_str(BUILT_IN).unwrap_or_default());
    &KNOWLEDGE
}

impl Brand {
    /// Whether a host belongs to the brand.
    pub fn owns(&self, host: &str) -> bool {
        self.domains
            .iter()
            .any(|domain| crate::domains::is_at_or_below(host, domain))
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Knowledge};

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
