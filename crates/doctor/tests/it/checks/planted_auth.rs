//! Faults of TLS and of the authentication records, planted one by one.

use doctor::Kind;
use doctor::checks::{Answer, Facts, SenderFacts, SpfResult, StsFacts};
use doctor::records::{DkimFact, DkimStage};

use super::world::{
    DAY, DOMAIN, HOST, NOW, Plant, SELECTOR, V4, expect_just_that, ip, plant, put, wished,
};

fn certificate(facts: &mut Facts) -> &mut doctor::checks::Certificate {
    facts.tls.certificate.as_mut().unwrap()
}

fn sts(facts: &mut Facts) -> &mut StsFacts {
    facts.tls.sts.get_mut(DOMAIN).unwrap()
}

fn sender(facts: &mut Facts) -> &mut SenderFacts {
    facts.senders.get_mut(DOMAIN).unwrap()
}

const TLS: &[Plant] = &[
    plant("tls.25.offered", "postroad certificate fetch", |facts| {
        facts.tls.starttls_25 = Some(false)
    }),
    plant(
        "tls.cert.valid",
        "certificate for mail.example.org",
        |facts| {
            certificate(facts).names[0] = "www.example.org".to_owned();
        },
    ),
    plant("tls.cert.valid", "public authority", |facts| {
        certificate(facts).trusted = false
    }),
    plant("tls.cert.expiry", "Renew", |facts| {
        certificate(facts).not_after = NOW + 3 * DAY
    }),
    plant("tls.cert.expiry", "Renew", |facts| {
        certificate(facts).not_after = NOW - 1
    }),
    plant("tls.cert.served", "systemctl reload postroad", |facts| {
        facts.tls.other_certificate = Some(vec![993]);
    }),
    plant("tls.cert.names", "mta-sts.example.org", |facts| {
        certificate(facts)
            .names
            .retain(|name| !name.starts_with("mta-sts"));
    }),
    plant("tls.cert.key", "P-256", |facts| {
        certificate(facts).key = "rsa".to_owned();
        certificate(facts).bits = 1024;
    }),
    plant("tls.ver", "1.2 and 1.3", |facts| {
        facts.tls.versions = Some(vec!["1.0".to_owned(), "1.2".to_owned(), "1.3".to_owned()]);
    }),
    plant("tls.cipher", "default cipher list", |facts| {
        facts.tls.weak_ciphers = Some(vec!["RC4-SHA".to_owned()]);
    }),
    plant("tls.reneg", "TLS library", |facts| {
        facts.tls.insecure_renegotiation = Some(true)
    }),
    plant("tls.0rtt", "0-RTT", |facts| {
        facts.tls.early_data = Some(true)
    }),
    plant("tls.ems", "TLS library", |facts| {
        facts.tls.extended_master_secret = Some(false)
    }),
    plant("tls.smtp.inject", "Update", |facts| {
        facts.tls.injection = Some(true)
    }),
    plant("tls.outbound", "postroad tls", |facts| {
        facts.tls.outbound_share = Some(0.9)
    }),
    plant("tls.outbound.floor", "postroad tls", |facts| {
        facts.settings.tls_required_for_big = Some(false);
    }),
    plant("tls.requiretls", "certificate", |facts| {
        facts.tls.requiretls = Some(false)
    }),
    plant(
        "dane.exists",
        "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 2a2a",
        |facts| {
            put(facts, "_25._tcp.mail.example.org", Kind::Tlsa, &[]);
        },
    ),
    plant("dane.match", "IN TLSA 3 1 1 2a2a", |facts| {
        put(
            facts,
            "_25._tcp.mail.example.org",
            Kind::Tlsa,
            &["3 1 1 00ff"],
        );
    }),
    plant("dane.rollover", "Keep the key", |facts| {
        facts.tls.unannounced_key_change = Some(true)
    }),
    plant(
        "dane.unsigned",
        "Remove: _25._tcp.mail.example.org. TLSA",
        |facts| {
            facts.dns.put(
                HOST,
                Kind::A,
                Answer::Values {
                    values: vec![V4.to_owned()],
                    ttl: 3600,
                    secure: false,
                },
            );
        },
    ),
    plant("sts.txt", "v=STSv1; id=20261121", |facts| {
        put(facts, "_mta-sts.example.org", Kind::Txt, &[]);
    }),
    plant("sts.txt", "v=STSv1; id=20261121", |facts| {
        put(
            facts,
            "_mta-sts.example.org",
            Kind::Txt,
            &["v=STSv1; id=1", "v=STSv1; id=2"],
        );
    }),
    plant(
        "sts.https",
        "https://mta-sts.example.org/.well-known/mta-sts.txt",
        |facts| {
            sts(facts).fault = Some("404".to_owned());
        },
    ),
    plant(
        "sts.mx.match",
        "Let this server serve the policy",
        |facts| {
            sts(facts).mx = vec!["old.example.org".to_owned()];
        },
    ),
    plant("sts.mode", "enforce", |facts| {
        sts(facts).mode = "testing".to_owned();
        sts(facts).in_testing_since = Some(NOW - 40 * DAY);
    }),
    plant("sts.maxage", "604800", |facts| sts(facts).max_age = 3600),
    plant("sts.id.changed", "v=STSv1; id=20261121", |facts| {
        sts(facts).id_stale = true
    }),
    plant(
        "tlsrpt.txt",
        "v=TLSRPTv1; rua=mailto:tls-reports@example.org",
        |facts| {
            put(facts, "_smtp._tls.example.org", Kind::Txt, &[]);
        },
    ),
    plant("tlsrpt.inbox", "postroad dns show", |facts| {
        facts.tls.tls_report_address_works = Some(false);
    }),
];

