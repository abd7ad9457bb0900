//! A store in a temporary directory, with a domain and shorthand for what tests do most.

use std::sync::atomic::{AtomicU32, Ordering};

use mail::{Address, Domain, Summary, ThreadKeys, TraceId, UnixMillis};
use store::blobs::Kept;
use store::queue::{BodyKind, MessageDsn, NewQueued, NewRecipient, RecipientDsn};
use store::*;
use tempfile::TempDir;

use crate::postgres_server;

/// Runs each named test on both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[test]
            fn sqlite() {
                super::$name(&crate::fixture::Home::sqlite());
            }

            #[test]
            fn postgres() {
                if let Some(home) = crate::fixture::Home::postgres() {
                    super::$name(&home);
                }
            }
        })*
    };
}
pub(crate) use on_both;

pub const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
pub const PASSWORD: &str = "correct horse battery";

pub struct Home {
    pub store: Store,
    pub settings: StoreSettings,
    pub dir: TempDir,
}

impl Home {
    pub fn sqlite() -> Self {
        Self::open(None, Mode::Threads)
    }

    /// Without threads, which some tests want for their order.
    pub fn inline() -> Self {
        Self::open(None, Mode::Inline)
    }

    pub fn postgres() -> Option<Self> {
        postgres_server::fresh_database().map(|url| Self::open(Some(url), Mode::Threads))
    }

    fn open(url: Option<String>, mode: Mode) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let settings = StoreSettings {
            data_dir: dir.path().to_owned(),
            url,
            mode,
        };
        let store = Store::open(&settings).expect("a new store opens");
        let home = Self {
            store,
            settings,
            dir,
        };
        home.write(|change| change.add_domain(&domain("here.example"), NOW))
            .expect("a new domain");
        home
    }

    pub fn is_postgres(&self) -> bool {
        self.settings.url.is_some()
    }

    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&View<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.read_blocking(work).expect("reading works")
    }

    pub fn write<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.store.write_blocking(Durability::Durable, work)
    }

    pub fn account(&self, name: &str) -> AccountId {
        let account = NewAccount {
            address: address(name),
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
            quota: None,
        };
        self.store
            .add_account_blocking(account, NOW)
            .expect("a new account")
    }

    pub fn delivery(&self, targets: &[AccountId], body: &[u8]) -> Delivery {
        let kept = self
            .store
            .keep_blocking(body.to_vec())
            .expect("the body is kept");
        delivery_of(kept, targets)
    }

    /// Into INBOX.
    pub fn deliver(&self, account: AccountId, body: &[u8]) -> Delivered {
        let delivery = self.delivery(&[account], body);
        let receipt = self
            .store
            .accept_blocking(move |change| change.deliver(&delivery))
            .expect("a delivery");
        receipt.delivered()[0]
    }

    pub fn mailbox(&self, account: AccountId, name: &str) -> Mailbox {
        let name = mailbox_name(name);
        self.read(move |view| view.mailbox_by_name(account, &name))
            .expect("the mailbox exists")
    }

    pub fn names(&self, account: AccountId) -> Vec<String> {
        self.read(move |view| view.mailboxes(account))
            .into_iter()
            .map(|mailbox| mailbox.name.to_string())
            .collect()
    }

    pub fn placements(&self, account: AccountId, mailbox: MailboxId) -> Vec<Placement> {
        self.read(move |view| view.placements(account, mailbox, Uid::MIN..=Uid::MAX, usize::MAX))
    }

    pub fn body(&self, account: AccountId, mailbox: MailboxId, uid: Uid) -> Vec<u8> {
        let stored = self
            .read(move |view| view.message(account, mailbox, uid))
            .expect("the message exists");
        self.store
            .body_blocking(&stored.body, 0..u64::MAX)
            .expect("the body is there")
    }
}

pub fn delivery_of(kept: store::blobs::Kept, targets: &[AccountId]) -> Delivery {
    let target = |account: &AccountId| DeliveryTarget {
        account: *account,
        place: Place::Inbox,
        marks: Marks::none(),
    };
    Delivery {
        trace: trace(),
        kept,
        summary: summary(),
        targets: targets.iter().map(target).collect(),
        quota: QuotaRule::Refuse,
        received: NOW,
    }
}

pub fn summary() -> Summary {
    Summary {
        envelope: b"(NIL \"hello\" NIL NIL NIL NIL NIL NIL NIL NIL)".to_vec(),
        structure: vec![1, 2, 3],
        thread: ThreadKeys::default(),
        sent: Some(UnixMillis(1_600_000_000_000)),
        preview: "Hello".to_owned(),
        has_attachment: false,
    }
}

pub fn trace() -> TraceId {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let [a, b, c, d] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    TraceId::from_random([0, 0, 0, 0, 0, 0, a, b, c, d])
}

pub fn domain(name: &str) -> Domain {
    Domain::parse(name).expect("a domain")
}

/// A bare name is one of `here.example`.
/// A message on its way to one recipient elsewhere; tests change what matters to them.
pub fn outgoing(kept: Kept, to: &str) -> NewQueued {
    NewQueued {
        trace: trace(),
        kept,
        prefix: Vec::new(),
        account: None,
        forwarded: false,
        reverse_path: mail::ReversePath::Null,
        recipients: vec![NewRecipient {
            address: address(to),
            dsn: RecipientDsn::default(),
            due: NOW,
        }],
        dsn: MessageDsn::default(),
        tls: queue::TlsWish::default(),
        needs_smtputf8: false,
        body: BodyKind::SevenBit,
        created: NOW,
        expires: NOW,
    }
}

pub fn address(text: &str) -> Address {
    let text = if text.contains('@') {
        text.to_owned()
    } else {
        format!("{text}@here.example")
    };
    Address::parse(&text).expect("an address")
}

pub fn mailbox_name(text: &str) -> MailboxName {
    MailboxName::parse(text).expect("a mailbox name")
}

pub fn uids(text: &str) -> UidSet {
    UidSet::parse(text).expect("a set of UIDs")
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}
