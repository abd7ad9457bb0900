//! A man in the middle between here and there: he strips STARTTLS, shows certificates of his own, forges the
//! answers of the DNS and blocks the look at policies. Where the destination, the operator or experience
//! demands a safe way the mail waits, nothing leaks, it arrives when he is gone, and the evidence says why.
//! Without such a demand he gets it all: that proves that he is there.

use std::net::IpAddr;

use simulator::{
    DnsFault, Host, HttpsHost, Interception, Internet, Page, Remote, Script, TlsOffer, days, hours,
    minutes,
};
use store::queue::RecipientState;
use store::reports::{TlsEntry, TlsPolicyKind, day_of};
use store::transport::{TlsLevel, TlsRequirement};
use store::{Durability, StoreError};
use world::Record;

use crate::{ANN, BOB, here, letter};

const POLICY: &str = "/.well-known/mta-sts.txt";

/// What the man in the middle does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attack {
    Strip,
    SelfSigned,
    WrongName,
    /// The DNS names a host of his, with a certificate that is valid for it.
    SpoofMx,
    /// The DNS names another address for the right host, where STARTTLS is missing.
    SpoofAddress,
}

const ATTACKS: [Attack; 5] = [
    Attack::Strip,
    Attack::SelfSigned,
    Attack::WrongName,
    Attack::SpoofMx,
    Attack::SpoofAddress,
];

/// What demands a safe way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    Nothing,
    Sts,
    Dane,
    Operator,
    Learnt,
}

struct Stage {
    internet: Internet,
    host: Host,
    there: Remote,
    evil: Remote,
    policy: Option<HttpsHost>,
}

fn policy(mode: &str, mx: &str, max_age: u64) -> String {
    format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {max_age}\r\n")
}

/// Publishes a policy of there.test.
async fn publish(internet: &Internet, mode: &str, max_age: u64) -> HttpsHost {
    internet.domain("_mta-sts.there.test").txt("v=STSv1; id=1;");
    let text = policy(mode, "mx.there.test", max_age);
    internet
        .https("mta-sts.there.test", &[(POLICY, &text)])
        .await
}

fn require(host: &Host, level: TlsLevel, mx: &[&str]) {
    let requirement = TlsRequirement {
        scope: "there.test".parse().unwrap(),
        level,
        mx: mx.iter().map(|text| (*text).to_owned()).collect(),
        created: mail::UnixMillis(0),
    };
    let written = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            change.require_tls(&requirement)
        });
    written.unwrap_or_else(|error: StoreError| panic!("{error}"));
}

/// As if mail had gone there over valid TLS for 40 days.
fn learn(internet: &Internet, host: &Host) {
    let now = mail::UnixMillis::from(internet.wall());
    let written = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            let there = mail::Domain::parse("there.test").unwrap();
            let before = mail::UnixMillis(now.0 - 40 * 86_400_000);
            change.note_valid_tls(&there, "*.there.test", before)?;
            change.note_valid_tls(&there, "*.there.test", now)?;
            change.insist_on_learnt_tls(true)
        });
    written.unwrap_or_else(|error: StoreError| panic!("{error}"));
}

