//! Reports, both ways: a day passes, and the domains that asked for it are told what we saw; others tell us,
//! and the operator sees what they said.

use std::collections::BTreeMap;
use std::sync::Arc;

use mail::{Address, UnixMillis};
use mailauth::report::aggregate::{self, Disposition};
use mailauth::report::{compose, tls, unwrap};
use postroad::commands::{self, Context, Request, report};
use postroad::output::{Answer, Exit};
use serde_json::Value;
use simulator::{Host, HttpsHost, Internet, Page, Remote, Script, TlsOffer, days, hours, minutes};

use crate::authors::publish_domain;
use crate::{ANN, BOB, here, letter};

const RUA: &str = "rua@there.test";

/// A message with a From field, from a stranger's machine.
async fn arrives(internet: &Internet, host: &Host, from: &str, to: &str, message: &str) -> u16 {
    let mut stranger = internet.stranger(host.mx()).await;
    let reply = stranger.transact(from, &[to], message).await.unwrap();
    let _ = stranger.say("QUIT").await;
    reply.code
}

/// So many messages from one stranger's machine that claim to come from there.test.
async fn forged(internet: &Internet, host: &Host, count: usize) {
    let mut stranger = internet.stranger(host.mx()).await;
    for _ in 0..count {
        let message = format!("From: <x@there.test>\r\n{}", letter("forged"));
        let reply = stranger.transact("x@there.test", &[ANN], &message).await;
        assert_eq!(reply.unwrap().code, 250);
    }
    let _ = stranger.say("QUIT").await;
}

fn asks_for_reports(internet: &Internet, to: &str) {
    internet
        .domain("_dmarc.there.test")
        .txt(&format!("v=DMARC1; p=reject; t=y; rua={to}"));
}

fn reports(remote: &Remote) -> Vec<aggregate::Report> {
    let taken = remote.taken();
    let found = taken
        .iter()
        .flat_map(|taken| unwrap(&taken.message).attachments);
    found
        .map(|found| aggregate::parse(&found.bytes).expect("a report of ours can be read"))
        .collect()
}

#[test]
fn a_day_passes_and_the_owner_gets_its_report() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        publish_domain(&internet, &host, "here.test");
        let there = internet.remote_domain("there.test", Script::accept()).await;
        asks_for_reports(&internet, "mailto:rua@there.test");
        forged(&internet, &host, 3).await;
        // Other domains' mail is none of its business.
        let other = format!("From: <y@elsewhere.test>\r\n{}", letter("hello"));
        arrives(&internet, &host, "y@elsewhere.test", ANN, &other).await;
        internet.until(days(2), || there.taken_count() != 0).await;
        let taken = there.taken().remove(0);
        assert_eq!(taken.to(), [RUA]);
        assert_eq!(taken.from, "dmarc-reports@here.test");
        let text = taken.text();
        assert!(text.contains("From: dmarc-reports@here.test\r\n"), "{text}");
        let unfolded = text.replace("\r\n ", " ");
        assert!(
            unfolded.contains(
                "Subject: Report Domain: there.test Submitter: mx.here.test Report-ID: <"
            ),
            "{text}"
        );
        // It has to pass DMARC itself. RFC 9990 §3.5.2
        assert!(
            text.contains("DKIM-Signature: ") && text.contains("d=here.test"),
            "{text}"
        );
        let report = reports(&there).remove(0);
        assert_eq!(report.policy.domain, "there.test");
        assert_eq!(report.policy.p.as_deref(), Some("reject"));
        assert!(report.policy.testing);
        assert_eq!((report.rows.len(), report.messages()), (1, 3));
        let row = &report.rows[0];
        assert!(!row.passes());
        assert_eq!(row.header_from, "there.test");
        assert_ne!(
            row.disposition,
            Disposition::Reject,
            "t=y asks for one less"
        );
        assert_eq!(report.metadata.end - report.metadata.begin, 86_399);
        // No report without anything to tell, and none about reports.
        internet.pass(days(3)).await;
        assert_eq!(there.taken_count(), 1);
    });
}

