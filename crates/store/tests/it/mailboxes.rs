//! Names, numbers and counts of mailboxes.

use store::*;

use crate::fixture::*;

on_both!(
    accounts_begin_with_six,
    made_and_removed,
    renaming_takes_along_what_is_below,
    renaming_inbox_moves_its_messages,
    subscriptions_outlive_mailboxes
);

fn create(home: &Home, account: AccountId, name: &str) -> Result<MailboxId, MailboxError> {
    let name = mailbox_name(name);
    home.write(move |change| change.create_mailbox(account, &name, None, NOW))
}

fn rename(home: &Home, account: AccountId, from: &str, to: &str) -> Result<(), MailboxError> {
    let (from, to) = (mailbox_name(from), mailbox_name(to));
    home.write(move |change| change.rename_mailbox(account, &from, &to, NOW))
}

fn delete(home: &Home, account: AccountId, name: &str) -> Result<(), MailboxError> {
    let name = mailbox_name(name);
    home.write(move |change| change.delete_mailbox(account, &name))
}

fn accounts_begin_with_six(home: &Home) {
    let ann = home.account("ann");
    assert_eq!(
        home.names(ann),
        ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]
    );
    let inbox = home.mailbox(ann, "inbox");
    assert_eq!(
        (inbox.id, inbox.special_use, inbox.subscribed),
        (MailboxId::INBOX, Some(SpecialUse::Inbox), true)
    );
    assert_eq!(
        (inbox.uid_next, inbox.messages, inbox.bytes),
        (Uid(1), 0, 0)
    );
    let junk = home
        .read(move |view| view.mailbox_by_use(ann, SpecialUse::Junk))
        .expect("there is one");
    assert_eq!(junk.name.as_str(), "Junk");
}

fn made_and_removed(home: &Home) {
    let ann = home.account("ann");
    create(home, ann, "Lists/Rust/Users").expect("made with those above");
    assert!(home.names(ann).starts_with(&[
        "Archive".into(),
        "Drafts".into(),
        "INBOX".into(),
        "Junk".into(),
        "Lists".into()
    ]));
    assert!(matches!(
        create(home, ann, "Lists/Rust"),
        Err(MailboxError::Exists(_))
    ));
    assert!(matches!(
        create(home, ann, "inbox"),
        Err(MailboxError::Exists(_))
    ));
    assert!(matches!(
        delete(home, ann, "INBOX"),
        Err(MailboxError::Inbox)
    ));
    assert!(matches!(
        delete(home, ann, "None"),
        Err(MailboxError::NoSuchMailbox(_))
    ));
    let before = home.mailbox(ann, "Lists/Rust");
    delete(home, ann, "Lists/Rust").expect("removed");
    assert!(
        home.names(ann).contains(&"Lists/Rust/Users".to_owned()),
        "those below stay"
    );
    create(home, ann, "Lists/Rust").expect("made again");
    let after = home.mailbox(ann, "Lists/Rust");
    assert!(before.id < after.id && before.uid_validity < after.uid_validity);
    for bad in ["", "/", "a//b", "a/", "a\u{7}b"] {
        assert!(MailboxName::parse(bad).is_err(), "{bad:?}");
    }
}

fn renaming_takes_along_what_is_below(home: &Home) {
    let ann = home.account("ann");
    create(home, ann, "Old/Deep/Deeper").expect("made");
    create(home, ann, "Older").expect("made");
    let deep = home.mailbox(ann, "Old/Deep");
    let target = mailbox_name("Old/Deep");
    home.write(move |change| change.subscribe(ann, &target))
        .expect("subscribed");
    rename(home, ann, "Old", "New/Place").expect("renamed");
    let names = home.names(ann);
    for name in [
        "New",
        "New/Place",
        "New/Place/Deep",
        "New/Place/Deep/Deeper",
        "Older",
    ] {
        assert!(names.contains(&name.to_owned()), "{name} of {names:?}");
    }
    assert!(!names.contains(&"Old".to_owned()));
    let moved = home.mailbox(ann, "New/Place/Deep");
    assert_eq!(
        (moved.id, moved.uid_validity, moved.subscribed),
        (deep.id, deep.uid_validity, true)
    );
    assert!(matches!(
        rename(home, ann, "New", "New/Place/Below"),
        Err(MailboxError::BelowItself)
    ));
    assert!(matches!(
        rename(home, ann, "New", "Older"),
        Err(MailboxError::Exists(_))
    ));
    assert!(matches!(
        rename(home, ann, "None", "Some"),
        Err(MailboxError::NoSuchMailbox(_))
    ));
}

fn renaming_inbox_moves_its_messages(home: &Home) {
    let ann = home.account("ann");
    home.deliver(ann, b"one");
    home.deliver(ann, b"two");
    rename(home, ann, "INBOX", "Before").expect("renamed");
    let (inbox, before) = (home.mailbox(ann, "INBOX"), home.mailbox(ann, "Before"));
    assert_eq!(
        (inbox.id, inbox.messages, inbox.unseen, inbox.uid_next),
        (MailboxId::INBOX, 0, 0, Uid(3))
    );
    assert_eq!(
        (
            before.messages,
            before.unseen,
            before.bytes,
            before.uid_next
        ),
        (2, 2, 6, Uid(3))
    );
}

fn subscriptions_outlive_mailboxes(home: &Home) {
    let ann = home.account("ann");
    create(home, ann, "Gone").expect("made");
    let name = mailbox_name("Gone");
    home.write(move |change| change.subscribe(ann, &name))
        .expect("subscribed");
    delete(home, ann, "Gone").expect("removed");
    let names = home.read(move |view| view.subscriptions(ann));
    assert!(names.contains(&mailbox_name("Gone")));
    let name = mailbox_name("Gone");
    home.write(move |change| change.unsubscribe(ann, &name))
        .expect("unsubscribed");
    assert!(
        !home
            .read(move |view| view.subscriptions(ann))
            .contains(&mailbox_name("Gone"))
    );
}
