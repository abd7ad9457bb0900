//! Reports of what happened to a message: who gets one, what it says, and who never gets one.

use simulator::{Act, Internet, Phase, Script, days, hours, minutes};

use crate::{ANN, BOB, assert_report, here, letter};

fn refusing() -> Script {
    Script::accept().recipient("@there.test", "550 5.1.1 <x> no such user here")
}

#[test]
fn a_refusal_is_reported_at_once_in_plain_words() {
    for phase in [Phase::Mail, Phase::Recipient, Phase::Data, Phase::End] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let script = Script::accept().reply(phase, "550 5.7.1 not wanted here");
            internet.remote_domain("there.test", script).await;
            host.submit(ANN, &[BOB], &letter("unwanted")).await;
            internet
                .until(minutes(10), || host.inbox(ANN).len() == 1)
                .await;
            let report = &host.inbox(ANN)[0];
            let wanted = [
                "Action: failed",
                "Status: 5.7.1",
                "Final-Recipient: rfc822; bob@there.test",
                "Reporting-MTA: dns; mx.here.test",
                "Diagnostic-Code: smtp; 550 5.7.1 not wanted here",
                "Remote-MTA: dns; mx.there.test",
                "Subject: unwanted",
                "To: <ann@here.test>",
                "Auto-Submitted: auto-",
                "MIME-Version: 1.0",
            ];
            assert_report(report, &wanted);
            assert!(host.queue().is_empty(), "{phase:?}");
        });
    }
}

#[test]
fn one_report_for_several_recipients_of_one_attempt() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        internet.remote_domain("there.test", refusing()).await;
        host.submit(ANN, &[BOB, "carl@there.test"], &letter("both"))
            .await;
        internet
            .until(minutes(10), || !host.inbox(ANN).is_empty())
            .await;
        internet.pass(hours(1)).await;
        assert_eq!(host.inbox(ANN).len(), 1);
        assert_report(&host.inbox(ANN)[0], &[BOB, "carl@there.test"]);
    });
}

#[test]
fn nobody_is_told_who_asked_not_to_be() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        internet.remote_domain("there.test", refusing()).await;
        host.submit(ANN, &["<bob@there.test> NOTIFY=NEVER"], &letter("quiet"))
            .await;
        internet.until(hours(1), || host.queue().is_empty()).await;
        internet.pass(hours(1)).await;
        assert!(host.inbox(ANN).is_empty());
        host.submit(
            ANN,
            &["<bob@there.test> NOTIFY=DELAY"],
            &letter("quiet too"),
        )
        .await;
        internet.until(hours(1), || host.queue().is_empty()).await;
        internet.pass(hours(1)).await;
        assert!(host.inbox(ANN).is_empty());
    });
}

#[test]
fn delay_is_reported_only_if_wanted() {
    for (notify, reports) in [
        ("", 1),
        (" NOTIFY=DELAY,FAILURE", 1),
        (" NOTIFY=FAILURE", 0),
    ] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let script = Script::accept().reply(Phase::Recipient, "450 4.2.1 busy");
            internet.remote_domain("there.test", script).await;
            host.submit(ANN, &[&format!("<{BOB}>{notify}")], &letter("late"))
                .await;
            internet.pass(days(1) + hours(12)).await;
            assert_eq!(host.inbox(ANN).len(), reports, "{notify}");
            assert_eq!(host.queue().len(), 1);
        });
    }
}

#[test]
fn wishes_travel_to_servers_that_know_them() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let from = format!("<{ANN}> RET=HDRS ENVID=QQ314159");
        let to = format!("<{BOB}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob@there.test");
        let message = format!("From: <{ANN}>\r\n{}", letter("wishes"));
        let reply = host.try_submit(&from, &[&to], &message).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        internet
            .until(minutes(10), || there.taken_count() == 1)
            .await;
        let taken = &there.taken()[0];
        for wanted in ["RET=HDRS", "ENVID=QQ314159"] {
            assert!(taken.from_parameters.contains(wanted), "{taken:?}");
        }
        let (_, parameters) = &taken.recipients[0];
        for wanted in ["SUCCESS", "FAILURE", "ORCPT=rfc822;Bob@there.test"] {
            assert!(parameters.contains(wanted), "{taken:?}");
        }
        internet.pass(hours(1)).await;
        assert!(host.inbox(ANN).is_empty(), "the next server will tell");
    });
}

#[test]
fn success_is_reported_where_the_wish_ends() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        internet.remote_domain("there.test", Script::plain()).await;
        host.submit(
            ANN,
            &[&format!("<{BOB}> NOTIFY=SUCCESS")],
            &letter("relayed"),
        )
        .await;
        internet
            .until(minutes(10), || host.inbox(ANN).len() == 1)
            .await;
        assert_report(&host.inbox(ANN)[0], &["Action: relayed", BOB]);
    });
}

#[test]
fn local_success_is_reported() {
    Internet::simulated(1, async |internet| {
        let host = internet
            .host("mx.here.test")
            .domain("here.test")
            .account(ANN);
        let host = host.account("carol@here.test").start().await;
        host.submit(
            ANN,
            &["<carol@here.test> NOTIFY=SUCCESS"],
            &letter("got it?"),
        )
        .await;
        internet
            .until(minutes(10), || host.inbox(ANN).len() == 1)
            .await;
        assert_report(
            &host.inbox(ANN)[0],
            &["Action: delivered", "carol@here.test"],
        );
    });
}

#[test]
fn reports_are_not_reported_on() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", refusing()).await;
        let message = format!("From: <{ANN}>\r\n{}", letter("a report of mine"));
        let mut user = host.user(ANN).await;
        let reply = user.transact("<>", &[BOB], &message).await.unwrap();
        if reply.code == 250 {
            internet.until(hours(1), || host.queue().is_empty()).await;
            assert!(1 <= there.attempts(BOB));
        }
        internet.pass(hours(1)).await;
        assert!(host.inbox(ANN).is_empty());
    });
}

#[test]
fn a_report_for_nobody_vanishes() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script =
            Script::accept().first(1, Phase::Mail, Act::Reply("451 4.3.0 later".to_owned()));
        let there = internet.remote_domain("there.test", script).await;
        host.submit(ANN, &[BOB], &letter("my last")).await;
        internet
            .until(minutes(5), || there.connections() == 1)
            .await;
        let gone = mail::Address::parse(ANN).unwrap();
        let removed = host
            .store()
            .write_blocking(store::Durability::Durable, move |change| {
                let account = change.account_by_address(&gone)?.expect("ann is there");
                change.remove_account(account.id)
            });
        removed.unwrap();
        there.set_script(refusing());
        internet.until(days(1), || host.queue().is_empty()).await;
    });
}

#[test]
fn strangers_never_get_reports() {
    // What cannot be delivered is refused while the stranger is still there: no backscatter.
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let forged = internet
            .remote_domain("victim.test", Script::accept())
            .await;
        let mut stranger = internet.stranger(host.mx()).await;
        let to = ["nobody@here.test"];
        stranger
            .transact("forged@victim.test", &to, &letter("spam"))
            .await
            .unwrap();
        stranger.say("RSET").await.unwrap();
        let to = "<ann@here.test> NOTIFY=SUCCESS";
        stranger
            .transact("forged@victim.test", &[to], &letter("spam"))
            .await
            .unwrap();
        internet.pass(days(1)).await;
        assert!(
            forged.taken().is_empty(),
            "nothing at all goes to a forged sender"
        );
    });
}
