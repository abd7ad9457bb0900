//! Which server gets the mail: MX, addresses, preferences, both families, and DNS that fails.

use std::net::{IpAddr, SocketAddr};

use simulator::{Act, DnsFault, Host, Internet, Phase, Reach, Remote, Script, hours, minutes};

use crate::{ANN, BOB, assert_report, here, letter};

async fn arrives(internet: &Internet, host: &Host, there: &Remote) {
    host.submit(ANN, &[BOB], &letter("route")).await;
    let before = there.taken_count();
    internet
        .until(minutes(10), || there.taken_count() == before + 1)
        .await;
}

/// Fails for good within minutes, and the report says why.
async fn fails(internet: &Internet, host: &Host, to: &str, wanted: &[&str]) {
    host.submit(ANN, &[to], &letter("no way")).await;
    internet
        .until(minutes(10), || host.inbox(ANN).len() == 1)
        .await;
    assert_report(&host.inbox(ANN)[0], &["Action: failed", to]);
    assert_report(&host.inbox(ANN)[0], wanted);
    assert!(host.queue().is_empty());
}

#[test]
fn a_domain_without_mx_is_its_own() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote("there.test", Script::accept()).await;
        arrives(&internet, &host, &there).await;
    });
}

#[test]
fn the_lowest_preference_first_and_the_next_when_it_fails() {
    let faults = [
        Act::Reply("421 4.3.2 closing".to_owned()),
        Act::Reply("554 5.3.2 no mail service here".to_owned()),
        Act::Hang,
        Act::Cut,
    ];
    for fault in faults {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let first = internet.remote(
                "mx1.there.test",
                Script::accept().at(Phase::Greeting, fault.clone()),
            );
            let first = first.await;
            let second = internet.remote("mx2.there.test", Script::accept()).await;
            internet
                .domain("there.test")
                .mx_at(20, "mx2.there.test")
                .mx_at(10, "mx1.there.test");
            arrives(&internet, &host, &second).await;
            assert!(1 <= first.connections(), "{fault:?}");
            first.set_script(Script::accept());
            internet.pass(hours(1)).await;
            arrives(&internet, &host, &first).await;
        });
    }
}

#[test]
fn unreachable_hosts_are_passed_over() {
    for reach in [Reach::Refused, Reach::Unreachable, Reach::Silent] {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            let first = internet.remote("mx1.there.test", Script::accept()).await;
            let second = internet.remote("mx2.there.test", Script::accept()).await;
            internet
                .domain("there.test")
                .mx_at(10, "mx1.there.test")
                .mx_at(20, "mx2.there.test");
            internet.network().set_reach(first.at().ip(), reach);
            arrives(&internet, &host, &second).await;
        });
    }
}

#[test]
fn mx_hosts_of_equal_preference_share_the_load() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let one = internet.remote("mx1.there.test", Script::accept()).await;
        let two = internet.remote("mx2.there.test", Script::accept()).await;
        internet
            .domain("there.test")
            .mx("mx1.there.test")
            .mx("mx2.there.test");
        for _ in 0..20 {
            host.submit(ANN, &[BOB], &letter("fair")).await;
            internet.pass(minutes(3)).await;
        }
        assert_eq!(one.taken_count() + two.taken_count(), 20);
        assert!(3 <= one.taken_count() && 3 <= two.taken_count());
    });
}

