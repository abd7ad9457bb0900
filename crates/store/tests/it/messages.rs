//! Deliveries, copies, moves, flags, removal: what a reader sees afterwards.

use store::*;

use crate::fixture::*;

on_both!(
    a_delivery_is_found,
    one_body_for_many,
    quota_is_kept,
    a_missing_place_is_inbox,
    append_says_where,
    copies_share_a_message,
    moves_keep_the_rest,
    flags_change,
    unchanged_since_is_honoured,
    uids_only_grow,
    threads_join,
    columns_come_as_asked
);

const INBOX: MailboxId = MailboxId::INBOX;

fn a_delivery_is_found(home: &Home) {
    let ann = home.account("ann");
    let mut watcher = home.store.watch(ann);
    let delivered = home.deliver(ann, b"Subject: hi\r\n\r\nhello\r\n");
    assert_eq!((delivered.mailbox, delivered.uid), (INBOX, Uid(1)));
    assert_eq!(
        home.body(ann, INBOX, Uid(1)),
        b"Subject: hi\r\n\r\nhello\r\n"
    );
    let stored = home
        .read(move |view| view.message(ann, INBOX, Uid(1)))
        .expect("it is there");
    assert_eq!(
        (stored.envelope, stored.structure, stored.preview),
        (summary().envelope, vec![1, 2, 3], "Hello".to_owned())
    );
    assert_eq!(
        (
            stored.placement.size,
            stored.placement.internal_date,
            stored.placement.flags
        ),
        (22, NOW, Flags::NONE)
    );
    let inbox = home.mailbox(ann, "INBOX");
    assert_eq!(
        (inbox.messages, inbox.unseen, inbox.bytes, inbox.uid_next),
        (1, 1, 22, Uid(2))
    );
    assert_eq!(inbox.highest_modseq, delivered.modseq);
    let account = home
        .read(move |view| view.account(ann))
        .expect("the account");
    assert_eq!((account.used_bytes, account.used_messages), (22, 1));
    assert_eq!(block_on(watcher.newer_than(ModSeq::ZERO)), delivered.modseq);
    assert_eq!(
        home.read(move |view| view.first_unseen(ann, INBOX)),
        Some(Uid(1))
    );
}

fn one_body_for_many(home: &Home) {
    let accounts = [
        home.account("ann"),
        home.account("bob"),
        home.account("carl"),
    ];
    let mut delivery = home.delivery(&accounts, b"for all");
    delivery.targets.push(delivery.targets[0].clone());
    let receipt = home
        .store
        .accept_blocking(move |change| change.deliver(&delivery))
        .expect("delivered");
    assert_eq!(receipt.delivered().len(), 3, "twice the same place is once");
    let bodies: Vec<BodyRef> = accounts
        .iter()
        .map(|account| {
            let account = *account;
            home.read(move |view| view.message(account, INBOX, Uid(1)))
                .expect("it is there")
                .body
        })
        .collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let gone = accounts[0];
    home.write(move |change| change.remove(gone, INBOX, &UidSet::all()))
        .expect("removed");
    assert_eq!(home.body(accounts[1], INBOX, Uid(1)), b"for all");
}

fn quota_is_kept(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    home.write(move |change| change.set_quota(ann, Some(10)))
        .expect("a quota");
    home.deliver(ann, b"12345678");
    let delivery = home.delivery(&[ann], b"xyz");
    let refused = home
        .store
        .accept_blocking(move |change| change.deliver(&delivery));
    assert!(matches!(refused, Err(MessageError::OverQuota)));
    let delivery = home.delivery(&[ann, bob], b"xyz");
    let receipt = home
        .store
        .accept_blocking(move |change| change.deliver(&delivery))
        .expect("for bob");
    assert_eq!(
        (receipt.over_quota(), receipt.delivered().len()),
        (&[ann][..], 1)
    );
    let mut delivery = home.delivery(&[ann], b"xyz");
    delivery.quota = QuotaRule::Overrun;
    let _ = home
        .store
        .accept_blocking(move |change| change.deliver(&delivery))
        .expect("let in");
    let to = address("ann");
    assert_eq!(
        home.read(move |view| view.resolve(&to, 0)),
        Resolution::OverQuota
    );
    let copied =
        home.write(move |change| change.copy(ann, INBOX, &UidSet::all(), MailboxId(2), NOW));
    assert!(matches!(copied, Err(MessageError::OverQuota)));
    home.write(move |change| change.remove(ann, INBOX, &UidSet::all()))
        .expect("removed");
    let account = home
        .read(move |view| view.account(ann))
        .expect("the account");
    assert_eq!(
        (account.used_bytes, account.used_messages, account.quota),
        (0, 0, Some(10))
    );
    let to = address("ann");
    assert!(matches!(
        home.read(move |view| view.resolve(&to, 10)),
        Resolution::Deliver(_)
    ));
    let to = address("ann");
    assert_eq!(
        home.read(move |view| view.resolve(&to, 11)),
        Resolution::OverQuota
    );
}

