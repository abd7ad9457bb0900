//! Faults of DNS, addresses and ports, planted one by one.

use doctor::Kind;
use doctor::checks::{AcmeWay, Answer, PortFacts, examine, score};

use super::world::{
    DAY, DOMAIN, HOST, NOW, Plant, V4, V6, correct, expect_just_that, ip, plant, put, reverse,
};

#[test]
fn a_correct_world_has_full_marks() {
    let findings = examine(&correct());
    assert!(findings.is_empty(), "{findings:#?}");
    let score = score(&findings);
    assert_eq!(score.points, 100);
    assert!(score.lights.is_empty());
}

#[test]
fn nothing_observed_says_nothing() {
    let facts = doctor::checks::Facts {
        now: NOW,
        host: HOST.to_owned(),
        domains: correct().domains,
        ..doctor::checks::Facts::default()
    };
    let findings = examine(&facts);
    assert!(findings.is_empty(), "{findings:#?}");
}

fn zone(facts: &mut doctor::checks::Facts) -> &mut doctor::checks::ZoneFacts {
    facts.zones.get_mut(DOMAIN).unwrap()
}

const DNS: &[Plant] = &[
    plant("dns.ns.consistent", "serial 7", |facts| {
        zone(facts).nameservers.as_mut().unwrap()[1].serial = Some(5);
    }),
    plant("dns.ns.count", "second name server", |facts| {
        zone(facts).nameservers.as_mut().unwrap().truncate(1);
    }),
    plant("dns.ns.tcp", "TCP port 53", |facts| {
        zone(facts).nameservers.as_mut().unwrap()[0].answers_tcp = Some(false);
    }),
    plant("dns.ns.registrar", "ns2.example.net", |facts| {
        zone(facts).parent_ns = Some(vec!["old.example.com".to_owned()]);
    }),
    plant("dns.ns.glue", "192.0.2.53", |facts| {
        zone(facts).wrong_glue = Some(vec![(
            "ns.example.org".to_owned(),
            "192.0.2.99".to_owned(),
            "192.0.2.53".to_owned(),
        )]);
    }),
    plant("dns.soa.exists", "news.example.org", |facts| {
        facts.dns.put(
            "news.example.org",
            Kind::Soa,
            Answer::NoName { secure: true },
        );
    }),
    plant("dns.soa.sane", "1209600", |facts| {
        put(
            facts,
            DOMAIN,
            Kind::Soa,
            &["ns1.example.net h.example.org 7 7200 3600 3600 3600"],
        );
    }),
    plant("dns.dnssec.zone", "DS record", |facts| {
        facts.dns.put(
            DOMAIN,
            Kind::Soa,
            Answer::Values {
                values: vec!["ns1.example.net h.example.org 7 7200 3600 1209600 3600".to_owned()],
                ttl: 3600,
                secure: false,
            },
        );
    }),
    plant("dns.dnssec.bogus", "Sign the zone anew", |facts| {
        facts.dns.put(DOMAIN, Kind::Caa, Answer::Bogus);
    }),
    plant("dns.dnssec.expiry", "signer", |facts| {
        zone(facts).signature_ends = Some(NOW + DAY);
    }),
    plant("dns.resolver.local", "by itself", |facts| {
        facts.resolver.is_own = Some(false);
    }),
    plant(
        "dns.mx.exists",
        "example.org. 3600 IN MX 10 mail.example.org.",
        |facts| {
            put(facts, DOMAIN, Kind::Mx, &[]);
        },
    ),
    plant("dns.mx.ours", "IN MX 10 mail.example.org.", |facts| {
        put(
            facts,
            DOMAIN,
            Kind::Mx,
            &["10 mail.example.org", "20 mx.old.example"],
        );
    }),
    plant("dns.mx.target", "IN MX 10 mail.example.org.", |facts| {
        put(facts, DOMAIN, Kind::Mx, &["10 192.0.2.25"]);
    }),
    plant(
        "dns.mx.target",
        "Remove: mail.example.org. CNAME",
        |facts| {
            put(facts, HOST, Kind::Cname, &["www.example.org"]);
        },
    ),
    plant(
        "dns.mx.null_conflict",
        "IN MX 10 mail.example.org.",
        |facts| {
            put(facts, DOMAIN, Kind::Mx, &["0 .", "10 mail.example.org."]);
        },
    ),
    plant("dns.mx.dup", "IN MX 10 mail.example.org.", |facts| {
        put(
            facts,
            DOMAIN,
            Kind::Mx,
            &["10 mail.example.org.", "20 mail.example.org."],
        );
    }),
    plant("dns.mx.ttl", "3600", |facts| {
        facts.dns.put(
            DOMAIN,
            Kind::Mx,
            Answer::Values {
                values: vec!["10 mail.example.org".to_owned()],
                ttl: 5,
                secure: true,
            },
        );
    }),
    plant(
        "dns.host.a",
        "mail.example.org. 3600 IN A 192.0.2.25",
        |facts| {
            put(facts, HOST, Kind::A, &["192.0.2.99"]);
        },
    ),
    plant("dns.host.aaaa", "IN AAAA 2001:db8::25", |facts| {
        put(facts, HOST, Kind::Aaaa, &[]);
    }),
    plant("dns.host.loopback", "/etc/hosts", |facts| {
        facts.resolver.host_is_loopback = Some(true);
    }),
    plant("dns.wildcard", "*.example.org", |facts| {
        zone(facts).wildcard = Some(true);
    }),
    plant("dns.caa", "issue \"letsencrypt.org\"", |facts| {
        put(facts, DOMAIN, Kind::Caa, &[]);
    }),
    plant("dns.caa", "issue \"letsencrypt.org\"", |facts| {
        put(facts, DOMAIN, Kind::Caa, &["0 issue \"other.example\""]);
    }),
    plant("dns.domain.expiry", "Renew example.org", |facts| {
        facts.registrations.get_mut(DOMAIN).unwrap().expires = Some(NOW + 3 * DAY);
    }),
    plant("dns.domain.age", "for a month", |facts| {
        facts.registrations.get_mut(DOMAIN).unwrap().created = Some(NOW - 3 * DAY);
    }),
    plant("dns.domain.lock", "clientTransferProhibited", |facts| {
        facts.registrations.get_mut(DOMAIN).unwrap().transfer_locked = Some(false);
    }),
    plant("dns.propagation", "TTL", |facts| {
        zone(facts).stale_resolvers = Some(vec!["1.1.1.1".to_owned()]);
    }),
    plant("dns.parked", "\"v=spf1 -all\"", |facts| {
        put(facts, "parked.example", Kind::Txt, &[]);
    }),
    plant("dns.parked", "MX 0 .", |facts| {
        put(facts, "parked.example", Kind::Mx, &[]);
    }),
    plant(
        "dns.subdomain.sending",
        "v=spf1 a:mail.example.org -all",
        |facts| {
            put(facts, "news.example.org", Kind::Txt, &[]);
        },
    ),
    plant("dns.srs.domain", "MX 10 mail.example.org.", |facts| {
        put(facts, "srs.example.org", Kind::Mx, &[]);
    }),
];

