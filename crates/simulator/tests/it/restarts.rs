//! Stopping, starting and sudden death of a host with work in hand.

use simulator::{Act, Internet, Phase, Script, hours, minutes};

use crate::{ANN, BOB, here, letter};

#[test]
fn a_stopped_host_goes_on_where_it_was() {
    Internet::simulated(1, async |internet| {
        let mut host = here(&internet).await;
        let script =
            Script::accept().first(1, Phase::Mail, Act::Reply("451 4.3.0 later".to_owned()));
        let there = internet.remote_domain("there.test", script).await;
        host.submit(ANN, &[BOB], &letter("later")).await;
        internet
            .until(minutes(5), || there.connections() == 1)
            .await;
        host.stop().await;
        internet.pass(hours(10)).await;
        assert_eq!(there.taken_count(), 0);
        host.start_again().await;
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        internet.until(minutes(5), || host.queue().is_empty()).await;
    });
}

#[test]
fn a_stop_finishes_what_is_on_its_way() {
    Internet::simulated(1, async |internet| {
        let mut host = here(&internet).await;
        let slow = Script::accept().at(Phase::End, Act::Wait(std::time::Duration::from_secs(10)));
        let there = internet.remote_domain("there.test", slow).await;
        host.submit(ANN, &[BOB], &letter("on its way")).await;
        internet
            .until(minutes(1), || there.attempts(BOB) == 1)
            .await;
        host.stop().await;
        assert_eq!(there.taken_count(), 1);
        host.start_again().await;
        internet.pass(hours(2)).await;
        assert_eq!(there.taken_count(), 1, "it knows that it was sent");
        assert!(host.queue().is_empty());
    });
}

#[test]
fn sessions_are_told_when_the_host_stops() {
    Internet::simulated(1, async |internet| {
        let mut host = here(&internet).await;
        let mut stranger = internet.stranger(host.mx()).await;
        let (reply, ()) = tokio::join!(stranger.reply(), host.stop());
        assert_eq!(reply.unwrap().code, 421);
    });
}

#[test]
fn a_power_cut_loses_nothing_that_was_answered() {
    for phase in [Phase::Greeting, Phase::Recipient, Phase::Data, Phase::End] {
        Internet::simulated(1, async |internet| {
            let mut host = here(&internet).await;
            let script = Script::accept().first(1, phase, Act::Hang);
            let there = internet.remote_domain("there.test", script).await;
            host.submit(ANN, &[BOB], &letter("survivor")).await;
            internet
                .until(minutes(5), || there.connections() == 1)
                .await;
            host.start_again().await;
            internet.until(hours(2), || there.taken_count() == 1).await;
            internet
                .until(minutes(10), || host.queue().is_empty())
                .await;
            assert!(host.inbox(ANN).is_empty(), "{phase:?}");
        });
    }
}