impl Stage {
    async fn set(internet: &Internet, guard: Guard) -> Self {
        let host = here(internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let evil = internet.remote("mx.evil.test", Script::accept()).await;
        let mut policy = None;
        match guard {
            Guard::Nothing => {}
            Guard::Sts => policy = Some(publish(internet, "enforce", 604_800).await),
            Guard::Dane => {
                internet.zones().signed("test");
                internet.publish_tlsa(&there, 3, 1, 1);
            }
            Guard::Operator => require(&host, TlsLevel::Verified, &[]),
            Guard::Learnt => learn(internet, &host),
        }
        let stage = Self {
            internet: internet.clone(),
            host,
            there,
            evil,
            policy,
        };
        // In peace all of them get their mail, and policies are seen.
        stage.host.submit(ANN, &[BOB], &letter("peace")).await;
        let there = &stage.there;
        internet
            .until(minutes(10), || there.taken_count() == 1)
            .await;
        assert!(stage.there.taken()[0].tls.is_some());
        internet.pass(minutes(5)).await;
        stage
    }

    fn attack(&self, attack: Attack) -> Option<simulator::Interceptor> {
        let (network, zones) = (self.internet.network(), self.internet.zones());
        let authority = self.internet.authority();
        let (there, evil) = (self.there.at().ip(), self.evil.at().ip());
        match attack {
            Attack::Strip => Some(network.intercept(there, Interception::StripStartTls)),
            Attack::SelfSigned => {
                let certificate = authority.self_signed("mx.there.test");
                Some(network.intercept(there, Interception::Certificate(Box::new(certificate))))
            }
            Attack::WrongName => {
                let certificate = authority.issue("mx.evil.test", simulator::Validity::Now);
                Some(network.intercept(there, Interception::Certificate(Box::new(certificate))))
            }
            Attack::SpoofMx => {
                let exchange = "mx.evil.test".to_owned();
                let records = vec![Record::Mx {
                    preference: 1,
                    exchange,
                }];
                zones.spoof("there.test", records);
                None
            }
            Attack::SpoofAddress => {
                self.evil.set_script(Script::accept().tls(TlsOffer::None));
                zones.spoof("mx.there.test", vec![address(evil)]);
                None
            }
        }
    }

    fn peace(&self) {
        let (network, zones) = (self.internet.network(), self.internet.zones());
        network.leave_alone(self.there.at().ip());
        zones.unspoof("there.test");
        zones.unspoof("mx.there.test");
    }

    /// The newest words about what waits.
    fn reply(&self) -> String {
        let queue = self.host.queue();
        let recipient = &queue.first().expect("the mail waits").recipients[0];
        assert_eq!(recipient.state, RecipientState::Waiting);
        recipient.last_reply.clone().unwrap_or_default()
    }

    /// Everything that TLS reports would tell there.test of these days.
    fn evidence(&self) -> Vec<TlsEntry> {
        evidence(&self.internet, &self.host)
    }
}

fn address(address: IpAddr) -> Record {
    match address {
        IpAddr::V4(address) => Record::A(address),
        IpAddr::V6(address) => Record::Aaaa(address),
    }
}

fn evidence(internet: &Internet, host: &Host) -> Vec<TlsEntry> {
    let today = day_of(mail::UnixMillis::from(internet.wall()));
    let seen = host.store().read_blocking(move |view| {
        let mut all = Vec::new();
        for day in today - 60..=today {
            all.extend(view.tls_seen("there.test", day)?);
        }
        Ok::<_, StoreError>(all)
    });
    seen.unwrap().into_iter().map(|(entry, _)| entry).collect()
}

fn results(evidence: &[TlsEntry], kind: TlsPolicyKind) -> Vec<String> {
    let mut results: Vec<String> = evidence
        .iter()
        .filter(|entry| entry.policy.kind == kind)
        .map(|entry| match &entry.failure {
            None => "success".to_owned(),
            Some(failure) => failure.result_type.clone(),
        })
        .collect();
    results.sort();
    results.dedup();
    results
}

/// Waits while he is there, with these words, and arrives when he is gone.
fn holds(guard: Guard, attack: Attack, words: &str) {
    Internet::simulated(1, async |internet| {
        let stage = Stage::set(&internet, guard).await;
        let mallory = stage.attack(attack);
        stage.host.submit(ANN, &[BOB], &letter("secret")).await;
        internet.pass(hours(3)).await;
        let what = format!("{guard:?} {attack:?}");
        assert_eq!(stage.there.taken_count(), 1, "{what}");
        assert_eq!(stage.evil.taken_count(), 0, "{what}");
        if let Some(mallory) = mallory {
            assert!(0 < mallory.connections(), "{what}: he was there");
            assert!(!mallory.seen().contains("secret"), "{what}");
            assert!(!mallory.seen().contains("MAIL FROM"), "{what}");
        }
        let reply = stage.reply();
        assert!(reply.contains(words), "{what}: {reply}");
        stage.peace();
        internet
            .until(hours(5), || stage.there.taken_count() == 2)
            .await;
        assert!(stage.there.taken()[1].tls.is_some(), "{what}");
        let kind = match guard {
            Guard::Sts => TlsPolicyKind::Sts,
            Guard::Dane => TlsPolicyKind::Tlsa,
            _ => TlsPolicyKind::NoPolicyFound,
        };
        let seen = results(&stage.evidence(), kind);
        assert!(seen.contains(&"success".to_owned()), "{what}: {seen:?}");
        let wanted = match (guard, attack) {
            // A forged answer of a signed zone is never believed, so no session is tried.
            (Guard::Dane, Attack::SpoofMx | Attack::SpoofAddress) => Some("dnssec-invalid"),
            // No policy of the destination's was broken: only ours.
            (Guard::Operator | Guard::Learnt, Attack::SpoofMx) => None,
            (_, Attack::Strip | Attack::SpoofAddress) => Some("starttls-not-supported"),
            (Guard::Dane, _) => Some("tlsa-invalid"),
            (_, Attack::SelfSigned) => Some("certificate-not-trusted"),
            (_, Attack::WrongName) => Some("certificate-host-mismatch"),
            (_, Attack::SpoofMx) => Some("validation-failure"),
        };
        match wanted {
            Some(wanted) => assert!(seen.contains(&wanted.to_owned()), "{what}: {seen:?}"),
            None => assert_eq!(seen, ["success"], "{what}"),
        }
    });
}

#[test]
fn mta_sts_holds() {
    holds(
        Guard::Sts,
        Attack::Strip,
        "does not offer TLS (STARTTLS); the MTA-STS policy of there.test forbids",
    );
    holds(
        Guard::Sts,
        Attack::SelfSigned,
        "not from an authority that is known here",
    );
    holds(
        Guard::Sts,
        Attack::WrongName,
        "certificate is for another name",
    );
    holds(
        Guard::Sts,
        Attack::SpoofMx,
        "the MTA-STS policy of there.test does not: the answer may be forged",
    );
    holds(
        Guard::Sts,
        Attack::SpoofAddress,
        "does not offer TLS (STARTTLS)",
    );
}

#[test]
fn dane_holds() {
    holds(
        Guard::Dane,
        Attack::Strip,
        "the TLSA records of mx.there.test (DANE) forbid sending so",
    );
    holds(
        Guard::Dane,
        Attack::SelfSigned,
        "none of those that its TLSA records name",
    );
    holds(
        Guard::Dane,
        Attack::WrongName,
        "none of those that its TLSA records name",
    );
    holds(
        Guard::Dane,
        Attack::SpoofMx,
        "the DNSSEC signatures are wrong",
    );
    holds(
        Guard::Dane,
        Attack::SpoofAddress,
        "the DNSSEC signatures are wrong",
    );
}

#[test]
fn the_operator_s_list_holds() {
    holds(
        Guard::Operator,
        Attack::Strip,
        "as its operator chose (`postroad tls list`)",
    );
    holds(
        Guard::Operator,
        Attack::SelfSigned,
        "not from an authority that is known here",
    );
    holds(
        Guard::Operator,
        Attack::WrongName,
        "certificate is for another name",
    );
    holds(
        Guard::Operator,
        Attack::SpoofMx,
        "none of those known here: the answer may be forged",
    );
    holds(
        Guard::Operator,
        Attack::SpoofAddress,
        "does not offer TLS (STARTTLS)",
    );
}

#[test]
fn experience_holds() {
    holds(
        Guard::Learnt,
        Attack::Strip,
        "`postroad tls forget there.test`",
    );
    holds(
        Guard::Learnt,
        Attack::SelfSigned,
        "has had valid TLS each time since",
    );
    holds(
        Guard::Learnt,
        Attack::WrongName,
        "certificate is for another name",
    );
    holds(
        Guard::Learnt,
        Attack::SpoofMx,
        "which has had others, with valid TLS",
    );
    holds(
        Guard::Learnt,
        Attack::SpoofAddress,
        "must not lose it unnoticed",
    );
}

/// The same attacks where nothing forbids anything: he gets the mail. So the others could fail.
#[test]
fn without_a_guard_he_gets_it() {
    for attack in ATTACKS {
        Internet::simulated(1, async |internet| {
            let stage = Stage::set(&internet, Guard::Nothing).await;
            let mallory = stage.attack(attack);
            stage.host.submit(ANN, &[BOB], &letter("secret")).await;
            let delivered = || stage.there.taken_count() + stage.evil.taken_count() == 2;
            internet.until(hours(1), delivered).await;
            match mallory {
                Some(mallory) => assert!(mallory.seen().contains("secret"), "{attack:?}"),
                None => assert_eq!(stage.evil.taken_count(), 1, "{attack:?}"),
            }
            internet.pass(minutes(5)).await;
            assert!(stage.host.queue().is_empty());
        });
    }
}

/// Who blocks the look at a policy that is known gains nothing; who blocks the first look does.
#[test]
fn a_known_policy_cannot_be_hidden() {
    for known in [true, false] {
        Internet::simulated(1, async |internet| {
            let guard = if known { Guard::Sts } else { Guard::Nothing };
            let stage = Stage::set(&internet, guard).await;
            let web = match &stage.policy {
                Some(web) => web.clone(),
                None => publish(&internet, "enforce", 604_800).await,
            };
            let mallory = stage.attack(Attack::Strip).unwrap();
            internet
                .zones()
                .fault("_mta-sts.there.test", DnsFault::ServFail);
            internet
                .network()
                .set_reach(web.at().ip(), simulator::Reach::Silent);
            stage.host.submit(ANN, &[BOB], &letter("secret")).await;
            internet.pass(hours(3)).await;
            assert_eq!(mallory.seen().contains("secret"), !known);
            assert_eq!(stage.there.taken_count(), if known { 1 } else { 2 });
            // The name is said not to exist: the same.
            internet.zones().mend("_mta-sts.there.test");
            internet.zones().spoof("_mta-sts.there.test", Vec::new());
            internet.pass(hours(5)).await;
            assert_eq!(mallory.seen().contains("secret"), !known);
        });
    }
}

/// A policy is fetched anew before it ends, though no mail asks for it; an attack long after the last mail
/// still meets it.
#[test]
fn policies_are_looked_after() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let web = publish(&internet, "enforce", 2 * 86_400).await;
        host.submit(ANN, &[BOB], &letter("peace")).await;
        internet
            .until(minutes(10), || there.taken_count() == 1)
            .await;
        internet.pass(days(10)).await;
        assert!(
            9 <= web.asked().len() && web.asked().len() <= 13,
            "{}",
            web.asked().len()
        );
        let mallory = internet
            .network()
            .intercept(there.at().ip(), Interception::StripStartTls);
        internet
            .network()
            .set_reach(web.at().ip(), simulator::Reach::Refused);
        host.submit(ANN, &[BOB], &letter("secret")).await;
        internet.pass(hours(6)).await;
        assert!(!mallory.seen().contains("secret"));
        // What cannot be renewed ends: that is what max_age is for.
        internet.pass(days(2)).await;
        assert!(mallory.seen().contains("secret"));
    });
}

