//! Figures for the reading side alone, over TCP on loopback, with a store on disk. Run by hand:
//! `cargo test --release -p access --test it speed -- --ignored --nocapture`

// Tests run on the real clock and report what they skip.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use access::imap::ImapDoor;
use access::{Access, AccessSettings, ClearTextLogin};
use mail::UnixMillis;
use store::{Append, Durability, MailboxId, Marks, NewAccount, Store, StoreSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use world::{DnsSettings, Stop, Validation, World};

const MESSAGES: u32 = 10_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; run by hand in release mode"]
async fn speed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreSettings::embedded(dir.path())).unwrap();
    let world = World::real(DnsSettings {
        servers: Vec::new(),
        validation: Validation::Off,
    });
    fill(&store).await;
    let settings = AccessSettings {
        hostname: "mail.example.test".into(),
        tls: None,
        clear_text_login: ClearTextLogin::Allowed,
        message_bytes_max: 50_000_000,
        appends_in_flight_bytes_max: access::limits::APPENDS_IN_FLIGHT_BYTES_MAX,
    };
    let listener = world
        .net
        .listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .unwrap();
    let place = listener.local_addr();
    let access = Access::new(world, store, settings);
    let stop = Stop::new();
    let serving = stop.clone();
    tokio::spawn(async move {
        while let Ok(stream) = listener.accept().await {
            let (access, stop) = (access.clone(), serving.clone());
            tokio::spawn(async move { access.serve_imap(stream, ImapDoor::Starttls, stop).await });
        }
    });
    let mut client = Line::open(place).await;
    for command in [
        "SELECT INBOX",
        "FETCH 1:* FLAGS",
        "FETCH 1:* FLAGS",
        "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)",
        "FETCH 1:* ENVELOPE",
        "FETCH 1:* ENVELOPE",
        "FETCH 1:* BODYSTRUCTURE",
        "FETCH 1:* BODY.PEEK[]",
        "FETCH 1:* BODY.PEEK[]",
        "FETCH 1:* BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]",
        "SEARCH TEXT neverfound",
        "SEARCH BODY neverfound",
        "SEARCH SUBJECT neverfound",
        "SEARCH UNSEEN",
        "STORE 1:* +FLAGS (\\Flagged)",
        "STORE 1:* -FLAGS.SILENT (\\Flagged)",
        "SORT (SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "SELECT INBOX",
    ] {
        let start = Instant::now();
        let bytes = client.run(command).await;
        println!(
            "{command:50} {:8.1} ms {bytes:10} bytes",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    for command in [
        "UID FETCH {} FLAGS",
        "UID FETCH {} BODY.PEEK[]",
        "UID STORE {} +FLAGS (\\Answered)",
        "NOOP",
    ] {
        let start = Instant::now();
        let count = 3_000u32;
        for number in 0..count {
            client
                .run(&command.replace("{}", &(number % MESSAGES + 1).to_string()))
                .await;
        }
        println!(
            "{command:50} {:8.0} per second",
            f64::from(count) / start.elapsed().as_secs_f64()
        );
    }
    idle_memory(place).await;
}

async fn idle_memory(place: SocketAddr) {
    let mut lines = Vec::new();
    for _ in 0..20 {
        lines.push(idling(place).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = resident();
    for _ in 0..500 {
        lines.push(idling(place).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    println!(
        "idle connection with its client here: {} bytes",
        resident().saturating_sub(before) / 500
    );
}

async fn idling(place: SocketAddr) -> Line {
    let mut line = Line::open(place).await;
    line.run("SELECT INBOX").await;
    line.stream.write_all(b"i IDLE\r\n").await.unwrap();
    line.until(b"+ idling\r\n").await;
    line
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

struct Line {
    stream: TcpStream,
}

impl Line {
    async fn open(place: SocketAddr) -> Line {
        let mut line = Line {
            stream: TcpStream::connect(place).await.unwrap(),
        };
        line.stream.set_nodelay(true).unwrap();
        line.until(b"ready.\r\n").await;
        line.run("LOGIN alice@example.test secret-word").await;
        line
    }

    /// Bytes of the answer.
    async fn run(&mut self, command: &str) -> usize {
        let line = format!("t {command}\r\n");
        self.stream.write_all(line.as_bytes()).await.unwrap();
        let answered = tokio::time::timeout(Duration::from_secs(60), self.until(b"\r\nt OK")).await;
        answered.unwrap_or_else(|_| panic!("no answer to {command}"))
    }

    /// Reads until the last line of what came has this in it.
    async fn until(&mut self, mark: &[u8]) -> usize {
        thread_local!(static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; 256 * 1024]));
        let (mut total, mut tail) = (0, b"\r\n".to_vec());
        loop {
            let mut buffer = BUFFER.with(|buffer| std::mem::take(&mut *buffer.borrow_mut()));
            if buffer.is_empty() {
                buffer = vec![0; 256 * 1024];
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "closed: {}", String::from_utf8_lossy(&tail));
            total += count;
            tail.extend_from_slice(&buffer[count.saturating_sub(2_000)..count]);
            let cut = tail.len().saturating_sub(2_000);
            tail.drain(..cut);
            BUFFER.with(|place| *place.borrow_mut() = buffer);
            if tail.ends_with(b"\r\n") && tail.windows(mark.len()).any(|window| window == mark) {
                return total;
            }
            let bad = tail
                .windows(5)
                .any(|window| window == b"\nt NO" || window == b"\nt BA");
            assert!(!bad, "{}", String::from_utf8_lossy(&tail));
        }
    }
}

async fn fill(store: &Store) {
    let now = UnixMillis(1_700_000_000_000);
    let domain = mail::Domain::parse("example.test").unwrap();
    store
        .write(Durability::Durable, move |change| {
            change.add_domain(&domain, now)
        })
        .await
        .unwrap();
    let account = NewAccount {
        address: "alice@example.test".parse().unwrap(),
        name: "alice".into(),
        password: "secret-word".into(),
        quota: None,
    };
    let account = store.add_account(account, now).await.unwrap();
    let start = Instant::now();
    for piece in 0..MESSAGES / 500 {
        let mut appends = Vec::new();
        for number in 0..500 {
            let number = piece * 500 + number;
            let mut text = format!(
                "From: Sender {number} <sender{number}@example.org>\r\nTo: Alice <alice@example.test>\r\n\
                 Subject: Letter {number} about things\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\n\
                 Message-ID: <{number}.abc@example.org>\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/plain; charset=utf-8\r\n\r\n"
            );
            while text.len() < 10_300 {
                text.push_str(&format!(
                    "Line {} of letter {number}: the quick brown fox jumps over the lazy dog.\r\n",
                    text.len()
                ));
            }
            let summary = mail::Summary::of(text.as_bytes());
            let kept = store.keep(text.into_bytes()).await.unwrap();
            appends.push(Append {
                account,
                mailbox: MailboxId::INBOX,
                trace: mail::TraceId::from_random([1; 10]),
                kept,
                summary,
                marks: Marks::none(),
                internal_date: now,
                now,
            });
        }
        store
            .write(Durability::Relaxed, move |change| {
                appends
                    .iter()
                    .map(|append| change.append(append))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await
            .unwrap();
    }
    println!("filled in {:?}", start.elapsed());
}