#[test]
fn each_day_has_its_own_report_also_over_a_restart() {
    Internet::simulated(2, async |internet| {
        let mut host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        asks_for_reports(&internet, "mailto:rua@there.test");
        forged(&internet, &host, 1).await;
        internet.pass(days(1)).await;
        forged(&internet, &host, 2).await;
        host.start_again().await;
        internet.pass(days(2)).await;
        let counts: Vec<_> = reports(&there)
            .iter()
            .map(aggregate::Report::messages)
            .collect();
        assert_eq!(counts, [1, 2]);
    });
}

#[test]
fn others_get_reports_only_with_their_consent() {
    for consents in [false, true] {
        Internet::simulated(3, async |internet| {
            let host = here(&internet).await;
            let there = internet.remote_domain("there.test", Script::accept()).await;
            let reader = internet
                .remote_domain("reader.test", Script::accept())
                .await;
            asks_for_reports(&internet, "mailto:rua@there.test,mailto:dmarc@reader.test");
            if consents {
                internet
                    .domain("there.test._report._dmarc.reader.test")
                    .txt("v=DMARC1");
            }
            forged(&internet, &host, 1).await;
            internet.until(days(2), || there.taken_count() != 0).await;
            internet.pass(days(1)).await;
            assert_eq!(there.taken_count(), 1);
            assert_eq!(reader.taken_count(), usize::from(consents));
            let sent = told(
                &host,
                &internet,
                Request::Report(report::Request::Sent { limit: 10 }),
            )
            .value;
            let why: BTreeMap<_, _> = sent
                .as_array()
                .unwrap()
                .iter()
                .map(|one| {
                    (
                        one["destination"].as_str().unwrap(),
                        one["not_sent_because"].is_null(),
                    )
                })
                .collect();
            assert_eq!(
                why,
                BTreeMap::from([(RUA, true), ("dmarc@reader.test", consents)])
            );
        });
    }
}

#[test]
fn who_withdrew_the_wish_gets_none() {
    Internet::simulated(4, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        asks_for_reports(&internet, "mailto:rua@there.test");
        forged(&internet, &host, 1).await;
        internet.zones().clear("_dmarc.there.test");
        internet.pass(days(2)).await;
        assert_eq!(there.taken_count(), 0);
    });
}

#[test]
fn who_does_not_take_them_is_left_alone() {
    Internet::simulated(5, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().recipient(RUA, "550 5.1.1 no such user");
        let there = internet.remote_domain("there.test", script).await;
        asks_for_reports(&internet, "mailto:rua@there.test");
        for _ in 0..10 {
            forged(&internet, &host, 1).await;
            internet.pass(days(1)).await;
        }
        // Once, then after one, two and four days more.
        let attempts = there.attempts(RUA);
        assert!((2..=5).contains(&attempts), "{attempts} attempts");
        assert!(host.queue().is_empty());
    });
}

/// The reporter's own mail passes DMARC by SPF.
fn reporter(internet: &Internet, domain: &str) {
    internet
        .domain(domain)
        .txt("v=spf1 ip4:127.0.0.0/8 ip4:10.0.0.0/8 ip4:0.0.0.0/0 ip6:::/0 -all");
    internet
        .domain(&format!("_dmarc.{domain}"))
        .txt("v=DMARC1; p=reject");
}

fn row(source: &str, count: u64, passes: bool) -> aggregate::Row {
    aggregate::Row {
        source: Some(source.parse().unwrap()),
        count,
        disposition: if passes {
            Disposition::Pass
        } else {
            Disposition::Reject
        },
        dkim_aligned: passes,
        spf_aligned: passes,
        header_from: "here.test".to_owned(),
        envelope_from: Some("here.test".to_owned()),
        dkim: vec![aggregate::DkimResult {
            domain: if passes { "here.test" } else { "news.test" }.to_owned(),
            selector: Some("s".to_owned()),
            result: "pass".to_owned(),
            human_result: None,
        }],
        spf: vec![aggregate::SpfResult {
            domain: "here.test".to_owned(),
            scope: Some("mfrom".to_owned()),
            result: if passes { "pass" } else { "fail" }.to_owned(),
            human_result: None,
        }],
        ..aggregate::Row::default()
    }
}

