//! The quarantine: held messages are on disk, released they go where they would have gone, and nothing of them is left behind.

use mail::{ReversePath, UnixMillis};
use store::held::*;
use store::queue::*;
use store::*;

use crate::fixture::*;

on_both!(
    a_held_message_waits_and_is_delivered,
    what_goes_out_is_queued_on_release,
    deleted_and_expired_are_gone,
    the_quarantine_has_a_bound,
    what_is_set_aside_makes_room,
    attachment_rules_are_kept,
    what_nobody_is_left_for_stays_held,
    a_lost_body_is_told_of_and_loses_nothing_else,
    what_a_stopped_account_sent_is_not_released,
    a_sender_that_is_gone_is_told_of,
    of_releases_at_once_one_files_it
);

fn held(recipient: &str) -> NewHeld {
    NewHeld {
        trace: trace(),
        cause: HeldFor::Quarantine,
        filter: "rspamd".to_owned(),
        words: "looks odd".to_owned(),
        account: None,
        reverse_path: ReversePath::Address(address("ann")),
        recipients: vec![recipient.to_owned()],
        subject: "grüße".to_owned(),
        created: NOW,
        expires: UnixMillis(NOW.0 + 1000),
    }
}

fn hold(home: &Home, new: NewHeld, deliveries: Vec<Delivery>, queued: Vec<NewQueued>) -> Receipt {
    home.store
        .accept_blocking(move |change| change.hold(&new, &deliveries, &queued, &[]))
        .expect("held")
}

