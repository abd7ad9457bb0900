//! What accounts send: counts, habits, alarms, held groups.

use std::time::Duration;

use mail::{ReversePath, UnixMillis};
use store::queue::*;
use store::sending::*;
use store::*;

use crate::fixture::*;

on_both!(
    counts_cover_their_spans,
    a_month_makes_habits,
    known_people_are_told_from_new_ones,
    what_is_alike_is_a_group,
    a_lock_holds_what_waits_and_ends_sessions,
    a_question_holds_what_was_delayed,
    release_begins_anew,
    groups_are_removed_and_released,
    what_an_operator_holds_is_not_an_alarms,
    limits_end,
    twenty_at_once_count_as_one_after_the_other,
    old_counts_are_forgotten,
    a_removed_account_leaves_nothing
);

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn at(millis: i64) -> UnixMillis {
    UnixMillis(NOW.0 + millis)
}

fn counts(recipients: u64, first_time: u64) -> Counts {
    Counts {
        messages: 1,
        recipients,
        first_time,
        ..Counts::default()
    }
}

fn sent(counts: Counts, group: Option<SentGroup>, queued: Vec<QueueId>, hold: bool) -> Sent {
    Sent {
        counts,
        network: Some("192.0.2.0/24".to_owned()),
        spam_like: None,
        group,
        queued,
        hold,
    }
}

fn sketch(bytes: u8) -> Sketch {
    Sketch(vec![bytes; 64])
}

pub(crate) fn new_group(of: u8) -> Option<SentGroup> {
    Some(SentGroup::New {
        sketch: sketch(of),
        subject: format!("about {of}"),
    })
}

/// Queues a message of an account as submission does, and counts it.
pub(crate) fn submit(
    home: &Home,
    account: AccountId,
    to: &[&str],
    group: Option<SentGroup>,
    hold: bool,
    due: i64,
    now: UnixMillis,
) -> QueueId {
    let kept = home
        .store
        .keep_blocking(&b"Subject: x\r\n\r\nout"[..])
        .expect("kept");
    let message = NewQueued {
        trace: trace(),
        kept,
        prefix: Vec::new(),
        account: Some(account),
        forwarded: false,
        reverse_path: ReversePath::Address(address("ann")),
        recipients: to
            .iter()
            .map(|text| NewRecipient {
                address: address(text),
                dsn: RecipientDsn::default(),
                due: UnixMillis(now.0 + due),
            })
            .collect(),
        dsn: MessageDsn::default(),
        tls: TlsWish::default(),
        needs_smtputf8: false,
        body: BodyKind::SevenBit,
        created: now,
        expires: UnixMillis(now.0 + 5 * DAY),
    };
    let count = to.len() as u64;
    let receipt = home
        .store
        .accept_blocking(move |change| -> Result<_, StoreError> {
            change.begin_sending(account, now)?;
            let accepted = change.enqueue(&message)?;
            let sent = sent(
                counts(count, count),
                group.clone(),
                accepted.queued().to_vec(),
                hold,
            );
            change.note_sending(account, &sent, now)?;
            Ok(accepted)
        })
        .expect("queued");
    receipt.queued()[0]
}

fn note(home: &Home, account: AccountId, counts: Counts, now: UnixMillis) -> SendingFacts {
    home.write(move |change| -> Result<_, StoreError> {
        change.begin_sending(account, now)?;
        change.note_sending(account, &sent(counts, None, Vec::new(), false), now)?;
        change.begin_sending(account, now)
    })
    .expect("counted")
}

fn facts(home: &Home, account: AccountId, now: UnixMillis) -> SendingFacts {
    home.read(move |view| view.sending_facts(account, now))
}

pub(crate) fn alarm(reasons: &str) -> NewAlarm {
    NewAlarm {
        reasons: reasons.to_owned(),
        by_operator: false,
    }
}

pub(crate) fn states(home: &Home, id: QueueId) -> Vec<RecipientState> {
    let queued = home.read(move |view| view.queued(id));
    queued
        .map(|queued| queued.recipients.iter().map(|of| of.state).collect())
        .unwrap_or_default()
}

