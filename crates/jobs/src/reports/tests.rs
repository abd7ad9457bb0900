//! What messages to report addresses come to, what our reports say, when they are due.

use std::time::Duration;

use mail::{Address, UnixMillis};
use mailauth::report::{compose, tls};
use store::reports::*;
use world::SeededRandom;

use super::build::{self, Reporter};
use super::limits::{ATTEMPTS_MAX, SEND_FROM, SEND_SPREAD};
use super::read::{Arrival, Read, read};
use super::sending::{again, due};

const NOW: UnixMillis = UnixMillis(1_795_222_800_000);
const DAY: i64 = 20_777;

fn arrival() -> Arrival {
    Arrival {
        domain: "here.example".to_owned(),
        submitter: Some("big.example".to_owned()),
        received: NOW,
        trace: "TRACE".to_owned(),
    }
}

fn read_it(message: &[u8]) -> Read {
    read(
        message,
        &arrival(),
        &["here.example".to_owned(), "sub.here.example".to_owned()],
    )
}

fn xml(domain: &str) -> String {
    format!(
        "<feedback><report_metadata><org_name>Big Mail</org_name><email>dmarc@big.example</email><report_id>7</report_id>\
         <date_range><begin>1795132800</begin><end>1795219199</end></date_range></report_metadata>\
         <policy_published><domain>{domain}</domain><p>reject</p></policy_published>\
         <record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>reject</disposition>\
         <dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>{domain}</header_from></identifiers></record>\
         </feedback>"
    )
}

#[test]
fn a_report_is_filed_under_the_domain_it_is_for() {
    let owner = |domain: &str| {
        let read = read_it(xml(domain).as_bytes());
        read.reports
            .first()
            .map(|report| report.domain.clone())
            .ok_or(read.problems)
    };
    assert_eq!(owner("here.example").unwrap(), "here.example");
    assert_eq!(owner("deep.here.example").unwrap(), "here.example");
    assert_eq!(owner("a.sub.here.example").unwrap(), "sub.here.example");
    let why = owner("there.example").unwrap_err();
    assert_eq!(
        why,
        ["its report: it is about there.example, which is no domain of this server"]
    );
    assert!(owner("nothere.example").is_err());
}

#[test]
fn what_it_says_is_kept() {
    let report = read_it(xml("here.example").as_bytes()).reports.remove(0);
    assert_eq!(
        (report.reporter.as_str(), report.report_id.as_str()),
        ("Big Mail", "7")
    );
    assert_eq!(report.submitter.as_deref(), Some("big.example"));
    assert_eq!((report.begins, report.ends), (1_795_132_800, 1_795_219_199));
    let ReportLines::Dmarc(lines) = report.lines else {
        panic!("no DMARC lines")
    };
    assert_eq!(lines[0].0.disposition, Disposition::Reject);
    assert_eq!(lines[0].1, 3);
}

#[test]
fn periods_that_lie_ahead_are_cut() {
    let text = xml("here.example").replace("1795219199", "99999999999");
    let report = read_it(text.as_bytes()).reports.remove(0);
    assert_eq!(report.ends, NOW.secs() + 86_400);
}

#[test]
fn a_report_without_id_has_one_made_of_what_it_says() {
    let text = xml("here.example").replace("<report_id>7</report_id>", "");
    let report = read_it(text.as_bytes()).reports.remove(0);
    assert_eq!(report.report_id, "1795132800-1795219199-1-3");
    assert_eq!(report.note, "it has no report id");
}

#[test]
fn nothing_vanishes_without_a_word() {
    assert_eq!(
        read_it(b"From: a@b.example\r\n\r\nhello\r\n").problems,
        ["there is no report in it"]
    );
    assert_eq!(
        read_it(b"<feedback></feedback>").problems,
        ["its report: it does not say which domain it is about"]
    );
    let broken = b"From: a@b.example\r\nContent-Type: application/gzip; name=\"r.xml.gz\"\r\n\r\n\x1f\x8b\x08junk";
    assert_eq!(
        read_it(broken).problems,
        ["r.xml.gz: it is damaged, and nothing of it can be read"]
    );
}

#[test]
fn tls_failures_that_are_not_described_are_counted_too() {
    let report = br#"{"organization-name":"Big","date-range":{"start-datetime":"2026-11-20T00:00:00Z","end-datetime":"2026-11-20T23:59:59Z"},
        "report-id":"1","policies":[{"policy":{"policy-type":"sts","policy-domain":"here.example"},
        "summary":{"total-successful-session-count":9,"total-failure-session-count":5},
        "failure-details":[{"result-type":"certificate-expired","failed-session-count":3}]},
        {"policy":{"policy-type":"tlsa","policy-domain":"there.example"},"summary":{"total-successful-session-count":1}}]}"#;
    let report = read_it(report).reports.remove(0);
    assert!(report.note.contains("there.example"));
    let ReportLines::Tls(lines) = report.lines else {
        panic!("no TLS lines")
    };
    let told: Vec<_> = lines
        .iter()
        .map(|(entry, times)| {
            (
                entry
                    .failure
                    .as_ref()
                    .map_or("ok", |failure| &failure.result_type),
                *times,
            )
        })
        .collect();
    assert_eq!(
        told,
        [("ok", 9), ("certificate-expired", 3), ("unspecified", 2)]
    );
}

#[test]
fn our_own_report_that_comes_back_is_known() {
    let bounce = b"From: mailer-daemon@there.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
        --b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; there.example\r\n\r\n\
        Final-Recipient: rfc822; rua@there.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\
        --b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: x@here.example\r\nMessage-ID: <1.abc@mail.here.example>\r\n\r\n--b--\r\n";
    let wanted = (
        "1.abc@mail.here.example".to_owned(),
        "smtp; 550 no such user".to_owned(),
    );
    assert_eq!(read_it(bounce).came_back, Some(wanted));
    let delayed = String::from_utf8_lossy(bounce).replace("Action: failed", "Action: delayed");
    assert_eq!(read_it(delayed.as_bytes()).came_back, None);
}

