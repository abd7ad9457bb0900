//! Small readings of record texts that several checks share.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::facts::{DnsFacts, Facts};
use crate::records::{DomainFacts, Kind, RecordWish, for_domain};

/// `10 mail.example.org.` as preference and name.
pub fn mx(value: &str) -> Option<(u16, String)> {
    let (preference, name) = value.trim().split_once(' ')?;
    Some((preference.parse().ok()?, host(name)))
}

/// Without the last dot, in lower case. The root stays `.`.
pub fn host(name: &str) -> String {
    let name = name.trim();
    if name == "." {
        return name.to_owned();
    }
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// `tag=value; tag=value`: names in lower case, values as they stand; the order is kept beside.
pub struct Tags {
    pub order: Vec<String>,
    values: BTreeMap<String, String>,
    /// A part without `=`, or a name twice.
    pub broken: bool,
}

impl Tags {
    pub fn read(text: &str) -> Self {
        let mut tags = Self {
            order: Vec::new(),
            values: BTreeMap::new(),
            broken: false,
        };
        for part in text.split(';') {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let Some((name, value)) = part.split_once('=') else {
                tags.broken = true;
                continue;
            };
            let name = name.trim().to_ascii_lowercase();
            if tags
                .values
                .insert(name.clone(), value.trim().to_owned())
                .is_some()
            {
                tags.broken = true;
            }
            tags.order.push(name);
        }
        tags
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn starts_with(&self, name: &str, value: &str) -> bool {
        self.order.first().is_some_and(|first| first == name) && self.get(name) == Some(value)
    }
}

/// TXT values at a name that begin as wanted (case does not matter).
pub fn txt_with<'a>(dns: &'a DnsFacts, name: &str, start: &str) -> Option<Vec<&'a str>> {
    let values = dns.values(name, Kind::Txt)?;
    let fits = |value: &&String| {
        value
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    Some(values.iter().filter(fits).map(String::as_str).collect())
}

/// What should be at a name, by the same list that `dns show` prints.
pub fn wished(domain: &DomainFacts, name: &str, kind: Kind) -> Vec<String> {
    let fits = |wish: &RecordWish| {
        wish.kind == kind
            && wish.action == crate::records::Action::Publish
            && wish.name.eq_ignore_ascii_case(name)
    };
    for_domain(domain)
        .into_iter()
        .filter(fits)
        .map(|wish| wish.value)
        .collect()
}

/// The values that are at a TXT name with those of one kind replaced: others' records stay.
pub fn merged_txt(dns: &DnsFacts, name: &str, start: &str, wanted: &[String]) -> Vec<String> {
    let others = dns.values(name, Kind::Txt).unwrap_or(&[]);
    let keep = |value: &&String| {
        !value
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    let mut values: Vec<String> = others.iter().filter(keep).cloned().collect();
    values.extend(wanted.iter().cloned());
    values
}

/// Addresses that a name has, of both families; `None` when either was not observed.
pub fn addresses(dns: &DnsFacts, name: &str) -> Option<Vec<IpAddr>> {
    let v4 = dns.values(name, Kind::A)?;
    let v6 = dns.values(name, Kind::Aaaa)?;
    Some(
        v4.iter()
            .chain(v6)
            .filter_map(|value| value.trim().parse().ok())
            .collect(),
    )
}

/// Names of our mail domains.
pub fn domains(facts: &Facts) -> impl Iterator<Item = &DomainFacts> {
    facts.domains.iter()
}

/// `domain` or something below it.
pub fn is_at_or_below(name: &str, domain: &str) -> bool {
    name == domain
        || name
            .strip_suffix(domain)
            .is_some_and(|front| front.ends_with('.'))
}

/// Whether an address is one that the internet does not route.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || (address.segments()[0] & 0xfe00) == 0xfc00
                || (address.segments()[0] & 0xffc0) == 0xfe80
        }
    }
}

/// `3 days`, `5 hours`.
pub fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// `12.5 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Domains to which a DMARC record sends reports.
pub fn report_domains(tags: &Tags) -> Vec<String> {
    let list = tags.get("rua").unwrap_or_default();
    list.split(',')
        .filter_map(|address| address.trim().strip_prefix("mailto:"))
        .filter_map(|address| address.rsplit_once('@'))
        .map(|(_, domain)| host(domain.split('!').next().unwrap_or(domain)))
        .collect()
}

/// One is at or below the other: no consent is asked between them.
pub fn are_related(a: &str, b: &str) -> bool {
    is_at_or_below(a, b) || is_at_or_below(b, a)
}
