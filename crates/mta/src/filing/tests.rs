//! One transaction, but for what may be dropped.

use mail::{ReversePath, Summary, TraceId};
use store::held::HeldFor;
use store::{Durability, NewAccount, QuotaRule, StoreSettings};

use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn held(cause: HeldFor) -> NewHeld {
    NewHeld {
        trace: TraceId::from_random([1; 10]),
        cause,
        filter: "odd".to_owned(),
        words: "odd".to_owned(),
        account: None,
        reverse_path: ReversePath::Null,
        recipients: vec!["bob@here.test".to_owned()],
        subject: String::new(),
        created: NOW,
        expires: UnixMillis(NOW.0 + 1000),
    }
}

#[test]
fn a_copy_that_finds_no_room_keeps_nobody_from_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreSettings::simulated(dir.path())).unwrap();
    let domain = mail::Domain::parse("here.test").unwrap();
    let added = store.write_blocking(Durability::Relaxed, move |change| {
        change.add_domain(&domain, NOW)
    });
    added.unwrap();
    let account = NewAccount {
        address: "ann@here.test".parse().unwrap(),
        name: "Ann".into(),
        password: "correct horse battery".into(),
        quota: None,
    };
    let ann = store.add_account_blocking(account, NOW).unwrap();
    let filing = |text: &'static [u8], hold: Option<NewHeld>| Filing {
        deliveries: vec![Delivery {
            trace: TraceId::from_random([1; 10]),
            kept: store.keep_blocking(text).unwrap(),
            summary: Summary::of(text),
            targets: vec![inbox(ann)],
            quota: QuotaRule::Refuse,
            received: NOW,
        }],
        hold,
        ..Filing::default()
    };
    let commit = |filing: Filing| {
        store.accept_blocking(move |change| filing.write(change)?.ok_or(Refusal::NoRecipients))
    };
    // What a filter asked to be held fills the quarantine.
    let mut large = filing(b"Subject: large\r\n\r\n", Some(held(HeldFor::Quarantine)));
    large.deliveries[0].kept.size = store::limits::HELD_BYTES_MAX as u64;
    let _ = commit(large).expect("held");
    let mut both = filing(b"Subject: both\r\n\r\n", None);
    let aside = filing(b"Subject: aside\r\n\r\n", Some(held(HeldFor::Aside)));
    both.beside = Some(Box::new(aside));
    let receipt = commit(both).expect("she has hers");
    assert_eq!(receipt.delivered().len(), 1);
    let held_now = store.read_blocking(|view| view.held());
    let causes: Vec<_> = held_now.unwrap().iter().map(|one| one.cause).collect();
    assert_eq!(causes, [HeldFor::Quarantine]);
    // What is to be held itself waits at its sender.
    let one = filing(b"Subject: one\r\n\r\n", Some(held(HeldFor::Quarantine)));
    assert!(matches!(commit(one), Err(Refusal::QuarantineFull)));
}