fn day(policy: PublishedPolicy) -> ReportDay {
    ReportDay {
        kind: ReportKind::Dmarc,
        domain: "there.example".to_owned(),
        day: DAY,
        due: Some(NOW),
        attempts: 0,
        token: "00ff".to_owned(),
        left_out: 2,
        policy: Some(policy),
    }
}

fn seen(source: &str, disposition: Disposition) -> DmarcEntry {
    DmarcEntry {
        source: source.parse().unwrap(),
        header_from: "there.example".to_owned(),
        envelope_from: None,
        disposition,
        dkim_aligned: disposition == Disposition::Pass,
        spf_aligned: false,
        overrides: Vec::new(),
        dkim: Vec::new(),
        spf: None,
    }
}

const REPORTER: Reporter<'_> = Reporter {
    host: "mail.here.example",
    contact: "dmarc-reports@here.example",
};

#[test]
fn a_day_becomes_a_report() {
    let policy = |p: &str| PublishedPolicy {
        p: p.to_owned(),
        ..PublishedPolicy::default()
    };
    let sights = [
        (seen("192.0.2.1", Disposition::Pass), 5),
        (seen("192.0.2.2", Disposition::Reject), 1),
        (seen("192.0.2.1", Disposition::Pass), 2),
    ];
    let report = build::dmarc(&REPORTER, &day(policy("reject")), &sights).remove(0);
    assert_eq!(report.metadata.report_id, "20261120.00ff@mail.here.example");
    assert_eq!(
        (report.metadata.begin, report.metadata.end),
        (1_795_132_800, 1_795_219_199)
    );
    assert_eq!(
        report.metadata.errors,
        ["2 messages of further kinds are not shown"]
    );
    let told: Vec<_> = report
        .rows
        .iter()
        .map(|row| (row.count, row.disposition.as_str()))
        .collect();
    assert_eq!(told, [(7, "pass"), (1, "reject")]);
    // Without a policy that would do something, nothing was done.
    let report = build::dmarc(&REPORTER, &day(policy("none")), &sights).remove(0);
    assert_eq!(report.rows[0].disposition.as_str(), "none");
}

#[test]
fn too_much_for_one_report_becomes_several() {
    let sights: Vec<_> = (0..6_000_u32)
        .map(|n| {
            (
                seen(&std::net::Ipv4Addr::from(n).to_string(), Disposition::None),
                1,
            )
        })
        .collect();
    let reports = build::dmarc(&REPORTER, &day(PublishedPolicy::default()), &sights);
    let told: Vec<_> = reports
        .iter()
        .map(|report| (report.rows.len(), report.metadata.report_id.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (5_000, "20261120.00ff@mail.here.example"),
            (1_000, "20261120.00ff.2@mail.here.example")
        ]
    );
    let address = Address::parse("dmarc-reports@here.example").unwrap();
    let head = compose::Head {
        from: &address,
        to: &address,
        date: NOW,
        submitter: "mail.here.example",
    };
    assert!(compose::aggregate(&head, &reports[0]).len() < 10_000_000);
}

#[test]
fn a_day_of_sessions_becomes_a_report() {
    let policy = |kind| TlsPolicySeen {
        kind,
        text: Vec::new(),
        mx: Vec::new(),
    };
    let failed = TlsFailure {
        result_type: "starttls-not-supported".to_owned(),
        sending_mta_ip: None,
        receiving_mx_hostname: Some("mx.there.example".to_owned()),
        receiving_mx_helo: None,
        receiving_ip: None,
        failure_reason_code: None,
    };
    let entry = |kind, failure: Option<TlsFailure>| TlsEntry {
        policy: policy(kind),
        failure,
    };
    let sights = [
        (entry(TlsPolicyKind::Sts, None), 5),
        (entry(TlsPolicyKind::Sts, Some(failed)), 2),
        (entry(TlsPolicyKind::Tlsa, None), 1),
    ];
    let report = build::tls(&REPORTER, &day(PublishedPolicy::default()), &sights);
    let told: Vec<_> = report
        .policies
        .iter()
        .map(|p| (p.kind.as_str(), p.successes, p.failures, p.details.len()))
        .collect();
    assert_eq!(told, [("tlsa", 1, 0, 0), ("sts", 5, 2, 1)]);
    assert_eq!(tls::parse(report.write().as_bytes()).unwrap(), report);
}

#[test]
fn reports_leave_after_the_day_and_spread() {
    let random = SeededRandom::new(7);
    let end = UnixMillis::from_secs((DAY + 1) * 86_400);
    let times: Vec<_> = (0..50).map(|_| due(DAY, &random)).collect();
    assert!(
        times
            .iter()
            .all(|at| end.plus(SEND_FROM) <= *at && *at < end.plus(SEND_FROM + SEND_SPREAD))
    );
    let minutes: std::collections::BTreeSet<_> = times.iter().map(|at| at.0 / 60_000).collect();
    assert!(30 < minutes.len());
}

#[test]
fn failures_back_off_and_end() {
    let hours: Vec<_> = (0..=ATTEMPTS_MAX)
        .map_while(|failures| again(NOW, failures))
        .map(|at| at.since(NOW).as_secs() / 3_600)
        .collect();
    assert_eq!(hours, [1, 2, 4, 8, 16, 32]);
    assert!(again(NOW, ATTEMPTS_MAX).is_none());
    assert!(NOW.plus(Duration::from_secs(1)) < again(NOW, 0).unwrap());
}
