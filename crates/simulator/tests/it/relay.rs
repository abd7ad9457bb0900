//! Somebody else's server takes our mail: for everything or for one domain, with AUTH and TLS.

use std::net::SocketAddr;

use postroad::config::{Relay, RelayLogin, RelaySecurity};
use simulator::{Host, Internet, Remote, Script, ScriptDoor, TlsOffer, days, hours, minutes};

use crate::{ANN, BOB, assert_report, letter};

const RELAY: &str = "smtp.relay.test";

async fn relay_server(internet: &Internet, script: Script) -> Remote {
    let address = internet.fresh_address();
    internet.zones().host(RELAY, address);
    internet
        .remote_at(RELAY, SocketAddr::new(address, 0), script)
        .await
}

fn relay(remote: &Remote, security: RelaySecurity) -> Relay {
    let login = RelayLogin {
        user: "postroad".to_owned(),
        password: "secret".to_owned(),
        password_file: "unused".into(),
    };
    Relay {
        host: RELAY.to_owned(),
        port: remote.at().port(),
        security,
        login: Some(login),
    }
}

async fn host_behind(internet: &Internet, relay: Relay) -> Host {
    let host = internet
        .host("mx.here.test")
        .domain("here.test")
        .account(ANN);
    host.config(move |config| config.outbound.relay = Some(relay.clone()))
        .start()
        .await
}

fn friendly() -> Script {
    Script::accept().login("postroad", "secret")
}

async fn everything_goes_through(internet: Internet) {
    let server = relay_server(&internet, friendly()).await;
    let host = host_behind(&internet, relay(&server, RelaySecurity::StartTls)).await;
    // There is no DNS for these domains, and none is needed.
    host.submit(ANN, &[BOB, "x@far.test"], &letter("relayed"))
        .await;
    let recipients = || {
        server
            .taken()
            .iter()
            .map(|taken| taken.to().len())
            .sum::<usize>()
    };
    internet.until(minutes(5), || recipients() == 2).await;
    for taken in server.taken() {
        assert_eq!(taken.login.as_deref(), Some("postroad"));
        assert!(taken.tls.is_some());
    }
}

#[test]
fn everything_goes_through_simulated() {
    Internet::simulated(1, everything_goes_through);
}

#[test]
fn everything_goes_through_real() {
    Internet::real(everything_goes_through);
}

#[test]
fn implicit_tls() {
    Internet::simulated(1, async |internet| {
        let script = friendly().door(ScriptDoor::ImplicitTls);
        let server = relay_server(&internet, script).await;
        let host = host_behind(&internet, relay(&server, RelaySecurity::Implicit)).await;
        host.submit(ANN, &[BOB], &letter("465")).await;
        internet
            .until(minutes(5), || server.taken_count() == 1)
            .await;
        assert!(server.taken()[0].tls.is_some());
        assert_eq!(server.taken()[0].login.as_deref(), Some("postroad"));
    });
}

#[test]
fn one_domain_goes_through_and_others_do_not() {
    Internet::simulated(1, async |internet| {
        let server = relay_server(&internet, friendly()).await;
        let there = internet.remote_domain("there.test", Script::accept()).await;
        let by_domain = relay(&server, RelaySecurity::StartTls);
        let far = "far.test".to_owned();
        let host = internet
            .host("mx.here.test")
            .domain("here.test")
            .account(ANN);
        let host = host.config(move |config| {
            config
                .outbound
                .relays
                .insert(far.clone(), by_domain.clone());
        });
        let host = host.start().await;
        host.submit(ANN, &[BOB, "x@far.test"], &letter("two ways"))
            .await;
        internet
            .until(minutes(5), || {
                server.taken_count() + there.taken_count() == 2
            })
            .await;
        assert_eq!(server.taken()[0].to(), ["x@far.test"]);
        assert_eq!(there.taken()[0].to(), [BOB]);
    });
}

#[test]
fn without_the_tls_it_asked_for_nothing_is_sent() {
    let offers = [
        TlsOffer::None,
        TlsOffer::SelfSigned,
        TlsOffer::WrongName,
        TlsOffer::Expired,
        TlsOffer::Garbage,
    ];
    for offer in offers {
        Internet::simulated(1, async |internet| {
            let server = relay_server(&internet, friendly().tls(offer)).await;
            let host = host_behind(&internet, relay(&server, RelaySecurity::StartTls)).await;
            host.submit(ANN, &[BOB], &letter("or not at all")).await;
            internet.pass(hours(12)).await;
            assert_eq!(server.taken_count(), 0, "{offer:?}");
            assert_eq!(server.attempts(BOB), 0, "{offer:?}");
            assert_eq!(host.queue().len(), 1, "{offer:?}");
            server.set_script(friendly());
            internet.until(hours(8), || server.taken_count() == 1).await;
        });
    }
}

#[test]
fn a_refused_login_waits_for_the_operator() {
    Internet::simulated(1, async |internet| {
        let script = Script::accept().login("postroad", "another");
        let server = relay_server(&internet, script).await;
        let host = host_behind(&internet, relay(&server, RelaySecurity::StartTls)).await;
        host.submit(ANN, &[BOB], &letter("let me in")).await;
        internet.pass(hours(3)).await;
        assert_eq!((server.taken_count(), host.queue().len()), (0, 1));
        server.set_script(friendly());
        internet.until(hours(8), || server.taken_count() == 1).await;
    });
}

#[test]
fn what_the_relay_refuses_is_reported() {
    Internet::simulated(1, async |internet| {
        let script = friendly().recipient(BOB, "550 5.1.1 unknown there");
        let server = relay_server(&internet, script).await;
        let host = host_behind(&internet, relay(&server, RelaySecurity::Opportunistic)).await;
        host.submit(ANN, &[BOB], &letter("refused")).await;
        internet.until(days(1), || host.inbox(ANN).len() == 1).await;
        assert_report(
            &host.inbox(ANN)[0],
            &["550 5.1.1 unknown there", "Status: 5.1.1"],
        );
    });
}
