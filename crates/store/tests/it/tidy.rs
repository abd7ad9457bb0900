//! Housekeeping removes what is unused, and only that.

use store::*;

use crate::fixture::*;

on_both!(bodies_without_messages_go);

fn large_files(home: &Home) -> usize {
    fn count(dir: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(dir)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").path());
        // Beside the bodies lies the lock of the run that writes them.
        entries
            .filter(|path| !path.ends_with("owner"))
            .map(|path| if path.is_dir() { count(&path) } else { 1 })
            .sum()
    }
    count(&home.dir.path().join("bodies/large"))
}

fn bodies_without_messages_go(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    home.deliver(ann, &[b'a'; 200_000]);
    let both = home.delivery(&[ann, bob], &[b'b'; 200_000]);
    drop(
        home.store
            .accept_blocking(move |change| change.deliver(&both))
            .expect("delivered"),
    );
    let tidy = || block_on(home.store.tidy()).expect("tidied");
    tidy();
    tidy();
    assert_eq!(large_files(home), 2);
    let reading = home
        .read(move |view| view.message(ann, MailboxId::INBOX, Uid(1)))
        .expect("it is there")
        .body;
    home.write(move |change| change.remove(ann, MailboxId::INBOX, &UidSet::all()))
        .expect("removed");
    tidy();
    assert_eq!(
        home.store
            .body_blocking(&reading, 0..1)
            .expect("a reader may end"),
        b"a"
    );
    tidy();
    assert_eq!(large_files(home), 1, "bob still has one");
    assert!(matches!(
        home.store.body_blocking(&reading, 0..1),
        Err(StoreError::BodyGone)
    ));
    assert_eq!(home.body(bob, MailboxId::INBOX, Uid(1)).len(), 200_000);
    home.write(move |change| change.remove_account(bob))
        .expect("removed");
    tidy();
    tidy();
    assert_eq!(large_files(home), 0);
}

#[test]
fn what_a_crash_left_is_found() {
    let home = Home::sqlite();
    drop(
        home.store
            .keep_blocking(vec![b'x'; 200_000])
            .expect("kept, and never referred to"),
    );
    let ann = home.account("ann");
    home.deliver(ann, &[b'y'; 200_000]);
    home.store.close();
    let Home {
        settings,
        dir,
        store,
        ..
    } = home;
    drop(store);
    let home = Home {
        store: Store::open(&settings).expect("opens again"),
        settings,
        dir,
    };
    assert_eq!(large_files(&home), 2);
    block_on(home.store.tidy()).expect("tidied");
    assert_eq!(large_files(&home), 1);
    assert_eq!(home.body(ann, MailboxId::INBOX, Uid(1)).len(), 200_000);
}
