//! A world in which everything is as it should be, everything observed; and faults planted in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use doctor::checks::{
    AcmeWay, AddressFacts, Answer, Certificate, Change, ClientFacts, Facts, FilterFacts, Listed,
    ListingFacts, Nameserver, PortFacts, ProviderFacts, Registration, SenderFacts, SpfResult,
    StsFacts, Weight, ZoneFacts, examine,
};
use doctor::records::{self, DkimStage, reverse_name};
use doctor::{
    DkimFact, DomainFacts, Kind, MtaStsFact, ReportAddresses, Sending, Services, for_domain,
};

pub const NOW: u64 = 1_795_000_000;
pub const DAY: u64 = 86_400;
pub const DOMAIN: &str = "example.org";
pub const HOST: &str = "mail.example.org";
pub const V4: &str = "192.0.2.25";
pub const V6: &str = "2001:db8::25";
pub const SELECTOR: &str = "pr2611r._domainkey.example.org";

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The records of a name, validated, with the usual TTL.
pub fn put(facts: &mut Facts, name: &str, kind: Kind, values: &[&str]) {
    let answer = if values.is_empty() {
        Answer::Empty { secure: true }
    } else {
        Answer::Values {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            ttl: 3600,
            secure: true,
        }
    };
    facts.dns.put(name, kind, answer);
}

fn domain() -> DomainFacts {
    DomainFacts {
        domain: DOMAIN.to_owned(),
        host: HOST.to_owned(),
        addresses: vec![ip(V4), ip(V6)],
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
            pop3s: Some(995),
        },
        mta_sts: Some(MtaStsFact {
            id: "20261121".to_owned(),
            mode: "enforce",
        }),
        certificate_keys: vec![[0x2a; 32]],
        authority: None,
    }
}

/// The correct world.
pub fn correct() -> Facts {
    let mut facts = Facts {
        now: NOW,
        host: HOST.to_owned(),
        domains: vec![domain()],
        parked: vec!["parked.example".to_owned()],
        sending_names: vec!["news.example.org".to_owned()],
        srs_domain: Some("srs.example.org".to_owned()),
        ..Facts::default()
    };
    names(&mut facts);
    zone(&mut facts);
    addresses(&mut facts);
    settings(&mut facts);
    tls(&mut facts);
    smtp(&mut facts);
    sender(&mut facts);
    reputation(&mut facts);
    health(&mut facts);
    facts
}

fn names(facts: &mut Facts) {
    let mut wishes: BTreeMap<(String, Kind), Vec<String>> = BTreeMap::new();
    for wish in for_domain(&facts.domains[0]) {
        wishes
            .entry((wish.name, wish.kind))
            .or_default()
            .push(wish.value);
    }
    for ((name, kind), values) in wishes {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        put(facts, &name, kind, &values);
    }
    for name in [DOMAIN, "news.example.org"] {
        put(
            facts,
            name,
            Kind::Soa,
            &["ns1.example.net hostmaster.example.org 7 7200 3600 1209600 3600"],
        );
    }
    put(facts, DOMAIN, Kind::Caa, &["0 issue \"letsencrypt.org\""]);
    put(facts, HOST, Kind::Cname, &[]);
    for name in ["_submission._tcp.example.org", "_imap._tcp.example.org"] {
        put(facts, name, Kind::Srv, &["0 0 0 ."]);
    }
    for name in ["news.example.org", "srs.example.org"] {
        put(facts, name, Kind::Mx, &["10 mail.example.org."]);
        put(facts, name, Kind::Txt, &["v=spf1 a:mail.example.org -all"]);
    }
    put(facts, "news.example.org", Kind::A, &[]);
    put(facts, "parked.example", Kind::Mx, &["0 ."]);
    put(facts, "parked.example", Kind::Txt, &["v=spf1 -all"]);
    put(
        facts,
        "_dmarc.parked.example",
        Kind::Txt,
        &["v=DMARC1; p=reject; sp=reject; np=reject"],
    );
    put(
        facts,
        "*._domainkey.parked.example",
        Kind::Txt,
        &["v=DKIM1; p="],
    );
}

pub fn nameserver(name: &str, address: &str) -> Nameserver {
    Nameserver {
        name: name.to_owned(),
        addresses: vec![ip(address)],
        serial: Some(7),
        mx: Some(vec!["10 mail.example.org".to_owned()]),
        answers_tcp: Some(true),
        has_coming_key: Some(true),
    }
}

