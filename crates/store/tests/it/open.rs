//! Opening: new, old, newer, without its key.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use store::*;

use crate::fixture::*;

on_both!(
    what_was_written_is_there_again,
    a_newer_schema_is_refused,
    a_missing_key_is_noticed
);

fn what_was_written_is_there_again(home: &Home) {
    let ann = home.account("ann");
    home.deliver(ann, b"kept");
    home.store.close();
    let log = home.dir.path().join("postroad.db-wal");
    assert!(!log.exists(), "a closed database is one file");
    assert!(matches!(
        home.store.read_blocking(|view| view.domains()),
        Err(StoreError::Closed)
    ));
    let store = Store::open(&home.settings).expect("opens again");
    let stored = store
        .read_blocking(move |view| view.message(ann, MailboxId::INBOX, Uid(1)))
        .expect("reading")
        .expect("it is there");
    assert_eq!(
        store.body_blocking(&stored.body, 1..3).expect("a range"),
        b"ep"
    );
}

fn set_version(home: &Home, version: &str) {
    match &home.settings.url {
        None => {
            let database = rusqlite::Connection::open(home.dir.path().join("postroad.db"))
                .expect("the database");
            database
                .execute(
                    "UPDATE meta SET value = ?1 WHERE name = 'schema_version'",
                    [version],
                )
                .expect("set");
        }
        Some(url) => {
            let mut client = postgres::Client::connect(url, postgres::NoTls).expect("the database");
            client
                .execute(
                    "UPDATE meta SET value = $1 WHERE name = 'schema_version'",
                    &[&version],
                )
                .expect("set");
        }
    }
}

/// Mail is nobody else's business, whatever the directory above allows.
#[test]
fn files_are_closed_to_others() {
    let home = Home::sqlite();
    let ann = home.account("ann");
    home.deliver(ann, b"small");
    home.deliver(ann, &[b'x'; 200_000]);
    check_closed(home.dir.path());
}

fn check_closed(dir: &Path) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let mode = fs::metadata(&path).expect("its mode").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
        if path.is_dir() {
            check_closed(&path);
        }
    }
}

fn a_newer_schema_is_refused(home: &Home) {
    home.store.close();
    set_version(home, "99");
    let refused = Store::open(&home.settings).expect_err("refused");
    assert!(matches!(refused, OpenError::TooNew { found: 99, .. }));
    let text = refused.to_string();
    assert!(
        text.contains("newer version of postroad") && text.contains("nothing was changed"),
        "{text}"
    );
}

fn a_missing_key_is_noticed(home: &Home) {
    home.store.close();
    let key = home.dir.path().join("secret.key");
    assert_eq!(
        fs::metadata(&key)
            .expect("the key file")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let bytes = fs::read(&key).expect("the key");
    fs::remove_file(&key).expect("lost");
    assert!(
        Store::open(&home.settings)
            .expect_err("refused")
            .to_string()
            .contains("is missing")
    );
    fs::write(&key, [7; 32]).expect("another key");
    assert!(
        Store::open(&home.settings)
            .expect_err("refused")
            .to_string()
            .contains("another database")
    );
    fs::write(&key, bytes).expect("back again");
    Store::open(&home.settings).expect("opens");
    assert_eq!(
        fs::metadata(&key)
            .expect("the key file")
            .permissions()
            .mode()
            & 0o777,
        0o600,
        "protected again"
    );
}

/// Each released schema left a data directory: it opens, and shows what was in it.
#[test]
fn old_data_directories_open() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old");
    let mut versions: Vec<PathBuf> = fs::read_dir(&old)
        .expect("tests/old")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    versions.sort();
    assert!(!versions.is_empty());
    for version in versions {
        let dir = tempfile::tempdir().expect("a temporary directory");
        copy_dir(&version, dir.path());
        let store =
            Store::open(&StoreSettings::embedded(dir.path())).expect("an old directory opens");
        check_old(&store);
    }
}

