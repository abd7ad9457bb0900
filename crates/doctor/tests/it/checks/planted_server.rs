//! Faults of the dialogue, reputation, client set-up and the machine, planted one by one.

use doctor::Kind;
use doctor::checks::{ClientFacts, Facts, Listed, PortFacts, StoppedFacts};

use super::world::{DAY, DOMAIN, NOW, Plant, expect_just_that, plant, put};

const SMTP: &[Plant] = &[
    plant("smtp.banner", "hostname = \"mail.example.org\"", |facts| {
        facts.smtp.banner = Some("220 localhost ESMTP".to_owned());
    }),
    plant("smtp.banner", "delay", |facts| {
        facts.smtp.banner_millis = Some(9000)
    }),
    plant("smtp.transaction_time", "look-up", |facts| {
        facts.smtp.dialogue_millis = Some(9000)
    }),
    plant(
        "smtp.ehlo.out",
        "hostname = \"mail.example.org\"",
        |facts| {
            facts.settings.ehlo = Some("other.example.org".to_owned());
        },
    ),
    plant(
        "smtp.ehlo.literal",
        "hostname = \"mail.example.org\"",
        |facts| {
            facts.settings.ehlo = Some("[192.0.2.25]".to_owned());
        },
    ),
    plant("smtp.relay.open", "Close it at once", |facts| {
        facts.smtp.open_relay = Some(vec!["user%other@ours".to_owned()]);
    }),
    plant("smtp.auth.plain_tls", "Demand TLS", |facts| {
        facts.smtp.no_auth_before_tls = Some(false)
    }),
    plant("smtp.auth.port25", "465", |facts| {
        facts.smtp.no_auth_on_25 = Some(false)
    }),
    plant("smtp.unknown.reject", "catch-all", |facts| {
        facts.smtp.refuses_unknown = Some(false)
    }),
    plant("smtp.backscatter", "in the dialogue", |facts| {
        facts.smtp.no_backscatter = Some(false)
    }),
    plant("smtp.null_sender", "empty sender", |facts| {
        facts.smtp.takes_null_sender = Some(false)
    }),
    plant(
        "smtp.postmaster",
        "postroad alias add abuse@example.org",
        |facts| {
            facts.smtp.missing_roles = Some(vec!["abuse@example.org".to_owned()]);
        },
    ),
    plant("smtp.size", "message_bytes", |facts| {
        facts.smtp.size = Some(10_000_000)
    }),
    plant("smtp.extensions", "firewall", |facts| {
        facts.smtp.missing_extensions = Some(vec!["PIPELINING".to_owned()]);
    }),
    plant("smtp.smuggling", "Update", |facts| {
        facts.smtp.refuses_smuggling = Some(false)
    }),
    plant("smtp.vrfy", "VRFY", |facts| {
        facts.smtp.vrfy_silent = Some(false)
    }),
    plant("smtp.helo.strict", "Loosen", |facts| {
        facts.smtp.refused_providers = Some(vec!["Gmail".to_owned()]);
    }),
    plant("smtp.loop", "50", |facts| {
        facts.settings.hop_limit = Some(1000)
    }),
    plant("smtp.one_domain_tx", "by domain", |facts| {
        facts.settings.one_domain_per_transaction = Some(false);
    }),
    plant("smtp.dsn.format", "Update", |facts| {
        facts.smtp.dsn_ok = Some(false)
    }),
    plant("smtp.autoresponse", "vacation", |facts| {
        facts.smtp.autoresponse_ok = Some(false)
    }),
    plant("smtp.crlf.norm", "before signing", |facts| {
        facts.smtp.outgoing_normalised = Some(false)
    }),
];

#[test]
fn faults_of_the_dialogue() {
    expect_just_that(SMTP);
}

fn list(facts: &mut Facts, at: usize, answer: Listed) {
    facts.reputation.listings.as_mut().unwrap()[at].answer = answer;
}