fn zone(facts: &mut Facts) {
    let servers = vec!["ns1.example.net".to_owned(), "ns2.example.net".to_owned()];
    facts.zones.insert(
        DOMAIN.to_owned(),
        ZoneFacts {
            nameservers: Some(vec![
                nameserver("ns1.example.net", "198.51.100.1"),
                nameserver("ns2.example.net", "203.0.113.1"),
            ]),
            parent_ns: Some(servers.clone()),
            own_ns: Some(servers),
            wrong_glue: Some(Vec::new()),
            signature_ends: Some(NOW + 14 * DAY),
            wildcard: Some(false),
            stale_resolvers: Some(Vec::new()),
        },
    );
    facts.registrations.insert(
        DOMAIN.to_owned(),
        Registration {
            created: Some(NOW - 900 * DAY),
            expires: Some(NOW + 200 * DAY),
            transfer_locked: Some(true),
        },
    );
    facts.resolver.is_own = Some(true);
    facts.resolver.validates = Some(true);
    facts.resolver.millis = Some(20);
    facts.resolver.host_is_loopback = Some(false);
}

fn addresses(facts: &mut Facts) {
    facts.addresses = [V4, V6]
        .iter()
        .map(|text| AddressFacts {
            port25_out: Some(true),
            smtp_untouched: Some(true),
            seen_outside: Some(ip(text)),
            at_setup: Some(ip(text)),
            dynamic: Some(false),
            own_64: Some(true),
            network: Some("hosting".to_owned()),
            bad_neighbours: Some(false),
            has_abuse_contact: Some(true),
            route_signed: Some(true),
            ..AddressFacts::new(ip(text))
        })
        .collect();
    for port in [25, 80, 443, 465, 993, 995] {
        facts.ports.insert(
            port,
            PortFacts {
                reachable_v4: Some(true),
                reachable_v6: Some(true),
                wanted: true,
                login_in_clear: Some(false),
                recursive: None,
            },
        );
    }
}

fn settings(facts: &mut Facts) {
    let settings = &mut facts.settings;
    settings.ehlo = Some(HOST.to_owned());
    settings.sends_ipv6 = Some(true);
    settings.acme = Some(AcmeWay::Http01);
    settings.relay_ready = Some(true);
    settings.one_domain_per_transaction = Some(true);
    settings.hop_limit = Some(50);
    settings.ca = Some("letsencrypt.org".to_owned());
    settings.operator_alert = Some(true);
    settings.tls_required_for_big = Some(true);
    settings.ssh_password = Some(false);
    settings.header_default = Some(true);
}

fn tls(facts: &mut Facts) {
    let tls = &mut facts.tls;
    tls.starttls_25 = Some(true);
    tls.certificate = Some(Certificate {
        names: [
            HOST,
            "mta-sts.example.org",
            "autoconfig.example.org",
            "autodiscover.example.org",
        ]
        .map(str::to_owned)
        .to_vec(),
        not_after: NOW + 60 * DAY,
        trusted: true,
        key: "ecdsa".to_owned(),
        bits: 256,
        key_hash: [0x2a; 32],
        weak_signature: false,
    });
    tls.other_certificate = Some(Vec::new());
    tls.versions = Some(vec!["1.2".to_owned(), "1.3".to_owned()]);
    tls.weak_ciphers = Some(Vec::new());
    tls.insecure_renegotiation = Some(false);
    tls.early_data = Some(false);
    tls.extended_master_secret = Some(true);
    tls.injection = Some(false);
    tls.outbound_share = Some(1.0);
    tls.requiretls = Some(true);
    tls.unannounced_key_change = Some(false);
    tls.tls_report_address_works = Some(true);
    tls.sts.insert(
        DOMAIN.to_owned(),
        StsFacts {
            fault: None,
            mode: "enforce".to_owned(),
            mx: vec![HOST.to_owned()],
            max_age: 604_800,
            in_testing_since: None,
            id_stale: false,
        },
    );
    facts.clients.insert(
        DOMAIN.to_owned(),
        ClientFacts {
            autoconfig: Some(Ok(())),
            autodiscover: Some(Ok(())),
            apple_profile: Some(Ok(())),
            login: Some(Ok(())),
            old_records: Some(Vec::new()),
        },
    );
}

