//! Reports: what we note of others, what others say of us, and what is kept of both.

use mail::UnixMillis;
use store::reports::*;
use store::*;

use crate::fixture::*;

on_both!(
    sights_are_counted,
    sights_have_a_bound,
    a_changed_policy_is_noted,
    days_are_planned_sent_and_forgotten,
    refused_destinations_are_left_alone_for_longer_each_time,
    report_addresses_belong_to_local_domains,
    messages_are_taken_in_and_read,
    too_many_wait,
    too_many_bytes_wait,
    unreadable_ones_are_kept_for_a_while,
    a_flood_leaves_the_newest,
    reports_are_summed_up_once_each,
    unvouched_reports_stay_apart,
    sources_are_looked_up_once,
    old_reports_are_forgotten,
);

const DAY: i64 = 86_400_000;

fn entry(source: &str, disposition: Disposition) -> DmarcEntry {
    DmarcEntry {
        source: source.parse().expect("an address"),
        header_from: "there.example".to_owned(),
        envelope_from: None,
        disposition,
        dkim_aligned: disposition == Disposition::Pass,
        spf_aligned: false,
        overrides: Vec::new(),
        dkim: vec![DkimSeen {
            domain: "there.example".to_owned(),
            selector: "s".to_owned(),
            result: "pass".to_owned(),
        }],
        spf: None,
    }
}

fn policy(p: &str) -> PublishedPolicy {
    PublishedPolicy {
        p: p.to_owned(),
        rua: vec!["mailto:rua@there.example".to_owned()],
        ..PublishedPolicy::default()
    }
}

fn note(home: &Home, at: i64, p: &str, entries: &[DmarcEntry]) {
    let sights: Vec<_> = entries
        .iter()
        .map(|entry| DmarcEvidence {
            at: UnixMillis(at),
            policy_domain: "there.example".to_owned(),
            policy: policy(p),
            entry: entry.clone(),
        })
        .collect();
    home.write(move |change| sights.iter().try_for_each(|sight| change.note_dmarc(sight)))
        .expect("noted");
}

fn due(home: &Home, at: i64) -> Vec<ReportDay> {
    home.read(move |view| view.report_days(day_of(UnixMillis(at)), UnixMillis(at), 100))
}

fn sights_are_counted(home: &Home) {
    let (good, bad) = (
        entry("192.0.2.1", Disposition::Pass),
        entry("192.0.2.2", Disposition::Reject),
    );
    note(
        home,
        NOW.0,
        "none",
        &[good.clone(), bad.clone(), good.clone()],
    );
    note(home, NOW.0, "none", std::slice::from_ref(&good));
    note(home, NOW.0 + DAY, "none", std::slice::from_ref(&bad));
    let day = day_of(NOW);
    let mut seen = home.read(move |view| view.dmarc_seen("there.example", day));
    seen.sort();
    assert_eq!(seen, [(good, 3), (bad, 1)]);
    let tls = TlsEvidence {
        at: NOW,
        domain: "there.example".to_owned(),
        policy: TlsPolicySeen {
            kind: TlsPolicyKind::NoPolicyFound,
            text: Vec::new(),
            mx: Vec::new(),
        },
        failure: None,
    };
    home.write(move |change| (0..5).try_for_each(|_| change.note_tls(&tls)))
        .expect("noted");
    let seen = home.read(move |view| view.tls_seen("there.example", day));
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1, 5);
    // Nothing is due while the day lasts.
    assert_eq!(due(home, NOW.0), []);
    assert_eq!(due(home, NOW.0 + DAY).len(), 2);
}

fn sights_have_a_bound(home: &Home) {
    let max = limits::REPORT_ENTRIES_PER_DAY_MAX;
    let entries: Vec<_> = (0..max + 50)
        .map(|n| entry(&format!("10.0.{}.{}", n / 256, n % 256), Disposition::None))
        .collect();
    note(home, NOW.0, "none", &entries);
    // What is known goes on being counted.
    note(home, NOW.0, "none", &entries[..10]);
    let day = day_of(NOW);
    let seen = home.read(move |view| view.dmarc_seen("there.example", day));
    assert_eq!(seen.len(), max as usize);
    assert_eq!(
        seen.iter().map(|(_, times)| times).sum::<u64>(),
        max as u64 + 10
    );
    assert_eq!(due(home, NOW.0 + DAY)[0].left_out, 50);
}

