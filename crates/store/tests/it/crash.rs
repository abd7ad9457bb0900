//! A child delivers and is killed; what it said to be delivered is there, once.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use store::*;

use crate::fixture::*;

const DIR: &str = "POSTROAD_TEST_CHILD_DIR";
const RUN: &str = "POSTROAD_TEST_CHILD_RUN";

/// Starts this test program again, to run one of its ignored tests as another process.
pub fn child(test: &str, dir: &Path, run: u32) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            test,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIR, dir)
        .env(RUN, run.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

/// Where a child works; nothing when it was started by hand.
pub fn child_home() -> Option<(StoreSettings, u32)> {
    let run = std::env::var(RUN).ok()?.parse().ok()?;
    Some((StoreSettings::embedded(std::env::var_os(DIR)?), run))
}

#[test]
#[ignore = "runs as the child of another test"]
fn deliver_until_killed() {
    let Some((settings, run)) = child_home() else {
        return;
    };
    let store = Store::open(&settings).expect("the store opens");
    let account = store
        .read_blocking(|view| view.account_by_address(&address("ann")))
        .expect("reading works")
        .expect("ann")
        .id;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|task| tokio::spawn(deliver_in_a_loop(store.clone(), account, run, task)))
            .collect();
        for task in tasks {
            task.await.expect("until it is killed");
        }
    });
}

async fn deliver_in_a_loop(store: Store, account: AccountId, run: u32, task: u32) {
    for number in 0u64.. {
        let name = format!("{run}-{task}-{number}");
        // Every tenth is large enough for a file of its own.
        let size = if number.is_multiple_of(10) {
            150_000
        } else {
            3_000
        };
        let body = format!("{name} ")
            .into_bytes()
            .into_iter()
            .cycle()
            .take(size)
            .collect::<Vec<u8>>();
        let kept = store.keep(body).await.expect("kept");
        let mut delivery = delivery_of(kept, &[account]);
        delivery.summary.preview.clone_from(&name);
        let receipt = store
            .accept(move |change| change.deliver(&delivery))
            .await
            .expect("delivered");
        println!("\ndelivered {name} {}", receipt.delivered()[0].uid);
    }
}

#[test]
fn what_was_acknowledged_is_there_once_after_a_kill() {
    let home = Home::sqlite();
    let ann = home.account("ann");
    let Home {
        store,
        settings,
        dir,
    } = home;
    store.close();
    let mut acknowledged: HashMap<String, u32> = HashMap::new();
    for run in 0..5 {
        let mut child = child("crash::deliver_until_killed", dir.path(), run);
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let before = acknowledged.len();
        for line in lines {
            let line = line.expect("a line");
            let mut words = line
                .strip_prefix("delivered ")
                .into_iter()
                .flat_map(|rest| rest.split(' '));
            if let (Some(name), Some(Ok(uid))) = (words.next(), words.next().map(str::parse)) {
                acknowledged.insert(name.to_owned(), uid);
            }
            if before + 40 + 37 * run as usize == acknowledged.len() {
                child.kill().expect("killed with SIGKILL");
            }
        }
        child.wait().expect("it ended");
        assert!(before < acknowledged.len(), "the child delivered nothing");
        check(&settings, ann, &acknowledged);
    }
}

fn check(settings: &StoreSettings, ann: AccountId, acknowledged: &HashMap<String, u32>) {
    let store = Store::open(settings).expect("the store opens after the kill");
    let mut found: HashMap<String, Stored> = HashMap::new();
    let mut from = Uid::MIN;
    loop {
        let piece = store
            .read_blocking(move |view| view.messages(ann, MailboxId::INBOX, from..=Uid::MAX, 100))
            .expect("reading");
        let Some(last) = piece.last() else { break };
        from = Uid(last.placement.uid.0 + 1);
        for stored in piece {
            let name = stored.preview.clone();
            let body = store
                .body_blocking(&stored.body, 0..u64::MAX)
                .expect("the body is there");
            assert_eq!(
                blobs::Hash::of(&body),
                stored.body.hash,
                "{name} is as it was kept"
            );
            assert!(found.insert(name, stored).is_none(), "twice");
        }
    }
    for (name, uid) in acknowledged {
        assert_eq!(
            found.get(name).map(|stored| stored.placement.uid.0),
            Some(*uid),
            "{name} was acknowledged"
        );
    }
    let inbox = store
        .read_blocking(move |view| view.mailbox(ann, MailboxId::INBOX))
        .expect("reading")
        .expect("INBOX");
    assert_eq!(inbox.messages as usize, found.len());
    store.close();
}
