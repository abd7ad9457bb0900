//! Which records are wished for, and how they look in a zone file.

use doctor::{
    Action, DkimFact, DkimStage, DomainFacts, Kind, MtaStsFact, RecordWish, ReportAddresses,
    Sending, Services, for_domain, zone,
};

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
            stage: DkimStage::Active,
        }],
        reports: ReportAddresses {
            dmarc: "dmarc-reports@example.org".to_owned(),
            tls: "tls-reports@example.org".to_owned(),
        },
        sending: Sending::Direct,
        services: Services {
            submissions: Some(465),
            imaps: Some(993),
            pop3s: None,
        },
        mta_sts: Some(MtaStsFact {
            id: "20261121".to_owned(),
            mode: "testing",
        }),
        certificate_keys: vec![[0x2a; 32]],
        authority: None,
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
        &[
            "v=DMARC1; p=none; np=reject; rua=mailto:dmarc-reports@example.org; ruf=mailto:dmarc-reports@example.org",
        ],
    );
    check(
        &facts,
        "_smtp._tls.example.org",
        Kind::Txt,
        &["v=TLSRPTv1; rua=mailto:tls-reports@example.org"],
    );
    check(
        &facts,
        "mta-sts.example.org",
        Kind::Cname,
        &["mail.example.org."],
    );
    check(
        &facts,
        "_mta-sts.example.org",
        Kind::Txt,
        &["v=STSv1; id=20261121"],
    );
    check(
        &facts,
        "_25._tcp.mail.example.org",
        Kind::Tlsa,
        &[&format!("3 1 1 {}", "2a".repeat(32))],
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
fn no_policy_without_a_web_server() {
    let facts = DomainFacts {
        mta_sts: None,
        certificate_keys: Vec::new(),
        ..facts()
    };
    check(&facts, "mta-sts.example.org", Kind::Cname, &[]);
    check(&facts, "_mta-sts.example.org", Kind::Txt, &[]);
    check(&facts, "_25._tcp.mail.example.org", Kind::Tlsa, &[]);
}

/// All of a key's life.
fn with_all_stages() -> DomainFacts {
    let stages = [
        ("new", DkimStage::Coming),
        ("now", DkimStage::Active),
        ("before", DkimStage::Kept),
        ("old", DkimStage::Retired),
    ];
    DomainFacts {
        dkim: stages
            .map(|(selector, stage)| DkimFact {
                selector: selector.to_owned(),
                record: format!("v=DKIM1; k=ed25519; p={selector}"),
                stage,
            })
            .to_vec(),
        ..facts()
    }
}

#[test]
fn each_key_says_what_is_to_be_done_with_its_record() {
    let wishes = for_domain(&with_all_stages());
    for (selector, action, words) in [
        ("new", Action::Publish, "a new key"),
        ("now", Action::Publish, "receivers check"),
        ("before", Action::Publish, "seven days"),
        ("old", Action::Remove, "remove this record"),
    ] {
        let name = format!("{selector}._domainkey.example.org");
        let wish = wishes.iter().find(|wish| wish.name == name).unwrap();
        assert_eq!(wish.action, action, "{selector}");
        assert!(wish.why.contains(words), "{wish:?}");
    }
    let text = zone::text("example.org", &wishes);
    assert!(text.contains("\n; (to be removed) old._domainkey.example.org. 3600 IN TXT"));
    assert!(text.contains("\nbefore._domainkey.example.org. 3600 IN TXT"));
}

#[test]
fn every_reason_is_one_sentence() {
    for wish in for_domain(&with_all_stages()) {
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
        action: Action::Publish,
        why: String::new(),
    };
    assert_eq!(
        zone::line(&record),
        r#"example.org. 60 IN TXT "a\"b\\c\195\164""#
    );
}

#[test]
fn who_may_make_certificates_and_where_programs_look() {
    let with_authority = DomainFacts {
        authority: Some("letsencrypt.org".to_owned()),
        ..facts()
    };
    check(&facts(), "example.org", Kind::Caa, &[]);
    check(
        &with_authority,
        "example.org",
        Kind::Caa,
        &["0 issue \"letsencrypt.org\""],
    );
    for name in ["autoconfig.example.org", "autodiscover.example.org"] {
        check(&facts(), name, Kind::Cname, &["mail.example.org."]);
        let unserved = DomainFacts {
            mta_sts: None,
            ..facts()
        };
        check(&unserved, name, Kind::Cname, &[]);
    }
}