fn a_changed_policy_is_noted(home: &Home) {
    let one = [entry("192.0.2.1", Disposition::None)];
    note(home, NOW.0, "none", &one);
    note(home, NOW.0, "reject", &one);
    assert_eq!(due(home, NOW.0 + DAY)[0].policy, Some(policy("reject")));
}

fn days_are_planned_sent_and_forgotten(home: &Home) {
    note(
        home,
        NOW.0,
        "none",
        &[entry("192.0.2.1", Disposition::None)],
    );
    let later = NOW.0 + DAY;
    let day = due(home, later).remove(0);
    assert_eq!((day.due, day.attempts), (None, 0));
    let (planned, at) = (day.clone(), UnixMillis(later + 1_000));
    home.write(move |change| change.plan_report(&planned, at, "token"))
        .expect("planned");
    assert_eq!(due(home, later), []);
    let day = due(home, later + 1_000).remove(0);
    let (again, at) = (day.clone(), UnixMillis(later + 2_000));
    home.write(move |change| change.retry_report(&again, at, "the DNS is down"))
        .expect("planned again");
    let day = due(home, later + 2_000).remove(0);
    assert_eq!((day.attempts, day.token.as_str()), (1, "token"));
    let sent = day.clone();
    home.write(move |change| {
        change.note_report_sent(&sent, "rua@there.example", at, "1@here.example", "")?;
        change.end_report_day(&sent, ReportDayEnd::Sent, "")
    })
    .expect("sent");
    assert_eq!(due(home, later + DAY), []);
    let asked = day.clone();
    assert!(home.read(move |view| view.was_report_sent(&asked, "rua@there.example")));
    assert!(!home.read(move |view| view.was_report_sent(&day, "other@there.example")));
    assert_eq!(home.read(|view| view.sent_reports(10)).len(), 1);
    let to = home.read(|view| view.report_sent_to("1@here.example"));
    assert_eq!(to.as_deref(), Some("rua@there.example"));
    let day = day_of(NOW);
    assert_eq!(
        home.read(move |view| view.dmarc_seen("there.example", day)),
        []
    );
}

