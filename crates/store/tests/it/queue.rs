//! The outbound queue: what is due, who has it, what is left.

use mail::{ReversePath, UnixMillis};
use store::queue::*;
use store::*;

use crate::fixture::*;

on_both!(
    a_message_goes_through,
    leases_end,
    busy_destinations_are_skipped,
    the_operator_decides,
    a_notice_wakes
);

fn enqueue(home: &Home, to: &[&str], due: i64) -> QueueId {
    let kept = home.store.keep_blocking(&b"out"[..]).expect("kept");
    let recipient = |text: &&str| NewRecipient {
        address: address(text),
        dsn: RecipientDsn {
            notify: Some(Notify::NEVER),
            original_recipient: Some("rfc822;x@y".to_owned()),
        },
        due: UnixMillis(due),
    };
    let message = NewQueued {
        trace: trace(),
        kept,
        prefix: b"DKIM-Signature: x\r\n".to_vec(),
        account: None,
        forwarded: false,
        reverse_path: ReversePath::Address(address("ann")),
        recipients: to.iter().map(recipient).collect(),
        dsn: MessageDsn {
            envelope_id: Some("id".to_owned()),
            ret: Some(Ret::Headers),
        },
        tls: store::queue::TlsWish::Required,
        needs_smtputf8: false,
        body: BodyKind::EightBit,
        created: NOW,
        expires: UnixMillis(NOW.0 + 1000),
    };
    let receipt = home
        .store
        .accept_blocking(move |change| change.enqueue(&message))
        .expect("queued");
    receipt.queued()[0]
}

fn claim(home: &Home, now: i64, limit: usize, skip: &[&str]) -> Vec<Queued> {
    let skip = skip.iter().map(|name| domain(name)).collect();
    let claim = Claim {
        now: UnixMillis(now),
        lease_until: UnixMillis(now + 100),
        limit,
        skip,
    };
    home.write(move |change| change.claim_due(&claim))
        .expect("claimed")
}

fn finish(home: &Home, id: QueueId, outcomes: &[(u32, Outcome)]) -> QueueLeft {
    let attempts: Vec<Attempt> = outcomes
        .iter()
        .map(|(number, outcome)| Attempt {
            number: *number,
            at: UnixMillis(7),
            host: Some("mx.far.example".to_owned()),
            reply: "250 2.0.0 ok".to_owned(),
            outcome: *outcome,
        })
        .collect();
    home.write(move |change| change.finish_attempt(id, &attempts))
        .expect("noted")
}

fn next_due(home: &Home) -> Option<i64> {
    home.read(|view| view.next_due(&[])).map(|due| due.0)
}

fn a_message_goes_through(home: &Home) {
    let id = enqueue(
        home,
        &["a@far.example", "b@far.example", "c@off.example"],
        10,
    );
    assert_eq!(next_due(home), Some(10));
    assert!(claim(home, 9, 10, &[]).is_empty());
    let taken = claim(home, 10, 10, &[]);
    assert_eq!((taken.len(), taken[0].recipients.len()), (1, 3));
    let message = &taken[0];
    assert_eq!(
        (message.id, message.prefix.as_slice()),
        (id, &b"DKIM-Signature: x\r\n"[..])
    );
    assert_eq!(message.reverse_path, ReversePath::Address(address("ann")));
    assert_eq!(message.tls, TlsWish::Required);
    assert_eq!(
        message.dsn,
        MessageDsn {
            envelope_id: Some("id".to_owned()),
            ret: Some(Ret::Headers)
        }
    );
    assert_eq!(message.recipients[0].dsn.notify, Some(Notify::NEVER));
    assert_eq!(
        home.store
            .body_blocking(&message.body, 0..99)
            .expect("the body"),
        b"out"
    );
    assert!(claim(home, 10, 10, &[]).is_empty(), "leased");
    let left = finish(
        home,
        id,
        &[
            (0, Outcome::Delivered),
            (
                1,
                Outcome::Deferred {
                    due: UnixMillis(50),
                },
            ),
            (2, Outcome::Failed),
        ],
    );
    assert_eq!((left, next_due(home)), (QueueLeft::Waiting, Some(50)));
    let shown = home.read(move |view| view.queued(id)).expect("still there");
    let states: Vec<_> = shown
        .recipients
        .iter()
        .map(|recipient| (recipient.state, recipient.attempts))
        .collect();
    assert_eq!(
        states,
        [
            (RecipientState::Delivered, 1),
            (RecipientState::Waiting, 1),
            (RecipientState::Failed, 1)
        ]
    );
    assert_eq!(
        shown.recipients[1].last_reply.as_deref(),
        Some("250 2.0.0 ok")
    );
    let taken = claim(home, 50, 10, &[]);
    assert_eq!(taken[0].recipients.len(), 1);
    assert_eq!(
        finish(home, id, &[(1, Outcome::Delivered)]),
        QueueLeft::Done
    );
    assert_eq!(
        (home.read(move |view| view.queued(id)), next_due(home)),
        (None, None)
    );
    assert_eq!(
        home.read(|view| view.queue_counts()),
        QueueCounts::default()
    );
}

