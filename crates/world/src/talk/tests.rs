//! The conversation loop against a small line protocol, over pipes in memory and simulated time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::{BoxFuture, Either};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use wire::{Machine, Step, TlsFacts};

use super::{Ended, Talk, Tls};
use crate::*;

/// Lines in, one event each; `TLS`, `BYE` and `HELLO` are answered by the machine itself.
#[derive(Default)]
struct Lines {
    input: Vec<u8>,
    steps: VecDeque<Step<Said>>,
    tls: Option<TlsFacts>,
    gone: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Line(String),
    Secure,
    Gone,
    TimedOut,
}

impl Machine for Lines {
    type Event = Said;

    fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    fn end_of_input(&mut self) {
        self.gone = true;
        self.steps.push_back(Step::Event(Said::Gone));
    }

    fn timed_out(&mut self) {
        self.steps.push_back(Step::Event(Said::TimedOut));
    }

    fn tls_started(&mut self, facts: TlsFacts) {
        self.tls = Some(facts);
        self.steps.push_back(Step::Event(Said::Secure));
    }

    fn step(&mut self) -> Step<Said> {
        if let Some(step) = self.steps.pop_front() {
            return step;
        }
        if self.gone {
            return Step::Close;
        }
        let Some(end) = self.input.iter().position(|byte| *byte == b'\n') else {
            return Step::NeedInput {
                patience: Duration::from_secs(60),
            };
        };
        let line: Vec<u8> = self.input.drain(..=end).collect();
        match line.as_slice() {
            b"HELLO\n" => Step::Send(b"hello\n".to_vec()),
            b"TLS\n" => {
                self.steps.push_back(Step::StartTls);
                Step::Send(b"go\n".to_vec())
            }
            b"BYE\n" => {
                self.steps.push_back(Step::Close);
                Step::Send(b"bye\n".to_vec())
            }
            line => Step::Event(Said::Line(
                String::from_utf8_lossy(line).trim_end().to_owned(),
            )),
        }
    }
}

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

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 25))
}

fn talk(tls: Tls) -> (Talk<Lines>, DuplexStream) {
    let (near, far) = duplex(1024);
    let stream = Stream::new(near, address(), address());
    (Talk::new(world(), stream, Lines::default(), tls), far)
}

fn certificate(name: &str) -> (Certificate, PemPair) {
    let now = SystemTime::now();
    let pem = self_signed(&[name.to_owned()], now).unwrap();
    (
        Certificate::from_pem(pem.certificate.as_bytes(), pem.key.as_bytes()).unwrap(),
        pem,
    )
}

fn line(text: &str) -> Said {
    Said::Line(text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn replies_to_a_pipelined_group_leave_together() {
    let (mut talk, mut far) = talk(Tls::None);
    far.write_all(b"HELLO\nHELLO\nHELLO\nx\nHELLO\n")
        .await
        .unwrap();
    assert_eq!(talk.event().await.unwrap(), line("x"));
    talk.write(b"yes\n").await.unwrap();
    let woken = talk.event_or(async { "idle" }).await.unwrap();
    assert!(matches!(woken, Either::Right("idle")));
    let mut buffer = [0; 100];
    let count = far.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..count], b"hello\nhello\nhello\nyes\nhello\n");
}

