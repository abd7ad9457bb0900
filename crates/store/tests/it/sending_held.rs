//! What alarms hold, where somebody else had a hand in it: an account that is removed, an operator who held before.

use store::queue::*;
use store::*;

use crate::fixture::*;
use crate::sending::{HOUR, MINUTE, alarm, at, new_group, states, submit};

on_both!(
    what_an_alarm_holds_goes_with_its_account,
    an_alarms_end_leaves_what_the_operator_holds,
    what_came_by_another_way_is_a_group,
    whom_deleted_spam_was_for_nobody_knows
);

fn what_an_alarm_holds_goes_with_its_account(home: &Home) {
    let (ann, bob) = (home.account("ann"), home.account("bob"));
    let far = ["a@far.example"];
    let spam = submit(home, ann, &far, new_group(1), false, HOUR, NOW);
    let others = submit(home, bob, &far, new_group(1), false, HOUR, NOW);
    for account in [ann, bob] {
        home.write(move |change| change.lock_sending(account, &alarm("many"), NOW))
            .expect("locked");
    }
    // What is released is meant, and sent even if its account goes.
    let meant = submit(home, ann, &far, new_group(2), true, HOUR, NOW);
    let message = Choice::Message(meant);
    home.write(move |change| change.release_queued(&message, at(MINUTE)))
        .expect("released");
    home.write(move |change| change.remove_account(ann))
        .expect("removed");
    assert_eq!(states(home, spam), []);
    assert_eq!(states(home, others), [RecipientState::Held]);
    assert_eq!(states(home, meant), [RecipientState::Waiting]);
    let released = home
        .write(move |change| change.release_queued(&Choice::All, at(HOUR)))
        .expect("released");
    assert_eq!(released, 0, "nothing of it is left to go out");
    // Nobody is left whom it would be forgotten for.
    let again = home.write(move |change| change.remove_account(ann));
    assert!(matches!(again, Err(AccountError::NoSuchAccount(_))));
}

fn an_alarms_end_leaves_what_the_operator_holds(home: &Home) {
    use RecipientState::{Held, Waiting};
    let ann = home.account("ann");
    let to = ["a@far.example", "b@slow.example"];
    let both = submit(home, ann, &to, new_group(1), false, HOUR, NOW);
    let all = submit(home, ann, &to, new_group(2), false, HOUR, NOW);
    let slow = Choice::Domain(domain("slow.example"));
    home.write({
        let slow = slow.clone();
        move |change| change.hold_queued(&slow)
    })
    .expect("held");
    home.write(move |change| change.hold_queued(&Choice::Message(all)))
        .expect("held");
    home.write(move |change| change.lock_sending(ann, &alarm("many"), NOW))
        .expect("locked");
    assert_eq!(states(home, both), [Held, Held]);
    let release = move |change: &mut Change<'_>| change.release_held(ann, at(MINUTE));
    assert_eq!(home.write(release).expect("released"), 1);
    assert_eq!(states(home, both), [Waiting, Held]);
    assert_eq!(states(home, all), [Held, Held]);
    let released = home.write(move |change| change.release_queued(&slow, at(HOUR)));
    assert_eq!(released.expect("released"), 2);
    assert_eq!(states(home, both), [Waiting, Waiting]);
    assert_eq!(states(home, all), [Held, Waiting]);
}

/// Such as what was released from quarantine.
fn what_came_by_another_way_is_a_group(home: &Home) {
    let ann = home.account("ann");
    let spam = submit(
        home,
        ann,
        &["a@far.example"],
        new_group(1),
        false,
        HOUR,
        NOW,
    );
    let message = NewQueued {
        account: Some(ann),
        expires: at(24 * HOUR),
        ..outgoing(
            home.store.keep_blocking(&b"out"[..]).expect("kept"),
            "bob@far.example",
        )
    };
    let receipt = home
        .store
        .accept_blocking(move |change| change.enqueue(&message));
    let other = receipt.expect("queued").queued()[0];
    home.write(move |change| change.lock_sending(ann, &alarm("many"), NOW))
        .expect("locked");
    assert_eq!(states(home, other), [RecipientState::Held]);
    let groups = home.read(move |view| view.sending_groups(Some(ann)));
    let held: Vec<u64> = groups.iter().map(|group| group.held_messages).collect();
    assert_eq!(held, [1, 1], "{groups:?}");
    let group = groups.iter().find(|group| group.subject.starts_with('('));
    let group = group.expect("it is shown").id;
    assert_eq!(
        home.write(move |change| change.remove_group(group))
            .expect("removed"),
        1
    );
    assert_eq!(states(home, other), []);
    assert_eq!(states(home, spam), [RecipientState::Held]);
    let stopped = home.read(|view| view.stopped_accounts());
    assert_eq!(stopped.len(), 1);
    assert!(stopped[0].0 == ann && stopped[0].1.is_locked());
}

/// By number in the queue as well as by group.
fn whom_deleted_spam_was_for_nobody_knows(home: &Home) {
    use store::sending::Acquaintance::{FirstTime, Fresh};
    let ann = home.account("ann");
    let knows = |name: &str| {
        let to = address(name);
        home.read(move |view| view.acquaintance(ann, &to, at(1)))
    };
    let written = ["spam@far.example", "good@far.example"];
    home.write(move |change| change.note_sent(ann, &written.map(address), NOW))
        .expect("noted");
    let spam = submit(home, ann, &written[..1], new_group(1), true, HOUR, NOW);
    let good = submit(home, ann, &written[1..], new_group(2), false, HOUR, NOW);
    assert_eq!((knows(written[0]), knows(written[1])), (Fresh, Fresh));
    for message in [spam, good] {
        let message = Choice::Message(message);
        let left = home.write(move |change| change.delete_queued(&message));
        assert_eq!(left.expect("deleted"), 1);
    }
    assert_eq!((knows(written[0]), knows(written[1])), (FirstTime, Fresh));
}
