//! The scripted servers do what they are told, in both modes. Without a Postroad host.

use std::time::Duration;

use simulator::{Act, Client, Internet, Phase, Remote, Script, ScriptDoor, TlsOffer, hours};

async fn client(internet: &Internet, remote: &Remote) -> Client {
    internet.stranger(remote.at()).await
}

const LETTER: &str = "Subject: hi\r\n\r\n.dots\r\n..and more\r\n";

async fn accept_and_refuse(internet: Internet) {
    let script = Script::accept()
        .recipient("nobody@there.test", "550 5.1.1 no such user")
        .recipient_first(1, "@slow.test", "451 4.2.0 later");
    let remote = internet.remote("mx.there.test", script).await;
    let mut client = client(&internet, &remote).await;
    let mut send = async |to: &str| {
        client
            .transact("ann@here.test", &[to], LETTER)
            .await
            .unwrap()
    };
    assert_eq!(send("nobody@there.test").await.code, 550);
    let reply = client.say("RSET").await.unwrap();
    assert_eq!(reply.code, 250);
    let mut send = async |to: &str| {
        client
            .transact("ann@here.test", &[to], LETTER)
            .await
            .unwrap()
    };
    assert_eq!(send("bob@there.test").await.code, 250);
    assert_eq!(send("bob@slow.test").await.code, 451);
    client.say("RSET").await.unwrap();
    let to = "<bob@slow.test> NOTIFY=NEVER";
    let reply = client
        .transact("<ann@here.test> RET=HDRS", &[to], LETTER)
        .await
        .unwrap();
    assert_eq!(reply.code, 250);
    let taken = remote.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].text(), LETTER);
    assert_eq!(taken[1].from, "ann@here.test");
    assert_eq!(taken[1].from_parameters, "RET=HDRS");
    assert_eq!(
        taken[1].recipients,
        [("bob@slow.test".to_owned(), "NOTIFY=NEVER".to_owned())]
    );
    assert_eq!(remote.attempts("bob@slow.test"), 2);
    assert_eq!((remote.connections(), remote.connections_at_once()), (1, 1));
}

#[test]
fn accept_and_refuse_simulated() {
    Internet::simulated(1, accept_and_refuse);
}

#[test]
fn accept_and_refuse_real() {
    Internet::real(accept_and_refuse);
}

async fn encrypted(internet: Internet) {
    for (offer, good) in [
        (TlsOffer::Trusted, true),
        (TlsOffer::SelfSigned, false),
        (TlsOffer::WrongName, false),
        (TlsOffer::Expired, false),
        (TlsOffer::Garbage, false),
        (TlsOffer::Cut, false),
    ] {
        let name = format!("mx.{offer:?}.test").to_lowercase();
        let remote = internet.remote(&name, Script::accept().tls(offer)).await;
        let mut client = client(&internet, &remote).await;
        let started = client.start_tls(&internet.tls_client(), &name).await;
        assert_eq!(started.is_ok(), good, "{offer:?}: {started:?}");
        if good {
            assert!(!started.unwrap().offers("STARTTLS"));
            client
                .transact("a@here.test", &["b@there.test"], LETTER)
                .await
                .unwrap();
            assert_eq!(remote.taken()[0].tls.as_deref(), Some("TLSv1.3"));
        }
    }
}

#[test]
fn encrypted_simulated() {
    Internet::simulated(1, encrypted);
}

#[test]
fn encrypted_real() {
    Internet::real(encrypted);
}

#[test]
fn login_is_asked_for() {
    Internet::simulated(1, async |internet| {
        let script = Script::accept()
            .login("user", "secret")
            .door(ScriptDoor::Clear);
        let remote = internet.remote("relay.test", script).await;
        let mut client = client(&internet, &remote).await;
        let reply = client.say("MAIL FROM:<a@here.test>").await.unwrap();
        assert_eq!(reply.code, 530);
        assert_eq!(client.log_in("user", "wrong").await.unwrap().code, 535);
        assert_eq!(client.log_in("user", "secret").await.unwrap().code, 235);
        client
            .transact("a@here.test", &["b@there.test"], LETTER)
            .await
            .unwrap();
        assert_eq!(remote.taken()[0].login.as_deref(), Some("user"));
    });
}

#[test]
fn lines_are_cut_and_messages_kept() {
    Internet::simulated(1, async |internet| {
        let script = Script::accept()
            .first(1, Phase::End, Act::Cut)
            .first(1, Phase::End, Act::KeepAndCut)
            .first(1, Phase::Body, Act::Cut);
        let remote = internet.remote("mx.there.test", script).await;
        for _ in 0..3 {
            let mut client = client(&internet, &remote).await;
            assert!(
                client
                    .transact("a@here.test", &["b@there.test"], LETTER)
                    .await
                    .is_err()
            );
        }
        assert_eq!(remote.taken_count(), 1);
        let mut client = client(&internet, &remote).await;
        client
            .transact("a@here.test", &["b@there.test"], LETTER)
            .await
            .unwrap();
        assert_eq!(remote.taken_count(), 2);
    });
}

#[test]
fn greylisting_wants_the_same_triplet_again() {
    Internet::simulated(1, async |internet| {
        let script = Script::accept().greylist(hours(1));
        let remote = internet.remote("mx.there.test", script).await;
        let mut client = client(&internet, &remote).await;
        for (wait, code) in [(0, 451), (1800, 451), (1801, 250)] {
            internet.pass(Duration::from_secs(wait)).await;
            let reply = client
                .transact("a@here.test", &["b@there.test"], LETTER)
                .await
                .unwrap();
            assert_eq!(reply.code, code);
            client.say("RSET").await.unwrap();
        }
    });
}

#[test]
fn too_many_connections_are_sent_away() {
    Internet::simulated(1, async |internet| {
        let remote = internet
            .remote("mx.there.test", Script::accept().connections_max(2))
            .await;
        let first = client(&internet, &remote).await;
        let _second = client(&internet, &remote).await;
        let world = internet.world("third", vec![internet.fresh_address()]);
        let mut third = Client::new(world.net.connect(None, remote.at()).await.unwrap());
        assert_eq!(third.reply().await.unwrap().code, 421);
        drop((first, third));
        internet.pass(Duration::from_secs(1)).await;
        client(&internet, &remote).await;
        assert_eq!(remote.connections_at_once(), 3);
    });
}

#[test]
fn a_slow_server_is_slow() {
    Internet::simulated(1, async |internet| {
        let script = Script::accept().pace(Duration::from_secs(10));
        let remote = internet.remote("mx.there.test", script).await;
        let mut client = client(&internet, &remote).await;
        let before = internet.now();
        client.say("NOOP").await.unwrap();
        assert_eq!(internet.now() - before, Duration::from_secs(10));
    });
}
