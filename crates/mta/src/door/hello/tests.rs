//! Names of all kinds in EHLO.

use super::*;

#[test]
fn names_in_hello() {
    let ours = Domain::parse("mx.here.example").unwrap();
    let (own, peer) = (
        "192.0.2.1".parse().unwrap(),
        "198.51.100.7".parse().unwrap(),
    );
    let cases = [
        ("mail.there.example", Hello::Fine),
        ("mail.there.example.", Hello::Fine),
        ("[198.51.100.7]", Hello::Fine),
        ("MX.Here.Example", Hello::Ours),
        ("[192.0.2.1]", Hello::Ours),
        ("192.0.2.1", Hello::Ours),
        ("[203.0.113.1]", Hello::WrongLiteral),
        ("[IPv6:2001:db8::1]", Hello::WrongLiteral),
        ("[what]", Hello::WrongLiteral),
        ("198.51.100.7", Hello::BareAddress),
        ("localhost", Hello::Private),
        ("exchange.corp", Hello::Private),
        ("server.local", Hello::Private),
        ("ylmf-pc", Hello::Nonsense),
        ("User", Hello::Nonsense),
        ("", Hello::Nonsense),
        ("a b", Hello::Nonsense),
        ("-", Hello::Nonsense),
    ];
    for (name, expected) in cases {
        assert_eq!(Hello::of(name, &ours, own, peer), expected, "{name}");
    }
    let six = "2001:db8::7".parse().unwrap();
    assert_eq!(
        Hello::of("[IPv6:2001:DB8::7]", &ours, own, six),
        Hello::Fine
    );
}
