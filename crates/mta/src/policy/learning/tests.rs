//! Which hosts stand together, and what a delivery teaches.

use super::*;
use world::TlsFailure;

fn domain() -> Domain {
    Domain::parse("there.test").unwrap()
}

#[test]
fn sites() {
    for (host, domain, site) in [
        ("mx.there.test", "there.test", "*.there.test"),
        ("there.test", "there.test", "there.test"),
        ("aspmx.l.google.com", "there.test", "*.l.google.com"),
        ("mx1.hoster.net", "there.test", "*.hoster.net"),
        // Nobody's neighbours.
        ("foo.co.uk", "bar.co.uk", "foo.co.uk"),
        ("mx.foo.co.uk", "foo.co.uk", "*.foo.co.uk"),
        ("mx.abc.de", "abc.de", "*.abc.de"),
    ] {
        assert_eq!(
            site_of(host, &Domain::parse(domain).unwrap()),
            site,
            "{host}"
        );
    }
    assert!(covers("*.l.google.com", "alt1.aspmx.l.google.com"));
    assert!(!covers("*.l.google.com", "l.google.com"));
    assert!(!covers("*.there.test", "mx.nothere.test"));
    assert!(covers("foo.co.uk", "foo.co.uk"));
    assert!(!covers("foo.co.uk", "evil.co.uk"));
}

#[test]
fn lessons() {
    let memory = Memory::default();
    let policy = DomainPolicy::default();
    let of = |certificate, dane| Secured {
        encrypted: true,
        certificate,
        dane,
    };
    let day = |day: i64| UnixMillis(day * 86_400_000 + 5);
    let learn = |host: &str, secured: &Secured, at| {
        memory.lesson(&domain(), &policy, &HostName::of(host), secured, at)
    };
    let valid = Some(Lesson::Valid {
        domain: domain(),
        site: "*.there.test".to_owned(),
    });
    let lapse = Some(Lesson::Lapse { domain: domain() });
    let (good, bad) = (
        of(Ok(()), false),
        of(Err(TlsFailure::CertificateExpired), false),
    );
    // Nothing known, nothing lost.
    assert_eq!(learn("mx.there.test", &bad, day(1)), None);
    assert_eq!(learn("mx.there.test", &good, day(1)), valid);
    // Once a day is enough.
    assert_eq!(learn("mx.there.test", &good, day(1)), None);
    assert_eq!(learn("mx2.there.test", &good, day(1)), None);
    assert_eq!(learn("mx.there.test", &good, day(2)), valid);
    let by_dane = of(Err(TlsFailure::CertificateNotTrusted), true);
    assert_eq!(learn("mx.there.test", &by_dane, day(2)), None);
    assert_eq!(learn("mx.there.test", &bad, day(2)), lapse);
    assert_eq!(learn("mx.there.test", &bad, day(2)), None);
    assert_eq!(learn("192.0.2.1", &good, day(2)), None);
    assert_eq!(learn("mx.there.test", &good, day(2)), valid);
}