fn counts_cover_their_spans(home: &Home) {
    let account = home.account("ann");
    assert_eq!(facts(home, account, NOW).day, Counts::default());
    note(home, account, counts(3, 1), NOW);
    let two = note(home, account, counts(4, 2), at(9 * MINUTE));
    assert_eq!(
        two.ten_minutes,
        counts(7, 3).and(Counts {
            messages: 1,
            ..Counts::default()
        })
    );
    // Nothing of the span is ever missed, at any offset from whole five minutes.
    for offset in 0..5 {
        let now = at(59 * MINUTE + offset * 12_000);
        assert_eq!(facts(home, account, now).hour.recipients, 7, "{offset}");
    }
    assert_eq!(facts(home, account, at(66 * MINUTE)).hour.recipients, 4);
    assert_eq!(facts(home, account, at(80 * MINUTE)).hour.recipients, 0);
    assert_eq!(facts(home, account, at(DAY - MINUTE)).day.recipients, 7);
    assert_eq!(
        facts(home, account, at(DAY + 20 * MINUTE)).day.recipients,
        0
    );
    // What became of it counts too, and others' do not.
    let other = home.account("bob");
    let refused = Counts {
        failed: 3,
        unknown: 2,
        blamed: 1,
        ..Counts::default()
    };
    home.write(move |change| change.count_sending(account, &refused, at(0)))
        .expect("counted");
    let hour = facts(home, account, at(0)).hour;
    assert_eq!((hour.failed, hour.unknown, hour.blamed), (3, 2, 1));
    assert_eq!(facts(home, other, NOW), SendingFacts::default());
}

fn a_month_makes_habits(home: &Home) {
    let account = home.account("ann");
    for day in 0..20 {
        note(home, account, counts(10, 1), at(day * DAY));
        note(home, account, counts(5, 1), at(day * DAY + 2 * HOUR));
    }
    // Today is no part of them.
    let known = note(home, account, counts(400, 0), at(20 * DAY));
    assert_eq!((known.habits.active_days, known.habits.day_usual), (20, 15));
    assert_eq!(known.habits.hour_usual, 10);
    assert_eq!(known.habits.hours.count_ones(), 2);
    // One day is not either, the next of its kind is.
    assert_eq!(
        note(home, account, counts(1, 0), at(21 * DAY))
            .habits
            .day_usual,
        15
    );
    note(home, account, counts(300, 0), at(21 * DAY));
    assert_eq!(
        note(home, account, counts(1, 0), at(22 * DAY))
            .habits
            .day_usual,
        301
    );
    // A stranger's night makes none.
    note(home, account, counts(5_000, 5_000), at(23 * DAY));
    note(home, account, counts(5_000, 5_000), at(23 * DAY + HOUR));
    home.write(move |change| change.lock_sending(account, &alarm("many"), at(23 * DAY + 2 * HOUR)))
        .expect("locked");
    assert_eq!(
        note(home, account, counts(1, 0), at(24 * DAY))
            .habits
            .day_usual,
        301
    );
    // The sender's verdicts and networks stand there, too.
    let verdicts = move |change: &mut Change<'_>| -> Result<_, StoreError> {
        for (number, spam_like) in [true, false, true, true].into_iter().enumerate() {
            let sent = Sent {
                spam_like: Some(spam_like),
                network: Some(format!("203.0.{number}.0/24")),
                ..sent(counts(1, 0), None, Vec::new(), false)
            };
            change.note_sending(account, &sent, at(24 * DAY + number as i64))?;
        }
        change.sending_facts(account, at(24 * DAY))
    };
    let known = home.write(verdicts).expect("noted");
    assert_eq!(known.verdicts, 0b1011);
    assert_eq!(known.networks.len(), 5);
    assert_eq!(known.networks[0].network, "203.0.3.0/24");
}

