//! Mail that has to wait: deferrals, silence, cut lines, greylisting, and the end of patience.

use std::time::Duration;

use simulator::{Act, Internet, Lifetime, Phase, Reach, Script, TlsOffer, days, hours, minutes};

use crate::{ANN, BOB, assert_report, here, letter};

#[test]
fn five_days_of_deferrals_end_in_a_report() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().reply(Phase::Mail, "451 4.3.0 come back later");
        let there = internet.remote_domain("there.test", script).await;
        host.submit(ANN, &[BOB], &letter("patience")).await;
        let failed = || {
            host.inbox(ANN)
                .iter()
                .any(|message| message.contains("Action: failed"))
        };
        internet.until(days(6), failed).await;
        let passed = internet.elapsed();
        assert!(
            days(5) <= passed && passed < days(5) + hours(8),
            "{passed:?}"
        );
        assert!(host.queue().is_empty());
        // Back-off: many tries at first, few in the end, never a storm.
        assert!(
            (15..=200).contains(&there.connections()),
            "{} tries",
            there.connections()
        );
        let inbox = host.inbox(ANN);
        assert_eq!(
            inbox.len(),
            2,
            "one report of delay, one of failure: {inbox:#?}"
        );
        assert_report(
            &inbox[0],
            &["Action: delayed", "Status: 4.", BOB, "Subject: patience"],
        );
        let said = "451 4.3.0 come back later";
        assert_report(
            &inbox[1],
            &["Final-Recipient: rfc822; bob@there.test", said],
        );
        assert!(
            inbox
                .iter()
                .all(|report| report.contains("Return-Path: <>\r\n")),
            "{inbox:#?}"
        );
        internet.pass(days(2)).await;
        assert_eq!(host.inbox(ANN).len(), 2);
    });
}

#[test]
fn tries_are_soon_at_first_and_rare_later() {
    Internet::simulated(3, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().reply(Phase::Greeting, "421 4.3.2 not now");
        let there = internet.remote_domain("there.test", script).await;
        host.submit(ANN, &[BOB], &letter("soon")).await;
        internet.pass(hours(1)).await;
        let first_hour = there.connections();
        internet.pass(hours(23)).await;
        let first_day = there.connections();
        internet.pass(days(1)).await;
        let second_day = there.connections() - first_day;
        assert!(
            (2..=15).contains(&first_hour),
            "{first_hour} in the first hour"
        );
        assert!(first_day <= 80, "{first_day} in the first day");
        assert!(
            (3..=40).contains(&second_day),
            "{second_day} in the second day"
        );
    });
}

#[test]
fn what_is_deferred_once_arrives_once() {
    for phase in [
        Phase::Greeting,
        Phase::Ehlo,
        Phase::Mail,
        Phase::Recipient,
        Phase::Data,
        Phase::End,
    ] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let later = Act::Reply("451 4.7.1 later".to_owned());
            let there = internet
                .remote_domain("there.test", Script::accept().first(2, phase, later))
                .await;
            host.submit(ANN, &[BOB], &letter("once")).await;
            internet.until(hours(12), || there.taken_count() == 1).await;
            internet.pass(days(1)).await;
            assert_eq!(there.taken_count(), 1, "{phase:?}");
            assert!(
                host.inbox(ANN).is_empty() && host.queue().is_empty(),
                "{phase:?}"
            );
        });
    }
}

#[test]
fn cut_and_hanging_lines_are_tried_again() {
    for phase in [
        Phase::Greeting,
        Phase::Ehlo,
        Phase::Mail,
        Phase::Recipient,
        Phase::Data,
        Phase::Body,
    ] {
        for act in [Act::Cut, Act::Hang] {
            Internet::simulated(1, async |internet| {
                let host = here(&internet).await;
                let script = Script::accept().first(1, phase, act.clone());
                let there = internet.remote_domain("there.test", script).await;
                host.submit(ANN, &[BOB], &letter("again")).await;
                internet.until(hours(12), || there.taken_count() == 1).await;
                internet
                    .until(minutes(10), || host.queue().is_empty())
                    .await;
                assert!(host.inbox(ANN).is_empty(), "{phase:?} {act:?}");
            });
        }
    }
}

#[test]
fn a_lost_final_reply_may_repeat_but_never_lose() {
    for act in [Act::KeepAndCut, Act::Cut, Act::Hang] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let script = Script::accept().first(1, Phase::End, act.clone());
            let there = internet.remote_domain("there.test", script).await;
            host.submit(ANN, &[BOB], &letter("twice?")).await;
            let copies = if act == Act::KeepAndCut { 2 } else { 1 };
            internet
                .until(hours(12), || there.taken_count() == copies)
                .await;
            internet.pass(days(1)).await;
            assert_eq!(there.taken_count(), copies);
            assert!(host.inbox(ANN).is_empty() && host.queue().is_empty());
        });
    }
}

