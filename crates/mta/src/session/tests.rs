//! Memory for bodies: what one peer address may hold, seen from its connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mail::Domain;
use store::{Durability, NewAccount, Store, StoreSettings};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use world::{
    Answer, BlockingMode, BoxFuture, Budget, Dns, DnsError, Kind, SeededRandom, TokioClock,
    TokioNet, TokioTasks, World,
};

use super::*;
use crate::{Mta, MtaSettings};

struct NoDns;

impl Dns for NoDns {
    fn ask<'a>(&'a self, _: &'a str, _: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        Box::pin(async { Err(DnsError::TimedOut) })
    }
}

fn world() -> World {
    World {
        clock: Arc::new(TokioClock::simulated(SystemTime::UNIX_EPOCH)),
        random: Arc::new(SeededRandom::new(1)),
        dns: Arc::new(NoDns),
        net: Arc::new(TokioNet),
        tasks: Arc::new(TokioTasks::new(BlockingMode::Inline)),
    }
}

/// A host for ann@here.test with so much memory for bodies.
async fn host(budget: usize) -> (Mta, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreSettings::simulated(dir.path())).unwrap();
    let (domain, now) = (Domain::parse("here.test").unwrap(), UnixMillis(0));
    store
        .write(Durability::Durable, move |change| {
            change.add_domain(&domain, now)
        })
        .await
        .unwrap();
    let account = NewAccount {
        address: "ann@here.test".parse().unwrap(),
        name: "Ann".into(),
        password: "secret-word".into(),
        quota: None,
    };
    store.add_account(account, now).await.unwrap();
    let settings = MtaSettings::new(Domain::parse("mx.here.test").unwrap());
    let mut mta = Mta::new(world(), store, settings);
    Arc::get_mut(&mut mta.inner).unwrap().budget = Budget::new(budget);
    (mta, dir)
}

struct Peer(BufReader<DuplexStream>);

impl Peer {
    /// Connected and with a sender and a recipient named.
    async fn before_data(mta: &Mta, from: &str) -> Peer {
        let (near, far) = duplex(64 * 1024);
        let from = SocketAddr::new(from.parse().unwrap(), 40_000);
        let here = SocketAddr::from(([192, 0, 2, 1], 25));
        let (mta, stream) = (mta.clone(), Stream::new(near, here, from));
        tokio::spawn(async move { mta.serve_smtp(stream, Door::Mx, Stop::new()).await });
        let mut peer = Peer(BufReader::new(far));
        assert!(peer.line().await.starts_with("220 "));
        for (command, code) in [
            ("HELO there.test", "250"),
            ("MAIL FROM:<bob@there.test>", "250"),
            ("RCPT TO:<ann@here.test>", "250"),
        ] {
            let reply = peer.say(command).await;
            assert!(reply.starts_with(code), "{command}: {reply}");
        }
        peer
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line
    }

    async fn say(&mut self, command: &str) -> String {
        self.send(&format!("{command}\r\n")).await;
        self.line().await
    }

    async fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn data(&mut self) {
        let reply = self.say("DATA").await;
        assert!(reply.starts_with("354"), "{reply}");
    }
}

const MEGABYTE: usize = 1024 * 1024;

#[tokio::test(start_paused = true)]
async fn one_peer_address_holds_an_eighth() {
    // 512 KB for each: two bodies that have just begun.
    let (mta, _dir) = host(4 * MEGABYTE).await;
    let mut first = Peer::before_data(&mta, "2001:db8:1:2::1").await;
    let mut second = Peer::before_data(&mta, "2001:db8:1:2::2").await;
    let mut third = Peer::before_data(&mta, "2001:db8:1:2::3").await;
    let mut other = Peer::before_data(&mta, "2001:db8:1:3::1").await;
    first.data().await;
    second.data().await;
    let reply = third.say("DATA").await;
    assert!(reply.starts_with("452 4.3.1"), "{reply}");
    other.data().await;
    let reply = first.say("Subject: one\r\n\r\nHello.\r\n.").await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    for command in ["MAIL FROM:<bob@there.test>", "RCPT TO:<ann@here.test>"] {
        third.say(command).await;
    }
    third.data().await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_grows_beyond_it_ends_with_452() {
    let (mta, _dir) = host(4 * MEGABYTE).await;
    let mut first = Peer::before_data(&mta, "192.0.2.7").await;
    let mut second = Peer::before_data(&mta, "192.0.2.7").await;
    first.data().await;
    second.data().await;
    let line = format!("{}\r\n", "x".repeat(76));
    first
        .send(&format!("Subject: one\r\n\r\n{}", line.repeat(5_000)))
        .await;
    let clock = mta.inner.world.clock.clone();
    let keep_on = async {
        for _ in 0..40 {
            clock.after(Duration::from_secs(1)).await;
            second.send("Subject: two\r\n").await;
        }
    };
    let (reply, ()) = tokio::join!(first.line(), keep_on);
    assert!(reply.starts_with("452 4.3.1"), "{reply}");
    assert_eq!(first.line().await, "", "and the connection is closed");
    let reply = second.say("\r\nHello.\r\n.").await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
}
