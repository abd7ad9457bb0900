//! Domains: which part of a name somebody registered, and which belong to services where everybody can.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::brands;

/// The registrable domain of a host: `mail.example.co.uk` gives `example.co.uk`; the name itself where there is none.
/// By the Public Suffix List.
pub fn registrable(host: &str) -> &str {
    if host.ends_with(|last: char| last.is_ascii_digit() || last == ']') {
        // An address: no top-level domain ends with a digit.
        return host;
    }
    psl::domain_str(host).unwrap_or(host)
}

/// Whether two hosts belong to the same registrable domain.
pub fn is_same_house(one: &str, other: &str) -> bool {
    registrable(one).eq_ignore_ascii_case(registrable(other))
}

/// Whether anybody can have an address at this domain.
pub fn is_freemail(domain: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        brands::knowledge()
            .freemail
            .iter()
            .map(String::as_str)
            .collect()
    });
    let domain = domain.to_ascii_lowercase();
    NAMES.contains(domain.as_str()) || NAMES.contains(registrable(&domain))
}

/// Whether a host is a name or below it.
pub fn is_at_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::{is_at_or_below, is_freemail, is_same_house, registrable};

    #[test]
    fn what_is_registered() {
        for (host, want) in [
            ("mail.example.co.uk", "example.co.uk"),
            ("example.com", "example.com"),
            ("a.b.example.com", "example.com"),
            ("com", "com"),
            ("192.0.2.1", "192.0.2.1"),
            ("", ""),
            ("someone.github.io", "someone.github.io"),
        ] {
            assert_eq!(registrable(host), want, "{host}");
        }
        assert!(is_same_house("click.example.com", "www.EXAMPLE.com"));
        assert!(!is_same_house("a.github.io", "b.github.io"));
        assert!(is_at_or_below("a.example.com", "example.com"));
        assert!(!is_at_or_below("badexample.com", "example.com"));
    }

    #[test]
    fn where_everybody_can_have_an_address() {
        assert!(is_freemail("gmail.com"));
        assert!(is_freemail("GMX.de"));
        assert!(!is_freemail("example.com"));
    }
}
