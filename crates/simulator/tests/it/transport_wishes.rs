//! What operators and senders wish for the way of mail: the list of destinations with TLS only, learning it,
//! REQUIRETLS and `TLS-Required: No` (RFC 8689), and relays, which have their own rule.

use mail::{Domain, UnixMillis};
use simulator::{Client, Host, Internet, Reply, Script, TlsOffer, days, hours, minutes};
use store::transport::{TlsLevel, TlsRequirement};
use store::{Durability, StoreError};

use crate::{ANN, BOB, assert_report, here, letter, letter_from};

fn require(host: &Host, scope: &str, level: TlsLevel, mx: &[&str]) {
    let requirement = TlsRequirement {
        scope: scope.parse().unwrap(),
        level,
        mx: mx.iter().map(|text| (*text).to_owned()).collect(),
        created: UnixMillis(0),
    };
    host.store()
        .write_blocking(Durability::Durable, move |change| {
            change.require_tls(&requirement)
        })
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
}

fn insist(host: &Host, insist: bool) {
    host.store()
        .write_blocking(Durability::Durable, move |change| {
            change.insist_on_learnt_tls(insist)
        })
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
}

fn forget(host: &Host) -> bool {
    let there = Domain::parse("there.test").unwrap();
    host.store()
        .write_blocking(Durability::Durable, move |change| {
            change.forget_learnt_tls(&there)
        })
        .unwrap_or_else(|error: StoreError| panic!("{error}"))
}

/// Every demand of the list, by domain, by what is below a domain, and for all.
#[test]
fn the_list_goes_by_scope_and_level() {
    use TlsLevel::{Encrypted, Verified};
    let table = [
        ("there.test", Encrypted, TlsOffer::SelfSigned, true),
        ("there.test", Encrypted, TlsOffer::None, false),
        ("there.test", Encrypted, TlsOffer::Garbage, false),
        ("there.test", Encrypted, TlsOffer::NotNow, false),
        ("there.test", Verified, TlsOffer::Trusted, true),
        ("there.test", Verified, TlsOffer::Expired, false),
        ("*.test", Encrypted, TlsOffer::None, false),
        ("*", Encrypted, TlsOffer::None, false),
        ("*.there.test", Encrypted, TlsOffer::None, true),
        ("elsewhere.test", Verified, TlsOffer::None, true),
    ];
    for (scope, level, offer, taken) in table {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet
                .remote_domain("there.test", Script::accept().tls(offer))
                .await;
            require(&host, scope, level, &[]);
            host.submit(ANN, &[BOB], &letter("listed")).await;
            internet.pass(hours(2)).await;
            assert_eq!(
                there.taken_count(),
                usize::from(taken),
                "{scope} {level} {offer:?}"
            );
        });
    }
}

/// Thirty days of valid TLS, day by day; then it is lost. Who insists hears of it, and so does the sender.
#[test]
fn thirty_days_of_valid_tls_are_not_lost_unnoticed() {
    for (mail_days, insists, kept_back) in [(31, true, true), (31, false, false), (29, true, false)]
    {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet.remote_domain("there.test", Script::accept()).await;
            insist(&host, insists);
            for day in 0..=mail_days {
                host.submit(ANN, &[BOB], &letter(&format!("day {day}")))
                    .await;
                internet.pass(days(1)).await;
            }
            assert_eq!(there.taken_count(), mail_days + 1);
            there.set_script(Script::accept().tls(TlsOffer::Expired));
            host.submit(ANN, &[BOB], &letter("lost")).await;
            // The report of delay comes with the first attempt after four hours.
            internet.pass(hours(9)).await;
            let what = format!("{mail_days} days, {insists}");
            assert_eq!(there.taken_count() == mail_days + 1, kept_back, "{what}");
            if !kept_back {
                assert!(host.inbox(ANN).is_empty(), "{what}");
                return;
            }
            // The sender is told what it means and what to do.
            let report = &host.inbox(ANN)[0];
            assert_report(report, &["Action: delayed", "Status: 4.7.5"]);
            for words in [
                "not safe at the",
                "certificate has expired",
                "postroad tls forget there.test",
            ] {
                assert!(
                    unfolded(report).contains(words),
                    "no {words:?} in\n{report}"
                );
            }
            assert!(forget(&host));
            internet
                .until(hours(5), || there.taken_count() == mail_days + 2)
                .await;
        });
    }
}

