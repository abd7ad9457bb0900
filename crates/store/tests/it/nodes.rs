//! Two nodes on one PostgreSQL: each sees at once what the other did, and neither does it twice.

use std::collections::HashSet;

use mail::UnixMillis;
use store::queue::*;
use store::*;

use crate::fixture::*;

/// Another process's store on the same database; the key file and the bodies are shared.
fn second(home: &Home) -> Store {
    Store::open(&home.settings).expect("a second node opens")
}

#[test]
fn a_watcher_hears_of_the_other_node() {
    let Some(home) = Home::postgres() else { return };
    let other = second(&home);
    let ann = home.account("ann");
    let (mut watcher, mut queue) = (other.watch(ann), other.watch_queue());
    let delivered = home.deliver(ann, b"x");
    // Older notices may come first; the newest number comes in any case.
    let before = ModSeq(delivered.modseq.0 - 1);
    assert_eq!(block_on(watcher.newer_than(before)), delivered.modseq);
    home.write(|change| change.retry_queued(&Choice::All, NOW))
        .expect("a notice for the queue");
    block_on(queue.changed());
    let here = other
        .read_blocking(move |view| view.uids(ann, MailboxId::INBOX))
        .expect("reading");
    assert_eq!(here, [Uid(1)]);
}

#[test]
fn what_is_due_is_claimed_once() {
    let Some(home) = Home::postgres() else { return };
    let other = second(&home);
    for i in 0..40 {
        let kept = home
            .store
            .keep_blocking(format!("{i}").into_bytes())
            .expect("kept");
        let message = NewQueued {
            trace: trace(),
            kept,
            prefix: Vec::new(),
            account: None,
            forwarded: false,
            reverse_path: mail::ReversePath::Null,
            recipients: vec![NewRecipient {
                address: address("a@far.example"),
                dsn: RecipientDsn::default(),
                due: NOW,
            }],
            dsn: MessageDsn::default(),
            tls: store::queue::TlsWish::Policies,
            needs_smtputf8: false,
            body: BodyKind::SevenBit,
            created: NOW,
            expires: NOW,
        };
        let _ = home
            .store
            .accept_blocking(move |change| change.enqueue(&message))
            .expect("queued");
    }
    let claim_all = |store: Store| {
        std::thread::spawn(move || {
            let mut mine = Vec::new();
            loop {
                let claim = Claim {
                    now: NOW,
                    lease_until: UnixMillis(NOW.0 + 1),
                    limit: 3,
                    skip: Vec::new(),
                };
                let work = move |change: &mut Change<'_>| change.claim_due(&claim);
                let taken = store
                    .write_blocking(Durability::Relaxed, work)
                    .expect("claimed");
                if taken.is_empty() {
                    return mine;
                }
                mine.extend(taken.into_iter().map(|message| message.id));
            }
        })
    };
    let (a, b) = (claim_all(home.store.clone()), claim_all(other));
    let (a, b) = (a.join().expect("no panic"), b.join().expect("no panic"));
    let all: HashSet<QueueId> = a.iter().chain(&b).copied().collect();
    assert_eq!((all.len(), a.len() + b.len()), (40, 40));
}

#[test]
fn a_restarted_server_is_found_again() {
    let Some(home) = Home::postgres() else { return };
    let ann = home.account("ann");
    for _ in 0..20 {
        home.deliver(ann, b"before");
    }
    let url = home.settings.url.clone().expect("it is PostgreSQL");
    let mut operator = postgres::Client::connect(&url, postgres::NoTls).expect("the database");
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    operator.query(all, &[]).expect("all connections are cut");
    for _ in 0..20 {
        home.deliver(ann, b"after");
        home.mailbox(ann, "INBOX");
    }
    assert_eq!(home.mailbox(ann, "INBOX").messages, 40);
}
