//! Addresses of commands: what RFC 5321 allows, and what equals what.
//! The outside suite (is_email) is run in `tests/it/isemail.rs`.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn accept(text: &str, want: &str) -> Address {
    let address = Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(address.to_string(), want);
    address
}

#[test]
fn accepts_and_normalises() {
    accept("Ann@Example.ORG", "Ann@example.org");
    accept("\"ann\"@example.org", "ann@example.org");
    accept("\"a\\n\\n\"@example.org", "ann@example.org");
    accept("\"a b\"@example.org", "\"a b\"@example.org");
    accept("\"a\\\"b\\\\\"@x.y", "\"a\\\"b\\\\\"@x.y");
    accept("\"a..b\"@x.y", "\"a..b\"@x.y");
    accept("\"\"@x.y", "\"\"@x.y");
    accept("a@[192.0.2.1]", "a@[192.0.2.1]");
    accept("a@[ipv6:2001:DB8::0:1]", "a@[IPv6:2001:db8::1]");
    accept("a@xn--BCHER-KVA.example", "a@xn--bcher-kva.example");
    accept("a@under_score.example", "a@under_score.example");
    accept("a+b=c/d@localhost", "a+b=c/d@localhost");
}

#[test]
fn international_addresses_have_one_form() {
    let address = accept("jürgen@Bücher.example", "jürgen@xn--bcher-kva.example");
    assert!(address.needs_smtputf8());
    assert_eq!(address.ascii(), None);
    assert_eq!(address.unicode(), "jürgen@bücher.example");
    let address = accept("ann@bücher.example", "ann@xn--bcher-kva.example");
    assert!(!address.needs_smtputf8());
    assert_eq!(
        address,
        Address::parse("ann@XN--bcher-kva.example").unwrap()
    );
}

#[test]
fn refuses() {
    for text in [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        " a@b",
        "a@b ",
        "<a@b>",
        "a@b.",
        "a@.b",
        "a@b..c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a@-b",
        "a@b-",
        "\"a\"b@c",
        "\"a@b",
        "\"a\0\"@b",
        "\"a\r\n\"@b",
        "a\u{7f}@b",
        "a(c)@b",
        "a@[1.2.3]",
        "a@[1.2.3.4",
        "a@[IPv6:1::2::3]",
        "a@[x:y]",
        "a@b,c",
        "a,b@c",
        "a@b\0",
        "a@é\u{0}",
        "a@exa mple",
        "a@exa\u{2028}mple.org",
        "a@xn--\u{e9}",
    ] {
        assert!(Address::parse(text).is_err(), "{text:?}");
    }
    assert!(Address::parse(&format!("{}@b", "a".repeat(256))).is_err());
    assert!(Address::parse(&format!("a@{}", "b.".repeat(200))).is_err());
    assert!(Address::new("a\nb", Domain::parse("c").unwrap()).is_err());
}

#[test]
fn a_reverse_path_may_be_nobody() {
    assert_eq!(ReversePath::parse(""), Ok(ReversePath::Null));
    assert_eq!(ReversePath::parse("a@b").unwrap().to_string(), "a@b");
    assert_eq!(ReversePath::Null.to_string(), "");
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(local in "[ -~é]{0,30}", domain in "[a-zü]{1,10}\\.[a-z]{2,5}") {
        let address = Address::new(&local, Domain::parse(&domain).unwrap()).unwrap();
        prop_assert_eq!(Address::parse(&address.to_string()), Ok(address.clone()));
        prop_assert_eq!(Address::parse(&address.unicode()), Ok(address));
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,60}") {
        if let Ok(address) = Address::parse(&text) {
            prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
        }
    }

    #[test]
    fn any_near_miss_is_survived(text in "[a.@\"\\\\\\[\\]:1v6IP -]{0,30}") {
        if let Ok(address) = Address::parse(&text) {
            prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
        }
    }
}
