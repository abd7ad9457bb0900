//! Which records are wished for, and how they look in a zone file.

use doctor::{DkimFact, DomainFacts, Kind, RecordWish, Sending, Services, for_domain, zone};

fn facts() -> DomainFacts {
    DomainFacts {
        domain: "example.org".to_owned(),
        host: "mail.example.org".to_owned(),
        addresses: vec![
            "192.0.2.25".parse().unwrap(),
            "2001:db8::25".parse().unwrap(),
        ],
        dkim: vec![DkimFact {
            selector: "pr2611r".to_owned(),
            record: format!("v=DKIM1; k=rsa; p={}", "A".repeat(392)),
        }],
        report_address: Some("postmaster@example.org".to_owned()),
        sending: Sending::Direct,
        services: Services {
            submissions: Some(465),
            imaps: Some(993),
            pop3s: None,
        },
    }
}

fn values(wishes: &[RecordWish], name: &str, kind: Kind) -> Vec<String> {
    wishes
        .iter()
        .filter(|wish| wish.name == name && wish.kind == kind)
        .map(|wish| wish.value.clone())
        .collect()
}

#[track_caller]
fn check(facts: &DomainFacts, name: &str, kind: Kind, want: &[&str]) {
    assert_eq!(
        values(&for_domain(facts), name, kind),
        want,
        "{name} {kind}"
    );
}

#[test]
fn what_a_domain_should_have() {
    let facts = facts();
    check(&facts, "example.org", Kind::Mx, &["10 mail.example.org."]);
    check(&facts, "mail.example.org", Kind::A, &["192.0.2.25"]);
    check(&facts, "mail.example.org", Kind::Aaaa, &["2001:db8::25"]);
    check(&facts, "example.org", Kind::Txt, &["v=spf1 mx -all"]);
    check(&facts, "mail.example.org", Kind::Txt, &["v=spf1 a -all"]);
    check(
        &facts,
        "_dmarc.example.org",
        Kind::Txt,
        &["v=DMARC1; p=none; np=reject; rua=mailto:postmaster@example.org"],
    );
    check(
        &facts,
        "_smtp._tls.example.org",
        Kind::Txt,
        &["v=TLSRPTv1; rua=mailto:postmaster@example.org"],
    );
    check(
        &facts,
        "_submissions._tcp.example.org",
        Kind::Srv,
        &["0 1 465 mail.example.org."],
    );
    check(
        &facts,
        "_imaps._tcp.example.org",
        Kind::Srv,
        &["0 1 993 mail.example.org."],
    );
    check(&facts, "_pop3s._tcp.example.org", Kind::Srv, &[]);
    check(
        &facts,
        "25.2.0.192.in-addr.arpa",
        Kind::Ptr,
        &["mail.example.org."],
    );
    check(
        &facts,
        "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        Kind::Ptr,
        &["mail.example.org."],
    );
}

#[test]
fn one_spf_record_when_the_host_is_the_domain() {
    let facts = DomainFacts {
        host: "example.org".to_owned(),
        ..facts()
    };
    check(&facts, "example.org", Kind::Txt, &["v=spf1 mx -all"]);
}

#[test]
fn a_relay_softens_spf() {
    let facts = DomainFacts {
        sending: Sending::ThroughRelay,
        ..facts()
    };
    check(&facts, "example.org", Kind::Txt, &["v=spf1 mx ~all"]);
}

#[test]
fn no_reports_without_a_reader() {
    let facts = DomainFacts {
        report_address: None,
        ..facts()
    };
    check(
        &facts,
        "_dmarc.example.org",
        Kind::Txt,
        &["v=DMARC1; p=none; np=reject"],
    );
    check(&facts, "_smtp._tls.example.org", Kind::Txt, &[]);
}

#[test]
fn every_reason_is_one_sentence() {
    for wish in for_domain(&facts()) {
        assert!(wish.why.ends_with('.'), "{wish:?}");
        assert!(!wish.why.trim_end_matches('.').contains(". "), "{wish:?}");
    }
}

#[test]
fn long_keys_are_cut_into_strings_of_255_bytes() {
    let facts = facts();
    let text = zone::text("example.org", &for_domain(&facts));
    let line = text
        .lines()
        .find(|line| line.starts_with("pr2611r._domainkey"))
        .unwrap();
    let strings: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    assert!(strings.iter().all(|string| string.len() <= 255), "{line}");
    assert_eq!(strings.concat(), facts.dkim[0].record);
}

#[test]
fn what_lies_outside_the_zone_is_a_comment() {
    let facts = DomainFacts {
        host: "mx.elsewhere.example".to_owned(),
        ..facts()
    };
    let text = zone::text("example.org", &for_domain(&facts));
    for line in text
        .lines()
        .filter(|line| !line.starts_with(';') && !line.is_empty())
    {
        let name = line.split(' ').next().unwrap();
        assert!(name.ends_with("example.org."), "{line}");
    }
    assert!(text.contains("; (in another zone) mx.elsewhere.example. 3600 IN A 192.0.2.25"));
    // A name that only ends in the same letters is not in the zone.
    let facts = DomainFacts {
        host: "mail.notexample.org".to_owned(),
        ..facts
    };
    let text = zone::text("example.org", &for_domain(&facts));
    assert!(text.contains("; (in another zone) mail.notexample.org. 3600 IN A"));
}

#[test]
fn zone_text_escapes_quotes_and_odd_bytes() {
    let record = RecordWish {
        name: "example.org".to_owned(),
        kind: Kind::Txt,
        ttl: 60,
        value: "a\"b\\c\u{e4}".to_owned(),
        why: String::new(),
    };
    assert_eq!(
        zone::line(&record),
        r#"example.org. 60 IN TXT "a\"b\\c\195\164""#
    );
}