fn report_of(internet: &Internet, domain: &str, rows: Vec<aggregate::Row>) -> String {
    let now = UnixMillis::from(internet.wall());
    let from = Address::parse(&format!("dmarc@{domain}")).unwrap();
    let to = Address::parse("dmarc-reports@here.test").unwrap();
    let report = aggregate::Report {
        metadata: aggregate::Metadata {
            org_name: format!("The {domain} company"),
            email: from.to_string(),
            report_id: format!("1@{domain}"),
            begin: now.secs() - 86_400,
            end: now.secs() - 1,
            ..aggregate::Metadata::default()
        },
        policy: aggregate::PolicyPublished {
            domain: "here.test".to_owned(),
            p: Some("reject".to_owned()),
            ..aggregate::PolicyPublished::default()
        },
        rows,
        ..aggregate::Report::default()
    };
    let head = compose::Head {
        from: &from,
        to: &to,
        date: now,
        submitter: domain,
    };
    String::from_utf8(compose::aggregate(&head, &report)).unwrap()
}

/// As an operator on that host is told.
pub(crate) fn told(host: &Host, internet: &Internet, request: Request) -> Answer {
    let mut config = postroad::Config::new(host.name(), std::path::Path::new("/nowhere"));
    config.outbound.addresses = vec![host.address()];
    let context = Context {
        store: host.store().clone(),
        config: Arc::new(config),
        clock: host.world().clock.clone(),
        random: internet.random("operator"),
        tls: None,
        wanted: None,
        changed: None,
        post: None,
    };
    commands::execute(&context, request).expect("the command works")
}

fn asked(domain: &str) -> report::About {
    serde_json::from_value(serde_json::json!({ "domain": domain, "days": 30 })).unwrap()
}

fn dmarc(host: &Host, internet: &Internet) -> Answer {
    told(
        host,
        internet,
        Request::Report(report::Request::Dmarc(asked("here.test"))),
    )
}