fn known_people_are_told_from_new_ones(home: &Home) {
    let account = home.account("ann");
    let of = |text: &str, now: UnixMillis| {
        let address = address(text);
        home.read(move |view| view.acquaintance(account, &address, now))
    };
    assert_eq!(of("x@far.example", NOW), Acquaintance::FirstTime);
    home.write(move |change| change.note_sent(account, &[address("x@far.example")], NOW))
        .expect("noted");
    assert_eq!(of("X@far.example", at(HOUR)), Acquaintance::Fresh);
    assert_eq!(of("x+tag@far.example", at(2 * DAY)), Acquaintance::Known);
    assert_eq!(of("y@far.example", at(2 * DAY)), Acquaintance::FirstTime);
    let hear = |confirmed| {
        let received = store::senders::NewReceived {
            account,
            author: address("z@far.example"),
            confirmed,
            network: None,
        };
        home.write(move |change| change.note_received(&received, NOW))
            .expect("noted");
    };
    hear(false);
    let forged = "anybody can write in its name";
    assert_eq!(
        of("z@far.example", NOW),
        Acquaintance::FirstTime,
        "{forged}"
    );
    hear(true);
    assert_eq!(of("z@far.example", NOW), Acquaintance::Known, "an answer");
}

fn what_is_alike_is_a_group(home: &Home) {
    let account = home.account("ann");
    let first = submit(
        home,
        account,
        &["a@far.example"],
        new_group(1),
        false,
        0,
        NOW,
    );
    let known = facts(home, account, NOW).groups;
    assert_eq!((known.len(), known[0].first_time_lately), (1, 1));
    assert_eq!(known[0].sketch, sketch(1));
    let again = Some(SentGroup::Known(known[0].id));
    submit(
        home,
        account,
        &["b@far.example", "c@far.example"],
        again,
        false,
        0,
        at(9 * MINUTE),
    );
    submit(
        home,
        account,
        &["d@far.example"],
        new_group(2),
        false,
        0,
        at(9 * MINUTE),
    );
    let known = facts(home, account, at(10 * MINUTE)).groups;
    assert_eq!(known.len(), 2);
    let lately = |now| {
        let groups = facts(home, account, now).groups;
        let group = groups.iter().find(|group| group.sketch == sketch(1));
        group.map(|group| group.first_time_lately)
    };
    assert_eq!(lately(at(9 * MINUTE)), Some(3));
    assert_eq!(lately(at(40 * MINUTE)), Some(0));
    assert_eq!(lately(at(2 * DAY)), None, "not compared any more");
    // Nothing is held, so nothing is shown.
    assert!(home.read(|view| view.sending_groups(None)).is_empty());
    assert_eq!(states(home, first), [RecipientState::Waiting]);
}

fn a_lock_holds_what_waits_and_ends_sessions(home: &Home) {
    let account = home.account("ann");
    let other = home.account("bob");
    let waiting = submit(
        home,
        account,
        &["a@far.example", "b@far.example"],
        new_group(1),
        false,
        HOUR,
        NOW,
    );
    let due = submit(
        home,
        account,
        &["c@far.example"],
        new_group(1),
        false,
        0,
        NOW,
    );
    let others = submit(home, other, &["d@far.example"], new_group(1), false, 0, NOW);
    let claim = Claim {
        now: NOW,
        lease_until: at(5 * MINUTE),
        limit: 10,
        skip: Vec::new(),
    };
    let taken = home
        .write(move |change| change.claim_due(&claim))
        .expect("claimed");
    assert_eq!(taken.len(), 2);
    assert!(home.read(move |view| view.are_claimed(due, &[0])));
    let lock = move || {
        home.write(move |change| change.lock_sending(account, &alarm("many\nstrange"), at(MINUTE)))
            .expect("locked")
    };
    assert!(lock());
    assert!(!lock(), "once");
    assert!(
        !home.read(move |view| view.are_claimed(due, &[0])),
        "it does not start"
    );
    assert!(home.read(move |view| view.are_claimed(others, &[0])));
    assert_eq!(states(home, waiting), [RecipientState::Held; 2]);
    assert_eq!(states(home, due), [RecipientState::Held]);
    assert_eq!(home.read(move |view| view.held_by_alarm(account)), (2, 3));
    let state = home.read(move |view| view.sending_state(account));
    assert_eq!(state, SendingState::Locked { since: at(MINUTE) });
    assert_eq!(
        home.read(move |view| view.sending_state(other)),
        SendingState::Free
    );
    // What was on its way at that moment and is put off does not come back by itself.
    let attempt = |outcome| Attempt {
        number: 0,
        at: at(2 * MINUTE),
        host: None,
        reply: "451 later".to_owned(),
        outcome,
    };
    let later = attempt(Outcome::Deferred {
        due: at(3 * MINUTE),
    });
    let _ = home.write(move |change| change.finish_attempt(due, std::slice::from_ref(&later)));
    assert_eq!(states(home, due), [RecipientState::Held]);
    // What was taken is done.
    let done = attempt(Outcome::Delivered);
    let left = home.write(move |change| change.finish_attempt(due, std::slice::from_ref(&done)));
    assert_eq!(left.expect("noted"), QueueLeft::Done);
    let alarms = home.read(|view| view.alarms_to_tell());
    assert_eq!(alarms.len(), 1);
    assert!(alarms[0].locked && !alarms[0].by_operator);
    assert_eq!(alarms[0].reasons, "many\nstrange");
    assert!(home.read(|view| view.has_alarms_to_tell()));
    let id = alarms[0].id;
    home.write(move |change| change.note_alarm_told(id, at(3 * MINUTE)))
        .expect("noted");
    assert!(!home.read(|view| view.has_alarms_to_tell()));
}