const REPUTATION: &[Plant] = &[
    plant(
        "rep.ip.high",
        "https://removal.example/zen.spamhaus.org",
        |facts| list(facts, 0, Listed::Yes),
    ),
    plant("rep.ip.medium", "https://removal.example/psbl", |facts| {
        list(facts, 1, Listed::Yes)
    }),
    plant("rep.ip.low", "Never pay", |facts| {
        list(facts, 2, Listed::Yes)
    }),
    plant("rep.domain", "https://removal.example/dbl", |facts| {
        list(facts, 3, Listed::Yes)
    }),
    plant("rep.domain.fresh", "Wait", |facts| {
        list(facts, 4, Listed::Yes)
    }),
    plant("rep.list.selftest", "Nothing to do", |facts| {
        list(facts, 0, Listed::Broken)
    }),
    plant("rep.whitelist", "dnswl.org", |facts| {
        facts.reputation.allow_listed = Some(false)
    }),
    plant("rep.web.manual", "ipcheck.proofpoint.com", |facts| {
        facts.reputation.manual_lookups_at = Some(NOW - 60 * DAY);
    }),
    plant("rep.safe_browsing", "review", |facts| {
        facts.reputation.safe_browsing_clean = Some(false)
    }),
    plant("rep.incident.open", "Send the form", |facts| {
        facts.reputation.providers[0].incident =
            Some(("blocks our address".to_owned(), "Send the form.".to_owned()));
        facts.reputation.providers[0].takes_connection = Some(false);
    }),
    plant("rep.defer_ratio", "postroad delivery \"Gmail\"", |facts| {
        facts.reputation.providers[0].deferred = 100;
    }),
    plant("rep.bounce_ratio", "wrong addresses", |facts| {
        facts.reputation.bounce_share = Some((0.03, 400));
    }),
    plant("rep.complaints", "one click", |facts| {
        facts.reputation.complaint_share = Some((0.004, 4000));
    }),
    plant("rep.gmail.volume", "until tomorrow", |facts| {
        facts
            .reputation
            .gmail_day
            .as_mut()
            .unwrap()
            .insert(DOMAIN.to_owned(), 3500);
    }),
    plant("rep.snds.clock", "renew it", |facts| {
        facts.reputation.snds_link_since = Some(NOW - 29 * DAY);
    }),
    plant("rep.tonline", "tobr@rx.t-online.de", |facts| {
        facts.reputation.providers[1].takes_connection = Some(false);
    }),
    plant("rep.imprint", "name, address, mail and phone", |facts| {
        facts.reputation.imprint_reachable = Some(false);
    }),
    plant("rep.probe.banner", "postroad delivery \"Gmail\"", |facts| {
        facts.reputation.providers[0].takes_connection = Some(false);
    }),
    plant("rep.placement", "--message", |facts| {
        facts.reputation.providers[0].placed_in_spam = Some(vec![true, true]);
    }),
    plant("rep.relay.ready", "postroad relay add", |facts| {
        facts.settings.relay_ready = Some(false)
    }),
    plant("rep.snapshot", "elsewhere", |facts| {
        facts.reputation.alerts_outside = Some(false)
    }),
];

#[test]
fn faults_of_reputation() {
    expect_just_that(REPUTATION);
}

fn client(facts: &mut Facts) -> &mut ClientFacts {
    facts.clients.get_mut(DOMAIN).unwrap()
}

const CLIENTS: &[Plant] = &[
    plant(
        "ac.srv.submissions",
        "SRV 0 1 465 mail.example.org.",
        |facts| {
            put(facts, "_submissions._tcp.example.org", Kind::Srv, &[]);
        },
    ),
    plant("ac.srv.imaps", "SRV 0 1 993 mail.example.org.", |facts| {
        put(
            facts,
            "_imaps._tcp.example.org",
            Kind::Srv,
            &["0 1 993 old.example.org."],
        );
    }),
    plant("ac.srv.pop3", "SRV 10 1 995 mail.example.org.", |facts| {
        put(facts, "_pop3s._tcp.example.org", Kind::Srv, &[]);
    }),
    plant("ac.srv.submission", "SRV 0 0 0 .", |facts| {
        put(
            facts,
            "_submission._tcp.example.org",
            Kind::Srv,
            &["0 1 587 mail.example.org"],
        );
    }),
    plant("ac.srv.imap", "SRV 0 0 0 .", |facts| {
        put(
            facts,
            "_imap._tcp.example.org",
            Kind::Srv,
            &["0 1 143 mail.example.org"],
        );
    }),
    plant(
        "ac.mozilla",
        "autoconfig.example.org. 3600 IN CNAME mail.example.org.",
        |facts| {
            client(facts).autoconfig = Some(Err("no such host".to_owned()));
        },
    ),
    plant(
        "ac.ms",
        "autodiscover.example.org. 3600 IN CNAME mail.example.org.",
        |facts| {
            client(facts).autodiscover = Some(Err("certificate".to_owned()));
        },
    ),
    plant("ac.apple", "https://mail.example.org/", |facts| {
        client(facts).apple_profile = Some(Err("404".to_owned()));
    }),
    plant("ac.login", "account settings", |facts| {
        client(facts).login = Some(Err("password refused".to_owned()));
    }),
    plant("ac.old", "autodiscover.example.org", |facts| {
        client(facts).old_records = Some(vec![(
            "autodiscover.example.org".to_owned(),
            "autodiscover.outlook.com".to_owned(),
        )]);
    }),
];

#[test]
fn faults_of_client_setup() {
    expect_just_that(CLIENTS);
}