fn refused_destinations_are_left_alone_for_longer_each_time(home: &Home) {
    let mut days = Vec::new();
    for _ in 0..7 {
        home.write(|change| change.note_report_refused("rua@there.example", NOW, "550 no"))
            .expect("noted");
        let quiet = home.read(|view| view.report_destination_quiet("rua@there.example"));
        days.push((quiet.expect("quiet").0 - NOW.0) / DAY);
    }
    assert_eq!(days, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(
        home.read(|view| view.report_destination_quiet("other@there.example")),
        None
    );
}

fn report_addresses_belong_to_local_domains(home: &Home) {
    let kind = |text: &str| {
        let address = address(text);
        home.read(move |view| view.report_address(&address))
    };
    assert_eq!(kind("dmarc-reports@here.example"), Some(ReportKind::Dmarc));
    assert_eq!(kind("TLS-Reports@here.example"), Some(ReportKind::Tls));
    assert_eq!(kind("dmarc-reports@there.example"), None);
    assert_eq!(kind("ann@here.example"), None);
}

fn take(home: &Home, body: &[u8]) -> Result<Receipt, TakeReportError> {
    let intake = NewIntake {
        trace: trace(),
        kept: home.store.keep_blocking(body.to_vec()).expect("kept"),
        recipient: address("dmarc-reports"),
        submitter: Some("there.example".to_owned()),
        received: NOW,
    };
    home.store
        .accept_blocking(move |change| change.take_report(&intake))
}

fn waiting(home: &Home) -> Vec<Intake> {
    home.read(|view| view.waiting_reports(10_000))
}

fn messages_are_taken_in_and_read(home: &Home) {
    let _ = take(home, b"a report").expect("taken");
    let intake = waiting(home).remove(0);
    assert_eq!(
        (intake.domain.as_str(), intake.kind),
        ("here.example", ReportKind::Dmarc)
    );
    assert_eq!(
        home.store
            .body_blocking(&intake.body, 0..100)
            .expect("a body"),
        b"a report"
    );
    home.write(move |change| change.end_intake(&intake))
        .expect("read");
    assert_eq!(waiting(home), []);
    let elsewhere = NewIntake {
        trace: trace(),
        kept: home.store.keep_blocking(b"x".to_vec()).expect("kept"),
        recipient: address("ann"),
        submitter: None,
        received: NOW,
    };
    let refused = home
        .store
        .accept_blocking(move |change| change.take_report(&elsewhere));
    assert!(matches!(refused, Err(TakeReportError::NoReportAddress(_))));
}

fn too_many_wait(home: &Home) {
    let kept = home.store.keep_blocking(b"again".to_vec()).expect("kept");
    let intake = NewIntake {
        trace: trace(),
        kept,
        recipient: address("tls-reports"),
        submitter: None,
        received: NOW,
    };
    let max = limits::REPORT_INTAKE_WAITING_MAX;
    let first = intake.clone();
    home.write(move |change| (0..max).try_for_each(|_| change.take_report(&first).map(drop)))
        .expect("there is room");
    let refused = home
        .store
        .accept_blocking(move |change| change.take_report(&intake));
    assert!(matches!(refused, Err(TakeReportError::TooManyWaiting)));
}

fn too_many_bytes_wait(home: &Home) {
    let size = usize::try_from(limits::REPORT_INTAKE_BYTES_MAX).expect("a size");
    let kept = home.store.keep_blocking(vec![b'x'; size]).expect("kept");
    let intake = NewIntake {
        trace: trace(),
        kept,
        recipient: address("dmarc-reports"),
        submitter: None,
        received: NOW,
    };
    let take = |intake: NewIntake| {
        home.store
            .accept_blocking(move |change| change.take_report(&intake))
    };
    let taken = (0..100)
        .take_while(|_| take(intake.clone()).is_ok())
        .count() as u64;
    let bytes = i64::try_from(taken * limits::REPORT_INTAKE_BYTES_MAX).expect("a number");
    assert_eq!(bytes, limits::REPORT_INTAKE_WAITING_BYTES_MAX);
    assert!(matches!(take(intake), Err(TakeReportError::TooManyWaiting)));
}

fn unreadable_ones_are_kept_for_a_while(home: &Home) {
    let _ = take(home, b"nonsense").expect("taken");
    let intake = waiting(home).remove(0);
    home.write(move |change| change.keep_unreadable(&intake, "it is no report"))
        .expect("kept");
    assert_eq!(waiting(home), []);
    let kept = home
        .read(|view| view.unreadable_reports("here.example"))
        .remove(0);
    assert_eq!(kept.why, "it is no report");
    assert_eq!(
        home.store
            .body_blocking(&kept.body, 0..100)
            .expect("a body"),
        b"nonsense"
    );
    forget(home, NOW.0 + 1);
    assert_eq!(
        home.read(|view| view.unreadable_reports("here.example")),
        []
    );
}

fn a_flood_leaves_the_newest(home: &Home) {
    let max = limits::REPORT_UNREADABLE_MAX;
    for number in 0..max + 5 {
        let _ = take(home, format!("nonsense {number}").as_bytes()).expect("taken");
    }
    let intakes = waiting(home);
    for intake in intakes.clone() {
        home.write(move |change| change.keep_unreadable(&intake, "it is no report"))
            .expect("kept");
    }
    let kept = || home.read(|view| view.unreadable_reports("here.example"));
    let newest = home.store.body_blocking(&kept()[0].body, 0..100);
    let wanted = format!("nonsense {}", max + 4);
    assert_eq!(newest.expect("a body"), wanted.as_bytes());
    // Behind those that are shown there are no others.
    let newest = intakes[intakes.len() - 5..].to_vec();
    home.write(move |change| newest.iter().try_for_each(|one| change.end_intake(one)))
        .expect("read");
    assert_eq!(kept().len() as i64, max - 5);
    let max = limits::REPORT_UNVOUCHED_MAX;
    let lines = vec![(entry("192.0.2.1", Disposition::None), 1)];
    home.write(move |change| {
        (0..max + 5).try_for_each(|number| {
            let report = report(&number.to_string(), None, lines.clone());
            change.file_report(&report).map(drop)
        })
    })
    .expect("filed");
    let listed = home.read(|view| view.reports(ReportKind::Dmarc, "here.example", 0));
    assert_eq!(listed.len() as i64, max);
    assert!(listed.iter().all(|report| report.report_id != "0"));
}

fn report(id: &str, submitter: Option<&str>, lines: Vec<(DmarcEntry, u64)>) -> NewReport {
    NewReport {
        domain: "here.example".to_owned(),
        submitter: submitter.map(str::to_owned),
        reporter: "Big Mail".to_owned(),
        report_id: id.to_owned(),
        begins: NOW.secs() - 86_400,
        ends: NOW.secs(),
        received: NOW,
        about: ReportAbout {
            policy_domain: "here.example".to_owned(),
            ..ReportAbout::default()
        },
        note: String::new(),
        lines: ReportLines::Dmarc(lines),
    }
}

fn file(home: &Home, report: NewReport) -> Filed {
    home.write(move |change| change.file_report(&report))
        .expect("filed")
}

fn reports_are_summed_up_once_each(home: &Home) {
    let (good, bad) = (
        entry("192.0.2.1", Disposition::Pass),
        entry("192.0.2.2", Disposition::Reject),
    );
    let lines = vec![(good.clone(), 4), (bad.clone(), 1), (good.clone(), 2)];
    let big = Some("big.example");
    assert_eq!(file(home, report("1", big, lines.clone())), Filed::New);
    assert_eq!(
        file(home, report("1", big, lines.clone())),
        Filed::Duplicate
    );
    assert_eq!(
        file(home, report("2", big, vec![(good.clone(), 10)])),
        Filed::New
    );
    // The same id from somebody else is another report.
    assert_eq!(
        file(
            home,
            report("1", Some("small.example"), vec![(bad.clone(), 1)])
        ),
        Filed::New
    );
    let sums = home.read(|view| view.dmarc_lines("here.example", 0));
    assert_eq!(sums, [(good, 16), (bad, 2)]);
    assert_eq!(
        home.read(|view| view.dmarc_lines("here.example", NOW.secs() + 1)),
        []
    );
    let listed = home.read(|view| view.reports(ReportKind::Dmarc, "here.example", 0));
    let messages: Vec<_> = listed.iter().map(|report| report.messages).collect();
    assert_eq!(messages, [7, 10, 1]);
}

fn unvouched_reports_stay_apart(home: &Home) {
    let forged = vec![(entry("192.0.2.66", Disposition::Pass), 1_000_000)];
    assert_eq!(file(home, report("1", None, forged.clone())), Filed::New);
    // It does not keep the true one out.
    assert_eq!(
        file(home, report("1", Some("big.example"), forged)),
        Filed::New
    );
    let sums = home.read(|view| view.dmarc_lines("here.example", 0));
    assert_eq!(sums[0].1, 1_000_000);
    assert_eq!(
        home.read(|view| view.reports(ReportKind::Dmarc, "here.example", 0))
            .len(),
        2
    );
}

fn sources_are_looked_up_once(home: &Home) {
    let lines = vec![
        (entry("192.0.2.1", Disposition::Pass), 1),
        (entry("0.0.0.0", Disposition::None), 1),
    ];
    let _ = file(home, report("1", Some("big.example"), lines.clone()));
    let wanted = home.read(|view| view.sources_to_look_up(10));
    assert_eq!(
        wanted,
        [("here.example".to_owned(), "192.0.2.1".to_owned())]
    );
    let known = ReportSource {
        source: "192.0.2.1".to_owned(),
        name: Some("out.big.example".to_owned()),
        ours: SourceOwner::Allowed,
    };
    let noted = known.clone();
    home.write(move |change| change.note_source("here.example", &noted, NOW))
        .expect("noted");
    let _ = file(home, report("2", Some("big.example"), lines.clone()));
    assert_eq!(home.read(|view| view.sources_to_look_up(10)), []);
    assert_eq!(
        home.read(|view| view.report_sources("here.example"))["192.0.2.1"],
        known
    );
    // Weeks later it is looked up again.
    let mut later = report("3", Some("big.example"), lines);
    later.received = UnixMillis(NOW.0 + 8 * DAY);
    let _ = file(home, later);
    assert_eq!(home.read(|view| view.sources_to_look_up(10)).len(), 1);
}

fn forget(home: &Home, before: i64) {
    for _ in 0..10 {
        let before = UnixMillis(before);
        if !home
            .write(move |change| change.forget_reports(before, before))
            .expect("forgotten")
        {
            return;
        }
    }
    panic!("forgetting does not end");
}

fn old_reports_are_forgotten(home: &Home) {
    let lines = vec![(entry("192.0.2.1", Disposition::Pass), 1)];
    let _ = file(home, report("1", Some("big.example"), lines));
    note(
        home,
        NOW.0,
        "none",
        &[entry("192.0.2.1", Disposition::None)],
    );
    forget(home, NOW.0 - DAY);
    assert_eq!(
        home.read(|view| view.dmarc_lines("here.example", 0)).len(),
        1
    );
    forget(home, NOW.0 + 2 * DAY);
    assert_eq!(home.read(|view| view.dmarc_lines("here.example", 0)), []);
    assert_eq!(
        home.read(|view| view.reports(ReportKind::Dmarc, "here.example", 0)),
        []
    );
    assert_eq!(due(home, NOW.0 + 9 * DAY), []);
}