#[test]
fn a_server_that_never_comes_to_an_end_is_given_up() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        // Each reply comes in time, but all of them together take hours.
        let script = Script::plain().pace(Duration::from_secs(290));
        let _there = internet.remote_domain("there.test", script).await;
        let many: Vec<String> = (0..90).map(|n| format!("bob{n}@there.test")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        host.submit(ANN, &many, &letter("slow")).await;
        let failed = || {
            host.inbox(ANN)
                .iter()
                .any(|message| message.contains("Action: failed"))
        };
        internet.until(days(6), failed).await;
        assert!(host.queue().is_empty());
    });
}

#[test]
fn who_is_put_off_together_goes_together() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let later = Act::Reply("451 4.7.1 later".to_owned());
        let script = Script::accept().first(3, Phase::Mail, later);
        let there = internet.remote_domain("there.test", script).await;
        let many: Vec<String> = (0..50).map(|n| format!("bob{n}@there.test")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        host.submit(ANN, &many, &letter("together")).await;
        internet.until(hours(6), || host.queue().is_empty()).await;
        assert_eq!(there.taken_count(), 1, "one transaction for all");
    });
}

#[test]
fn greylisting_is_passed() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().greylist(minutes(10));
        let there = internet.remote_domain("there.test", script).await;
        host.submit(ANN, &[BOB], &letter("grey")).await;
        internet.until(hours(2), || there.taken_count() == 1).await;
        assert!(minutes(10) <= internet.elapsed());
    });
}

#[test]
fn only_the_deferred_recipients_wait() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept()
            .recipient_first(3, "later@there.test", "452 4.2.2 full")
            .recipient("never@there.test", "550 5.1.1 no such user");
        let there = internet.remote_domain("there.test", script).await;
        let to = [BOB, "later@there.test", "never@there.test"];
        host.submit(ANN, &to, &letter("three fates")).await;
        internet
            .until(minutes(10), || there.taken_count() == 1)
            .await;
        assert_eq!(there.taken()[0].to(), [BOB]);
        internet
            .until(minutes(10), || host.inbox(ANN).len() == 1)
            .await;
        assert_report(
            &host.inbox(ANN)[0],
            &["never@there.test", "Status: 5.1.1", "Action: failed"],
        );
        assert!(!host.inbox(ANN)[0].contains("later@there.test"));
        internet.until(days(1), || there.taken_count() == 2).await;
        assert_eq!(there.taken()[1].to(), ["later@there.test"]);
        internet
            .until(minutes(10), || host.queue().is_empty())
            .await;
    });
}

#[test]
fn a_slow_destination_does_not_hold_the_others() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let slow = Script::accept().at(Phase::Greeting, Act::Hang);
        internet.remote_domain("slow.test", slow).await;
        let quick = internet.remote_domain("quick.test", Script::accept()).await;
        host.allow_floods(ANN);
        for number in 0..300 {
            let to = format!("user{number}@slow.test");
            host.submit(ANN, &[&to], &letter("slow")).await;
        }
        host.submit(ANN, &["q@quick.test"], &letter("quick")).await;
        internet
            .until(minutes(2), || quick.taken_count() == 1)
            .await;
    });
}

#[test]
fn an_unreachable_host_comes_back() {
    for reach in [Reach::Refused, Reach::Unreachable, Reach::Silent] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let there = internet.remote_domain("there.test", Script::accept()).await;
            internet.network().set_reach(there.at().ip(), reach);
            host.submit(ANN, &[BOB], &letter("are you there?")).await;
            internet.pass(hours(10)).await;
            assert_eq!(host.queue().len(), 1, "{reach:?}");
            internet.network().set_reach(there.at().ip(), Reach::Up);
            internet.until(hours(8), || there.taken_count() == 1).await;
        });
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn five_days_take_a_moment() {
    let start = std::time::Instant::now();
    Internet::simulated(5, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().reply(Phase::Recipient, "450 4.2.1 busy");
        let there = internet.remote_domain("there.test", script).await;
        for number in 0..20 {
            host.submit(ANN, &[BOB], &letter(&format!("number {number}")))
                .await;
        }
        internet.pass(days(5) + hours(8)).await;
        assert_eq!(there.taken_count(), 0);
        assert!(host.queue().is_empty());
    });
    // Generous, for busy machines; it is about a second.
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_line_cut_at_any_byte_loses_nothing() {
    let mut copies = [0; 3];
    for bytes in (0..2_400).step_by(23) {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let script = Script::accept().tls(TlsOffer::None);
            let there = internet.remote_domain("there.test", script).await;
            host.submit(ANN, &[BOB], &letter("cut")).await;
            let mut broken = false;
            internet
                .network()
                .set_lifetimes(move || match std::mem::replace(&mut broken, true) {
                    false => Lifetime::Bytes(bytes),
                    true => Lifetime::Unbounded,
                });
            internet.until(days(1), || host.queue().is_empty()).await;
            assert!(host.inbox(ANN).is_empty(), "{bytes} bytes");
            copies[there.taken_count()] += 1;
        });
    }
    let [lost, once, twice] = copies;
    assert_eq!(lost, 0);
    // Twice only where the cut fell between the end of the message and its reply.
    assert!(twice <= 3 && 90 <= once, "{copies:?}");
}