fn a_missing_place_is_inbox(home: &Home) {
    let ann = home.account("ann");
    for (place, want) in [
        (Place::Mailbox(MailboxId(999)), INBOX),
        (Place::Use(SpecialUse::Junk), home.mailbox(ann, "Junk").id),
        (
            Place::Mailbox(home.mailbox(ann, "Trash").id),
            home.mailbox(ann, "Trash").id,
        ),
    ] {
        let mut delivery = home.delivery(&[ann], b"x");
        delivery.targets[0].place = place;
        let receipt = home
            .store
            .accept_blocking(move |change| change.deliver(&delivery))
            .expect("delivered");
        assert_eq!(receipt.delivered()[0].mailbox, want);
    }
    let delivery = home.delivery(&[AccountId(999)], b"x");
    let refused = home
        .store
        .accept_blocking(move |change| change.deliver(&delivery));
    assert!(matches!(refused, Err(MessageError::NoSuchAccount)));
}

fn append_says_where(home: &Home) {
    let ann = home.account("ann");
    let drafts = home.mailbox(ann, "Drafts");
    let kept = home.store.keep_blocking(&b"draft"[..]).expect("kept");
    let append = Append {
        account: ann,
        mailbox: drafts.id,
        trace: trace(),
        kept,
        summary: summary(),
        marks: Marks {
            flags: Flags::SEEN.with(Flags::DRAFT),
            keywords: vec!["$Forwarded".to_owned(), "Zebra".to_owned()],
        },
        internal_date: mail::UnixMillis(5),
        now: NOW,
    };
    let mut elsewhere = append.clone();
    elsewhere.mailbox = MailboxId(999);
    let appended = home
        .write(move |change| change.append(&append))
        .expect("appended");
    assert_eq!(
        (appended.uid, appended.uid_validity),
        (Uid(1), drafts.uid_validity)
    );
    let stored = &home.placements(ann, drafts.id)[0];
    let keywords = home.read(move |view| view.keywords(ann));
    let names: Vec<_> = stored
        .keywords
        .iter()
        .filter_map(|keyword| keywords.name(keyword))
        .collect();
    assert_eq!(
        (names, stored.internal_date, stored.saved),
        (vec!["$Forwarded", "Zebra"], mail::UnixMillis(5), NOW)
    );
    assert_eq!(keywords.find("zebra"), keywords.find("Zebra"));
    assert_eq!(home.mailbox(ann, "Drafts").unseen, 0);
    let refused = home.write(move |change| change.append(&elsewhere));
    assert!(matches!(refused, Err(MessageError::NoSuchMailbox)));
}

fn copies_share_a_message(home: &Home) {
    let ann = home.account("ann");
    for _ in 0..3 {
        home.deliver(ann, b"body");
    }
    let archive = home.mailbox(ann, "Archive");
    let copied = home
        .write(move |change| change.copy(ann, INBOX, &uids("2:9"), archive.id, NOW))
        .expect("copied");
    assert_eq!(copied.pairs, [(Uid(2), Uid(1)), (Uid(3), Uid(2))]);
    assert_eq!(
        (copied.uid_validity, copied.expunged),
        (archive.uid_validity, None)
    );
    assert_eq!(
        home.placements(ann, INBOX)[1].message,
        home.placements(ann, archive.id)[0].message
    );
    home.write(move |change| change.remove(ann, INBOX, &UidSet::all()))
        .expect("removed");
    assert_eq!(home.body(ann, archive.id, Uid(1)), b"body");
    let account = home
        .read(move |view| view.account(ann))
        .expect("the account");
    assert_eq!((account.used_bytes, account.used_messages), (8, 2));
    let nothing = home
        .write(move |change| change.copy(ann, INBOX, &UidSet::all(), archive.id, NOW))
        .expect("nothing to do");
    assert!(nothing.pairs.is_empty() && nothing.arrived.is_none());
    let missing =
        home.write(move |change| change.copy(ann, INBOX, &UidSet::all(), MailboxId(99), NOW));
    assert!(matches!(missing, Err(MessageError::NoSuchMailbox)));
}