#[test]
fn faults_of_tls() {
    expect_just_that(TLS);
}

const SPF: &[Plant] = &[
    plant(
        "spf.exists",
        "example.org. 3600 IN TXT \"v=spf1 mx -all\"",
        |facts| {
            put(facts, DOMAIN, Kind::Txt, &["google-site-verification=x"]);
        },
    ),
    plant(
        "spf.single",
        "v=spf1 mx include:_spf.list.example ~all",
        |facts| {
            put(
                facts,
                DOMAIN,
                Kind::Txt,
                &["v=spf1 mx -all", "v=spf1 include:_spf.list.example ~all"],
            );
        },
    ),
    plant("spf.covers_ip", "ip4:192.0.2.25", |facts| {
        sender(facts).spf = Some(vec![(ip(V4), SpfResult::Other)]);
    }),
    plant(
        "spf.helo",
        "mail.example.org. 3600 IN TXT \"v=spf1 a -all\"",
        |facts| {
            put(facts, HOST, Kind::Txt, &[]);
        },
    ),
    plant("spf.lookups", "no longer use", |facts| {
        sender(facts).spf_lookups = Some(14)
    }),
    plant("spf.void", "no longer exist", |facts| {
        sender(facts).spf_void = Some(3)
    }),
    plant("spf.syntax", "v=spf1 mx -all", |facts| {
        put(facts, DOMAIN, Kind::Txt, &["v=spf1 mx ipv4:192.0.2.1 -all"]);
    }),
    plant("spf.syntax", "v=spf1 mx -all", |facts| {
        put(facts, DOMAIN, Kind::Txt, &["v=spf1 mx +all"]);
    }),
    plant("spf.syntax", "v=spf1 mx -all", |facts| {
        put(facts, DOMAIN, Kind::Txt, &["v=spf1 -all mx"]);
    }),
    plant("spf.syntax", "v=spf1 mx -all", |facts| {
        put(facts, DOMAIN, Kind::Txt, &["v=spf1 mx ptr -all"]);
    }),
    plant("spf.too_wide", "v=spf1 mx -all", |facts| {
        put(facts, DOMAIN, Kind::Txt, &["v=spf1 mx ip4:10.0.0.0/8 -all"]);
    }),
    plant("spf.qualifier", "v=spf1 mx -all", |facts| {
        put(facts, DOMAIN, Kind::Txt, &["v=spf1 mx ?all"]);
    }),
    plant("spf.includes.alive", "include:gone.example", |facts| {
        sender(facts).spf_dead_includes = Some(vec!["gone.example".to_owned()]);
    }),
    plant("spf.envelope", "return path", |facts| {
        sender(facts).envelope_aligned = Some(false)
    }),
];

