//! What is demanded of a host: facts and outcomes.

use mailauth::mta_sts::Policy;
use store::transport::{LearntTls, TlsRequirement, TlsScope};
use world::DnsError;

use super::super::InForce;
use super::*;

const DAY: i64 = 86_400_000;

fn domain() -> Domain {
    Domain::parse("there.test").unwrap()
}

fn sts(mode: &str) -> Option<InForce> {
    let text = format!(
        "version: STSv1\nmode: {mode}\nmx: mx.there.test\nmx: *.hoster.test\nmax_age: 100\n"
    );
    Some(InForce {
        policy: Policy::parse(text.as_bytes()).unwrap(),
        text,
        until: UnixMillis(1),
    })
}

fn required(level: TlsLevel, mx: &[&str]) -> Option<TlsRequirement> {
    Some(TlsRequirement {
        scope: TlsScope::Domain(domain()),
        level,
        mx: mx.iter().map(|text| (*text).to_owned()).collect(),
        created: UnixMillis(0),
    })
}

fn learnt(site: &str, days: i64) -> Vec<LearntTls> {
    vec![LearntTls {
        domain: domain(),
        site: site.to_owned(),
        since: UnixMillis(0),
        last: UnixMillis(days * DAY),
    }]
}

fn tlsa(usage: u8) -> Tlsa {
    Tlsa::Found {
        records: vec![Record::Tlsa {
            usage,
            selector: 1,
            matching: 1,
            data: vec![7; 32],
        }],
        base: "mx.there.test".to_owned(),
    }
}

/// `nothing`, `encryption`, `certificate`, `dane`, or the status of an obstacle.
fn outcome(policy: &DomainPolicy, wish: TlsWish, host: &str, tlsa: &Tlsa) -> String {
    match plan(&domain(), policy, wish, &HostName::of(host), tlsa) {
        Err(obstacle) => obstacle.status.to_string(),
        Ok(plan) => match plan.demand {
            Demand::Nothing => "nothing",
            Demand::Encryption => "encryption",
            Demand::Certificate => "certificate",
            Demand::Dane { .. } => "dane",
        }
        .to_owned(),
    }
}

#[track_caller]
fn check(policy: DomainPolicy, host: &str, tlsa: &Tlsa, wanted: [&str; 3]) {
    let wishes = [TlsWish::Policies, TlsWish::Required, TlsWish::Waived];
    let got = wishes.map(|wish| outcome(&policy, wish, host, tlsa));
    assert_eq!(
        got, wanted,
        "no wish, REQUIRETLS, TLS-Required: No; {policy:?} {host} {tlsa:?}"
    );
}

const MX: &str = "mx.there.test";

#[test]
fn without_a_policy() {
    let none = DomainPolicy::default;
    check(
        none(),
        MX,
        &Tlsa::NotAsked,
        ["nothing", "5.7.10", "nothing"],
    );
    // A domain that is its own mail host needs no proof of its name.
    check(
        none(),
        "there.test",
        &Tlsa::NotAsked,
        ["nothing", "certificate", "nothing"],
    );
    check(
        none(),
        "192.0.2.1",
        &Tlsa::NotAsked,
        ["nothing", "certificate", "nothing"],
    );
    let secure = || DomainPolicy {
        mx_secure: true,
        ..none()
    };
    for tlsa in [Tlsa::Absent, Tlsa::NotSecure] {
        check(secure(), MX, &tlsa, ["nothing", "certificate", "nothing"]);
    }
}

#[test]
fn dane() {
    let secure = || DomainPolicy {
        mx_secure: true,
        ..DomainPolicy::default()
    };
    check(secure(), MX, &tlsa(3), ["dane", "dane", "nothing"]);
    check(secure(), MX, &tlsa(2), ["dane", "dane", "nothing"]);
    check(
        secure(),
        MX,
        &tlsa(1),
        ["encryption", "certificate", "nothing"],
    );
    let unknown = Tlsa::Unknown(DnsError::ServerFailure);
    check(secure(), MX, &unknown, ["4.7.5", "4.7.5", "nothing"]);
    // Records count only where the names of the mail hosts are proven. RFC 7672 §2.2.1
    check(
        DomainPolicy::default(),
        MX,
        &tlsa(3),
        ["nothing", "5.7.10", "nothing"],
    );
}

#[test]
fn mta_sts() {
    let of = |mode: &str| DomainPolicy {
        sts: sts(mode),
        ..DomainPolicy::default()
    };
    let no = &Tlsa::NotAsked;
    check(
        of("enforce"),
        MX,
        no,
        ["certificate", "certificate", "nothing"],
    );
    check(
        of("enforce"),
        "a.hoster.test",
        no,
        ["certificate", "certificate", "nothing"],
    );
    check(
        of("enforce"),
        "mx.evil.test",
        no,
        ["4.7.5", "4.7.5", "nothing"],
    );
    check(of("testing"), MX, no, ["nothing", "certificate", "nothing"]);
    check(
        of("testing"),
        "mx.evil.test",
        no,
        ["nothing", "5.7.10", "nothing"],
    );
    // DANE goes first, and is not overridden. RFC 8461 §2
    let both = || DomainPolicy {
        mx_secure: true,
        ..of("enforce")
    };
    check(both(), MX, &tlsa(3), ["dane", "dane", "nothing"]);
    check(
        both(),
        "other.there.test",
        &tlsa(3),
        ["dane", "dane", "nothing"],
    );
    check(
        both(),
        MX,
        &tlsa(0),
        ["certificate", "certificate", "nothing"],
    );
    check(
        both(),
        MX,
        &Tlsa::Absent,
        ["certificate", "certificate", "nothing"],
    );
}