/// What `make_old_data_directory` put in.
fn check_old(store: &Store) {
    let to = address("ann+x");
    let found = store
        .read_blocking(move |view| view.resolve(&to, 0))
        .expect("reading works");
    let Resolution::Deliver(targets) = found else {
        panic!("{found:?}")
    };
    let ann = targets[0].account;
    let names: Vec<_> = store
        .read_blocking(move |view| view.mailboxes(ann))
        .expect("reading works");
    let names: Vec<&str> = names.iter().map(|mailbox| mailbox.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Archive",
            "Drafts",
            "INBOX",
            "Junk",
            "Lists",
            "Lists/Rust",
            "Sent",
            "Trash"
        ]
    );
    let stored = store
        .read_blocking(move |view| view.messages(ann, MailboxId::INBOX, Uid::MIN..=Uid::MAX, 10))
        .expect("reading");
    assert_eq!(stored.len(), 2);
    assert_eq!(
        (
            stored[1].placement.flags,
            stored[1].placement.keywords.is_empty()
        ),
        (Flags::SEEN, false)
    );
    assert_eq!(
        store.body_blocking(&stored[0].body, 0..99).expect("a body"),
        b"Subject: one\r\n\r\n1\r\n"
    );
    let queue = store
        .read_blocking(|view| view.queue(None, 10))
        .expect("reading works");
    assert_eq!(
        (
            queue.len(),
            queue[0].recipients[0].address.to_string().as_str()
        ),
        (1, "bob@far.example")
    );
    let keys = store
        .read_blocking(|view| view.dkim_keys(&domain("here.example")))
        .expect("the key file fits");
    assert_eq!(keys[0].private, b"private");
    let here = Visit {
        protocol: Protocol::Imap,
        peer: [192, 0, 2, 1].into(),
    };
    let logged_in =
        block_on(store.log_in("ann@here.example", PASSWORD, here, NOW)).expect("the old password");
    assert_eq!(logged_in.account(), ann);
}

/// Run by hand before a release that brings a new schema:
/// `POSTROAD_OLD=crates/store/tests/old/VERSION cargo test -p store -- --ignored make_old`.
#[test]
#[ignore = "makes test data"]
fn make_old_data_directory() {
    use store::queue::*;
    let Some(dir) = std::env::var_os("POSTROAD_OLD") else {
        return;
    };
    // Inline keeps the password hash cheap, so that the test that reads it is quick.
    let store = Store::open(&StoreSettings::simulated(dir)).expect("a new store");
    let write = Durability::Durable;
    store
        .write_blocking(write, |change| {
            change.add_domain(&domain("here.example"), NOW)
        })
        .expect("a domain");
    let account = NewAccount {
        address: address("ann"),
        name: "Ann".to_owned(),
        password: PASSWORD.to_owned(),
        quota: None,
    };
    let ann = store
        .add_account_blocking(account, NOW)
        .expect("an account");
    store
        .write_blocking(write, move |change| {
            change.create_mailbox(ann, &mailbox_name("Lists/Rust"), None, NOW)
        })
        .expect("a mailbox");
    for body in [
        &b"Subject: one\r\n\r\n1\r\n"[..],
        b"Subject: two\r\n\r\n2\r\n",
    ] {
        let delivery = delivery_of(store.keep_blocking(body).expect("kept"), &[ann]);
        drop(
            store
                .accept_blocking(move |change| change.deliver(&delivery))
                .expect("delivered"),
        );
    }
    let edit = FlagEdit::Add(Marks {
        flags: Flags::SEEN,
        keywords: vec!["$Forwarded".to_owned()],
    });
    store
        .write_blocking(write, move |change| {
            change.edit_flags(ann, MailboxId::INBOX, &uids("2"), &edit, None, NOW)
        })
        .expect("flags");
    let key = NewDkimKey {
        selector: "s".to_owned(),
        algorithm: DkimAlgorithm::Ed25519Sha256,
        private: b"private".to_vec(),
        public: b"public".to_vec(),
        state: DkimState::Active,
    };
    store
        .write_blocking(write, move |change| {
            change.add_dkim_key(&domain("here.example"), &key, NOW)
        })
        .expect("a key");
    let message = NewQueued {
        account: Some(ann),
        ..outgoing(
            store.keep_blocking(&b"out"[..]).expect("kept"),
            "bob@far.example",
        )
    };
    drop(
        store
            .accept_blocking(move |change| change.enqueue(&message))
            .expect("queued"),
    );
    store.close();
}

fn copy_dir(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its kind").is_dir() {
            fs::create_dir_all(&target).expect("a directory");
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}