fn a_question_holds_what_was_delayed(home: &Home) {
    let account = home.account("ann");
    let delayed = submit(
        home,
        account,
        &["a@far.example"],
        new_group(1),
        false,
        10 * MINUTE,
        NOW,
    );
    let due = submit(
        home,
        account,
        &["b@far.example"],
        new_group(1),
        false,
        0,
        NOW,
    );
    let ask = move || {
        home.write(move |change| change.ask_about_sending(account, &alarm("many"), at(MINUTE)))
            .expect("asked")
    };
    assert!(ask());
    assert!(!ask());
    assert_eq!(states(home, delayed), [RecipientState::Held]);
    assert_eq!(states(home, due), [RecipientState::Waiting]);
    let state = home.read(move |view| view.sending_state(account));
    assert_eq!(state, SendingState::Asking { since: at(MINUTE) });
    // What comes next is held by whoever counts it.
    let next = submit(
        home,
        account,
        &["c@far.example"],
        new_group(1),
        true,
        0,
        at(2 * MINUTE),
    );
    assert_eq!(states(home, next), [RecipientState::Held]);
    // A lock is one step more.
    home.write(move |change| change.lock_sending(account, &alarm("more"), at(3 * MINUTE)))
        .expect("locked");
    assert_eq!(states(home, due), [RecipientState::Held]);
    let alarms = home.read(move |view| view.sending_alarms(account));
    assert_eq!(
        alarms.iter().map(|one| one.locked).collect::<Vec<_>>(),
        [true, false]
    );
}

fn release_begins_anew(home: &Home) {
    let account = home.account("ann");
    let held = submit(
        home,
        account,
        &["a@far.example"],
        new_group(1),
        false,
        HOUR,
        NOW,
    );
    let release = move |raise, now| {
        home.write(move |change| change.release_sending(account, raise, now))
            .expect("released")
    };
    assert!(!release(None, NOW), "nothing was stopped");
    assert_eq!(facts(home, account, NOW).day.recipients, 1);
    home.write(move |change| change.lock_sending(account, &alarm("many"), NOW))
        .expect("locked");
    assert!(release(Some(Duration::from_secs(3_600)), at(MINUTE)));
    let known = facts(home, account, at(2 * MINUTE));
    assert_eq!(
        (known.state, known.day),
        (SendingState::Free, Counts::default())
    );
    assert_eq!(known.raised_until, Some(at(MINUTE + HOUR)));
    assert_eq!(facts(home, account, at(2 * HOUR)).raised_until, None);
    assert_eq!(
        states(home, held),
        [RecipientState::Held],
        "until somebody looked at it"
    );
    let alarms = home.read(move |view| view.sending_alarms(account));
    assert_eq!(alarms[0].ended, Some(at(MINUTE)));
    // Days later it still has all its time.
    let count = home
        .write(move |change| change.release_held(account, at(9 * DAY)))
        .expect("released");
    assert_eq!(count, 1);
    let queued = home.read(move |view| view.queued(held)).expect("there");
    assert_eq!(queued.recipients[0].state, RecipientState::Waiting);
    assert_eq!(
        (queued.recipients[0].due, queued.expires),
        (at(9 * DAY), at(14 * DAY))
    );
}

