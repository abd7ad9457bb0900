//! Mail that goes well: between hosts, to strangers' servers, with what the servers can do.

use simulator::{Internet, Lifetime, Script, TlsOffer, hours, minutes};

use crate::{ANN, BOB, here, letter};

async fn between_hosts(internet: Internet) {
    let here = here(&internet).await;
    let there = internet
        .host("mx.there.test")
        .domain("there.test")
        .account(BOB)
        .start()
        .await;
    here.submit(ANN, &[BOB], &letter("over there")).await;
    internet
        .until(minutes(5), || there.inbox(BOB).len() == 1)
        .await;
    let message = &there.inbox(BOB)[0];
    assert!(message.contains("Subject: over there\r\n"), "{message}");
    assert!(
        message.contains("Hello, this is about over there.\r\n"),
        "{message}"
    );
    assert!(message.contains("Received: from mx.here.test"), "{message}");
    assert!(
        message.contains("Return-Path: <ann@here.test>\r\n"),
        "{message}"
    );
    assert!(
        message.contains("Date: ") && message.contains("Message-ID: <"),
        "{message}"
    );
    there.submit(BOB, &[ANN], &letter("and back")).await;
    internet
        .until(minutes(5), || here.inbox(ANN).len() == 1)
        .await;
    internet
        .until(minutes(5), || {
            here.queue().is_empty() && there.queue().is_empty()
        })
        .await;
}

#[test]
fn between_hosts_simulated() {
    Internet::simulated(1, between_hosts);
}

#[test]
fn between_hosts_real() {
    Internet::real(between_hosts);
}

#[test]
fn local_mail_needs_no_network() {
    Internet::simulated(1, async |internet| {
        let host = internet
            .host("mx.here.test")
            .domain("here.test")
            .account(ANN)
            .account("carol@here.test")
            .start()
            .await;
        host.submit(
            ANN,
            &["carol@here.test", "CAROL+notes@Here.Test"],
            &letter("lunch"),
        )
        .await;
        assert!(!host.inbox("carol@here.test").is_empty());
        assert!(host.queue().is_empty());
    });
}

#[test]
fn strangers_are_served_and_do_not_relay() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let mut stranger = internet.stranger(host.mx()).await;
        let reply = stranger
            .transact("x@far.test", &[ANN], &letter("hi"))
            .await
            .unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        // Without an author it may be taken for junk.
        let kept = host.inbox(ANN).len() + host.mailbox(ANN, "Junk").len();
        assert_eq!(kept, 1);
        let reply = stranger
            .transact("x@far.test", &[BOB], &letter("relay me"))
            .await
            .unwrap();
        assert!((550..=554).contains(&reply.code), "{reply:?}");
        stranger.say("RSET").await.unwrap();
        let nobody = "nobody@here.test";
        let reply = stranger
            .transact("x@far.test", &[nobody], &letter("hi"))
            .await
            .unwrap();
        assert_eq!(reply.code, 550, "{reply:?}");
        assert!(host.queue().is_empty());
    });
}

#[test]
fn users_send_only_as_themselves() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let mut user = host.user(ANN).await;
        let reply = user
            .transact("eve@here.test", &[BOB], &letter("hi"))
            .await
            .unwrap();
        assert!((550..=554).contains(&reply.code), "{reply:?}");
        user.say("RSET").await.unwrap();
        let forged = format!("From: <eve@here.test>\r\n{}", letter("hi"));
        let reply = user.transact(ANN, &[BOB], &forged).await.unwrap();
        assert!((550..=554).contains(&reply.code), "{reply:?}");
        assert!(host.queue().is_empty());
    });
}

#[test]
fn one_transaction_for_all_recipients_of_a_domain() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let to: Vec<_> = (0..20)
            .map(|number| format!("user{number}@there.test"))
            .collect();
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        host.submit(ANN, &to, &letter("all of you")).await;
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        assert_eq!(there.taken()[0].to(), to);
        assert_eq!(there.connections(), 1);
    });
}

#[test]
fn connections_are_reused_and_bounded() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().pace(std::time::Duration::from_millis(500));
        let there = internet.remote_domain("there.test", script).await;
        for number in 0..60 {
            host.submit(ANN, &[BOB], &letter(&format!("number {number}")))
                .await;
        }
        internet.until(hours(1), || there.taken_count() == 60).await;
        assert!(
            there.connections() <= 30,
            "{} connections",
            there.connections()
        );
        assert!(
            there.connections_at_once() <= 20,
            "{} at once",
            there.connections_at_once()
        );
        internet.until(minutes(5), || host.queue().is_empty()).await;
    });
}

#[test]
fn old_servers_are_understood() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::plain()).await;
        host.submit(ANN, &[BOB, "carl@there.test"], &letter("old times"))
            .await;
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        assert_eq!(there.taken()[0].tls, None);
        assert_eq!(there.taken()[0].from_parameters, "");
        assert!(
            there.taken()[0]
                .text()
                .ends_with("Hello, this is about old times.\r\n")
        );
    });
}