#[test]
fn the_operator_s_list() {
    let of = |level, mx: &[&str]| DomainPolicy {
        requirement: required(level, mx),
        ..DomainPolicy::default()
    };
    let no = &Tlsa::NotAsked;
    let encrypted = of(TlsLevel::Encrypted, &[]);
    check(encrypted, MX, no, ["encryption", "5.7.10", "encryption"]);
    let verified = of(TlsLevel::Verified, &[]);
    check(verified, MX, no, ["certificate", "5.7.10", "certificate"]);
    // Nothing is known of the hosts yet: what the DNS says counts, and is then insisted on.
    let first = of(TlsLevel::Verified, &[]);
    check(
        first,
        "mx.evil.test",
        no,
        ["certificate", "5.7.10", "certificate"],
    );
    let then = DomainPolicy {
        learnt: learnt("*.hoster.test", 0),
        ..of(TlsLevel::Verified, &[])
    };
    check(
        then.clone(),
        "mx.evil.test",
        no,
        ["4.7.5", "4.7.5", "4.7.5"],
    );
    check(
        then.clone(),
        "b.hoster.test",
        no,
        ["certificate", "5.7.10", "certificate"],
    );
    check(then, MX, no, ["certificate", "5.7.10", "certificate"]);
    let listed = of(TlsLevel::Verified, &["*.hoster.test"]);
    check(
        listed.clone(),
        "a.hoster.test",
        no,
        ["certificate", "5.7.10", "certificate"],
    );
    check(listed, MX, no, ["4.7.5", "4.7.5", "4.7.5"]);
    // DNSSEC proves the name, whatever the list says.
    let proven = DomainPolicy {
        mx_secure: true,
        ..of(TlsLevel::Verified, &["*.hoster.test"])
    };
    check(proven.clone(), MX, &Tlsa::Absent, ["certificate"; 3]);
    check(proven, MX, &tlsa(3), ["dane", "dane", "certificate"]);
}

#[test]
fn what_was_learnt() {
    let of = |days, insist| DomainPolicy {
        learnt: learnt("*.there.test", days),
        insist_on_learnt: insist,
        ..DomainPolicy::default()
    };
    let no = &Tlsa::NotAsked;
    check(of(30, true), MX, no, ["certificate", "5.7.10", "nothing"]);
    check(of(29, true), MX, no, ["nothing", "5.7.10", "nothing"]);
    check(of(400, false), MX, no, ["nothing", "5.7.10", "nothing"]);
    check(
        of(30, true),
        "mx.evil.test",
        no,
        ["4.7.5", "4.7.5", "nothing"],
    );
}

#[test]
fn the_reasons_are_told() {
    let policy = DomainPolicy {
        sts: sts("enforce"),
        requirement: required(TlsLevel::Encrypted, &[]),
        learnt: learnt("*.there.test", 31),
        insist_on_learnt: true,
        ..DomainPolicy::default()
    };
    let plan = plan(
        &domain(),
        &policy,
        TlsWish::Policies,
        &HostName::of(MX),
        &Tlsa::NotAsked,
    );
    let why = plan.unwrap().why(&domain(), MX).unwrap();
    for wanted in [
        "the MTA-STS policy of there.test forbids sending so",
        "over TLS only, as its operator chose (`postroad tls list`)",
        "each time since 1 Jan 1970",
        "`postroad tls forget there.test`",
        "the mail waits",
    ] {
        assert!(why.contains(wanted), "{why}");
    }
}

#[test]
fn what_meets_a_demand() {
    let of = |encrypted, certificate, dane| Secured {
        encrypted,
        certificate,
        dane,
    };
    let bad = Err(TlsFailure::CertificateExpired);
    let dane = || Demand::Dane {
        records: Vec::new(),
        base: String::new(),
    };
    let table = [
        (of(false, bad, false), [true, false, false, false]),
        (of(true, bad, false), [true, true, false, false]),
        (of(true, Ok(()), false), [true, true, true, false]),
        (of(true, bad, true), [true, true, false, true]),
    ];
    for (secured, wanted) in table {
        let demands = [
            Demand::Nothing,
            Demand::Encryption,
            Demand::Certificate,
            dane(),
        ];
        let got = demands.map(|demand| demand.is_met_by(&secured));
        assert_eq!(got, wanted, "{secured:?}");
    }
}