fn groups_are_removed_and_released(home: &Home) {
    let account = home.account("ann");
    let spam = submit(
        home,
        account,
        &["a@far.example", "b@far.example"],
        new_group(1),
        false,
        HOUR,
        NOW,
    );
    let group = facts(home, account, NOW).groups[0].id;
    let written = ["a", "b", "c", "d"].map(|name| address(&format!("{name}@far.example")));
    home.write(move |change| change.note_sent(account, &written, NOW))
        .expect("noted");
    let more = submit(
        home,
        account,
        &["c@far.example"],
        Some(SentGroup::Known(group)),
        false,
        HOUR,
        NOW,
    );
    let good = submit(
        home,
        account,
        &["d@far.example"],
        new_group(2),
        false,
        HOUR,
        NOW,
    );
    home.write(move |change| change.lock_sending(account, &alarm("many"), NOW))
        .expect("locked");
    let groups = home.read(move |view| view.sending_groups(Some(account)));
    let shape: Vec<_> = groups
        .iter()
        .map(|group| {
            (
                group.subject.as_str(),
                group.held_messages,
                group.held_recipients,
                group.messages,
            )
        })
        .collect();
    assert_eq!(shape, [("about 1", 2, 3, 2), ("about 2", 1, 1, 1)]);
    let members = home.read(move |view| view.group_members(group));
    assert_eq!(
        members
            .iter()
            .map(|one| (one.queue, one.recipients))
            .collect::<Vec<_>>(),
        [(spam, 2), (more, 1)]
    );
    assert_eq!(members[0].first, Some(address("a@far.example")));
    assert_eq!(
        home.write(move |change| change.remove_group(group))
            .expect("removed"),
        2
    );
    assert_eq!((states(home, spam), states(home, more)), (vec![], vec![]));
    let is_new = |name: &str| {
        let address = address(&format!("{name}@far.example"));
        home.read(move |view| view.is_first_time(account, &address))
    };
    assert!(is_new("a") && is_new("c"), "nobody whom ann knows");
    assert!(!is_new("d"));
    assert_eq!(states(home, good), [RecipientState::Held]);
    let rest = home.read(|view| view.sending_groups(None))[0].id;
    assert_eq!(
        home.write(move |change| change.release_group(rest, NOW))
            .expect("released"),
        1
    );
    assert_eq!(states(home, good), [RecipientState::Waiting]);
    assert!(home.read(|view| view.sending_groups(None)).is_empty());
    assert_eq!(
        home.write(move |change| change.remove_held(account))
            .expect("nothing"),
        0
    );
    assert_eq!(
        states(home, good),
        [RecipientState::Waiting],
        "it is not held any more"
    );
}

fn what_an_operator_holds_is_not_an_alarms(home: &Home) {
    let account = home.account("ann");
    let by_hand = submit(
        home,
        account,
        &["a@far.example"],
        new_group(1),
        false,
        HOUR,
        NOW,
    );
    let message = Choice::Message(by_hand);
    home.write(move |change| change.hold_queued(&message))
        .expect("held");
    let waiting = submit(
        home,
        account,
        &["b@far.example"],
        new_group(1),
        false,
        HOUR,
        NOW,
    );
    home.write(move |change| change.lock_sending(account, &alarm("many"), NOW))
        .expect("locked");
    assert_eq!(home.read(move |view| view.held_by_alarm(account)), (1, 1));
    // `queue release all` is about what the operator held.
    let released = home
        .write(move |change| change.release_queued(&Choice::All, NOW))
        .expect("released");
    assert_eq!(released, 1);
    assert_eq!(states(home, by_hand), [RecipientState::Waiting]);
    assert_eq!(states(home, waiting), [RecipientState::Held]);
    let message = Choice::Message(waiting);
    assert_eq!(
        home.write(move |change| change.release_queued(&message, NOW))
            .expect("released"),
        1
    );
    assert_eq!(home.read(move |view| view.held_by_alarm(account)), (0, 0));
}