#[test]
fn what_others_saw_is_told_to_the_operator() {
    Internet::simulated(6, async |internet| {
        let host = here(&internet).await;
        let own = host.address().to_string();
        let answer = dmarc(&host, &internet);
        assert_eq!(
            (answer.exit, &answer.value["totals"]["messages"]),
            (Exit::Done, &Value::from(0))
        );
        for (domain, rows) in [
            (
                "big.test",
                vec![row(&own, 90, true), row("192.0.2.66", 7, false)],
            ),
            ("small.test", vec![row(&own, 10, true)]),
        ] {
            reporter(&internet, domain);
            let message = report_of(&internet, domain, rows);
            let from = format!("dmarc@{domain}");
            let code = arrives(&internet, &host, &from, "dmarc-reports@here.test", &message).await;
            assert_eq!(code, 250);
            // Sent twice, counted once.
            arrives(&internet, &host, &from, "dmarc-reports@here.test", &message).await;
        }
        // Somebody says that he is big.test, and somebody sends nonsense.
        let forged = report_of(
            &internet,
            "forger.test",
            vec![row("198.51.100.1", 1_000_000, true)],
        );
        let code = arrives(
            &internet,
            &host,
            "x@forger.test",
            "dmarc-reports@here.test",
            &forged,
        )
        .await;
        assert_eq!(code, 250);
        let nonsense = "From: <x@forger.test>\r\nSubject: hello\r\n\r\nno report at all\r\n";
        arrives(
            &internet,
            &host,
            "x@forger.test",
            "dmarc-reports@here.test",
            nonsense,
        )
        .await;
        internet.pass(hours(1)).await;
        let answer = dmarc(&host, &internet);
        let value = &answer.value;
        let totals = &value["totals"];
        assert_eq!(totals["messages"], 107, "{value:#}");
        assert_eq!(totals["passing"], 100);
        assert_eq!(totals["rejected"], 7);
        let sources: Vec<_> = value["sources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|source| {
                (
                    source["name"].as_str().unwrap(),
                    source["whose"].as_str().unwrap(),
                    source["counts"]["messages"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(sources.len(), 2, "{value:#}");
        assert_eq!((sources[0].1, sources[0].2), ("this_server", 100));
        assert_eq!(sources[1], ("192.0.2.66", "stranger", 7));
        // The reverse name was looked up, and leads back.
        assert_eq!(sources[0].0, "here.test");
        let arrived = &value["arrived"];
        assert_eq!(arrived["reports"], 2);
        let submitters: Vec<_> = arrived["reporters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["submitter"].as_str().unwrap())
            .collect();
        assert_eq!(submitters, ["big.test", "small.test"]);
        assert_eq!(
            arrived["unvouched"][0]["claims_to_be"],
            "The forger.test company"
        );
        assert_eq!(arrived["unreadable"][0]["why"], "there is no report in it");
        // The stranger passes as somebody else: that is to be looked at.
        let mend = value["mend"][0].as_str().unwrap();
        assert!(
            mend.contains("192.0.2.66 sent 7 messages") && mend.contains("news.test"),
            "{mend}"
        );
        assert_eq!(answer.exit, Exit::Findings);
    });
}

#[test]
fn what_we_saw_of_our_own_domain_needs_no_mail() {
    Internet::simulated(7, async |internet| {
        let host = here(&internet).await;
        internet
            .domain("_dmarc.here.test")
            .txt("v=DMARC1; p=none; rua=mailto:dmarc-reports@here.test");
        let message = format!("From: <ann@here.test>\r\n{}", letter("forged"));
        arrives(&internet, &host, "x@far.test", ANN, &message).await;
        internet.pass(days(2)).await;
        let value = dmarc(&host, &internet).value;
        assert_eq!(value["totals"]["messages"], 1, "{value:#}");
        assert_eq!(value["arrived"]["reporters"][0]["submitter"], "here.test");
    });
}

#[test]
fn two_hosts_report_to_one_another_and_not_about_reports() {
    Internet::simulated(11, async |internet| {
        let host = here(&internet).await;
        let there = internet
            .host("mx.there.test")
            .domain("there.test")
            .account(BOB)
            .start()
            .await;
        for (host, domain) in [(&host, "here.test"), (&there, "there.test")] {
            publish_domain(&internet, host, domain);
            internet.domain(&format!("_dmarc.{domain}")).txt(&format!(
                "v=DMARC1; p=reject; rua=mailto:dmarc-reports@{domain}"
            ));
        }
        there.submit(BOB, &[ANN], &letter("good morning")).await;
        let forged = format!("From: <bob@there.test>\r\n{}", letter("forged"));
        arrives(&internet, &host, "x@far.test", ANN, &forged).await;
        internet.pass(days(7)).await;
        let value = told(
            &there,
            &internet,
            Request::Report(report::Request::Dmarc(asked("there.test"))),
        )
        .value;
        assert_eq!(value["totals"]["messages"], 2, "{value:#}");
        assert_eq!(value["totals"]["passing"], 1, "{value:#}");
        assert_eq!(value["sources"][0]["whose"], "this_server", "{value:#}");
        assert_eq!(value["arrived"]["reports"], 1, "{value:#}");
        assert_eq!(value["arrived"]["reporters"][0]["submitter"], "here.test");
        assert_eq!(
            value["arrived"]["unreadable"],
            Value::Array(Vec::new()),
            "{value:#}"
        );
        // Nobody mailed there.test but the report did: about that there is no report.
        let value = dmarc(&host, &internet).value;
        assert_eq!(value["arrived"]["reports"], 0, "{value:#}");
    });
}

/// A domain whose MTA-STS policy wants TLS that its host does not offer.
async fn without_tls(internet: &Internet) -> (Remote, HttpsHost) {
    let there = internet
        .remote_domain("there.test", Script::accept().tls(TlsOffer::None))
        .await;
    internet.domain("_mta-sts.there.test").txt("v=STSv1; id=1;");
    let policy = "version: STSv1\r\nmode: enforce\r\nmx: *.there.test\r\nmax_age: 604800\r\n";
    let files = [("/.well-known/mta-sts.txt", policy)];
    let policies = internet.https("mta-sts.there.test", &files).await;
    (there, policies)
}

fn tls_failures(report: &tls::Report) -> Vec<&str> {
    let details = report.policies.iter().flat_map(|policy| &policy.details);
    details.map(|detail| detail.result_type.as_str()).collect()
}

#[test]
fn the_owner_is_told_that_tls_does_not_work() {
    Internet::simulated(8, async |internet| {
        let host = here(&internet).await;
        publish_domain(&internet, &host, "here.test");
        let (there, _policies) = without_tls(&internet).await;
        let reader = internet
            .remote_domain("reader.test", Script::accept())
            .await;
        internet
            .domain("_smtp._tls.there.test")
            .txt("v=TLSRPTv1; rua=mailto:tls@reader.test");
        host.submit(ANN, &[BOB], &letter("secret")).await;
        internet.until(days(2), || reader.taken_count() != 0).await;
        assert_eq!(there.taken_count(), 0);
        let taken = reader.taken().remove(0);
        assert_eq!(taken.to(), ["tls@reader.test"]);
        let text = taken.text();
        assert!(text.contains("TLS-Report-Domain: there.test\r\n"), "{text}");
        assert!(
            text.contains("TLS-Report-Submitter: mx.here.test\r\n"),
            "{text}"
        );
        assert!(text.contains("TLS-Required: No\r\n"), "{text}");
        assert!(text.contains("DKIM-Signature: "), "{text}");
        let found = unwrap(&taken.message).attachments.remove(0);
        let report = tls::parse(&found.bytes).unwrap();
        assert_eq!(report.policies[0].kind, "sts");
        assert!(
            tls_failures(&report).contains(&"starttls-not-supported"),
            "{report:?}"
        );
        let (good, bad) = report.sessions();
        assert!(good == 0 && 1 <= bad, "{report:?}");
    });
}

#[test]
fn a_tls_report_is_posted_where_the_domain_wants_that() {
    Internet::simulated(9, async |internet| {
        let host = here(&internet).await;
        let (_there, _policies) = without_tls(&internet).await;
        let desk = internet.https("reports.there.test", &[]).await;
        desk.set("/tls", Page::of(201, "text/plain", ""));
        internet
            .domain("_smtp._tls.there.test")
            .txt("v=TLSRPTv1; rua=https://reports.there.test/tls");
        host.submit(ANN, &[BOB], &letter("secret")).await;
        internet.until(days(2), || !desk.asked().is_empty()).await;
        let asked = desk.asked().remove(0);
        assert_eq!(asked.method, "POST");
        let found = unwrap(&asked.body).attachments.remove(0);
        assert!(!tls_failures(&tls::parse(&found.bytes).unwrap()).is_empty());
        internet.pass(minutes(60)).await;
        assert_eq!(desk.asked().len(), 1);
    });
}

#[test]
fn tls_reports_of_others_are_told_to_the_operator() {
    Internet::simulated(10, async |internet| {
        let host = here(&internet).await;
        reporter(&internet, "big.test");
        let now = UnixMillis::from(internet.wall());
        let report = tls::Report {
            organization: "Big".to_owned(),
            contact: None,
            report_id: "1@big.test".to_owned(),
            begin: now.secs() - 86_400,
            end: now.secs() - 1,
            policies: vec![tls::Policy {
                kind: "sts".to_owned(),
                domain: "here.test".to_owned(),
                successes: 95,
                failures: 5,
                details: vec![tls::Failure {
                    result_type: "certificate-expired".to_owned(),
                    receiving_mx_hostname: Some("mx.here.test".to_owned()),
                    sessions: 5,
                    ..tls::Failure::default()
                }],
                ..tls::Policy::default()
            }],
        };
        let (from, to) = ("tls@big.test", "tls-reports@here.test");
        let (sender, recipient) = (Address::parse(from).unwrap(), Address::parse(to).unwrap());
        let head = compose::Head {
            from: &sender,
            to: &recipient,
            date: now,
            submitter: "big.test",
        };
        let message = String::from_utf8(compose::tls(&head, "here.test", &report)).unwrap();
        assert_eq!(arrives(&internet, &host, from, to, &message).await, 250);
        internet.pass(hours(1)).await;
        let request = Request::Report(report::Request::Tls(asked("here.test")));
        let answer = told(&host, &internet, request);
        assert_eq!(answer.exit, Exit::Findings, "{:#}", answer.value);
        assert_eq!(answer.value["sessions"]["good"], 95);
        assert_eq!(answer.value["failures"][0]["result"], "certificate-expired");
        let mend = answer.value["mend"][0].as_str().unwrap();
        assert!(
            mend.contains("certificate of mx.here.test had expired"),
            "{mend}"
        );
    });
}
