//! POP3 sessions: what a client gets, what is removed and when, and who is kept out.

use std::sync::Arc;
use std::time::Duration;

use access::pop3::Pop3Door;
use access::{Access, AccessSettings, ClearTextLogin};
use mail::{Address, Domain, Summary, ThreadKeys, TraceId, UnixMillis};
use store::{
    AccountId, Delivery, DeliveryTarget, Durability, MailboxId, Marks, NewAccount, Place,
    QuotaRule, Store, StoreError, StoreSettings, Uid, UidSet,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use world::{
    BlockingMode, DnsSettings, SeededRandom, Stop, Stream, TokioClock, TokioTasks, Validation,
    World,
};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const PASSWORD: &str = "correct horse battery";

/// A store with one account, and sessions on it.
struct House {
    store: Store,
    access: Access,
    account: AccountId,
    stop: Stop,
    _dir: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(&StoreSettings::simulated(dir.path())).expect("a store");
        let domain = Domain::parse("here.example").expect("a domain");
        store
            .write_blocking(Durability::Durable, move |change| {
                change.add_domain(&domain, NOW).map(drop)
            })
            .expect("a domain");
        let account = NewAccount {
            address: Address::parse("ann@here.example").expect("an address"),
            name: String::new(),
            password: PASSWORD.to_owned(),
            quota: None,
        };
        let account = store
            .add_account_blocking(account, NOW)
            .expect("an account");
        let settings = AccessSettings {
            hostname: "pop.here.example".to_owned(),
            tls: None,
            clear_text_login: ClearTextLogin::Allowed,
            message_bytes_max: 1_000_000,
            appends_in_flight_bytes_max: access::limits::APPENDS_IN_FLIGHT_BYTES_MAX,
        };
        let access = Access::new(world(), store.clone(), settings);
        House {
            store,
            access,
            account,
            stop: Stop::new(),
            _dir: dir,
        }
    }

    fn deliver(&self, body: &[u8]) {
        let kept = self.store.keep_blocking(body.to_vec()).expect("kept");
        let target = DeliveryTarget {
            account: self.account,
            place: Place::Inbox,
            marks: Marks::none(),
        };
        let summary = Summary {
            envelope: b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)".to_vec(),
            structure: Vec::new(),
            thread: ThreadKeys::default(),
            sent: None,
            preview: String::new(),
            has_attachment: false,
        };
        let delivery = Delivery {
            trace: TraceId::from_random([7; 10]),
            kept,
            summary,
            targets: vec![target],
            quota: QuotaRule::Refuse,
            received: NOW,
        };
        let _ = self
            .store
            .accept_blocking(move |change| change.deliver(&delivery))
            .expect("delivered");
    }

    fn uids(&self) -> Vec<u32> {
        let account = self.account;
        let read = move |view: &store::View<'_>| view.uids(account, MailboxId::INBOX);
        let uids: Result<Vec<Uid>, StoreError> = self.store.read_blocking(read);
        uids.expect("readable")
            .into_iter()
            .map(|uid| uid.0)
            .collect()
    }

    /// A session under way, after its greeting.
    async fn connect(&self) -> Client {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let address = "192.0.2.7:110".parse().expect("an address");
        let stream = Stream::new(theirs, address, address);
        let (access, stop) = (self.access.clone(), self.stop.clone());
        tokio::spawn(async move { access.serve_pop3(stream, Pop3Door::Stls, stop).await });
        let mut client = Client { stream: ours };
        assert!(client.line().await.starts_with("+OK"));
        client
    }

    async fn log_in(&self) -> Client {
        let mut client = self.connect().await;
        client.say("USER ann@here.example").await;
        assert!(client.line().await.starts_with("+OK"));
        client.say(&format!("PASS {PASSWORD}")).await;
        let line = client.line().await;
        assert!(line.starts_with("+OK"), "{line}");
        client
    }
}

fn world() -> World {
    let dns = DnsSettings {
        validation: Validation::Auto,
        ..DnsSettings::system()
    };
    let start = std::time::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000);
    World {
        clock: Arc::new(TokioClock::simulated(start)),
        random: Arc::new(SeededRandom::new(1)),
        tasks: Arc::new(TokioTasks::new(BlockingMode::Inline)),
        ..World::real(dns)
    }
}

struct Client {
    stream: DuplexStream,
}

impl Client {
    async fn say(&mut self, line: &str) {
        let line = format!("{line}\r\n");
        self.stream
            .write_all(line.as_bytes())
            .await
            .expect("written");
    }

    /// One line, without its end; empty at the end of the stream.
    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            match self.stream.read_u8().await {
                Ok(byte) => line.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(line)
            .expect("UTF-8")
            .trim_end()
            .to_owned()
    }

    async fn ask(&mut self, line: &str) -> String {
        self.say(line).await;
        self.line().await
    }

