//! Tables: whose copies are one.

use mail::Address;
use store::Target;

use super::*;
use crate::envelope::{Local, Way};
use crate::receive::spam::tests::scores;

fn to(address: &str, accounts: &[i64], reports: bool) -> Routed {
    let target = |account: &i64| Target {
        account: AccountId(*account),
        address: Address::parse(&format!("a{account}@here.test")).unwrap(),
        room: store::OverQuota::Unbounded,
        detail: None,
    };
    Routed {
        address: Address::parse(address).unwrap(),
        dsn: store::queue::RecipientDsn::default(),
        way: Way::Local(Local {
            targets: accounts.iter().map(target).collect(),
            forwards: Vec::new(),
            reports,
        }),
    }
}

/// `1 inbox, 2 junk | 3 inbox` for copies of accounts, and what the first field of each says.
fn shown(copies: &Copies<'_>) -> Vec<String> {
    let copy = |copy: &Copy<'_>| {
        let places = copy.targets.iter().map(|target| {
            let place = match target.place {
                Place::Inbox => "inbox",
                _ => "junk",
            };
            format!("{} {place}", target.account.0)
        });
        let mut parts: Vec<String> = places.collect();
        if copy.is_for_reports {
            parts.push("reports".to_owned());
        }
        parts.join(", ")
    };
    copies.all.iter().map(copy).collect()
}

#[track_caller]
fn check(here: &[(&Routed, bool)], scores: Option<&Scores>, want: &[&str]) {
    assert_eq!(
        shown(&Copies::of(here, scores, "mx.here.test", 1_000)),
        want
    );
}

#[test]
fn equal_verdicts_share_a_copy() {
    let (ann, dan) = (
        to("ann@here.test", &[1], false),
        to("dan@here.test", &[2], false),
    );
    let here = [(&ann, false), (&dan, false)];
    check(&here, None, &["1 inbox, 2 inbox"]);
    check(&here, Some(&scores(-3.0, &[])), &["1 inbox, 2 inbox"]);
    check(&here, Some(&scores(9.0, &[])), &["1 junk, 2 junk"]);
    check(
        &here,
        Some(&scores(-3.0, &[(1, 9.0)])),
        &["1 junk", "2 inbox"],
    );
    check(
        &here,
        Some(&scores(9.0, &[(1, -5.0), (2, -5.0)])),
        &["1 inbox, 2 inbox"],
    );
    check(&[(&ann, false), (&dan, true)], None, &["1 inbox, 2 junk"]);
}

#[test]
fn each_account_has_it_once() {
    let (ann, too) = (
        to("ann@here.test", &[1], false),
        to("a.nn@here.test", &[1], false),
    );
    let abuse = to("abuse@here.test", &[1, 2], false);
    let junk = scores(5.0, &[]);
    check(&[(&ann, false), (&too, false)], Some(&junk), &["1 junk"]);
    // Who has it in the inbox by one address does not need it in the junk folder.
    check(&[(&ann, true), (&too, false)], None, &["1 inbox"]);
    // Whoever answers for the server is no way into the inbox of a person who was named too, before or after.
    for here in [
        [(&ann, false), (&abuse, false)],
        [(&abuse, false), (&ann, false)],
    ] {
        let mut places = places(&here, Some(&junk));
        places.sort_by_key(|(account, _)| *account);
        let want = [(AccountId(1), Some(Because::Verdict)), (AccountId(2), None)];
        assert_eq!(places, want);
    }
    check(&[(&abuse, false)], Some(&junk), &["1 inbox, 2 inbox"]);
    check(&[(&ann, true), (&abuse, false)], None, &["1 junk, 2 inbox"]);
    let sure = scores(9.5, &[]);
    check(&[(&abuse, false)], Some(&sure), &["1 junk, 2 junk"]);
}

#[test]
fn takers_of_reports_see_what_the_server_thinks() {
    let reports = to("reports@here.test", &[1], true);
    check(
        &[(&reports, false)],
        Some(&scores(9.0, &[])),
        &["1 junk, reports"],
    );
    let differ = scores(9.0, &[(1, -5.0)]);
    check(&[(&reports, false)], Some(&differ), &["1 inbox", "reports"]);
    let only = to("reports@here.test", &[], true);
    check(&[(&only, false)], None, &["reports"]);
}

/// How many bodies, for accounts whose verdicts all differ: the first half wants it, the others do not.
#[track_caller]
fn check_bodies(accounts: i64, size: usize, bodies: usize) {
    let recipients: Vec<Routed> = (1..=accounts)
        .map(|account| to(&format!("a{account}@here.test"), &[account], false))
        .collect();
    let here: Vec<_> = recipients.iter().map(|to| (to, false)).collect();
    let own: Vec<_> = (1..=accounts)
        .map(|account| match account <= accounts / 2 {
            true => (account, -3.0 + account as f32 / 100.0),
            false => (account, 3.5 + account as f32 / 100.0),
        })
        .collect();
    let copies = Copies::of(&here, Some(&scores(9.0, &own)), "mx.here.test", size);
    assert_eq!(copies.all.len(), bodies, "{accounts} of {size}");
    let targets: Vec<_> = copies.all.iter().flat_map(|copy| &copy.targets).collect();
    assert_eq!(targets.len(), recipients.len());
    for target in targets {
        let is_wanted = target.account.0 <= accounts / 2;
        assert_eq!(target.place == Place::Inbox, is_wanted, "{target:?}");
    }
}

#[test]
fn a_message_to_everybody_is_not_stored_for_each() {
    let most = limits::PERSONAL_COPIES_MAX;
    check_bodies(most as i64, 1_000, most);
    check_bodies(300, 1_000, 2);
    check_bodies(4, limits::PERSONAL_COPIES_BYTES_MAX / 2, 2);
    check_bodies(2, limits::PERSONAL_COPIES_BYTES_MAX, 2);
}