#[test]
fn faults_of_dns() {
    expect_just_that(DNS);
}

const ADDRESS: &[Plant] = &[
    plant(
        "ip.ptr4.exists",
        "25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.",
        |facts| {
            put(facts, &reverse(V4), Kind::Ptr, &[]);
        },
    ),
    plant("ip.ptr6.exists", "PTR mail.example.org.", |facts| {
        put(facts, &reverse(V6), Kind::Ptr, &[]);
    }),
    plant(
        "ip.fcrdns",
        "Please set the PTR record of 192.0.2.25 to mail.example.org",
        |facts| {
            put(facts, &reverse(V4), Kind::Ptr, &["stranger.example.net"]);
            put(facts, "stranger.example.net", Kind::A, &["198.51.100.9"]);
            put(facts, "stranger.example.net", Kind::Aaaa, &[]);
        },
    ),
    plant("ip.ptr.equals_ehlo", "PTR mail.example.org.", |facts| {
        put(facts, &reverse(V4), Kind::Ptr, &["server.example.org"]);
        put(facts, "server.example.org", Kind::A, &[V4]);
        put(facts, "server.example.org", Kind::Aaaa, &[]);
    }),
    plant("ip.ptr.single", "PTR mail.example.org.", |facts| {
        put(
            facts,
            &reverse(V4),
            Kind::Ptr,
            &["mail.example.org", "mail.example.org."],
        );
    }),
    plant("ip.ptr.generic", "PTR mail.example.org.", |facts| {
        put(
            facts,
            &reverse(V4),
            Kind::Ptr,
            &["25-2-0-192.pool.example.net"],
        );
        put(facts, "25-2-0-192.pool.example.net", Kind::A, &[V4]);
        put(facts, "25-2-0-192.pool.example.net", Kind::Aaaa, &[]);
    }),
    plant(
        "ip.static",
        "check.spamhaus.org/results?query=192.0.2.25",
        |facts| {
            facts.addresses[0].dynamic = Some(true);
        },
    ),
    plant("ip.stable", "postroad dns show", |facts| {
        facts.addresses[0].at_setup = Some(ip("192.0.2.7"));
    }),
    plant("ip.nat.match", "192.0.2.77", |facts| {
        facts.addresses[0].seen_outside = Some(ip("192.0.2.77"));
    }),
    plant("ip.v6.own64", "/64 of your own", |facts| {
        facts.addresses[1].own_64 = Some(false);
    }),
    plant("ip.v6.policy", "IPv4 only", |facts| {
        facts.addresses.truncate(1);
        put(facts, HOST, Kind::Aaaa, &[]);
    }),
    plant(
        "ip.port25.out",
        "open outgoing TCP port 25 for 192.0.2.25",
        |facts| {
            facts.addresses[0].port25_out = Some(false);
        },
    ),
    plant("ip.port25.intercept", "SMTP proxy", |facts| {
        facts.addresses[0].smtp_untouched = Some(false);
    }),
    plant("ip.asn.kind", "relay add", |facts| {
        facts.addresses[0].network = Some("access".to_owned());
    }),
    plant("ip.asn.reputation", "hoster", |facts| {
        facts.addresses[0].bad_neighbours = Some(true);
    }),
    plant("ip.abuse.contact", "abuse contact", |facts| {
        facts.addresses[0].has_abuse_contact = Some(false);
    }),
    plant("ip.rpki", "ROA", |facts| {
        facts.addresses[0].route_signed = Some(false);
    }),
];