    /// The body of a multi-line answer as it was before dots were doubled.
    async fn body(&mut self, command: &str) -> String {
        assert!(self.ask(command).await.starts_with("+OK"), "{command}");
        let mut body = String::new();
        loop {
            let line = self.line().await;
            if line == "." {
                return body;
            }
            body.push_str(line.strip_prefix('.').unwrap_or(&line));
            body.push_str("\r\n");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_reads_and_removes_at_its_end() {
    let house = House::new();
    house.deliver(b"Subject: one\r\n\r\n.dot\r\n");
    house.deliver(b"Subject: two\n\nbare\nlines\n");
    house.deliver(b"Subject: three\r\n\r\n3\r\n");
    let mut client = house.log_in().await;
    assert_eq!(client.ask("STAT").await, "+OK 3 68");
    assert_eq!(client.body("RETR 1").await, "Subject: one\r\n\r\n.dot\r\n");
    assert_eq!(
        client.body("RETR 2").await,
        "Subject: two\r\n\r\nbare\r\nlines\r\n"
    );
    assert_eq!(client.body("TOP 2 1").await, "Subject: two\r\n\r\nbare\r\n");
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    assert!(client.ask("DELE 3").await.starts_with("+OK"));
    assert_eq!(house.uids(), [1, 2, 3]);
    // What arrives meanwhile is for the next session.
    house.deliver(b"Subject: four\r\n\r\n4\r\n");
    assert!(client.ask("STAT").await.starts_with("+OK 1 "));
    assert!(client.ask("QUIT").await.starts_with("+OK"));
    assert_eq!(client.line().await, "");
    assert_eq!(house.uids(), [2, 4]);
    let mut again = house.log_in().await;
    assert!(again.ask("STAT").await.starts_with("+OK 2 "));
}

#[tokio::test(start_paused = true)]
async fn a_cut_line_removes_nothing_and_lets_go_of_the_mailbox() {
    let house = House::new();
    house.deliver(b"Subject: one\r\n\r\n1\r\n");
    let mut client = house.log_in().await;
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    let mut second = house.connect().await;
    second.say("USER ann@here.example").await;
    second.line().await;
    let in_use = second.ask(&format!("PASS {PASSWORD}")).await;
    assert!(in_use.starts_with("-ERR [IN-USE]"), "{in_use}");
    drop(client);
    // The first session notices the end; then the mailbox is free.
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut third = house.log_in().await;
    assert_eq!(third.ask("STAT").await, "+OK 1 19");
    assert_eq!(house.uids(), [1]);
}

#[tokio::test(start_paused = true)]
async fn silence_and_stops_remove_nothing() {
    let house = House::new();
    house.deliver(b"Subject: one\r\n\r\n1\r\n");
    let mut client = house.log_in().await;
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    // Ten minutes without a word.
    assert_eq!(client.line().await, "");
    assert_eq!(house.uids(), [1]);
    drop(client);
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut client = house.log_in().await;
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    house.stop.request();
    assert!(client.line().await.starts_with("-ERR [SYS/TEMP]"));
    assert_eq!(client.line().await, "");
    assert_eq!(house.uids(), [1]);
}

#[tokio::test(start_paused = true)]
async fn what_imap_removed_meanwhile_is_told_and_is_no_error_at_quit() {
    let house = House::new();
    house.deliver(b"Subject: one\r\n\r\n1\r\n");
    house.deliver(b"Subject: two\r\n\r\n2\r\n");
    let mut client = house.log_in().await;
    let account = house.account;
    let work = move |change: &mut store::Change<'_>| {
        change
            .remove(account, MailboxId::INBOX, &UidSet::one(Uid(1)))
            .map(drop)
    };
    let removed: Result<(), store::MessageError> =
        house.store.write_blocking(Durability::Durable, work);
    removed.expect("removed");
    assert!(client.ask("RETR 1").await.starts_with("-ERR The message"));
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    assert!(client.ask("QUIT").await.starts_with("+OK"));
    assert_eq!(house.uids(), [2]);
}

#[tokio::test(start_paused = true)]
async fn large_bodies_come_in_pieces_and_whole() {
    let house = House::new();
    let body = format!(
        "Subject: big\r\n\r\n{}",
        "..a line that begins with dots\r\n".repeat(40_000)
    );
    house.deliver(body.as_bytes());
    let mut client = house.log_in().await;
    assert!(client.body("RETR 1").await == body);
    let top = client.body("TOP 1 20000").await;
    assert_eq!(top.len(), "Subject: big\r\n\r\n".len() + 20_000 * 32);
    assert!(client.ask("NOOP").await.starts_with("+OK"));
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_and_scram() {
    let house = House::new();
    let mut client = house.connect().await;
    client.say("USER ann@here.example").await;
    client.line().await;
    assert!(client.ask("PASS wrong").await.starts_with("-ERR [AUTH]"));
    let credentials = wire::sasl::client::Credentials {
        login: "ann@here.example".to_owned(),
        password: wire::sasl::Secret::new(PASSWORD),
    };
    let mut exchange = wire::sasl::client::Exchange::choose(
        &[wire::sasl::Mechanism::ScramSha256],
        credentials,
        None,
        wire::sasl::client::ClearText::Never,
        "nonce".to_owned(),
    )
    .expect("usable");
    let initial = wire::sasl::encode(&exchange.initial().expect("a first message"));
    let mut line = client.ask(&format!("AUTH SCRAM-SHA-256 {initial}")).await;
    for _ in 0..2 {
        let challenge = line.strip_prefix("+ ").unwrap_or_else(|| panic!("{line}"));
        let challenge = wire::sasl::decode(challenge.as_bytes()).expect("base64");
        let answer = exchange.respond(&challenge).expect("an answer");
        line = client.ask(&wire::sasl::encode(&answer)).await;
    }
    assert!(line.starts_with("+OK 0 messages"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_log_in() {
    let house = House::new();
    house.deliver(b"Subject: one\r\n\r\n1\r\n");
    let mut client = house.log_in().await;
    assert!(client.ask("DELE 1").await.starts_with("+OK"));
    house
        .store
        .revoke_sessions(house.account)
        .await
        .expect("revoked");
    let said = client.line().await;
    assert_eq!(
        said,
        "-ERR [AUTH] Your login has ended; please log in again"
    );
    assert_eq!(client.line().await, "");
    assert_eq!(house.uids(), [1], "only QUIT removes");
    house.log_in().await;
}
