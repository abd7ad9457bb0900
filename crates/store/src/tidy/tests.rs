//! Segments that are mostly empty are given back, and nothing that lives is lost.

use std::sync::Arc;

use mail::{Address, Domain, Summary, ThreadKeys, TraceId, UnixMillis};

use crate::blobs::BlobSettings;
use crate::{
    AccountId, Delivery, DeliveryTarget, Durability, MailboxId, Marks, NewAccount, Place,
    QuotaRule, Store, StoreSettings, Uid, UidSet,
};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const INBOX: MailboxId = MailboxId::INBOX;

fn deliver(store: &Store, account: AccountId, number: u8) {
    let delivery = Delivery {
        trace: TraceId::from_random([number; 10]),
        kept: store.keep_blocking(vec![number; 10_000]).expect("kept"),
        summary: Summary {
            envelope: Vec::new(),
            structure: Vec::new(),
            thread: ThreadKeys::default(),
            sent: None,
            preview: String::new(),
            has_attachment: false,
        },
        targets: vec![DeliveryTarget {
            account,
            place: Place::Inbox,
            marks: Marks::none(),
        }],
        quota: QuotaRule::Refuse,
        received: NOW,
    };
    drop(
        store
            .accept_blocking(move |change| change.deliver(&delivery))
            .expect("delivered"),
    );
}

#[tokio::test]
async fn space_comes_back() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let small = BlobSettings {
        segment_bytes_max: 100_000,
        ..BlobSettings::simulated()
    };
    let inner = crate::open::open_with(&StoreSettings::simulated(dir.path()), small);
    let store = Store {
        inner: Arc::new(inner.expect("a new store opens")),
    };
    let domain = Domain::parse("here.example").expect("a domain");
    let made = store.write_blocking(Durability::Durable, move |c| c.add_domain(&domain, NOW));
    made.expect("a domain");
    let address = Address::parse("ann@here.example").expect("an address");
    let password = "password".to_owned();
    let account = NewAccount {
        address,
        name: String::new(),
        password,
        quota: None,
    };
    let ann = store
        .add_account_blocking(account, NOW)
        .expect("an account");
    (1..=100).for_each(|number| deliver(&store, ann, number));
    let segments = || store.inner.shared.blobs.segments().expect("a list").len();
    let before = segments();
    assert!(8 <= before, "{before} segments");

    let held = store.read_blocking(move |view| view.message(ann, INBOX, Uid(60)));
    let held = held.expect("reading works").expect("it is there").body;
    let mut gone = UidSet::new();
    (1..=100)
        .filter(|uid| uid % 20 != 0)
        .for_each(|uid| gone.insert(Uid(uid)));
    let removed = store.write_blocking(Durability::Durable, move |change| {
        change.remove(ann, INBOX, &gone)
    });
    assert_eq!(removed.expect("removed").uids.len(), 95);
    for _ in 0..12 {
        store.tidy().await.expect("tidied");
    }
    let left = segments();
    assert!(left <= 2, "{left} of {before} segments are left");
    for uid in [20, 40, 60, 80, 100] {
        let stored = store.read_blocking(move |view| view.message(ann, INBOX, Uid(uid)));
        let body = stored.expect("reading works").expect("it is there").body;
        let bytes = store
            .body_blocking(&body, 0..u64::MAX)
            .expect("the body is there");
        assert_eq!(bytes, vec![uid as u8; 10_000]);
    }
    let moved = store
        .body_blocking(&held, 0..3)
        .expect("a handle from before finds it too");
    assert_eq!(moved, [60; 3]);
}