fn only(home: &Home) -> Held {
    let all = home.read(|view| view.held());
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

fn release(home: &Home, id: i64) -> Option<Released> {
    home.write(move |change| change.release_quarantined(id, UnixMillis(NOW.0 + 5), |_| summary()))
        .expect("released")
}

fn a_held_message_waits_and_is_delivered(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    let mut delivery = home.delivery(&[ann, bob], b"Subject: x\r\n\r\nhello\r\n");
    delivery.targets[1].place = Place::Use(SpecialUse::Junk);
    let receipt = hold(home, held("ann@here.example"), vec![delivery], Vec::new());
    assert!(receipt.delivered().is_empty());
    assert!(home.placements(ann, MailboxId::INBOX).is_empty());
    let one = only(home);
    assert_eq!(
        (one.filter.as_str(), one.words.as_str()),
        ("rspamd", "looks odd")
    );
    assert_eq!(
        (one.subject.as_str(), one.cause),
        ("grüße", HeldFor::Quarantine)
    );
    assert_eq!(one.recipients, ["ann@here.example"]);
    let by_trace = one.trace;
    assert_eq!(
        home.read(move |view| view.held_by_trace(by_trace)),
        Some(one.clone())
    );
    // Housekeeping leaves its body alone.
    for _ in 0..3 {
        block_on(home.store.tidy()).expect("tidy");
    }
    let released = release(home, one.id).unwrap();
    assert_eq!(
        (released.mailboxes, released.queued, released.gone),
        (2, 0, 0)
    );
    let inbox = home.placements(ann, MailboxId::INBOX);
    assert_eq!(
        home.body(ann, MailboxId::INBOX, inbox[0].uid),
        b"Subject: x\r\n\r\nhello\r\n"
    );
    assert!(
        home.placements(bob, MailboxId::INBOX).is_empty(),
        "his lies in Junk"
    );
    assert!(home.read(|view| view.held()).is_empty());
    assert_eq!(release(home, one.id), None);
}

fn what_goes_out_is_queued_on_release(home: &Home) {
    let kept = home.store.keep_blocking(&b"out"[..]).expect("kept");
    let queued = NewQueued {
        trace: trace(),
        kept,
        prefix: b"DKIM-Signature: x\r\n".to_vec(),
        account: None,
        forwarded: true,
        reverse_path: ReversePath::Null,
        recipients: vec![NewRecipient {
            address: address("far"),
            dsn: RecipientDsn {
                notify: Some(Notify::NEVER),
                original_recipient: Some("rfc822;x@y".to_owned()),
            },
            due: NOW,
        }],
        dsn: MessageDsn {
            envelope_id: Some("id".to_owned()),
            ret: Some(Ret::Headers),
        },
        tls: TlsWish::Required,
        needs_smtputf8: true,
        body: BodyKind::SevenBit,
        created: NOW,
        expires: UnixMillis(NOW.0 + 700),
    };
    let receipt = hold(home, held("far@there.example"), Vec::new(), vec![queued]);
    assert!(receipt.queued().is_empty());
    assert!(home.read(|view| view.queue(None, 10)).is_empty());
    let released = release(home, only(home).id).unwrap();
    assert_eq!((released.mailboxes, released.queued), (0, 1));
    let message = home.read(|view| view.queue(None, 10)).pop().unwrap();
    assert_eq!(message.prefix, b"DKIM-Signature: x\r\n");
    assert!(message.forwarded && message.needs_smtputf8 && message.reverse_path.is_null());
    assert_eq!(
        (message.tls, message.body_kind),
        (TlsWish::Required, BodyKind::SevenBit)
    );
    assert_eq!(message.dsn.ret, Some(Ret::Headers));
    assert_eq!(message.recipients[0].dsn.notify, Some(Notify::NEVER));
    assert_eq!(
        message.expires.0 - message.created.0,
        700,
        "it is tried as long as ever"
    );
}

fn deleted_and_expired_are_gone(home: &Home) {
    let ann = home.account("ann");
    for _ in 0..2 {
        let delivery = home.delivery(&[ann], b"body");
        let _ = hold(home, held("a"), vec![delivery], Vec::new());
    }
    let all = home.read(|view| view.held());
    let ids: Vec<_> = all.iter().rev().map(|one| (one.id, one.trace)).collect();
    assert_eq!(home.read(|view| view.held_ids()), ids, "oldest first");
    let first = all[0].id;
    assert!(
        home.write(move |change| change.delete_quarantined(first))
            .expect("deleted")
    );
    assert!(
        !home
            .write(move |change| change.delete_quarantined(first))
            .expect("not there")
    );
    let expire = |at: i64| {
        home.write(move |change| change.expire_quarantined(UnixMillis(at)))
            .expect("expired")
    };
    assert_eq!(expire(NOW.0 + 999), 0);
    assert_eq!(expire(NOW.0 + 1000), 1);
    assert!(home.read(|view| view.held()).is_empty());
    // An account that went meanwhile does not keep the others from theirs.
    let bob = home.account("bob");
    let mut delivery = home.delivery(&[bob], b"body");
    delivery.targets.push(DeliveryTarget {
        account: AccountId(987_654),
        place: Place::Inbox,
        marks: Marks::none(),
    });
    let _ = hold(home, held("b"), vec![delivery], Vec::new());
    let released = release(home, only(home).id).unwrap();
    assert_eq!((released.mailboxes, released.gone), (1, 1));
}

fn the_quarantine_has_a_bound(home: &Home) {
    let ann = home.account("ann");
    let mut delivery = home.delivery(&[ann], b"body");
    delivery.kept.size = store::limits::HELD_BYTES_MAX as u64 + 1;
    let new = held("a");
    let refused = home
        .store
        .accept_blocking(move |change| change.hold(&new, &[delivery.clone()], &[], &[]));
    assert!(matches!(refused, Err(HoldError::Full)));
    assert!(home.read(|view| view.held()).is_empty());
}

fn what_is_set_aside_makes_room(home: &Home) {
    let ann = home.account("ann");
    let percent = |share: i64| (store::limits::HELD_BYTES_MAX / 100 * share) as u64;
    let hold_one = |cause: HeldFor, size: u64| {
        let mut delivery = home.delivery(&[ann], cause.name().as_bytes());
        delivery.kept.size = size;
        let new = NewHeld {
            cause,
            ..held("ann@here.example")
        };
        let held = home
            .store
            .accept_blocking(move |change| change.hold(&new, &[delivery.clone()], &[], &[]));
        held.map(drop)
    };
    let notices = || {
        let all = home.read(|view| view.notices());
        all.into_iter().map(|one| one.topic).collect::<Vec<_>>()
    };
    let causes = || {
        let all = home.read(|view| view.held());
        all.iter().map(|one| one.cause).collect::<Vec<_>>()
    };
    hold_one(HeldFor::Discard, percent(60)).expect("there is room");
    assert!(notices().is_empty(), "{:?}", notices());
    hold_one(HeldFor::Aside, percent(20)).expect("there is room");
    assert_eq!(notices().len(), 1, "80 % is told");
    assert!(notices()[0].starts_with("held-full/"));
    // Strangers' spam does not keep from its place what a filter asked to be held: the oldest of it goes, no more than must.
    hold_one(HeldFor::Quarantine, percent(50)).expect("room is made");
    assert_eq!(causes(), [HeldFor::Quarantine, HeldFor::Aside]);
    // Where that is not enough nothing goes.
    let refused = hold_one(HeldFor::Attachment, percent(60));
    assert!(matches!(refused, Err(HoldError::Full)));
    assert_eq!(causes(), [HeldFor::Quarantine, HeldFor::Aside]);
    // One of the same kind takes the place of an older one.
    hold_one(HeldFor::Aside, percent(45)).expect("room is made");
    assert_eq!(causes(), [HeldFor::Aside, HeldFor::Quarantine]);
    assert_eq!(notices().len(), 1, "once a day");
}

fn attachment_rules_are_kept(home: &Home) {
    let set = |of: Option<&str>, kind: &str, action: &str| {
        let rule = AttachmentRule {
            domain: of.map(domain),
            kind: kind.to_owned(),
            action: action.to_owned(),
            changed: NOW,
        };
        home.write(move |change| change.set_attachment_rule(&rule))
            .expect("set");
    };
    set(None, "program", "hold");
    set(None, "program", "junk");
    set(Some("here.example"), "program", "allow");
    set(Some("here.example"), "script", "hold");
    let rules = home.read(|view| view.attachment_rules());
    let shown: Vec<_> = rules
        .iter()
        .map(|rule| (rule.kind.as_str(), rule.action.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("program", "junk"),
            ("program", "allow"),
            ("script", "hold")
        ]
    );
    assert_eq!(rules[0].domain, None);
    let here = domain("here.example");
    let gone = home.write(move |change| change.reset_attachment_rules(Some(&here), Some("script")));
    assert_eq!(gone.expect("reset"), 1);
    let gone = home.write(|change| change.reset_attachment_rules(None, None));
    assert_eq!(gone.expect("reset"), 1);
    assert_eq!(home.read(|view| view.attachment_rules()).len(), 1);
}

/// A user's message to somewhere else.
fn sent(home: &Home, account: AccountId, body: &[u8]) -> NewQueued {
    NewQueued {
        account: Some(account),
        reverse_path: ReversePath::Address(address("ann")),
        expires: UnixMillis(NOW.0 + 700),
        ..outgoing(
            home.store.keep_blocking(body.to_vec()).expect("kept"),
            "x@far.example",
        )
    }
}

fn what_nobody_is_left_for_stays_held(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    let to_ann = home.delivery(&[ann], b"Subject: a\r\n\r\nfor ann\r\n");
    let to_bob = home.delivery(&[bob], b"Subject: b\r\n\r\nfor bob\r\n");
    let _ = hold(home, held("both"), vec![to_ann, to_bob], Vec::new());
    home.write(move |change| change.remove_account(ann))
        .expect("removed");
    let id = only(home).id;
    let released = release(home, id).unwrap();
    assert_eq!((released.mailboxes, released.gone), (1, 1));
    assert!(released.is_held);
    assert_eq!(home.placements(bob, MailboxId::INBOX).len(), 1);
    // What is left is only hers, and bob has his once.
    let body = home.read(move |view| view.held_body(id)).expect("kept");
    let bytes = home.store.body_blocking(&body, 0..body.size).expect("read");
    assert!(bytes.ends_with(b"for ann\r\n"));
    let again = release(home, id).unwrap();
    assert_eq!((again.mailboxes, again.gone, again.is_held), (0, 1, true));
    assert_eq!(home.placements(bob, MailboxId::INBOX).len(), 1);
    // Given up, its body leaves the disk: no reference was left behind.
    home.write(move |change| change.delete_quarantined(id))
        .expect("deleted");
    for _ in 0..3 {
        block_on(home.store.tidy()).expect("tidy");
    }
    let blob = body.blob;
    assert_eq!(home.read(move |view| view.body(blob)), None);
}

fn a_lost_body_is_told_of_and_loses_nothing_else(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    let mut lost = home.delivery(&[ann], b"Subject: a\r\n\r\nlost\r\n");
    // As after a disk was brought back without its newest files.
    lost.kept.location.segment += 1_000;
    let mut lost_too = sent(home, bob, b"lost as well");
    lost_too.kept.location.segment += 2_000;
    let there = home.delivery(&[bob], b"Subject: b\r\n\r\nthere\r\n");
    let _ = hold(home, held("both"), vec![lost, there], vec![lost_too]);
    let id = only(home).id;
    let released = release(home, id).unwrap();
    assert_eq!((released.mailboxes, released.queued), (1, 0));
    assert_eq!((released.lost, released.is_held), (2, true));
    assert!(home.placements(ann, MailboxId::INBOX).is_empty());
    assert_eq!(home.placements(bob, MailboxId::INBOX).len(), 1);
    assert_eq!(only(home).id, id, "it may come back with a backup");
    assert_eq!(release(home, id).unwrap().mailboxes, 0);
}

fn what_a_stopped_account_sent_is_not_released(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    let own = NewHeld {
        account: Some(ann),
        ..held("x@far.example")
    };
    let local = home.delivery(&[bob], b"body");
    let _ = hold(home, own, vec![local], vec![sent(home, ann, b"out")]);
    let id = only(home).id;
    let alarm = sending::NewAlarm {
        reasons: "many".to_owned(),
        by_operator: false,
    };
    home.write(move |change| change.lock_sending(ann, &alarm, NOW))
        .expect("locked");
    let refused = home.write(move |change| change.release_quarantined(id, NOW, |_| summary()));
    assert!(matches!(refused, Err(ReleaseError::SendingStopped(who)) if who == ann));
    assert_eq!(only(home).id, id);
    assert!(home.placements(bob, MailboxId::INBOX).is_empty());
    assert!(home.read(|view| view.queue(None, 10)).is_empty());
    home.write(move |change| change.release_sending(ann, None, NOW))
        .expect("free again");
    let released = release(home, id).unwrap();
    assert_eq!((released.mailboxes, released.queued), (1, 1));
}

fn a_sender_that_is_gone_is_told_of(home: &Home) {
    let ann = home.account("ann");
    let own = NewHeld {
        account: Some(ann),
        ..held("x@far.example")
    };
    let out = sent(home, ann, b"out");
    let _ = hold(home, own, Vec::new(), vec![out]);
    home.write(move |change| change.remove_account(ann))
        .expect("removed");
    let released = release(home, only(home).id).unwrap();
    assert!(released.sender_gone && !released.is_held);
    assert_eq!(released.queued, 1);
    let queued = home.read(|view| view.queue(None, 10)).pop().unwrap();
    assert_eq!(queued.account, None);
}

fn of_releases_at_once_one_files_it(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    for round in 0..10_i64 {
        let one = home.delivery(&[ann, bob], b"Subject: x\r\n\r\nonce\r\n");
        let out = sent(home, ann, b"out once");
        let _ = hold(home, held("both"), vec![one], vec![out]);
        let id = only(home).id;
        let body = home.read(move |view| view.held_body(id)).expect("kept");
        let begin = std::sync::Arc::new(std::sync::Barrier::new(5));
        let acting = (0..5).map(|number| {
            let (store, begin) = (home.store.clone(), begin.clone());
            std::thread::spawn(move || {
                begin.wait();
                store.write_blocking(Durability::Relaxed, move |change| {
                    match (round % 2, number) {
                        // An expiry, or somebody who gives it up, at the same moment.
                        (1, 4) => {
                            change.expire_quarantined(UnixMillis(NOW.0 + 1000))?;
                            Ok::<_, ReleaseError>(0)
                        }
                        _ => {
                            let released = change.release_quarantined(id, NOW, |_| summary())?;
                            Ok(released.map_or(0, |one| one.mailboxes + one.queued))
                        }
                    }
                })
            })
        });
        let acting: Vec<_> = acting.collect();
        let done = acting.into_iter().map(|one| one.join().expect("ends"));
        let done: usize = done.map(|done| done.expect("the store works")).sum();
        assert!(done == 3 || (round % 2 == 1 && done == 0), "{done}");
        assert!(home.read(|view| view.held()).is_empty());
        // A copy that goes does not take the body from under the other.
        let placed = home.placements(ann, MailboxId::INBOX);
        if done == 3 {
            let gone = UidSet::one(placed.last().expect("she has it").uid);
            home.write(move |change| change.remove(ann, MailboxId::INBOX, &gone))
                .expect("expunged");
            for _ in 0..3 {
                block_on(home.store.tidy()).expect("tidy");
            }
            let his = home.placements(bob, MailboxId::INBOX);
            let uid = his.last().expect("he has it").uid;
            assert_eq!(
                home.body(bob, MailboxId::INBOX, uid).len() as u64,
                body.size
            );
        }
    }
    let copies = home.placements(bob, MailboxId::INBOX).len();
    assert_eq!(copies, home.read(|view| view.queue(None, 100)).len());
}
