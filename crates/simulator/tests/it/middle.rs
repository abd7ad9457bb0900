//! The man in the middle himself: what a client that does not insist gives away to him.

use simulator::{Client, Interception, Internet, Remote, Script};
use world::{TlsClient, TlsFailure};

async fn remote(internet: &Internet) -> Remote {
    internet.remote("mx.there.test", Script::accept()).await
}

async fn greeted(internet: &Internet, remote: &Remote) -> (Client, simulator::Reply) {
    let mut client = internet.connect(remote.at()).await;
    client.reply().await.unwrap();
    let hello = client.say("EHLO here.test").await.unwrap();
    (client, hello)
}

const LETTER: &str = "Subject: secret\r\n\r\nthe plan\r\n";

#[test]
fn he_listens() {
    Internet::simulated(1, async |internet| {
        let there = remote(&internet).await;
        let network = internet.network();
        let mallory = network.intercept(there.at().ip(), Interception::Listen);
        let (mut client, hello) = greeted(&internet, &there).await;
        assert!(hello.offers("STARTTLS"), "{hello:?}");
        client
            .start_tls(&internet.tls_client(), "mx.there.test")
            .await
            .unwrap();
        client
            .transact("a@here.test", &["b@there.test"], LETTER)
            .await
            .unwrap();
        assert_eq!(there.taken_count(), 1);
        assert!(mallory.seen().contains("STARTTLS") && !mallory.seen().contains("the plan"));
        // Connections come from the client's own address, as far as the server can see.
        network.leave_alone(there.at().ip());
        let (mut client, _) = greeted(&internet, &there).await;
        client
            .transact("a@here.test", &["b@there.test"], LETTER)
            .await
            .unwrap();
        assert_eq!((there.taken_count(), mallory.connections()), (2, 1));
    });
}

#[test]
fn he_strips_starttls() {
    Internet::simulated(1, async |internet| {
        // Also where it is the last line of the reply.
        for extensions in [&["SIZE 1000", "8BITMIME"][..], &[]] {
            let there = remote(&internet).await;
            there.set_script(Script::accept().extensions(extensions));
            let network = internet.network();
            let mallory = network.intercept(there.at().ip(), Interception::StripStartTls);
            let (mut client, hello) = greeted(&internet, &there).await;
            assert!(hello.is_good() && !hello.offers("STARTTLS"), "{hello:?}");
            assert_eq!(
                hello.offers("8BITMIME"),
                !extensions.is_empty(),
                "{hello:?}"
            );
            assert_eq!(client.say("STARTTLS").await.unwrap().code, 502);
            let reply = client
                .transact("a@here.test", &["b@there.test"], LETTER)
                .await;
            assert_eq!(reply.unwrap().code, 250);
            assert_eq!(there.taken()[0].tls, None);
            assert!(mallory.seen().contains("the plan"));
        }
    });
}

#[test]
fn he_shows_a_certificate_of_his_own() {
    Internet::simulated(1, async |internet| {
        let there = remote(&internet).await;
        let certificate = internet.authority().self_signed("mx.there.test");
        let how = Interception::Certificate(Box::new(certificate));
        let mallory = internet.network().intercept(there.at().ip(), how);
        let (mut client, hello) = greeted(&internet, &there).await;
        assert!(hello.offers("STARTTLS"), "{hello:?}");
        let refused = client
            .start_tls(&internet.tls_client(), "mx.there.test")
            .await;
        let failure = refused.unwrap_err().failure();
        assert_eq!(failure, TlsFailure::CertificateNotTrusted);
        // Who takes any certificate tells him everything.
        let (mut client, _) = greeted(&internet, &there).await;
        let hello = client
            .start_tls(&TlsClient::opportunistic(), "mx.there.test")
            .await
            .unwrap();
        assert!(!hello.offers("STARTTLS"), "{hello:?}");
        let reply = client
            .transact("a@here.test", &["b@there.test"], LETTER)
            .await
            .unwrap();
        assert_eq!(reply.code, 250);
        assert!(mallory.seen().contains("the plan"));
        assert_eq!(there.taken_count(), 1);
    });
}

#[test]
fn he_sends_connections_elsewhere() {
    Internet::simulated(1, async |internet| {
        let there = remote(&internet).await;
        let evil = internet.remote("mx.evil.test", Script::accept()).await;
        let mallory = internet
            .network()
            .intercept(there.at().ip(), Interception::Divert(evil.at()));
        let (mut client, _) = greeted(&internet, &there).await;
        client
            .transact("a@here.test", &["b@there.test"], LETTER)
            .await
            .unwrap();
        assert_eq!(
            (
                there.connections(),
                evil.taken_count(),
                mallory.connections()
            ),
            (0, 1, 1)
        );
        let (mut client, _) = greeted(&internet, &there).await;
        let refused = client
            .start_tls(&internet.tls_client(), "mx.there.test")
            .await;
        assert_eq!(
            refused.unwrap_err().failure(),
            TlsFailure::CertificateHostMismatch
        );
    });
}

#[test]
fn he_cannot_pose_as_a_web_server() {
    Internet::simulated(1, async |internet| {
        let host = internet
            .https("mta-sts.there.test", &[("/", "genuine")])
            .await;
        let url = "https://mta-sts.there.test/";
        let network = internet.network();
        let forged = internet.authority().self_signed("mta-sts.there.test");
        let mallory =
            network.intercept(host.at().ip(), Interception::Certificate(Box::new(forged)));
        let client = internet.http_client();
        let error = client
            .fetch(world::http::Request::get(url))
            .await
            .unwrap_err();
        assert_eq!(error.tls_failure(), Some(TlsFailure::CertificateNotTrusted));
        assert!(host.asked().is_empty());
        // With a certificate that an authority gave him by mistake he reads along.
        let mistaken = internet
            .authority()
            .issue("mta-sts.there.test", simulator::Validity::Now);
        let how = Interception::Certificate(Box::new(mistaken));
        let second = network.intercept(host.at().ip(), how);
        let page = client.fetch(world::http::Request::get(url)).await.unwrap();
        assert_eq!(page.body, b"genuine");
        assert!(second.seen().contains("GET / HTTP/1.1") && mallory.seen().is_empty());
    });
}
