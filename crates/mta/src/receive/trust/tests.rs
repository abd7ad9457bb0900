//! The built-in list is readable, and the operator has the last word.

use mail::{Domain, UnixMillis};

use super::*;

fn word(kind: TrustKind, domain: &str, trusted: bool) -> Trust {
    Trust {
        kind,
        domain: Domain::parse(domain).unwrap(),
        trusted,
        changed: UnixMillis(0),
    }
}

#[test]
fn the_built_in_list_is_sound() {
    let list = built_in_sealers();
    assert_eq!(list.date.len(), "2026-11-21".len());
    assert!(3 <= list.sealers.len());
    let mut domains = BTreeSet::new();
    for sealer in &list.sealers {
        let domain = Domain::parse(&sealer.domain).unwrap();
        assert_eq!(domain.as_str(), sealer.domain);
        assert!(domains.insert(sealer.domain.clone()), "{domain} twice");
    }
}

#[test]
fn the_operator_has_the_last_word() {
    let trusted = Trusted::of(built_in_sealers(), &[]);
    assert!(trusted.is_sealer("google.com"));
    assert!(!trusted.is_sealer("mail.google.com") && !trusted.is_sealer("example.org"));
    assert_eq!(trusted.list_of("example.org"), None);
    let said = [
        word(TrustKind::ArcSealer, "google.com", false),
        word(TrustKind::ArcSealer, "example.org", true),
        word(TrustKind::MailingList, "lists.example.net", true),
    ];
    let trusted = Trusted::of(built_in_sealers(), &said);
    assert!(!trusted.is_sealer("google.com") && trusted.is_sealer("example.org"));
    assert_eq!(
        trusted.list_of("lists.example.net"),
        Some("lists.example.net")
    );
    assert_eq!(
        trusted.list_of("chat.lists.example.net"),
        Some("lists.example.net")
    );
    for other in ["example.net", "mylists.example.net", "net", ""] {
        assert_eq!(trusted.list_of(other), None, "{other}");
    }
}
