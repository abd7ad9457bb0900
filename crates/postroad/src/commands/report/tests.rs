//! What sums of reports lead to: whom they name, and what they call for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use store::reports::*;

use super::mend::{Advice, Facts, advice};
use super::sums::{organisation, sum};
use super::{percent, tls};

const OWN: &str = "203.0.113.5";

fn entry(source: &str) -> DmarcEntry {
    DmarcEntry {
        source: source.parse().unwrap(),
        header_from: "here.example".to_owned(),
        envelope_from: Some("here.example".to_owned()),
        disposition: Disposition::None,
        dkim_aligned: false,
        spf_aligned: false,
        overrides: Vec::new(),
        dkim: Vec::new(),
        spf: None,
    }
}

fn aligned(source: &str) -> DmarcEntry {
    DmarcEntry {
        dkim_aligned: true,
        spf_aligned: true,
        disposition: Disposition::Pass,
        dkim: vec![dkim("here.example", "pass")],
        spf: Some(spf("here.example", "pass")),
        ..entry(source)
    }
}

fn dkim(domain: &str, result: &str) -> DkimSeen {
    DkimSeen {
        domain: domain.to_owned(),
        selector: "s1".to_owned(),
        result: result.to_owned(),
    }
}

fn spf(domain: &str, result: &str) -> SpfSeen {
    SpfSeen {
        domain: domain.to_owned(),
        scope: SpfScope::Mfrom,
        result: result.to_owned(),
    }
}

fn known(sources: &[(&str, Option<&str>, SourceOwner)]) -> BTreeMap<String, ReportSource> {
    let sources = sources.iter().map(|(source, name, ours)| {
        let known = ReportSource {
            source: (*source).to_owned(),
            name: name.map(str::to_owned),
            ours: *ours,
        };
        ((*source).to_owned(), known)
    });
    sources.collect()
}

fn advise(lines: &[(DmarcEntry, u64)], sources: &[(&str, Option<&str>, SourceOwner)]) -> Advice {
    let own: IpAddr = OWN.parse().unwrap();
    let sums = sum("here.example", lines, &known(sources), &[own]);
    let facts = Facts {
        domain: "here.example",
        policy: Some("none"),
        errors: Vec::new(),
        days: 20,
    };
    advice(&facts, &sums)
}

#[track_caller]
fn mends(advice: &Advice, words: &str) {
    assert!(
        advice.mend.iter().any(|line| line.contains(words)),
        "{advice:?}"
    );
}