/// A new id brings a new policy at once; mode `none` lets go.
#[test]
fn a_new_id_brings_a_new_policy() {
    Internet::simulated(1, async |internet| {
        let stage = Stage::set(&internet, Guard::Sts).await;
        stage
            .there
            .set_script(Script::accept().tls(TlsOffer::SelfSigned));
        stage.host.submit(ANN, &[BOB], &letter("first")).await;
        internet.pass(hours(2)).await;
        assert_eq!(stage.there.taken_count(), 1);
        let web = stage.policy.as_ref().unwrap();
        web.set(
            POLICY,
            Page::text("version: STSv1\nmode: none\nmax_age: 86400\n"),
        );
        // Without a new id nobody looks so soon.
        assert_eq!(web.asked().len(), 1);
        internet.zones().clear("_mta-sts.there.test");
        internet.domain("_mta-sts.there.test").txt("v=STSv1; id=2;");
        internet
            .until(hours(4), || stage.there.taken_count() == 2)
            .await;
    });
}

/// Testing mode delivers, and reports.
#[test]
fn testing_mode_delivers_and_reports() {
    for (offer, wanted) in [
        (TlsOffer::Expired, "certificate-expired"),
        (TlsOffer::WrongName, "certificate-host-mismatch"),
        (TlsOffer::None, "starttls-not-supported"),
        (TlsOffer::Trusted, "success"),
    ] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet
                .remote_domain("there.test", Script::accept().tls(offer))
                .await;
            publish(&internet, "testing", 604_800).await;
            host.submit(ANN, &[BOB], &letter("trial")).await;
            internet
                .until(minutes(10), || there.taken_count() == 1)
                .await;
            internet.pass(minutes(1)).await;
            let seen = evidence(&internet, &host);
            assert_eq!(results(&seen, TlsPolicyKind::Sts), [wanted]);
            assert_eq!(seen[0].policy.mx, ["mx.there.test"]);
            assert!(seen[0].policy.text.contains(&"mode: testing".to_owned()));
        });
    }
}

