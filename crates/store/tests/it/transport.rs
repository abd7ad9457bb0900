//! What is kept about the way to destinations: policies of others, the operator's list, lessons.

use mail::UnixMillis;
use store::transport::*;
use store::*;

use crate::fixture::*;

on_both!(
    policies_are_kept_until_they_end,
    the_most_specific_demand_counts,
    lessons_are_counted_and_forgotten,
    the_choice_is_off_at_first,
    one_read_tells_all
);

const DAY: i64 = 86_400_000;

fn write<T: Send + 'static>(
    home: &Home,
    work: impl FnMut(&mut Change<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    home.write(work).expect("writing works")
}

fn at(days: i64) -> UnixMillis {
    UnixMillis(NOW.0 + days * DAY)
}

fn policy(name: &str, expires: i64, refresh: i64) -> StsPolicy {
    StsPolicy {
        domain: domain(name),
        record_id: "1".to_owned(),
        policy: "version: STSv1\nmode: none\nmax_age: 1\n".to_owned(),
        fetched: at(0),
        expires: at(expires),
        refresh: at(refresh),
        used: at(0),
    }
}

fn policies_are_kept_until_they_end(home: &Home) {
    let kept = |name: &str| {
        let name = domain(name);
        home.read(move |view| view.sts_policy(&name))
    };
    let due = |now: i64| -> Vec<String> {
        let due = home.read(move |view| view.sts_policies_to_refresh(at(now), 10));
        due.iter().map(|policy| policy.domain.to_string()).collect()
    };
    let (first, second) = (policy("a.example", 10, 1), policy("b.example", 90, 5));
    let both = (first.clone(), second);
    write(home, move |change| -> Result<(), StoreError> {
        change.keep_sts_policy(&both.0)?;
        change.keep_sts_policy(&both.1)
    });
    assert_eq!(kept("a.example"), Some(first.clone()));
    assert_eq!(due(0), [""; 0]);
    assert_eq!(due(5), ["a.example", "b.example"]);
    write(home, |change| {
        change.put_off_sts_refresh(&domain("a.example"), at(6))
    });
    assert_eq!(due(5), ["b.example"]);
    // A newer one takes its place.
    let newer = StsPolicy {
        record_id: "2".to_owned(),
        ..first
    };
    let written = newer.clone();
    write(home, move |change| change.keep_sts_policy(&written));
    assert_eq!(kept("a.example"), Some(newer));
    // The last use is known to a day.
    write(home, |change| {
        change.note_sts_use(&domain("b.example"), UnixMillis(NOW.0 + DAY / 2))
    });
    assert_eq!(kept("b.example").map(|policy| policy.used), Some(at(0)));
    write(home, |change| {
        change.note_sts_use(&domain("b.example"), at(60))
    });
    assert_eq!(kept("b.example").map(|policy| policy.used), Some(at(60)));
    write(home, |change| change.forget_sts_policies(at(10), at(-1)));
    assert_eq!(kept("a.example"), None);
    assert!(kept("b.example").is_some());
    write(home, |change| change.forget_sts_policies(at(10), at(61)));
    assert_eq!(kept("b.example"), None);
}