#[tokio::test(start_paused = true)]
async fn patience_counts_from_the_last_input_even_when_woken() {
    let (mut talk, _far) = talk(Tls::None);
    let start = talk.world().now();
    for _ in 0..5 {
        let nap = talk.world().clock.after(Duration::from_secs(10));
        assert!(matches!(
            talk.event_or(nap).await.unwrap(),
            Either::Right(())
        ));
    }
    assert_eq!(talk.event().await.unwrap(), Said::TimedOut);
    assert_eq!(talk.world().now() - start, Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_slow_sender_is_timed_out_although_it_sends() {
    let (talk, mut far) = talk(Tls::None);
    let mut talk = talk.with_bytes_per_sec_min(100);
    let start = talk.world().now();
    let clock = talk.world().clock.clone();
    let dripping = async move {
        loop {
            far.write_all(b"x").await.unwrap();
            clock.after(Duration::from_secs(20)).await;
        }
    };
    let event = talk.event_or(dripping).await.unwrap();
    assert!(matches!(event, Either::Left(Said::TimedOut)));
    assert_eq!(talk.world().now() - start, Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_fast_beginning_pays_for_a_minute_only() {
    let (talk, mut far) = talk(Tls::None);
    let mut talk = talk.with_bytes_per_sec_min(100);
    let start = talk.world().now();
    let clock = talk.world().clock.clone();
    let burst_and_drip = async move {
        // An hour's worth at the lowest rate.
        far.write_all(&vec![b'x'; 360_000]).await.unwrap();
        loop {
            far.write_all(b"x").await.unwrap();
            clock.after(Duration::from_secs(59)).await;
        }
    };
    let event = talk.event_or(burst_and_drip).await.unwrap();
    assert!(matches!(event, Either::Left(Said::TimedOut)));
    assert_eq!(talk.world().now() - start, Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn a_slow_but_steady_sender_may_take_its_time() {
    let (talk, mut far) = talk(Tls::None);
    let mut talk = talk.with_bytes_per_sec_min(100);
    let start = talk.world().now();
    let clock = talk.world().clock.clone();
    let steady = async move {
        for _ in 0..360 {
            far.write_all(&[b'x'; 1_000]).await.unwrap();
            clock.after(Duration::from_secs(10)).await;
        }
        far.write_all(b"\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    let event = talk.event_or(steady).await.unwrap();
    assert!(matches!(event, Either::Left(Said::Line(_))));
    assert_eq!(talk.world().now() - start, Duration::from_secs(3_600));
}

#[tokio::test(start_paused = true)]
async fn closing_flushes_and_waits_for_the_peer() {
    let (mut talk, mut far) = talk(Tls::None);
    far.write_all(b"HELLO\nBYE\nunread").await.unwrap();
    let reading = async {
        let mut all = String::new();
        far.read_to_string(&mut all).await.unwrap();
        drop(far);
        all
    };
    let (ended, all) = tokio::join!(talk.event(), reading);
    assert!(matches!(ended, Err(Ended::Finished)), "{ended:?}");
    assert_eq!(all, "hello\nbye\n");
    assert!(matches!(talk.event().await, Err(Ended::Finished)));
}

#[tokio::test(start_paused = true)]
async fn the_peer_may_go_at_any_time() {
    let (mut talk, far) = talk(Tls::None);
    drop(far);
    assert_eq!(talk.event().await.unwrap(), Said::Gone);
    assert!(talk.event().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_given_up() {
    let (mut talk, _far) = talk(Tls::None);
    let start = talk.world().now();
    let ended = talk.write(&vec![b'x'; 100_000]).await;
    assert!(matches!(ended, Err(Ended::WriteTimedOut)), "{ended:?}");
    assert_eq!(talk.world().now() - start, limits::WRITE_PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn large_writes_keep_their_order() {
    let (mut talk, mut far) = talk(Tls::None);
    let large: Vec<u8> = (0..200_000u32).map(|number| number as u8).collect();
    let writing = async {
        talk.write(b"head ").await.unwrap();
        talk.write(&large).await.unwrap();
        talk.write(b" tail ").await.unwrap();
        talk.write_owned(large.clone()).await.unwrap();
        talk.flush().await.unwrap();
    };
    let mut read = vec![0; 11 + 2 * large.len()];
    let (_, count) = tokio::join!(writing, far.read_exact(&mut read));
    count.unwrap();
    let want = [b"head ".as_slice(), &large, b" tail ", &large].concat();
    assert!(read == want);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_loses_nothing() {
    let (mut talk, mut far) = talk(Tls::None);
    for byte in b"HELLO\nabc\n" {
        far.write_all(&[*byte]).await.unwrap();
        // Polled once and dropped, whatever it was doing.
        if let Ok(Either::Left(event)) = talk.event_or(async {}).await {
            assert_eq!(event, line("abc"));
        }
    }
    let mut buffer = [0; 100];
    let count = far.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..count], b"hello\n");
}

#[tokio::test(start_paused = true)]
async fn both_ends_of_tls_see_the_same_bindings() {
    let (server_certificate, pem) = certificate("mx.here.test");
    let (other, _) = certificate("other.test");
    let server = Arc::new(TlsServer::new(vec![other, server_certificate]).unwrap());
    let client = Arc::new(TlsClient::verified(Some(pem.certificate.as_bytes())).unwrap());
    let (near, far) = duplex(1024);
    let mut here = Talk::new(
        world(),
        Stream::new(near, address(), address()),
        Lines::default(),
        Tls::Server(server),
    );
    let name = "mx.here.test".to_owned();
    let mut there = Talk::new(
        world(),
        Stream::new(far, address(), address()),
        Lines::default(),
        Tls::Client { client, name },
    );
    there.write(b"TLS\n").await.unwrap();
    // The client's machine reads "go" and begins, driven by hand.
    let serving = async {
        assert_eq!(here.event().await.unwrap(), Said::Secure);
        here.write(b"hi\n").await.unwrap();
        assert!(matches!(here.event().await, Ok(Said::Line(_))));
    };
    let asking = async {
        assert_eq!(there.event().await.unwrap(), line("go"));
        there.machine().steps.push_back(Step::StartTls);
        // Woken all the time: the handshake goes on where it was.
        loop {
            match there.event_or(tokio::task::yield_now()).await.unwrap() {
                Either::Left(event) => break assert_eq!(event, Said::Secure),
                Either::Right(()) => {}
            }
        }
        assert_eq!(there.event().await.unwrap(), line("hi"));
        there.write(b"ok\n").await.unwrap();
        there.flush().await.unwrap();
    };
    tokio::join!(serving, asking);
    let (here, there) = (here.tls().unwrap(), there.tls().unwrap());
    assert_eq!(here.version, "TLSv1.3");
    assert_eq!(here.cipher, there.cipher);
    assert_eq!(here.server_name.as_deref(), Some("mx.here.test"));
    assert_eq!(here.exporter.as_ref().unwrap().len(), 32);
    assert_eq!(here.exporter, there.exporter);
    assert_eq!(here.server_end_point.as_ref().unwrap().len(), 32);
    assert_eq!(here.server_end_point, there.server_end_point);
}

async fn handshake(
    server: &TlsServer,
    client: &TlsClient,
    name: &str,
) -> Result<TlsFacts, TlsError> {
    let (near, far) = duplex(16 * 1024);
    let mut near = Stream::new(near, address(), address());
    let mut far = Stream::new(far, address(), address());
    let (_, facts) = tokio::join!(
        near.start_tls_server(server),
        far.start_tls_client(client, name)
    );
    facts
}

#[tokio::test]
async fn certificates_can_be_exchanged_while_serving() {
    let (first, first_pem) = certificate("mx.here.test");
    let (second, second_pem) = certificate("mx.here.test");
    let server = TlsServer::new(vec![first]).unwrap();
    let trusts_first = TlsClient::verified(Some(first_pem.certificate.as_bytes())).unwrap();
    let trusts_second = TlsClient::verified(Some(second_pem.certificate.as_bytes())).unwrap();
    handshake(&server, &trusts_first, "mx.here.test")
        .await
        .unwrap();
    let refused = handshake(&server, &trusts_second, "mx.here.test")
        .await
        .unwrap_err();
    assert!(refused.is_certificate(), "{refused}");
    server.reload(vec![second]).unwrap();
    handshake(&server, &trusts_second, "mx.here.test")
        .await
        .unwrap();
    assert!(server.reload(Vec::new()).is_err());
}

#[tokio::test]
async fn opportunistic_takes_any_certificate_and_any_name() {
    let (certificate, pem) = certificate("some.where.test");
    let server = TlsServer::new(vec![certificate]).unwrap();
    let client = TlsClient::opportunistic();
    for name in [
        "mx.here.test",
        "mx_1.here.test",
        "192.0.2.1",
        "mx.here.test.",
    ] {
        handshake(&server, &client, name).await.unwrap();
    }
    let verified = TlsClient::verified(Some(pem.certificate.as_bytes())).unwrap();
    let wrong = handshake(&server, &verified, "mx.here.test")
        .await
        .unwrap_err();
    assert!(wrong.is_certificate(), "{wrong}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_does_not_hold_a_handshake() {
    let (certificate, _) = certificate("mx.here.test");
    let server = Arc::new(TlsServer::new(vec![certificate]).unwrap());
    let (talk, _far) = talk(Tls::Server(server));
    let mut talk = talk.with_tls_at_once();
    let start: Instant = talk.world().now();
    assert!(matches!(
        talk.event().await,
        Err(Ended::Tls(TlsError::TimedOut))
    ));
    assert_eq!(talk.world().now() - start, limits::HANDSHAKE_PATIENCE);
}
