//! Domains in one form, whatever form they came in.

use super::*;

#[test]
fn names_come_out_in_lower_case_a_labels() {
    for (text, want) in [
        ("Example.ORG", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("localhost", "localhost"),
        ("a_b.c", "a_b.c"),
    ] {
        assert_eq!(
            Domain::parse(text).map(|domain| domain.to_string()),
            Ok(want.to_owned()),
            "{text}"
        );
    }
    assert_eq!(
        Domain::parse("xn--bcher-kva.example").unwrap().unicode(),
        "bücher.example"
    );
}

#[test]
fn what_is_no_domain_is_refused() {
    for text in [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a b",
        "-a",
        "a-",
        "[1.2.3.4]",
        "a\0",
        "a/b",
        "a:25",
        "é ",
        "\u{ad}",
    ] {
        assert!(Domain::parse(text).is_err(), "{text:?}");
    }
    assert!(Domain::parse(&"a".repeat(64)).is_err());
    assert!(Domain::parse(&"ü".repeat(5_000)).is_err());
    assert!(Domain::parse(&"a.".repeat(128)).is_err());
}

#[test]
fn literals_are_addresses() {
    let literal = |text: &str| {
        Domain::parse_with_literal(text)
            .ok()
            .and_then(|domain| domain.literal())
    };
    assert_eq!(literal("[192.0.2.1]"), Some("192.0.2.1".parse().unwrap()));
    assert_eq!(
        literal("[IPv6:2001:db8::1]"),
        Some("2001:db8::1".parse().unwrap())
    );
    assert_eq!(literal("[2001:db8::1]"), None);
    assert_eq!(literal("192.0.2.1"), None);
    assert!(Domain::parse_with_literal("[192.0.2.1").is_err());
}