fn smtp(facts: &mut Facts) {
    let smtp = &mut facts.smtp;
    smtp.banner = Some("220 mail.example.org ESMTP".to_owned());
    smtp.banner_millis = Some(50);
    smtp.dialogue_millis = Some(300);
    smtp.open_relay = Some(Vec::new());
    for good in [
        &mut smtp.no_auth_before_tls,
        &mut smtp.no_auth_on_25,
        &mut smtp.refuses_unknown,
        &mut smtp.no_backscatter,
        &mut smtp.takes_null_sender,
        &mut smtp.refuses_smuggling,
        &mut smtp.vrfy_silent,
        &mut smtp.dsn_ok,
        &mut smtp.autoresponse_ok,
        &mut smtp.outgoing_normalised,
    ] {
        *good = Some(true);
    }
    smtp.missing_roles = Some(Vec::new());
    smtp.size = Some(50_000_000);
    smtp.missing_extensions = Some(Vec::new());
    smtp.refused_providers = Some(Vec::new());
}

fn sender(facts: &mut Facts) {
    facts.senders.insert(
        DOMAIN.to_owned(),
        SenderFacts {
            spf: Some(vec![(ip(V4), SpfResult::Pass), (ip(V6), SpfResult::Pass)]),
            spf_lookups: Some(1),
            spf_void: Some(0),
            spf_dead_includes: Some(Vec::new()),
            dkim_self_verify: Some(true),
            dkim_aligned: Some(true),
            key_created: Some(NOW - 30 * DAY),
            unrevoked: Some(Vec::new()),
            policy_since: Some(NOW - 10 * DAY),
            testing_since: None,
            last_report: Some(NOW - DAY),
            sends_mail: Some(true),
            pass_rate: Some(1.0),
            unknown_sources: Some(Vec::new()),
            envelope_aligned: Some(true),
            srs_works: Some(true),
            seal_works: Some(true),
        },
    );
}

pub fn listing(list: &str, subject: &str, weight: Weight, is_domain: bool) -> ListingFacts {
    ListingFacts {
        list: list.to_owned(),
        subject: subject.to_owned(),
        is_domain,
        is_fresh_list: list.starts_with("fresh"),
        weight,
        answer: Listed::No,
        removal: format!("https://removal.example/{list}"),
    }
}

fn reputation(facts: &mut Facts) {
    let reputation = &mut facts.reputation;
    reputation.listings = Some(vec![
        listing("zen.spamhaus.org", V4, Weight::High, false),
        listing("psbl.surriel.com", V4, Weight::Medium, false),
        listing("dnsbl-3.uceprotect.net", V4, Weight::Low, false),
        listing("dbl.spamhaus.org", DOMAIN, Weight::High, true),
        listing("fresh15.spameatingmonkey.net", DOMAIN, Weight::Medium, true),
    ]);
    reputation.providers = ["Gmail", "T-Online (Telekom)"]
        .map(|name| ProviderFacts {
            name: name.to_owned(),
            delivered: 200,
            deferred: 2,
            refused: 1,
            usual_deferred_share: Some(0.02),
            incident: None,
            takes_connection: Some(true),
            placed_in_spam: Some(vec![false, false, true]),
        })
        .to_vec();
    reputation.gmail_day = Some(BTreeMap::from([(DOMAIN.to_owned(), 12)]));
    reputation.bounce_share = Some((0.005, 400));
    reputation.complaint_share = Some((0.0, 400));
    reputation.allow_listed = Some(true);
    reputation.snds_link_since = Some(NOW - 5 * DAY);
    reputation.snds_access_since = Some(NOW - 50 * DAY);
    reputation.imprint_reachable = Some(true);
    reputation.safe_browsing_clean = Some(true);
    reputation.manual_lookups_at = Some(NOW - 3 * DAY);
    reputation.alerts_outside = Some(true);
}

