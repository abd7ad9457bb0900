//! Whoever replays the change log sees what the store holds; and the counts of a mailbox are those
//! of its messages.

use std::collections::BTreeMap;

use proptest::prelude::*;
use store::*;

use crate::fixture::*;

on_both!(a_replay_matches, the_log_tells_of_mailboxes);

#[derive(Clone, Debug)]
enum Act {
    Deliver {
        place: i64,
        seen: bool,
    },
    Edit {
        mailbox: i64,
        from: u32,
        to: u32,
        edit: u8,
    },
    Copy {
        from: i64,
        to: i64,
        first: u32,
        last: u32,
    },
    Move {
        from: i64,
        to: i64,
        first: u32,
        last: u32,
    },
    Expunge {
        mailbox: i64,
        first: u32,
        last: u32,
    },
    Remove {
        mailbox: i64,
        first: u32,
        last: u32,
    },
    Look,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let mailbox = 1..4i64;
    let uid = 1..12u32;
    let range = (uid.clone(), uid);
    let act = prop_oneof![
        4 => (mailbox.clone(), any::<bool>()).prop_map(|(place, seen)| Act::Deliver { place, seen }),
        3 => (mailbox.clone(), range.clone(), any::<u8>())
            .prop_map(|(mailbox, (from, to), edit)| Act::Edit { mailbox, from, to, edit }),
        1 => (mailbox.clone(), mailbox.clone(), range.clone())
            .prop_map(|(from, to, (first, last))| Act::Copy { from, to, first, last }),
        1 => (mailbox.clone(), mailbox.clone(), range.clone())
            .prop_map(|(from, to, (first, last))| Act::Move { from, to, first, last }),
        1 => (mailbox.clone(), range.clone()).prop_map(|(mailbox, (first, last))| Act::Expunge { mailbox, first, last }),
        1 => (mailbox, range).prop_map(|(mailbox, (first, last))| Act::Remove { mailbox, first, last }),
        1 => Just(Act::Look),
    ];
    prop::collection::vec(act, 1..40)
}

type Picture = BTreeMap<(MailboxId, Uid), Placement>;

fn act(home: &Home, account: AccountId, act: &Act) {
    let set = |first: u32, last: u32| {
        let mut set = UidSet::new();
        set.insert_range(Uid(first.min(last))..=Uid(first.max(last)));
        set
    };
    match *act {
        Act::Deliver { place, seen } => {
            let mut delivery = home.delivery(&[account], b"12345");
            delivery.targets[0].place = Place::Mailbox(MailboxId(place));
            delivery.targets[0].marks = if seen {
                Flags::SEEN.into()
            } else {
                Marks::none()
            };
            drop(
                home.store
                    .accept_blocking(move |change| change.deliver(&delivery))
                    .expect("delivered"),
            );
        }
        Act::Edit {
            mailbox,
            from,
            to,
            edit,
        } => {
            let flags = if edit & 1 == 0 {
                Flags::SEEN
            } else {
                Flags::DELETED.with(Flags::FLAGGED)
            };
            let keywords = if edit & 2 == 0 {
                vec![]
            } else {
                vec![format!("k{}", edit % 7)]
            };
            let marks = Marks { flags, keywords };
            let edit = match edit % 3 {
                0 => FlagEdit::Set(marks),
                1 => FlagEdit::Add(marks),
                _ => FlagEdit::Remove(marks),
            };
            let set = set(from, to);
            home.write(move |change| {
                change.edit_flags(account, MailboxId(mailbox), &set, &edit, None, NOW)
            })
            .expect("edited");
        }
        Act::Copy {
            from,
            to,
            first,
            last,
        } => {
            let set = set(first, last);
            home.write(move |change| {
                change.copy(account, MailboxId(from), &set, MailboxId(to), NOW)
            })
            .expect("copied");
        }
        Act::Move {
            from,
            to,
            first,
            last,
        } => {
            let set = set(first, last);
            home.write(move |change| {
                change.move_to(account, MailboxId(from), &set, MailboxId(to), NOW)
            })
            .expect("moved");
        }
        Act::Expunge {
            mailbox,
            first,
            last,
        } => {
            let set = set(first, last);
            home.write(move |change| change.expunge(account, MailboxId(mailbox), &set))
                .expect("expunged");
        }
        Act::Remove {
            mailbox,
            first,
            last,
        } => {
            let set = set(first, last);
            home.write(move |change| change.remove(account, MailboxId(mailbox), &set))
                .expect("removed");
        }
        Act::Look => {}
    }
}

/// Brings a picture up to date by what the log says alone.
fn replay(home: &Home, account: AccountId, picture: &mut Picture, since: &mut ModSeq) {
    let from = *since;
    let changes = home
        .read(move |view| view.changes(account, None, from, usize::MAX))
        .expect("the log reaches back");
    for changed in changes {
        assert!(*since < changed.modseq, "ascending");
        *since = changed.modseq;
        let mailbox = changed.mailbox;
        match changed.what {
            Happened::Arrived(set) | Happened::Flagged(set) => {
                for range in set.ranges() {
                    let found = home.read(move |view| {
                        view.placements(account, mailbox, range.clone(), usize::MAX)
                    });
                    picture.extend(
                        found
                            .into_iter()
                            .map(|placement| ((mailbox, placement.uid), placement)),
                    );
                }
            }
            Happened::Expunged(set) => {
                picture.retain(|(place, uid), _| *place != mailbox || !set.contains(*uid))
            }
            _ => {}
        }
    }
}