#[test]
fn both_families_are_used() {
    let six: IpAddr = "2001:db8::25".parse().unwrap();
    let own: IpAddr = "2001:db8::1".parse().unwrap();
    // A host with IPv6 reaches a server that has nothing else.
    Internet::simulated(1, async |internet| {
        let host = internet
            .host("mx.here.test")
            .address(own)
            .domain("here.test")
            .account(ANN);
        let host = host.start().await;
        let there = internet.remote_at("mx.there.test", SocketAddr::new(six, 25), Script::accept());
        let there = there.await;
        internet.domain("there.test").mx("mx.there.test");
        internet.zones().host("mx.there.test", six);
        arrives(&internet, &host, &there).await;
        assert_eq!(there.taken()[0].peer.ip(), own);
    });
    // A host without IPv6 does not stumble over a server that has both.
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        internet.zones().host("mx.there.test", six);
        arrives(&internet, &host, &there).await;
    });
    // Broken IPv6 falls back to IPv4.
    Internet::simulated(1, async |internet| {
        let host = internet
            .host("mx.here.test")
            .address(own)
            .domain("here.test")
            .account(ANN);
        let host = host.start().await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        internet.zones().host("mx.there.test", six);
        internet.network().set_reach(six, Reach::Silent);
        arrives(&internet, &host, &there).await;
    });
}

#[test]
fn names_that_take_no_mail_fail_at_once() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        internet.domain("null.test").null_mx();
        fails(&internet, &host, "x@null.test", &["5.1.10"]).await;
    });
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        fails(&internet, &host, "x@nowhere.test", &["Status: 5."]).await;
    });
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        internet.domain("text.test").txt("no addresses here");
        fails(&internet, &host, "x@text.test", &["Status: 5."]).await;
    });
}

#[test]
fn failing_dns_is_waited_for() {
    for fault in [DnsFault::ServFail, DnsFault::Silent, DnsFault::Refused] {
        for spoiled in ["there.test", "mx.there.test"] {
            Internet::simulated(1, async |internet| {
                let host = here(&internet).await;
                let there = internet.remote_domain("there.test", Script::accept()).await;
                internet.zones().fault(spoiled, fault);
                host.submit(ANN, &[BOB], &letter("who?")).await;
                internet.pass(hours(20)).await;
                assert_eq!(host.queue().len(), 1, "{fault:?} {spoiled}");
                internet.zones().mend(spoiled);
                internet.until(hours(8), || there.taken_count() == 1).await;
            });
        }
    }
}

#[test]
fn an_mx_that_leads_back_is_a_loop() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        internet.domain("loop.test").mx("mx.here.test");
        fails(&internet, &host, "x@loop.test", &["Status: 5.4."]).await;
    });
}

#[test]
fn a_backup_does_not_send_to_itself_or_below() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let first = internet.remote("mx1.shared.test", Script::accept()).await;
        internet
            .domain("shared.test")
            .mx_at(10, "mx1.shared.test")
            .mx_at(20, "mx.here.test")
            .mx_at(30, "mx.here.test");
        host.submit(ANN, &["x@shared.test"], &letter("up")).await;
        internet
            .until(minutes(10), || first.taken_count() == 1)
            .await;
        // Until the idle connection is closed.
        internet.pass(minutes(1)).await;
        internet
            .network()
            .set_reach(first.at().ip(), Reach::Refused);
        host.submit(ANN, &["x@shared.test"], &letter("down")).await;
        internet.pass(hours(3)).await;
        assert_eq!(host.queue().len(), 1, "it waits for the better one");
        assert!(host.inbox(ANN).is_empty());
    });
}

#[test]
fn messages_that_went_around_too_often_are_refused() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let mut stranger = internet.stranger(host.mx()).await;
        let hop = "Received: from a.test by b.test; Mon, 2 Mar 2026 09:00:00 +0000\r\n";
        let message = format!("{}{}", hop.repeat(120), letter("round and round"));
        let reply = stranger
            .transact("x@far.test", &[ANN], &message)
            .await
            .unwrap();
        assert_eq!(reply.code, 554, "{reply:?}");
        assert!(reply.text.contains("5.4.6"), "{reply:?}");
        assert!(host.inbox(ANN).is_empty());
    });
}

#[test]
fn address_literals_are_reached_without_dns() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote("mx.there.test", Script::accept()).await;
        let to = format!("x@[{}]", there.at().ip());
        host.submit(ANN, &[&to], &letter("literally")).await;
        internet
            .until(minutes(10), || there.taken_count() == 1)
            .await;
    });
}