#[test]
fn faults_of_spf() {
    expect_just_that(SPF);
}

const DKIM: &[Plant] = &[
    plant(
        "dkim.exists",
        "pr2611r._domainkey.example.org. 3600 IN TXT \"v=DKIM1; k=rsa; p=AAAA",
        |facts| {
            put(facts, SELECTOR, Kind::Txt, &[]);
        },
    ),
    plant("dkim.match", "p=AAAA", |facts| {
        let other = format!("v=DKIM1; k=rsa; p={}", "B".repeat(392));
        put(facts, SELECTOR, Kind::Txt, &[&other]);
    }),
    plant("dkim.parse", "p=AAAA", |facts| {
        put(
            facts,
            SELECTOR,
            Kind::Txt,
            &["v=DKIM1; k=rsa; p=\"AAAA\" \"AAAA\""],
        );
    }),
    plant("dkim.parse", "p=AAAA", |facts| {
        put(facts, SELECTOR, Kind::Txt, &["v=DKIM1; k=rsa; p="]);
    }),
    plant("dkim.testing", "p=AAAA", |facts| {
        let marked = format!("v=DKIM1; k=rsa; t=y; p={}", "A".repeat(392));
        put(facts, SELECTOR, Kind::Txt, &[&marked]);
    }),
    plant("dkim.bits", "postroad dkim rotate example.org", |facts| {
        let short = format!("v=DKIM1; k=rsa; p={}", "A".repeat(216));
        put(facts, SELECTOR, Kind::Txt, &[&short]);
        facts.domains[0].dkim[0].record = short;
    }),
    plant("dkim.self_verify", "changes messages", |facts| {
        sender(facts).dkim_self_verify = Some(false);
    }),
    plant("dkim.align", "postroad dkim rotate example.org", |facts| {
        sender(facts).dkim_aligned = Some(false);
    }),
    plant("dkim.headers", "default list", |facts| {
        facts.settings.header_default = Some(false)
    }),
    plant("dkim.age", "postroad dkim rotate example.org", |facts| {
        sender(facts).key_created = Some(NOW - 500 * DAY);
    }),
    plant(
        "dkim.revoke",
        "Remove: old._domainkey.example.org. TXT",
        |facts| {
            sender(facts).unrevoked = Some(vec!["old".to_owned()]);
        },
    ),
    plant("dkim.wait", "once all name servers have it", |facts| {
        facts.domains[0].dkim.push(DkimFact {
            selector: "next".to_owned(),
            record: "v=DKIM1; p=AA".to_owned(),
            stage: DkimStage::Coming,
        });
        let zone = facts.zones.get_mut(DOMAIN).unwrap();
        zone.nameservers.as_mut().unwrap()[1].has_coming_key = Some(false);
    }),
];

#[test]
fn faults_of_dkim() {
    expect_just_that(DKIM);
}

const DMARC_NAME: &str = "_dmarc.example.org";

fn dmarc(facts: &mut Facts, record: &str) {
    put(facts, DMARC_NAME, Kind::Txt, &[record]);
}