fn limits_end(home: &Home) {
    let account = home.account("ann");
    let limits = SendingLimits {
        recipients: Some(5_000),
        first_time: None,
        until: Some(at(DAY)),
    };
    home.write(move |change| change.set_sending_limits(account, &limits, NOW))
        .expect("set");
    assert_eq!(facts(home, account, NOW).limits, limits);
    assert_eq!(
        facts(home, account, at(DAY)).limits,
        SendingLimits::default()
    );
    assert!(
        home.write(move |change| change.reset_sending_limits(account))
            .expect("reset")
    );
    assert_eq!(facts(home, account, NOW).limits, SendingLimits::default());
}

fn twenty_at_once_count_as_one_after_the_other(home: &Home) {
    const CAP: u64 = 30;
    let account = home.account("ann");
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let store = home.store.clone();
            std::thread::spawn(move || {
                let mut taken = 0;
                for _ in 0..5 {
                    let taking = store.write_blocking(
                        Durability::Relaxed,
                        move |change| -> Result<u64, StoreError> {
                            let facts = change.begin_sending(account, NOW)?;
                            if facts.day.recipients >= CAP {
                                return Ok(0);
                            }
                            change.note_sending(
                                account,
                                &sent(counts(1, 1), None, Vec::new(), false),
                                NOW,
                            )?;
                            Ok(1)
                        },
                    );
                    taken += taking.expect("the store works");
                }
                taken
            })
        })
        .collect();
    let taken: u64 = threads
        .into_iter()
        .map(|thread| thread.join().expect("ends"))
        .sum();
    assert_eq!(taken, CAP);
    assert_eq!(facts(home, account, NOW).day.recipients, CAP);
}

fn old_counts_are_forgotten(home: &Home) {
    let account = home.account("ann");
    let id = submit(
        home,
        account,
        &["a@far.example"],
        new_group(1),
        false,
        0,
        NOW,
    );
    let message = Choice::Message(id);
    home.write(move |change| change.delete_queued(&message))
        .expect("deleted");
    block_on(home.store.tidy_sending(at(HOUR))).expect("tidied");
    let known = facts(home, account, at(HOUR));
    assert_eq!(
        (
            known.day.recipients,
            known.groups.len(),
            known.networks.len()
        ),
        (1, 1, 1)
    );
    block_on(home.store.tidy_sending(at(3 * DAY))).expect("tidied");
    let known = note(home, account, counts(1, 0), at(3 * DAY));
    assert_eq!(known.habits.active_days, 1, "habits last for a month");
    block_on(home.store.tidy_sending(at(40 * DAY))).expect("tidied");
    assert_eq!(
        note(home, account, counts(1, 0), at(40 * DAY))
            .habits
            .active_days,
        0
    );
    assert!(facts(home, account, at(40 * DAY)).groups.is_empty());
    block_on(home.store.tidy_sending(at(300 * DAY))).expect("tidied");
    assert!(facts(home, account, at(300 * DAY)).networks.is_empty());
}

fn a_removed_account_leaves_nothing(home: &Home) {
    let account = home.account("ann");
    submit(
        home,
        account,
        &["a@far.example"],
        new_group(1),
        false,
        0,
        NOW,
    );
    home.write(move |change| change.lock_sending(account, &alarm("many"), NOW))
        .expect("locked");
    home.write(move |change| change.remove_account(account))
        .expect("removed");
    assert_eq!(facts(home, account, NOW), SendingFacts::default());
    assert!(home.read(|view| view.alarms_to_tell()).is_empty());
    assert!(home.read(|view| view.sending_groups(None)).is_empty());
}