fn moves_keep_the_rest(home: &Home) {
    let ann = home.account("ann");
    for _ in 0..3 {
        home.deliver(ann, b"body");
    }
    let trash = home.mailbox(ann, "Trash").id;
    home.write(move |change| {
        change.edit_flags(
            ann,
            INBOX,
            &uids("2"),
            &FlagEdit::Add(Flags::FLAGGED.into()),
            None,
            NOW,
        )
    })
    .expect("flagged");
    let moved = home
        .write(move |change| change.move_to(ann, INBOX, &uids("1:2"), trash, NOW))
        .expect("moved");
    assert_eq!(moved.pairs, [(Uid(1), Uid(1)), (Uid(2), Uid(2))]);
    assert!(moved.expunged < moved.arrived);
    assert_eq!(home.read(move |view| view.uids(ann, INBOX)), [Uid(3)]);
    assert_eq!(home.placements(ann, trash)[1].flags, Flags::FLAGGED);
    let (inbox, in_trash) = (home.mailbox(ann, "INBOX"), home.mailbox(ann, "Trash"));
    assert_eq!((inbox.messages, inbox.unseen, inbox.bytes), (1, 1, 4));
    assert_eq!(
        (in_trash.messages, in_trash.unseen, in_trash.bytes),
        (2, 2, 8)
    );
    let within = home
        .write(move |change| change.move_to(ann, INBOX, &uids("3"), INBOX, NOW))
        .expect("moved within");
    assert_eq!(within.pairs, [(Uid(3), Uid(4))]);
    assert_eq!(home.mailbox(ann, "INBOX").messages, 1);
    let account = home
        .read(move |view| view.account(ann))
        .expect("the account");
    assert_eq!((account.used_bytes, account.used_messages), (12, 3));
}

fn flags_change(home: &Home) {
    let ann = home.account("ann");
    for _ in 0..4 {
        home.deliver(ann, b"x");
    }
    let edit = |set: &'static str, edit: FlagEdit| {
        home.write(move |change| change.edit_flags(ann, INBOX, &uids(set), &edit, None, NOW))
            .expect("edited")
    };
    let done = edit(
        "1:2,7",
        FlagEdit::Add(Marks {
            flags: Flags::SEEN,
            keywords: vec!["Work".into()],
        }),
    );
    assert_eq!(
        done.changed
            .iter()
            .map(|placement| placement.uid)
            .collect::<Vec<_>>(),
        [Uid(1), Uid(2)]
    );
    assert!(
        done.changed.iter().all(
            |placement| Some(placement.modseq) == done.modseq && placement.flags == Flags::SEEN
        )
    );
    let again = edit("1:3", FlagEdit::Add(Flags::SEEN.into()));
    assert_eq!((again.changed.len(), again.same.len()), (1, 2));
    edit("3:4", FlagEdit::Set(Flags::DELETED.into()));
    let inbox = home.mailbox(ann, "INBOX");
    assert_eq!((inbox.unseen, inbox.deleted), (2, 2));
    let done = edit(
        "1",
        FlagEdit::Remove(Marks {
            flags: Flags::NONE,
            keywords: vec!["work".into(), "unknown".into()],
        }),
    );
    assert!(done.changed[0].keywords.is_empty());
    let none = edit("1", FlagEdit::Set(Flags::SEEN.into()));
    assert_eq!((none.modseq, none.same.len()), (None, 1));
    let bad = home.write(move |change| {
        let marks = Marks {
            flags: Flags::NONE,
            keywords: vec!["two words".into()],
        };
        change.edit_flags(ann, INBOX, &uids("1"), &FlagEdit::Add(marks), None, NOW)
    });
    assert!(matches!(bad, Err(MessageError::BadKeyword(_))));
    let gone = home
        .write(move |change| change.expunge(ann, INBOX, &uids("1:3")))
        .expect("expunged");
    assert_eq!(
        (gone.uids.to_string(), gone.modseq.is_some()),
        ("3".to_owned(), true)
    );
    assert_eq!(home.mailbox(ann, "INBOX").deleted, 1);
    let many = block_on(home.store.edit_flags(
        ann,
        INBOX,
        UidSet::all(),
        FlagEdit::Add(Flags::FLAGGED.into()),
        None,
        NOW,
    ))
    .expect("all");
    assert_eq!(many.changed.len(), 3);
}