fn leases_end(home: &Home) {
    let id = enqueue(home, &["a@far.example"], 0);
    assert_eq!(claim(home, 0, 10, &[]).len(), 1);
    assert_eq!(next_due(home), Some(100));
    home.write(move |change| change.extend_lease(id, &[0], UnixMillis(200)))
        .expect("extended");
    assert!(claim(home, 150, 10, &[]).is_empty());
    assert_eq!(claim(home, 200, 10, &[]).len(), 1, "whoever had it is gone");
    assert_eq!(
        finish(home, id, &[(0, Outcome::Untried { due: UnixMillis(3) })]),
        QueueLeft::Waiting
    );
    let shown = home.read(move |view| view.queued(id)).expect("still there");
    assert_eq!(
        (shown.recipients[0].attempts, shown.recipients[0].due),
        (0, UnixMillis(3))
    );
    assert_eq!(claim(home, 200, 10, &[]).len(), 1);
    if !home.is_postgres() {
        // A crash: nobody else has the database, so what was leased is due at once.
        home.store.close();
        let again = Store::open(&home.settings).expect("opens again");
        let due = again
            .read_blocking(|view| view.next_due(&[]))
            .expect("reading works");
        assert_eq!(due, Some(UnixMillis(0)));
    }
}

fn busy_destinations_are_skipped(home: &Home) {
    let many: Vec<String> = (0..20).map(|i| format!("u{i}@busy.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    enqueue(home, &many, 0);
    let other = enqueue(home, &["a@quiet.example"], 5);
    let taken = claim(home, 5, 3, &["busy.example"]);
    assert_eq!(
        taken.iter().map(|message| message.id).collect::<Vec<_>>(),
        [other]
    );
    let due = home.read(|view| view.next_due(&[domain("busy.example")]));
    assert_eq!(due, Some(UnixMillis(105)), "the lease of the other");
    let taken = claim(home, 5, 3, &[]);
    let count = taken[0].recipients.len();
    assert!(
        if home.is_postgres() {
            count == 3
        } else {
            count == 20
        },
        "one transaction for one destination: {count}"
    );
}

fn the_operator_decides(home: &Home) {
    let first = enqueue(home, &["a@far.example", "b@off.example"], 1_000);
    let second = enqueue(home, &["c@far.example"], 1_000);
    let far = || Choice::Domain(domain("far.example"));
    let count = |choice: Choice, verb: fn(&mut Change<'_>, &Choice) -> Result<u64, StoreError>| {
        home.write(move |change| verb(change, &choice))
            .expect("done")
    };
    assert_eq!(count(far(), |change, choice| change.hold_queued(choice)), 2);
    assert_eq!(
        home.read(|view| view.queue_counts()),
        QueueCounts {
            messages: 2,
            waiting: 1,
            in_flight: 0,
            held: 2
        }
    );
    assert_eq!(
        count(Choice::All, |change, choice| change
            .retry_queued(choice, UnixMillis(5))),
        1
    );
    assert_eq!(claim(home, 5, 10, &[]).len(), 1);
    assert_eq!(
        count(Choice::Message(second), |change, choice| change
            .release_queued(choice, UnixMillis(6))),
        1
    );
    assert_eq!(claim(home, 6, 10, &[])[0].id, second);
    assert_eq!(
        count(far(), |change, choice| change.delete_queued(choice)),
        1
    );
    let left = home.read(|view| view.queue(None, 10));
    assert_eq!(
        (left.len(), left[0].id, left[0].recipients.len()),
        (1, first, 1)
    );
    assert_eq!(
        count(Choice::All, |change, choice| change.delete_queued(choice)),
        1
    );
}

fn a_notice_wakes(home: &Home) {
    let mut watcher = home.store.watch_queue();
    enqueue(home, &["a@far.example"], 0);
    block_on(watcher.changed());
}