/// Reports are wrapped; words are compared without their line ends.
fn unfolded(text: &str) -> String {
    let text = text
        .replace("=\r\n", "")
        .replace("=E2=80=99", "'")
        .replace("=3D", "=");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One day without begins the count anew; so does a long silence.
#[test]
fn an_exception_begins_the_count_anew() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        insist(&host, true);
        for day in 0..40 {
            let offer = if day == 20 {
                TlsOffer::SelfSigned
            } else {
                TlsOffer::Trusted
            };
            there.set_script(Script::accept().tls(offer));
            host.submit(ANN, &[BOB], &letter("day")).await;
            internet.pass(days(1)).await;
        }
        there.set_script(Script::accept().tls(TlsOffer::None));
        host.submit(ANN, &[BOB], &letter("open")).await;
        internet.until(hours(1), || there.taken_count() == 41).await;
        for _ in 0..32 {
            there.set_script(Script::accept());
            host.submit(ANN, &[BOB], &letter("day")).await;
            internet.pass(days(1)).await;
        }
        internet.pass(days(200)).await;
        there.set_script(Script::accept().tls(TlsOffer::None));
        host.submit(ANN, &[BOB], &letter("after long")).await;
        internet.until(hours(1), || there.taken_count() == 74).await;
    });
}

/// A user who came over TLS.
async fn user(internet: &Internet, host: &Host) -> Client {
    let mut client = internet.stranger(host.submission()).await;
    let hello = client
        .start_tls(&internet.tls_client(), "mx.here.test")
        .await
        .unwrap();
    assert!(hello.offers("REQUIRETLS"), "{hello:?}");
    let reply = client.log_in(ANN, simulator::PASSWORD).await.unwrap();
    assert_eq!(reply.code, 235, "{reply:?}");
    client
}

async fn submit_required(internet: &Internet, host: &Host) -> Reply {
    let message = format!(
        "From: <{ANN}>\r\n{}The body is a secret.\r\n",
        letter("required")
    );
    let mut client = user(internet, host).await;
    let from = format!("<{ANN}> REQUIRETLS RET=FULL");
    client.transact(&from, &[BOB], &message).await.unwrap()
}

/// How the destination proves who its mail host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Nothing,
    DnsSec,
    Dane,
    Sts,
}

async fn prove(internet: &Internet, there: &simulator::Remote, proof: Proof) {
    match proof {
        Proof::Nothing => {}
        Proof::DnsSec => internet.zones().signed("test"),
        Proof::Dane => {
            internet.zones().signed("test");
            internet.publish_tlsa(there, 3, 1, 1);
        }
        Proof::Sts => {
            internet.domain("_mta-sts.there.test").txt("v=STSv1; id=1;");
            let policy = "version: STSv1\nmode: testing\nmx: mx.there.test\nmax_age: 86400\n";
            let files = [("/.well-known/mta-sts.txt", policy)];
            internet.https("mta-sts.there.test", &files).await;
        }
    }
}