const DMARC: &[Plant] = &[
    plant(
        "dmarc.exists",
        "\"v=DMARC1; p=none; np=reject; rua=mailto:dmarc-reports@example.org",
        |facts| {
            put(facts, DMARC_NAME, Kind::Txt, &[]);
        },
    ),
    plant("dmarc.single", "v=DMARC1; p=none; np=reject", |facts| {
        let good = wished(DMARC_NAME, Kind::Txt);
        put(facts, DMARC_NAME, Kind::Txt, &[&good, "v=DMARC1; p=reject"]);
    }),
    plant("dmarc.single", "v=DMARC1; p=none; np=reject", |facts| {
        dmarc(facts, "v=DMARC1; p=rejekt; rua=mailto:a@example.org");
    }),
    plant("dmarc.policy", "p=quarantine", |facts| {
        sender(facts).policy_since = Some(NOW - 60 * DAY);
    }),
    plant("dmarc.sp_np", "np=reject", |facts| {
        dmarc(
            facts,
            "v=DMARC1; p=none; rua=mailto:dmarc-reports@example.org",
        );
    }),
    plant("dmarc.sp_np", "np=reject", |facts| {
        dmarc(
            facts,
            "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc-reports@example.org",
        );
    }),
    plant(
        "dmarc.removed_tags",
        "\"v=DMARC1; p=none; np=reject; rua=mailto:dmarc-reports@example.org\"",
        |facts| {
            dmarc(
                facts,
                "v=DMARC1; p=none; pct=50; np=reject; rua=mailto:dmarc-reports@example.org",
            );
        },
    ),
    plant(
        "dmarc.t",
        "\"v=DMARC1; p=quarantine; np=reject; rua",
        |facts| {
            dmarc(
                facts,
                "v=DMARC1; p=quarantine; t=y; np=reject; rua=mailto:dmarc-reports@example.org",
            );
            sender(facts).testing_since = Some(NOW - 50 * DAY);
        },
    ),
    plant(
        "dmarc.rua",
        "rua=mailto:dmarc-reports@example.org",
        |facts| {
            dmarc(facts, "v=DMARC1; p=none; np=reject");
        },
    ),
    plant(
        "dmarc.rua",
        "dmarc-reports@example.org takes mail",
        |facts| {
            sender(facts).last_report = Some(NOW - 20 * DAY);
        },
    ),
    plant(
        "dmarc.rua.external",
        "example.org._report._dmarc.reports.example. 3600 IN TXT \"v=DMARC1\"",
        |facts| {
            dmarc(
                facts,
                "v=DMARC1; p=none; np=reject; rua=mailto:x@reports.example",
            );
            put(
                facts,
                "example.org._report._dmarc.reports.example",
                Kind::Txt,
                &[],
            );
        },
    ),
    plant(
        "dmarc.rua.mx",
        "mailto:dmarc-reports@example.org",
        |facts| {
            dmarc(
                facts,
                "v=DMARC1; p=none; np=reject; rua=mailto:x@silent.example.org",
            );
            put(facts, "silent.example.org", Kind::Mx, &[]);
        },
    ),
    plant(
        "dmarc.align_mode",
        "\"v=DMARC1; p=none; np=reject; rua",
        |facts| {
            dmarc(
                facts,
                "v=DMARC1; p=none; adkim=s; np=reject; rua=mailto:dmarc-reports@example.org",
            );
        },
    ),
    plant(
        "dmarc.pass_rate",
        "postroad report dmarc example.org",
        |facts| {
            sender(facts).pass_rate = Some(0.9);
        },
    ),
    plant("dmarc.unknown_source", "postroad dkim rotate", |facts| {
        sender(facts).unknown_sources = Some(vec![ip("198.51.100.7")]);
    }),
    plant("arc.seal", "auth check", |facts| {
        sender(facts).seal_works = Some(false)
    }),
    plant("srs.works", "SRS", |facts| {
        sender(facts).srs_works = Some(false)
    }),
];

#[test]
fn faults_of_dmarc() {
    expect_just_that(DMARC);
}