fn the_most_specific_demand_counts(home: &Home) {
    let demand = |name: &str| -> Option<String> {
        let name = domain(name);
        let found = home.read(move |view| view.tls_requirement(&name));
        found.map(|found| format!("{} {}", found.scope, found.level))
    };
    let require = |scope: &str, level| {
        let requirement = TlsRequirement {
            scope: scope.parse().expect("a scope"),
            level,
            mx: vec!["*.a.example".to_owned(), "mx.b.example".to_owned()],
            created: NOW,
        };
        write(home, move |change| change.require_tls(&requirement));
    };
    assert_eq!(demand("mail.a.example"), None);
    require("*", TlsLevel::Encrypted);
    require("*.a.example", TlsLevel::Verified);
    require("x.a.example", TlsLevel::Encrypted);
    let wanted = |text: &str| Some(text.to_owned());
    assert_eq!(demand("x.a.example"), wanted("x.a.example encrypted"));
    assert_eq!(demand("y.a.example"), wanted("*.a.example verified"));
    assert_eq!(demand("z.y.a.example"), wanted("*.a.example verified"));
    assert_eq!(demand("a.example"), wanted("* encrypted"));
    assert_eq!(demand("b.example"), wanted("* encrypted"));
    require("x.a.example", TlsLevel::Verified);
    assert_eq!(demand("x.a.example"), wanted("x.a.example verified"));
    let all = home.read(|view| view.tls_requirements());
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].mx, ["*.a.example", "mx.b.example"]);
    let forget = |scope: &str| {
        let scope: TlsScope = scope.parse().expect("a scope");
        write(home, move |change| change.forget_tls_requirement(&scope))
    };
    assert!(forget("*"));
    assert!(!forget("*"));
    assert_eq!(demand("b.example"), None);
    for bad in ["", "*.", "a b", "*x", "a..b"] {
        assert!(bad.parse::<TlsScope>().is_err(), "{bad}");
    }
}

fn lessons_are_counted_and_forgotten(home: &Home) {
    let note = |name: &'static str, site: &'static str, now| {
        write(home, move |change| {
            change.note_valid_tls(&domain(name), site, now)
        });
    };
    let learnt = |name: &str| -> Vec<(String, i64, i64)> {
        let name = domain(name);
        let rows = home.read(move |view| view.learnt_tls(&name));
        let days = |at: UnixMillis| (at.0 - NOW.0) / DAY;
        rows.iter()
            .map(|row| (row.site.clone(), days(row.since), days(row.last)))
            .collect()
    };
    for day in [0, 1, 30] {
        note("a.example", "*.a.example", at(day));
    }
    // To a day only.
    note("a.example", "*.a.example", UnixMillis(at(30).0 + DAY / 2));
    note("a.example", "mx.b.example", at(7));
    note("b.example", "mx.b.example", at(8));
    assert_eq!(
        learnt("a.example"),
        [
            ("*.a.example".to_owned(), 0, 30),
            ("mx.b.example".to_owned(), 7, 7)
        ]
    );
    let all = home.read(|view| view.all_learnt_tls(None, 10));
    assert_eq!(all.len(), 3);
    let rest = home.read(|view| view.all_learnt_tls(Some(&domain("a.example")), 10));
    assert_eq!(rest.len(), 1);
    assert!(write(home, |change| change
        .forget_learnt_tls(&domain("a.example"))));
    assert!(!write(home, |change| change
        .forget_learnt_tls(&domain("a.example"))));
    assert_eq!(learnt("a.example"), []);
    write(home, |change| change.forget_learnt_tls_before(at(9)));
    assert_eq!(learnt("b.example"), []);
    // A destination of a thousand hosts stays a few rows.
    for number in 0..40 {
        write(home, move |change| {
            change.note_valid_tls(&domain("c.example"), &format!("mx{number}.example"), NOW)
        });
    }
    assert_eq!(learnt("c.example").len(), 16);
}

fn the_choice_is_off_at_first(home: &Home) {
    let insists = || home.read(|view| view.insists_on_learnt_tls());
    assert!(!insists());
    write(home, |change| change.insist_on_learnt_tls(true));
    assert!(insists());
    write(home, |change| change.insist_on_learnt_tls(false));
    assert!(!insists());
}

fn one_read_tells_all(home: &Home) {
    let transport = || home.read(|view| view.transport(&domain("a.example")));
    assert_eq!(transport(), Transport::default());
    write(home, |change| -> Result<(), StoreError> {
        change.keep_sts_policy(&policy("a.example", 1, 1))?;
        change.note_valid_tls(&domain("a.example"), "a.example", NOW)?;
        change.insist_on_learnt_tls(true)
    });
    let known = transport();
    assert!(known.sts.is_some() && known.insist_on_learnt);
    assert_eq!(known.learnt.len(), 1);
}