#[test]
fn sources_are_grouped_and_counted() {
    let lines = [
        (aligned(OWN), 10),
        (aligned("192.0.2.1"), 4),
        (
            DmarcEntry {
                disposition: Disposition::Reject,
                ..entry("192.0.2.2")
            },
            3,
        ),
        (
            DmarcEntry {
                disposition: Disposition::Quarantine,
                ..entry("198.51.100.1")
            },
            2,
        ),
        (entry("198.51.100.1"), 1),
    ];
    let sources = known(&[
        (
            "192.0.2.1",
            Some("a.mail.big.example"),
            SourceOwner::Stranger,
        ),
        (
            "192.0.2.2",
            Some("b.mail.big.example"),
            SourceOwner::Stranger,
        ),
    ]);
    let sums = sum("here.example", &lines, &sources, &[OWN.parse().unwrap()]);
    let told: Vec<_> = sums
        .sources
        .iter()
        .map(|source| {
            (
                source.name.as_str(),
                source.owner,
                source.addresses.len(),
                source.counts.messages,
                source.counts.passing,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (OWN, SourceOwner::ThisServer, 1, 10, 10),
            ("big.example", SourceOwner::Stranger, 2, 7, 4),
            ("198.51.100.1", SourceOwner::Unknown, 1, 3, 0),
        ]
    );
    let totals = &sums.counts;
    assert_eq!(
        (
            totals.messages,
            totals.passing,
            totals.rejected,
            totals.quarantined,
            totals.let_through
        ),
        (20, 14, 3, 2, 1)
    );
}

#[test]
fn what_the_own_server_does_wrong() {
    let signed_only_by_spf = DmarcEntry {
        dkim_aligned: false,
        dkim: Vec::new(),
        ..aligned(OWN)
    };
    mends(
        &advise(&[(signed_only_by_spf, 3)], &[]),
        "3 messages without a DKIM signature of here.example",
    );
    let broken = DmarcEntry {
        dkim_aligned: false,
        dkim: vec![dkim("here.example", "fail")],
        ..aligned(OWN)
    };
    mends(
        &advise(&[(broken, 1)], &[]),
        "did not hold on 1 message (result: fail; selector: s1)",
    );
    let not_allowed = DmarcEntry {
        spf_aligned: false,
        spf: Some(spf("here.example", "softfail")),
        ..aligned(OWN)
    };
    mends(
        &advise(&[(not_allowed, 2)], &[]),
        "the SPF record must allow 203.0.113.5",
    );
    assert_eq!(
        advise(&[(aligned(OWN), 100)], &[]).mend,
        Vec::<String>::new()
    );
}

#[test]
fn a_service_that_is_not_aligned() {
    let newsletter = DmarcEntry {
        dkim: vec![dkim("news.example", "pass")],
        spf: Some(spf("bounce.news.example", "pass")),
        ..entry("192.0.2.9")
    };
    let allowed = [("192.0.2.9", Some("out.news.example"), SourceOwner::Allowed)];
    let advice = advise(&[(newsletter.clone(), 2)], &allowed);
    mends(
        &advice,
        "news.example (192.0.2.9) is allowed by your SPF record, but 2 of its 2 messages fail DMARC",
    );
    mends(&advice, "sign with DKIM as here.example");
    let stranger = [("192.0.2.9", Some("out.news.example"), SourceOwner::Stranger)];
    mends(
        &advise(&[(newsletter.clone(), 20)], &stranger),
        "If it is a service that you use",
    );
    // A few among many are not worth a sentence.
    assert_eq!(
        advise(&[(newsletter, 2), (aligned(OWN), 5_000)], &stranger).mend,
        Vec::<String>::new()
    );
}

#[test]
fn forwarders_lists_and_forgers_are_only_told() {
    let stranger = [("192.0.2.9", Some("mx.uni.example"), SourceOwner::Stranger)];
    let forwarded = DmarcEntry {
        spf_aligned: false,
        spf: Some(spf("uni.example", "pass")),
        ..aligned("192.0.2.9")
    };
    let list = DmarcEntry {
        dkim: vec![dkim("here.example", "fail"), dkim("uni.example", "pass")],
        ..entry("192.0.2.9")
    };
    for (line, words) in [
        (forwarded, "forwards your mail"),
        (list, "a mailing list or forwarder"),
        (entry("192.0.2.9"), "most likely forged"),
    ] {
        let advice = advise(&[(line, 50)], &stranger);
        assert_eq!(advice.mend, Vec::<String>::new());
        assert!(
            advice.know.iter().any(|line| line.contains(words)),
            "{advice:?}"
        );
    }
}

#[test]
fn the_next_policy_is_told_when_all_is_in_order() {
    let advice = advise(&[(aligned(OWN), 100)], &[]);
    assert!(
        advice
            .know
            .iter()
            .any(|line| line.contains("may become p=quarantine")),
        "{advice:?}"
    );
    let broken = DmarcEntry {
        dkim_aligned: false,
        dkim: Vec::new(),
        ..aligned(OWN)
    };
    let advice = advise(&[(aligned(OWN), 100), (broken, 1)], &[]);
    assert!(
        !advice.know.iter().any(|line| line.contains("may become")),
        "{advice:?}"
    );
}

#[test]
fn each_kind_of_tls_failure_has_its_remedy() {
    let policy = TlsPolicySeen {
        kind: TlsPolicyKind::Sts,
        text: Vec::new(),
        mx: Vec::new(),
    };
    let failure = |result: &str| TlsFailure {
        result_type: result.to_owned(),
        sending_mta_ip: None,
        receiving_mx_hostname: Some("mx.here.example".to_owned()),
        receiving_mx_helo: None,
        receiving_ip: None,
        failure_reason_code: Some("why".to_owned()),
    };
    // RFC 8460 §4.3
    let results = [
        "starttls-not-supported",
        "certificate-host-mismatch",
        "certificate-expired",
        "certificate-not-trusted",
        "validation-failure",
        "tlsa-invalid",
        "dnssec-invalid",
        "dane-required",
        "sts-policy-fetch-error",
        "sts-policy-invalid",
        "sts-webpki-invalid",
        "something-new",
    ];
    let mut sentences = Vec::new();
    for result in results {
        let line = (
            TlsEntry {
                policy: policy.clone(),
                failure: Some(failure(result)),
            },
            3,
        );
        let mend = tls::mend("here.example", &tls::sum(&[line]));
        assert!(
            mend[0].starts_with(&format!("3 sessions, {result}: ")),
            "{mend:?}"
        );
        assert!(mend[0].ends_with("They say: why."), "{mend:?}");
        sentences.push(mend[0].replace(result, ""));
    }
    sentences.dedup();
    assert_eq!(sentences.len(), results.len());
}

#[test]
fn numbers_for_people() {
    assert_eq!(percent(1_999, 2_000), "99.9 %");
    assert_eq!(percent(0, 0), "-");
    assert_eq!(organisation("mail-it1-f201.google.com"), "google.com");
    assert_eq!(organisation("a.b.mail.co.uk"), "mail.co.uk");
    assert_eq!(organisation("localhost"), "localhost");
}