/// What is wrong with the policy itself is reported, and hinders nothing.
#[test]
fn broken_policies_are_reported() {
    let wrong = "version: STSv1\r\nmode: enforce\r\nmax_age: 86400\r\n".to_owned();
    let right = policy("enforce", "mx.there.test", 86_400);
    let redirect = Page::redirect(302, "https://mta-sts.there.test/elsewhere");
    for (page, tls, wanted) in [
        (Page::text(&wrong), TlsOffer::Trusted, "sts-policy-invalid"),
        (Page::text(&right), TlsOffer::Expired, "sts-webpki-invalid"),
        (
            Page::text(&right),
            TlsOffer::WrongName,
            "sts-webpki-invalid",
        ),
        (
            Page::of(404, "text/plain", "no"),
            TlsOffer::Trusted,
            "sts-policy-fetch-error",
        ),
        (
            Page::of(200, "text/html", &right),
            TlsOffer::Trusted,
            "sts-policy-fetch-error",
        ),
        (redirect, TlsOffer::Trusted, "sts-policy-fetch-error"),
    ] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet
                .remote_domain("there.test", Script::accept().tls(TlsOffer::SelfSigned))
                .await;
            let web = publish(&internet, "enforce", 604_800).await;
            web.set(POLICY, page.clone());
            web.set_tls(tls);
            host.submit(ANN, &[BOB], &letter("all the same")).await;
            internet
                .until(minutes(10), || there.taken_count() == 1)
                .await;
            internet.pass(minutes(1)).await;
            let seen = evidence(&internet, &host);
            assert_eq!(results(&seen, TlsPolicyKind::Sts), [wanted]);
            assert_eq!(results(&seen, TlsPolicyKind::NoPolicyFound), ["success"]);
        });
    }
}