fn check(home: &Home, account: AccountId, picture: &Picture) {
    let mailboxes = home.read(move |view| view.mailboxes(account));
    let mut total = (0, 0);
    for mailbox in mailboxes {
        let stored = home.placements(account, mailbox.id);
        let pictured: Vec<&Placement> = picture
            .iter()
            .filter(|((place, _), _)| *place == mailbox.id)
            .map(|(_, placement)| placement)
            .collect();
        assert_eq!(
            stored.iter().collect::<Vec<_>>(),
            pictured,
            "{}",
            mailbox.name
        );
        let count = |test: fn(&Placement) -> bool| {
            stored.iter().filter(|placement| test(placement)).count() as u32
        };
        assert_eq!(mailbox.messages, stored.len() as u32);
        assert_eq!(
            mailbox.unseen,
            count(|placement| !placement.flags.has(Flags::SEEN))
        );
        assert_eq!(
            mailbox.deleted,
            count(|placement| placement.flags.has(Flags::DELETED))
        );
        assert_eq!(
            mailbox.bytes,
            stored.iter().map(|placement| placement.size).sum::<u64>()
        );
        assert!(
            stored
                .iter()
                .all(|placement| placement.uid < mailbox.uid_next
                    && placement.modseq <= mailbox.highest_modseq)
        );
        total = (
            total.0 + mailbox.bytes,
            total.1 + u64::from(mailbox.messages),
        );
    }
    let account = home
        .read(move |view| view.account(account))
        .expect("the account");
    assert_eq!((account.used_bytes, account.used_messages), total);
}

fn run(home: &Home, acts: &[Act]) {
    let ann = home.account("ann");
    let (mut picture, mut since) = (Picture::new(), ModSeq::ZERO);
    since.0 = home.read(move |view| view.modseq(ann)).0;
    for one in acts {
        act(home, ann, one);
        if matches!(one, Act::Look) {
            replay(home, ann, &mut picture, &mut since);
            check(home, ann, &picture);
        }
    }
    replay(home, ann, &mut picture, &mut since);
    check(home, ann, &picture);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_replay_matches(acts in acts()) {
        run(&Home::inline(), &acts);
    }
}

fn a_replay_matches(home: &Home) {
    let mut acts: Vec<Act> = (0..6)
        .map(|i| Act::Deliver {
            place: 1 + i % 2,
            seen: i % 3 == 0,
        })
        .collect();
    acts.extend([
        Act::Edit {
            mailbox: 1,
            from: 1,
            to: 2,
            edit: 4,
        },
        Act::Look,
        Act::Copy {
            from: 1,
            to: 3,
            first: 1,
            last: 9,
        },
        Act::Move {
            from: 1,
            to: 2,
            first: 2,
            last: 3,
        },
        Act::Edit {
            mailbox: 2,
            from: 2,
            to: 4,
            edit: 7,
        },
        Act::Look,
        Act::Expunge {
            mailbox: 2,
            first: 1,
            last: 9,
        },
        Act::Remove {
            mailbox: 3,
            first: 2,
            last: 2,
        },
        Act::Move {
            from: 2,
            to: 2,
            first: 1,
            last: 1,
        },
    ]);
    run(home, &acts);
}

fn the_log_tells_of_mailboxes(home: &Home) {
    let ann = home.account("ann");
    let since = home.read(move |view| view.modseq(ann));
    let (old, new) = (mailbox_name("Old"), mailbox_name("New"));
    home.write({
        let old = old.clone();
        move |change| change.create_mailbox(ann, &old, None, NOW)
    })
    .expect("made");
    home.write({
        let (old, new) = (old.clone(), new.clone());
        move |change| change.rename_mailbox(ann, &old, &new, NOW)
    })
    .expect("renamed");
    home.write({
        let new = new.clone();
        move |change| change.subscribe(ann, &new)
    })
    .expect("subscribed");
    home.write(move |change| change.delete_mailbox(ann, &new))
        .expect("removed");
    let changes = home
        .read(move |view| view.changes(ann, None, since, 99))
        .expect("the log reaches back");
    let what: Vec<Happened> = changes.into_iter().map(|changed| changed.what).collect();
    use Happened::{MailboxCreated, MailboxDeleted, MailboxMarked, MailboxRenamed};
    assert_eq!(
        what,
        [
            MailboxCreated,
            MailboxRenamed,
            MailboxMarked,
            MailboxDeleted
        ]
    );
    assert_eq!(
        home.read(move |view| view.changes(AccountId(99), None, since, 99)),
        None
    );
}
