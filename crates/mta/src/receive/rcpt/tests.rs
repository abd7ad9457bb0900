//! Who is taken at which door.

use super::*;
use store::{AccountId, OverQuota, Target};

fn address() -> Address {
    Address::parse("ann@example.org").unwrap()
}

fn target() -> Target {
    Target {
        account: AccountId(1),
        address: address(),
        detail: None,
        room: OverQuota::Unbounded,
    }
}

#[track_caller]
fn check(door: Door, null: bool, before: usize, resolution: Resolution, want: &str) {
    let got = match decide(
        door,
        null,
        before,
        Facts {
            address: address(),
            resolution,
            reports: false,
            back: None,
        },
    ) {
        Ok((_, Way::Local(_))) => "local".to_owned(),
        Ok((_, Way::Remote)) => "remote".to_owned(),
        Ok((_, Way::Back(_))) => "back".to_owned(),
        Err(refusal) => {
            let reply = refusal.reply();
            format!("{} {}", reply.code(), reply.enhanced().unwrap())
        }
    };
    assert_eq!(got, want, "{door:?}");
}

#[test]
fn at_the_door_for_the_world() {
    let deliver = || Resolution::Deliver(vec![target()]);
    check(Door::Mx, false, 0, deliver(), "local");
    check(Door::Mx, false, 99, deliver(), "local");
    check(Door::Mx, false, 0, Resolution::NotLocal, "550 5.7.1");
    check(Door::Mx, false, 0, Resolution::NoSuchUser, "550 5.1.1");
    check(Door::Mx, false, 0, Resolution::Disabled, "450 4.2.1");
    check(Door::Mx, false, 0, Resolution::OverQuota, "452 4.2.2");
    check(Door::Mx, true, 0, deliver(), "local");
    check(Door::Mx, true, 1, deliver(), "452 4.5.3");
}

#[test]
fn at_the_doors_of_our_users() {
    for door in [Door::Submission, Door::SubmissionTls] {
        check(door, false, 0, Resolution::NotLocal, "remote");
        check(door, false, 0, Resolution::Deliver(vec![target()]), "local");
        check(door, false, 0, Resolution::NoSuchUser, "550 5.1.1");
        // A disposition report may go to several addresses.
        check(door, true, 1, Resolution::NotLocal, "remote");
    }
}