const HEALTH: &[Plant] = &[
    plant("sys.disk", "larger", |facts| {
        facts.health.disks.as_mut().unwrap()[0].1 = 0.1
    }),
    plant("sys.disk.growth", "larger", |facts| {
        facts.health.disk_full_in_days = Some(5)
    }),
    plant("sys.mem", "memory", |facts| {
        facts.health.memory_free = Some(0.05)
    }),
    plant("sys.load", "oom", |facts| {
        facts.health.killed_for_memory = Some(true)
    }),
    plant("sys.clock", "timedatectl set-ntp true", |facts| {
        facts.health.clock_off_millis = Some(90_000);
    }),
    plant("sys.services", "systemctl restart postroad", |facts| {
        facts.health.silent_services = Some(vec!["imaps".to_owned()]);
    }),
    plant("sys.restart.loop", "journalctl", |facts| {
        facts.health.restarts_last_hour = Some(9)
    }),
    plant("sys.queue.size", "postroad queue list", |facts| {
        facts.health.post.queued = Some(900)
    }),
    plant("sys.queue.age", "postroad delivery", |facts| {
        facts.health.post.oldest = Some((NOW - 2 * DAY, "451 no".to_owned()));
    }),
    plant(
        "sys.queue.account",
        "account lock ada@example.org",
        |facts| {
            facts.health.post.biggest_owner = Some(("ada@example.org".to_owned(), 0.9));
            facts.health.post.queued = Some(60);
            facts.health.post.usual_queued = Some(40);
        },
    ),
    plant(
        "sys.sending.stopped",
        "postroad account sending ada@example.org",
        |facts| {
            facts.health.stopped = Some(vec![StoppedFacts {
                account: "ada@example.org".to_owned(),
                locked: true,
                since: NOW - DAY,
            }]);
        },
    ),
    plant("sys.quarantine", "postroad quarantine list", |facts| {
        facts.health.held = Some((2, NOW - DAY));
    }),
    plant("sys.delivery.canary", "delivery trace", |facts| {
        facts.health.post.canary_ok = Some(false)
    }),
    plant("sys.inbound.quiet", "port 25", |facts| {
        facts.health.post.last_inbound = Some(NOW - 2 * DAY);
    }),
    plant("sys.filter", "[filters]", |facts| {
        facts.health.filters.as_mut().unwrap()[0].problem = Some("connection refused".to_owned());
    }),
    plant("sys.firewall", "CAP_NET_ADMIN", |facts| {
        facts.health.firewall = Some(Some("nft has gone (broken pipe)".to_owned()));
    }),
    plant("sys.resolver", "DNSSEC", |facts| {
        facts.resolver.validates = Some(false)
    }),
    plant("sys.resolver", "network", |facts| {
        facts.resolver.millis = Some(2000)
    }),
    plant("sys.acme", "tried again", |facts| {
        facts.health.acme_last_error = Some(Some("rate limited".to_owned()));
    }),
    plant("sys.backup.age", "Make a backup now", |facts| {
        facts.health.backup.last_good = Some(NOW - 3 * DAY);
    }),
    plant("sys.backup.offsite", "elsewhere", |facts| {
        facts.health.backup.offsite = Some(false)
    }),
    plant("sys.backup.restore", "scratch folder", |facts| {
        facts.health.backup.restore_tested = Some(NOW - 200 * DAY);
    }),
    plant("sys.backup.keys", "key file", |facts| {
        facts.health.backup.holds_keys = Some(false)
    }),
    plant("sys.update.self", "Install", |facts| {
        facts.health.newer_version = Some(Some(("9.9".to_owned(), true)));
    }),
    plant("sys.update.os", "apt upgrade", |facts| {
        facts.health.os_updates = Some(true)
    }),
    plant("sys.update.os", "reboot", |facts| {
        facts.health.reboot_needed = Some(true)
    }),
    plant("sys.fail2ban", "guard", |facts| {
        facts.health.login_guard = Some(false)
    }),
    plant("sys.auth.bruteforce", "account list", |facts| {
        facts.health.failed_logins_times_usual = Some(50.0);
    }),
    plant("sys.dmarc.import", "journalctl", |facts| {
        facts.health.report_faults = Some(2)
    }),
    plant("sys.notify", "test alarm", |facts| {
        facts.health.alert_tested = Some(NOW - 90 * DAY);
    }),
    plant("sys.notify", "ntfy", |facts| {
        facts.settings.operator_alert = Some(false)
    }),
    plant(
        "sys.admin.2fa",
        "second factor for ada@example.org",
        |facts| {
            facts.health.admins_without_second_factor = Some(vec!["ada@example.org".to_owned()]);
        },
    ),
    plant("sys.file.perms", "chmod 600 /etc/postroad/key", |facts| {
        facts.health.readable_secrets = Some(vec!["/etc/postroad/key".to_owned()]);
    }),
    plant("sys.db.integrity", "restore", |facts| {
        facts.health.store_sound = Some(false)
    }),
];

#[test]
fn faults_of_the_machine() {
    expect_just_that(HEALTH);
}

#[test]
fn a_port_that_is_offered_may_be_named() {
    let mut facts = super::world::correct();
    facts.ports.insert(
        587,
        PortFacts {
            wanted: true,
            reachable_v4: Some(true),
            reachable_v6: Some(true),
            ..PortFacts::default()
        },
    );
    put(
        &mut facts,
        "_submission._tcp.example.org",
        Kind::Srv,
        &["0 1 587 mail.example.org"],
    );
    assert!(doctor::checks::examine(&facts).is_empty());
}