/// RFC 8689 §4.2.1: a proven host, authenticated TLS, and its promise of the same; else the sender hears.
#[test]
fn require_tls_goes_on_or_comes_back() {
    let promise = || Script::accept().extensions_under_tls(&["REQUIRETLS"]);
    let table = [
        (promise(), Proof::DnsSec, None),
        (promise(), Proof::Dane, None),
        (promise(), Proof::Sts, None),
        (promise(), Proof::Nothing, Some("5.7.10")),
        (Script::accept(), Proof::DnsSec, Some("5.7.30")),
        (
            promise().tls(TlsOffer::SelfSigned),
            Proof::DnsSec,
            Some("5.7.10"),
        ),
        (promise().tls(TlsOffer::None), Proof::Sts, Some("5.7.10")),
        (
            Script::accept()
                .extensions(&["REQUIRETLS"])
                .tls(TlsOffer::None),
            Proof::DnsSec,
            Some("5.7.10"),
        ),
    ];
    for (number, (script, proof, failure)) in table.into_iter().enumerate() {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet.remote_domain("there.test", script).await;
            prove(&internet, &there, proof).await;
            let reply = submit_required(&internet, &host).await;
            assert_eq!(reply.code, 250, "{reply:?}");
            internet.pass(minutes(10)).await;
            assert!(host.queue().is_empty(), "row {number}");
            let Some(status) = failure else {
                assert_eq!(there.taken_count(), 1, "row {number}");
                let taken = &there.taken()[0];
                assert!(taken.from_parameters.contains("REQUIRETLS"), "{taken:?}");
                assert!(taken.tls.is_some());
                return;
            };
            assert_eq!(there.taken_count(), 0, "row {number}");
            let report = &host.inbox(ANN)[0];
            assert_report(report, &["Action: failed", &format!("Status: {status}")]);
            // RFC 8689 §5: whatever RET says, the body stays at home.
            assert!(
                !report.contains("The body is a secret"),
                "row {number}: {report}"
            );
            assert!(unfolded(report).contains("(REQUIRETLS)"), "{report}");
        });
    }
}

/// Another host of the domain may promise it.
#[test]
fn require_tls_tries_the_other_hosts() {
    Internet::simulated(1, async |internet| {
        internet.zones().signed("test");
        let host = here(&internet).await;
        let first = internet.remote_domain("there.test", Script::accept()).await;
        let promise = Script::accept().extensions_under_tls(&["REQUIRETLS"]);
        let second = internet.remote("mx2.there.test", promise).await;
        internet.domain("there.test").mx_at(20, "mx2.there.test");
        submit_required(&internet, &host).await;
        internet
            .until(minutes(10), || second.taken_count() == 1)
            .await;
        assert_eq!(first.taken_count(), 0);
    });
}

/// It is taken from strangers inside TLS, and from nobody in clear text.
#[test]
fn require_tls_comes_in_over_tls_only() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let mut stranger = internet.stranger(host.mx()).await;
        let reply = stranger
            .say("MAIL FROM:<x@far.test> REQUIRETLS")
            .await
            .unwrap();
        assert_eq!(reply.code, 530, "{reply:?}");
        let client = internet.tls_client();
        let hello = stranger.start_tls(&client, "mx.here.test").await.unwrap();
        assert!(hello.offers("REQUIRETLS"), "{hello:?}");
        let from = "<x@far.test> REQUIRETLS";
        let reply = stranger
            .transact(from, &[ANN], &letter_from("x@far.test", "hi"))
            .await
            .unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        assert_eq!(host.inbox(ANN).len(), 1);
    });
}

/// `TLS-Required: No` sets the destination's policies aside, not what the operator chose.
#[test]
fn tls_required_no_arrives_all_the_same() {
    for (listed, header, taken) in [
        (false, "TLS-Required: No\r\n", true),
        (false, "", false),
        (false, "TLS-Required: Yes\r\n", false),
        (true, "TLS-Required: No\r\n", false),
    ] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet
                .remote_domain("there.test", Script::accept().tls(TlsOffer::Expired))
                .await;
            internet.zones().signed("test");
            let tlsa = internet.domain("_25._tcp.mx.there.test");
            tlsa.tlsa(3, 1, 1, vec![5; 32]);
            if listed {
                require(&host, "there.test", TlsLevel::Verified, &[]);
            }
            let message = format!("{header}{}", letter("urgent"));
            host.submit(ANN, &[BOB], &message).await;
            internet.pass(hours(2)).await;
            assert_eq!(there.taken_count(), usize::from(taken), "{listed} {header}");
        });
    }
}