#[test]
fn dots_and_long_bodies_arrive_unchanged() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let chunking = internet.remote_domain("there.test", Script::accept()).await;
        let script = Script::accept().extensions(&["PIPELINING", "SIZE", "8BITMIME"]);
        let dots = internet.remote_domain("dots.test", script).await;
        let lines = (0..5000).map(|number| format!(".line {number}\r\n..\r\n.\r\n"));
        let body = lines.collect::<String>();
        let message = format!("Subject: dots\r\n\r\n{body}");
        host.submit(ANN, &[BOB, "dan@dots.test"], &message).await;
        internet
            .until(minutes(5), || {
                chunking.taken_count() + dots.taken_count() == 2
            })
            .await;
        for taken in [chunking.taken(), dots.taken()] {
            assert!(taken[0].text().ends_with(&format!("\r\n\r\n{body}")));
        }
    });
}

#[test]
fn large_bodies_go_all_ways() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let modern = internet.remote_domain("there.test", Script::accept()).await;
        let script = Script::accept().extensions(&["PIPELINING", "SIZE"]);
        let old = internet.remote_domain("old.test", script).await;
        let body = "Viel Text mit \u{fc}berlangen W\u{f6}rtern.\r\n".repeat(50_000);
        let message = format!(
            "Subject: large\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 8bit\r\n\r\n{body}"
        );
        let to = [BOB, "otto@old.test", ANN];
        host.submit(ANN, &to, &message).await;
        internet
            .until(minutes(5), || modern.taken_count() + old.taken_count() == 2)
            .await;
        let text = modern.taken()[0].text();
        assert!(text.ends_with(&format!("\r\n\r\n{body}")));
        assert!(host.inbox(ANN)[0].ends_with(&format!("\r\n\r\n{body}")));
        let text = old.taken()[0].text();
        assert!(text.is_ascii() && text.contains("\r\nContent-Transfer-Encoding: "));
        assert!(body.len() < text.len(), "encoded, and complete");
    });
}

#[test]
fn servers_that_cannot_take_it_are_a_permanent_failure() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().extensions(&["SIZE 1000", "PIPELINING"]);
        let there = internet.remote_domain("there.test", script).await;
        let large = format!("{}{}", letter("large"), "much text\r\n".repeat(1000));
        host.submit(ANN, &[BOB], &large).await;
        internet
            .until(hours(1), || host.inbox(ANN).len() == 1)
            .await;
        assert_eq!(there.taken_count(), 0);
        assert!(host.queue().is_empty());
    });
}

#[test]
fn encrypted_when_possible() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let script = Script::accept().tls(TlsOffer::SelfSigned);
        let there = internet.remote_domain("there.test", script).await;
        host.submit(ANN, &[BOB], &letter("secret")).await;
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        assert_eq!(there.taken()[0].tls.as_deref(), Some("TLSv1.3"));
        assert_eq!(there.taken()[0].helo, "mx.here.test");
        assert_eq!(there.taken()[0].peer.ip(), host.address());
    });
}

#[test]
fn nothing_of_the_client_leaves() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let message = format!(
            "User-Agent: Secret/1.0\r\nBcc: <hidden@there.test>\r\nX-Originating-IP: 10.9.8.7\r\n{}",
            letter("private"),
        );
        host.submit(ANN, &[BOB], &message).await;
        internet
            .until(minutes(5), || there.taken_count() == 1)
            .await;
        let text = there.taken()[0].text();
        for private in [
            "Secret/1.0",
            "hidden@there.test",
            "10.9.8.7",
            "stranger.test",
            "198.18.",
        ] {
            assert!(!text.contains(private), "{private} in\n{text}");
        }
    });
}

#[test]
fn sizes_that_are_only_announced_keep_nobody_out() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let mut claimants = Vec::new();
        for _ in 0..20 {
            let mut stranger = internet.stranger(host.mx()).await;
            stranger
                .say("MAIL FROM:<x@far.test> SIZE=52428800")
                .await
                .unwrap();
            stranger.say(&format!("RCPT TO:<{ANN}>")).await.unwrap();
            let reply = stranger.say("DATA").await.unwrap();
            assert_eq!(reply.code, 354, "{reply:?}");
            claimants.push(stranger);
        }
        let mut stranger = internet.stranger(host.mx()).await;
        let reply = stranger
            .transact("y@far.test", &[ANN], &letter("small"))
            .await
            .unwrap();
        assert!(reply.is_good(), "{reply:?}");
    });
}

#[test]
fn a_stranger_cut_at_any_byte_knows_what_was_taken() {
    for bytes in (0..1_200).step_by(13) {
        Internet::simulated(1, async |internet| {
            let host = here(&internet).await;
            internet
                .network()
                .set_lifetimes(move || Lifetime::Bytes(bytes));
            let mut stranger = internet.connect(host.mx()).await;
            let talk = async {
                stranger.reply().await?;
                stranger.say("EHLO stranger.test").await?;
                stranger
                    .transact("x@far.test", &[ANN], &letter("cut"))
                    .await
            };
            let answered = matches!(talk.await, Ok(reply) if reply.code == 250);
            internet.pass(minutes(10)).await;
            let kept = host.inbox(ANN).len() + host.mailbox(ANN, "Junk").len();
            assert!(kept <= 1, "{bytes} bytes: {kept} copies");
            assert!(!answered || kept == 1, "{bytes} bytes: answered and lost");
        });
    }
}
