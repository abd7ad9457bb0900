//! Changes that wait share a commit; what fails of them costs itself alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use store::*;

use crate::fixture::*;

on_both!(
    a_panic_costs_one_change,
    what_fails_leaves_nothing,
    concurrent_deliveries_all_arrive
);

fn at_once(home: &Home, accounts: &[AccountId], count: usize) -> Vec<Delivered> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..count)
            .map(|i| {
                let (store, account) = (home.store.clone(), accounts[i % accounts.len()]);
                tokio::spawn(async move {
                    let kept = store
                        .keep(format!("body {i}").into_bytes())
                        .await
                        .expect("kept");
                    let delivery = delivery_of(kept, &[account]);
                    let receipt = store
                        .accept(move |change| change.deliver(&delivery))
                        .await
                        .expect("delivered");
                    receipt.delivered()[0]
                })
            })
            .collect();
        let mut delivered = Vec::new();
        for task in tasks {
            delivered.push(task.await.expect("no panic"));
        }
        delivered
    })
}

fn concurrent_deliveries_all_arrive(home: &Home) {
    let accounts = [
        home.account("ann"),
        home.account("bob"),
        home.account("carl"),
    ];
    let before = home.store.commits();
    let delivered = at_once(home, &accounts, 300);
    let mut places: Vec<_> = delivered
        .iter()
        .map(|delivered| (delivered.account, delivered.uid))
        .collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 300);
    for account in accounts {
        assert_eq!(
            home.read(move |view| view.uids(account, MailboxId::INBOX))
                .len(),
            100
        );
    }
    let commits = home.store.commits() - before;
    assert!(
        home.is_postgres() || commits < 150,
        "{commits} commits for 300 deliveries share nothing"
    );
}

fn a_panic_costs_one_change(home: &Home) {
    let ann = home.account("ann");
    let kept = home.store.keep_blocking(&b"x"[..]).expect("kept");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    let outcomes = runtime.block_on(async {
        let tasks: Vec<_> = (0..20)
            .map(|i| {
                let (store, delivery) = (home.store.clone(), delivery_of(kept.clone(), &[ann]));
                tokio::spawn(async move {
                    let work = move |change: &mut Change<'_>| {
                        let accepted = change.deliver(&delivery);
                        assert!(i % 5 != 0, "on purpose");
                        accepted
                    };
                    store.accept(work).await
                })
            })
            .collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.expect("the task lives"));
        }
        outcomes
    });
    let panicked = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(MessageError::Store(StoreError::Panicked))))
        .count();
    assert_eq!(
        (
            panicked,
            outcomes.iter().filter(|outcome| outcome.is_ok()).count()
        ),
        (4, 16)
    );
    assert_eq!(
        home.read(move |view| view.uids(ann, MailboxId::INBOX))
            .len(),
        16
    );
    let read: Result<(), StoreError> = home.store.read_blocking(|_| panic!("on purpose"));
    assert!(matches!(read, Err(StoreError::Panicked)));
    home.deliver(ann, b"still works");
}

fn what_fails_leaves_nothing(home: &Home) {
    let ann = home.account("ann");
    let mut watcher = home.store.watch(ann);
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let delivery = home.delivery(&[ann], b"x");
    let failed: Result<Receipt, StoreError> = home.store.accept_blocking(move |change| {
        counted.fetch_add(1, Ordering::Relaxed);
        let _ = change.deliver(&delivery).map_err(|_| StoreError::Busy)?;
        Err(StoreError::BodyGone)
    });
    assert!(matches!(failed, Err(StoreError::BodyGone)));
    assert_eq!(tries.load(Ordering::Relaxed), 1);
    assert_eq!(home.mailbox(ann, "INBOX").uid_next, Uid(1));
    let delivered = home.deliver(ann, b"y");
    assert_eq!(
        block_on(watcher.newer_than(ModSeq::ZERO)),
        delivered.modseq,
        "no notice of what was taken back"
    );
}