#[test]
fn faults_of_addresses() {
    expect_just_that(ADDRESS);
}

fn shut(facts: &mut doctor::checks::Facts, port: u16) {
    let seen = facts.ports.entry(port).or_default();
    seen.wanted = true;
    seen.reachable_v4 = Some(false);
    seen.reachable_v6 = Some(false);
}

const PORTS: &[Plant] = &[
    plant("port.25.in", "dport 25 accept", |facts| shut(facts, 25)),
    plant("port.465.in", "dport 465 accept", |facts| shut(facts, 465)),
    plant("port.587.in", "dport 587 accept", |facts| shut(facts, 587)),
    plant("port.993.in", "dport 993 accept", |facts| shut(facts, 993)),
    plant("port.995.in", "dport 995 accept", |facts| shut(facts, 995)),
    plant("port.4190.in", "dport 4190 accept", |facts| {
        shut(facts, 4190)
    }),
    plant("port.80.in", "dport 80 accept", |facts| {
        facts.settings.acme = Some(AcmeWay::Dns01);
        shut(facts, 80);
    }),
    plant("port.443.in", "dport 443 accept", |facts| shut(facts, 443)),
    plant("port.53.in", "dport 53 accept", |facts| shut(facts, 53)),
    plant("port.143.in", "STARTTLS before login", |facts| {
        facts.ports.insert(
            143,
            PortFacts {
                login_in_clear: Some(true),
                ..PortFacts::default()
            },
        );
    }),
    plant("port.admin.closed", "dport 5432 drop", |facts| {
        facts.ports.insert(
            5432,
            PortFacts {
                reachable_v4: Some(true),
                ..PortFacts::default()
            },
        );
    }),
    plant("port.ssh.password", "PasswordAuthentication no", |facts| {
        facts.settings.ssh_password = Some(true);
    }),
    plant("port.amplify", "127.0.0.1", |facts| {
        facts.ports.insert(
            53,
            PortFacts {
                recursive: Some(true),
                ..PortFacts::default()
            },
        );
    }),
    plant("port.fw.both", "IPv6", |facts| {
        facts.ports.get_mut(&25).unwrap().reachable_v6 = Some(false);
    }),
];

#[test]
fn faults_of_ports() {
    expect_just_that(PORTS);
}

#[test]
fn the_host_name_must_be_one_of_its_own() {
    let mut facts = correct();
    facts.host = "localhost".to_owned();
    assert!(
        examine(&facts)
            .iter()
            .any(|finding| finding.id == "dns.host.fqdn")
    );
    facts.host = DOMAIN.to_owned();
    assert!(
        examine(&facts)
            .iter()
            .any(|finding| finding.id == "dns.host.fqdn")
    );
}

#[test]
fn a_bad_ending_is_named_for_its_domain() {
    let mut facts = correct();
    facts.domains[0].domain = "example.top".to_owned();
    assert!(
        examine(&facts)
            .iter()
            .any(|finding| finding.id == "dns.domain.tld")
    );
}