/// What the operator is shown who asks what is demanded of the way.
#[test]
fn a_look_at_the_way_tells_what_is_demanded() {
    let look = |guard, trial| {
        Internet::simulated(1, async |internet| {
            let stage = Stage::set(&internet, guard).await;
            let there = mail::Domain::parse("there.test").unwrap();
            stage.host.mta().check_way(&there, trial).await
        })
    };
    let table = [
        (Guard::Nothing, "TLS if it can be had", None),
        (
            Guard::Sts,
            "certificate that is valid for the host",
            Some("MTA-STS policy of there.test"),
        ),
        (
            Guard::Dane,
            "its TLSA records name (DANE)",
            Some("DANE: the TLSA records of mx.there.test"),
        ),
        (
            Guard::Operator,
            "certificate that is valid for the host",
            Some("this server's list: verified"),
        ),
        (
            Guard::Learnt,
            "certificate that is valid for the host",
            Some("learnt: valid TLS since"),
        ),
    ];
    for (guard, demand, reason) in table {
        let report = look(guard, mta::Trial::Connect);
        let host = &report.hosts[0];
        assert_eq!(host.host, "mx.there.test");
        assert!(host.demand.contains(demand), "{guard:?} {report:?}");
        assert_eq!(
            host.reasons.len(),
            usize::from(reason.is_some()),
            "{guard:?} {report:?}"
        );
        let told = reason.is_none_or(|reason| host.reasons[0].contains(reason));
        assert!(told, "{guard:?} {report:?}");
        assert_eq!(host.tlsa.len(), usize::from(guard == Guard::Dane));
        let seen = host.seen.as_ref().unwrap().as_ref().unwrap();
        assert!(seen.starts_with("TLSv1.3 TLS_"), "{seen}");
        assert!(seen.ends_with("its certificate is valid"), "{seen}");
    }
    let sts = look(Guard::Sts, mta::Trial::LookUpOnly);
    let facts = sts.facts.join("\n");
    assert!(
        facts.contains("MTA-STS: mode enforce, mail hosts mx.there.test, until Mon, 9 Mar 2026"),
        "{facts}"
    );
    assert_eq!(sts.hosts[0].seen, None);
}
