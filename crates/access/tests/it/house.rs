//! A small installation: one store, one domain, accounts as tests ask for them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use access::imap::ImapDoor;
use access::{Access, AccessSettings, ClearTextLogin};
use mail::UnixMillis;
use store::{
    AccountId, Delivery, DeliveryTarget, Marks, NewAccount, Place, QuotaRule, Store, StoreSettings,
};
use world::{
    Certificate, DnsSettings, PemPair, Stop, Stream, TlsServer, TokioClock, Validation, World,
    self_signed,
};

use crate::client::Client;

pub struct House {
    pub access: Access,
    pub store: Store,
    pub stop: Stop,
    dir: tempfile::TempDir,
}

pub const PASSWORD: &str = "secret-word";

impl House {
    /// With the accounts alice and bob at example.test.
    pub async fn new() -> House {
        House::with(ClearTextLogin::Allowed).await
    }

    pub async fn with(clear_text_login: ClearTextLogin) -> House {
        let room = access::limits::APPENDS_IN_FLIGHT_BYTES_MAX;
        House::build(real_world(), clear_text_login, room).await
    }

    /// In simulated time, with so much memory for messages on their way in.
    pub async fn with_room(bytes: usize) -> House {
        let world = World {
            clock: Arc::new(TokioClock::simulated(SystemTime::UNIX_EPOCH)),
            ..real_world()
        };
        House::build(world, ClearTextLogin::Allowed, bytes).await
    }

    async fn build(world: World, clear_text_login: ClearTextLogin, room: usize) -> House {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(&StoreSettings::simulated(dir.path())).expect("a store");
        let settings = AccessSettings {
            hostname: "mail.example.test".into(),
            tls: Some(Arc::new(certificate())),
            clear_text_login,
            message_bytes_max: 1_000_000,
            appends_in_flight_bytes_max: room,
        };
        let domain = mail::Domain::parse("example.test").expect("a domain");
        let now = UnixMillis(1_700_000_000_000);
        store
            .write(store::Durability::Durable, move |change| {
                change.add_domain(&domain, now)
            })
            .await
            .expect("the domain is new");
        let house = House {
            access: Access::new(world, store.clone(), settings),
            store,
            stop: Stop::new(),
            dir,
        };
        house.account("alice", PASSWORD, None).await;
        house.account("bob", PASSWORD, None).await;
        house
    }

    /// While it is hidden, whoever wants to know what changed meets an error.
    pub fn hide_change_log(&self) {
        self.rename_table("change_log", "hidden");
    }

    pub fn show_change_log(&self) {
        self.rename_table("hidden", "change_log");
    }

    fn rename_table(&self, from: &str, to: &str) {
        let path = self.dir.path().join("postroad.db");
        let database = rusqlite::Connection::open(path).expect("the database");
        database
            .execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
            .expect("renamed");
    }

    pub async fn account(&self, name: &str, password: &str, quota: Option<u64>) -> AccountId {
        let account = NewAccount {
            address: format!("{name}@example.test").parse().expect("an address"),
            name: name.into(),
            password: password.into(),
            quota,
        };
        self.store
            .add_account(account, UnixMillis(1_700_000_000_000))
            .await
            .expect("an account")
    }

    /// A connection with its greeting read.
    pub async fn connect(&self) -> Client {
        Client::new(self.line(ImapDoor::Starttls)).await
    }

    /// As `connect`, on the port for TLS from the first byte.
    pub async fn connect_tls(&self) -> Client {
        Client::over_tls(self.line(ImapDoor::Tls)).await
    }

    /// The client's end of a connection that is being served.
    fn line(&self, door: ImapDoor) -> Stream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 143));
        let there = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
        let (access, stop) = (self.access.clone(), self.stop.clone());
        tokio::spawn(async move {
            access
                .serve_imap(Stream::new(theirs, here, there), door, stop)
                .await;
        });
        Stream::new(ours, there, here)
    }

    pub async fn log_in(&self, name: &str) -> Client {
        let mut client = self.connect().await;
        client
            .ok(&format!("LOGIN {name}@example.test {PASSWORD}"))
            .await;
        client
    }

    /// Logged in with a mailbox selected.
    pub async fn selected(&self, name: &str, mailbox: &str) -> Client {
        let mut client = self.log_in(name).await;
        client.ok(&format!("SELECT {mailbox}")).await;
        client
    }

    pub async fn account_id(&self, name: &str) -> AccountId {
        let address: mail::Address = format!("{name}@example.test").parse().expect("an address");
        let found = self
            .store
            .read(move |view| view.account_by_address(&address))
            .await
            .expect("a store");
        found.expect("the account is there").id
    }

    /// Mail comes in.
    pub async fn deliver(&self, name: &str, message: &str) {
        let account = self.account_id(name).await;
        let bytes = message.as_bytes().to_vec();
        let summary = mail::Summary::of(&bytes);
        let kept = self.store.keep(bytes).await.expect("the body is kept");
        let delivery = Delivery {
            trace: mail::TraceId::from_random([7; 10]),
            kept,
            summary,
            targets: vec![DeliveryTarget {
                account,
                place: Place::Inbox,
                marks: Marks::none(),
            }],
            quota: QuotaRule::Refuse,
            received: UnixMillis(1_700_000_000_000),
        };
        let _ = self
            .store
            .accept(move |change| change.deliver(&delivery))
            .await
            .expect("delivered");
    }
}

fn real_world() -> World {
    World::real(DnsSettings {
        validation: Validation::Off,
        ..DnsSettings::system()
    })
}

/// A short message with CR LF line ends.
pub fn message(subject: &str) -> String {
    format!(
        "From: Fred <fred@example.org>\r\nTo: alice@example.test\r\nSubject: {subject}\r\n\
         Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <{subject}@example.org>\r\n\r\nBody of {subject}.\r\n"
    )
}

/// Making a key takes a while: one for all tests.
fn certificate() -> TlsServer {
    static PAIR: OnceLock<PemPair> = OnceLock::new();
    let pair = PAIR.get_or_init(|| {
        let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        self_signed(&["mail.example.test".into()], now).expect("a certificate")
    });
    let certificate = Certificate::from_pem(pair.certificate.as_bytes(), pair.key.as_bytes());
    TlsServer::new(vec![certificate.expect("a certificate")]).expect("TLS")
}