fn health(facts: &mut Facts) {
    let health = &mut facts.health;
    health.disks = Some(vec![("/var/lib/postroad".to_owned(), 0.6)]);
    health.disk_full_in_days = Some(400);
    health.memory_free = Some(0.5);
    health.killed_for_memory = Some(false);
    health.clock_off_millis = Some(20);
    health.silent_services = Some(Vec::new());
    health.restarts_last_hour = Some(0);
    health.filters = Some(vec![FilterFacts {
        name: "clamd".to_owned(),
        at: "unix:/run/clamav/clamd.ctl".to_owned(),
        problem: None,
        defers: true,
    }]);
    health.firewall = Some(None);
    health.acme_last_error = Some(None);
    health.newer_version = Some(None);
    health.os_updates = Some(false);
    health.reboot_needed = Some(false);
    health.login_guard = Some(true);
    health.own_address_banned = Some(false);
    health.failed_logins_times_usual = Some(1.0);
    health.report_faults = Some(0);
    health.alert_tested = Some(NOW - 3 * DAY);
    health.admins_without_second_factor = Some(Vec::new());
    health.readable_secrets = Some(Vec::new());
    health.store_sound = Some(true);
    health.backup.last_good = Some(NOW - 3600);
    health.backup.offsite = Some(true);
    health.backup.restore_tested = Some(NOW - 20 * DAY);
    health.backup.holds_keys = Some(true);
    health.post.queued = Some(3);
    health.post.usual_queued = Some(4);
    health.post.oldest = Some((NOW - 600, "451 4.7.1 later".to_owned()));
    health.post.biggest_owner = Some(("ada@example.org".to_owned(), 0.3));
    health.post.canary_ok = Some(true);
    health.stopped = Some(Vec::new());
    health.held = Some((0, NOW));
    health.post.last_inbound = Some(NOW - 600);
    health.post.usual_inbound_gap = Some(7200);
}

/// A fault, what must be found of it, and words that its remedy must hold.
pub struct Plant {
    pub id: &'static str,
    pub fix: &'static str,
    pub spoil: fn(&mut Facts),
}

pub const fn plant(id: &'static str, fix: &'static str, spoil: fn(&mut Facts)) -> Plant {
    Plant { id, fix, spoil }
}

/// Does what a remedy says, as far as it is records.
fn apply(facts: &mut Facts, changes: &[Change]) -> bool {
    let mut all = !changes.is_empty();
    for change in changes {
        match change {
            Change::Publish { name, kind, values } => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                put(facts, name, *kind, &values);
            }
            Change::Remove { name, kind } => put(facts, name, *kind, &[]),
            Change::Run { .. } => all = false,
        }
    }
    all
}

/// Plants each fault by itself: just that finding, with the right remedy; what a machine can do makes it go away.
pub fn expect_just_that(plants: &[Plant]) {
    let mut faults = Vec::new();
    let mut mended = 0;
    for plant in plants {
        let mut facts = correct();
        (plant.spoil)(&mut facts);
        let findings = examine(&facts);
        let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.id).collect();
        if ids != BTreeSet::from([plant.id]) {
            let seen: Vec<String> = findings
                .iter()
                .map(|finding| format!("{} ({}: {})", finding.id, finding.about, finding.seen))
                .collect();
            faults.push(format!("{}: found {seen:?}", plant.id));
            continue;
        }
        for finding in &findings {
            if !finding.fix.text.contains(plant.fix) {
                faults.push(format!(
                    "{}: the remedy is {:?}",
                    plant.id, finding.fix.text
                ));
            }
            if finding.seen.is_empty() || finding.about.is_empty() || finding.cost == 0 {
                faults.push(format!("{}: {finding:?}", plant.id));
            }
        }
        let mut can_mend = true;
        for finding in &findings {
            can_mend &= apply(&mut facts, &finding.fix.changes);
        }
        let left = examine(&facts);
        if can_mend && plant.id != "sts.https" && !plant.id.starts_with("ac.m") {
            mended += 1;
            if !left.is_empty() && !is_observed_again(plant.id) {
                faults.push(format!("{}: still there after mending: {left:?}", plant.id));
            }
        }
    }
    println!(
        "{} faults planted, {mended} mended by machine",
        plants.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Findings from an observation that the record alone does not renew (an evaluation, a fetch, a history).
fn is_observed_again(id: &str) -> bool {
    ["spf.covers_ip", "sts.id.changed", "dkim.revoke"].contains(&id)
}

/// The reverse name of one of our addresses.
pub fn reverse(text: &str) -> String {
    reverse_name(ip(text))
}

/// A record of the first domain as it should be.
pub fn wished(name: &str, kind: Kind) -> String {
    let wishes = records::for_domain(&domain());
    let wish = wishes
        .into_iter()
        .find(|wish| wish.name == name && wish.kind == kind);
    wish.unwrap().value
}