fn unchanged_since_is_honoured(home: &Home) {
    let ann = home.account("ann");
    for _ in 0..3 {
        home.deliver(ann, b"x");
    }
    let seen = home.read(move |view| view.modseq(ann));
    home.write(move |change| {
        change.edit_flags(
            ann,
            INBOX,
            &uids("2"),
            &FlagEdit::Add(Flags::SEEN.into()),
            None,
            NOW,
        )
    })
    .expect("edited");
    let edit = FlagEdit::Add(Flags::FLAGGED.into());
    let done = home
        .write(move |change| change.edit_flags(ann, INBOX, &uids("1:3"), &edit, Some(seen), NOW))
        .expect("edited");
    assert_eq!(
        (done.changed.len(), done.conflicts.to_string()),
        (2, "2".to_owned())
    );
}

fn uids_only_grow(home: &Home) {
    let ann = home.account("ann");
    for _ in 0..3 {
        home.deliver(ann, b"x");
    }
    home.write(move |change| change.remove(ann, INBOX, &uids("2:3")))
        .expect("removed");
    assert_eq!(home.deliver(ann, b"x").uid, Uid(4));
    // What fails takes no UID that a client could have seen.
    let delivery = home.delivery(&[ann], b"y");
    let failed: Result<Receipt, StoreError> = home.store.accept_blocking(move |change| {
        drop(change.deliver(&delivery));
        Err(StoreError::Busy)
    });
    assert!(failed.is_err());
    assert_eq!(home.deliver(ann, b"x").uid, Uid(5));
}

fn threads_join(home: &Home) {
    let ann = home.account("ann");
    let send = |id: &str, references: &[&str]| {
        let mut delivery = home.delivery(&[ann], b"x");
        delivery.summary.thread.message_id = Some(id.to_owned());
        delivery.summary.thread.references = references.iter().map(|id| (*id).to_owned()).collect();
        let receipt = home
            .store
            .accept_blocking(move |change| change.deliver(&delivery))
            .expect("delivered");
        let uid = receipt.delivered()[0].uid;
        home.read(move |view| view.message(ann, INBOX, uid))
            .expect("it is there")
            .thread
    };
    let first = send("a@x", &[]);
    assert_eq!(send("b@x", &["a@x"]), first);
    assert_eq!(send("d@x", &["a@x", "b@x", "c@x"]), first);
    assert_eq!(
        send("c@x", &[]),
        first,
        "an answer came before what it answers"
    );
    assert_ne!(send("z@x", &[]), first);
}

fn columns_come_as_asked(home: &Home) {
    let ann = home.account("ann");
    for _ in 0..3 {
        home.deliver(ann, b"x");
    }
    for (want, lengths) in [
        (Columns::default(), (0, 0, 0, false)),
        (
            Columns {
                envelope: true,
                ..Columns::default()
            },
            (summary().envelope.len(), 0, 0, false),
        ),
        (
            Columns {
                structure: true,
                preview: true,
                body: true,
                ..Columns::default()
            },
            (0, 3, 5, true),
        ),
    ] {
        let seen = home.read(move |view| {
            let mut seen = Vec::new();
            view.each_message(ann, INBOX, Uid(2)..=Uid(9), want, &mut |row| {
                seen.push((
                    row.placement.uid,
                    (
                        row.envelope.len(),
                        row.structure.len(),
                        row.preview.len(),
                        row.body.is_some(),
                    ),
                ));
            })?;
            Ok(seen)
        });
        assert_eq!(seen, [(Uid(2), lengths), (Uid(3), lengths)]);
    }
}
