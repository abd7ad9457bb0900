//! What people teach the spam filter: which acts are lessons, and that counts are always those of the lessons.

use std::collections::{BTreeMap, BTreeSet};

use mail::UnixMillis;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::lessons::*;
use store::*;

use crate::fixture::*;

on_both!(
    a_move_into_junk_teaches_and_a_move_back_takes_it_back,
    out_of_junk_teaches_but_not_into_the_trash,
    what_is_filed_or_expunged_teaches_nothing,
    keywords_teach_once_with_the_move,
    an_expunged_message_still_teaches,
    an_upload_of_a_known_message_is_a_move,
    counts_are_those_of_the_lessons,
    an_account_that_goes_takes_its_lessons_along,
    junk_is_told_of_until_it_is_rescued,
    a_lesson_that_fails_is_given_up,
    what_is_due_by_now_is_learnt_from_its_body,
    what_is_kept_balances_what_was_junked,
    lessons_together_count_as_one_by_one,
    one_that_failed_is_begun_alone,
    back_by_way_of_the_trash_is_taken_back,
);

const INBOX: MailboxId = MailboxId::INBOX;

/// The words of a text: what a message is made of, for these tests.
pub fn features(text: &[u8]) -> Vec<u64> {
    text.split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(feature)
        .collect()
}

pub fn material(text: &[u8]) -> Material {
    Material {
        features: features(text),
        ..Material::default()
    }
}

pub fn feature(word: impl AsRef<[u8]>) -> u64 {
    word.as_ref()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// Does what the job does. Says how many lessons there were.
pub fn work(home: &Home) -> usize {
    let mut done = 0;
    let accounts = home.read(|view| view.accounts_with_lessons(None, usize::MAX));
    for account in accounts {
        for lesson in home.read(move |view| view.waiting_lessons(account, usize::MAX)) {
            let body = lesson.body.map_or_else(Vec::new, |body| {
                home.store
                    .body_blocking(&body, 0..u64::MAX)
                    .expect("the body is held")
            });
            let material = material(&body);
            home.write(move |change| change.learn(&lesson, &material, NOW))
                .expect("learnt");
            done += 1;
        }
    }
    done
}

pub fn moved(home: &Home, account: AccountId, from: &str, to: &str, set: &str) {
    let (from, to) = (home.mailbox(account, from).id, home.mailbox(account, to).id);
    let set = uids(set);
    home.write(move |change| change.move_to(account, from, &set, to, NOW))
        .expect("moved");
}

fn marked(home: &Home, account: AccountId, mailbox: &str, edit: FlagEdit) {
    let mailbox = home.mailbox(account, mailbox).id;
    home.write(move |change| change.edit_flags(account, mailbox, &UidSet::all(), &edit, None, NOW))
        .expect("marked");
}

fn keyword(name: &str) -> Marks {
    Marks {
        flags: Flags::NONE,
        keywords: vec![name.to_owned()],
    }
}

pub fn taught(home: &Home, account: AccountId, words: &str) -> Taught {
    let features = features(words.as_bytes());
    home.read(move |view| view.taught(account, &features))
}

#[track_caller]
pub fn check_lessons(home: &Home, account: AccountId, junk: u32, wanted: u32) {
    let lore = taught(home, account, "").account;
    assert_eq!(lore.totals, Count { junk, wanted });
}

pub fn learnt(home: &Home, account: AccountId, body: &[u8]) -> Option<Class> {
    let key = LessonKey::of_bytes(account, body);
    home.read(move |view| view.lesson_learnt(key))
}

fn a_move_into_junk_teaches_and_a_move_back_takes_it_back(home: &Home) {
    let ann = home.account("ann");
    let mut notices = home.store.watch_lessons();
    home.deliver(ann, b"cheap pills");
    moved(home, ann, "INBOX", "Junk", "1");
    block_on(notices.changed());
    assert_eq!(work(home), 1);
    check_lessons(home, ann, 1, 0);
    let one = Count { junk: 1, wanted: 0 };
    let lore = taught(home, ann, "cheap offers").account;
    assert_eq!(lore.counts, [(feature("cheap"), one)]);
    moved(home, ann, "Junk", "INBOX", "1");
    assert_eq!(work(home), 1);
    check_lessons(home, ann, 0, 0);
    assert_eq!(taught(home, ann, "cheap pills").account.counts, []);
    // Before anybody came to count it: nothing happened at all.
    moved(home, ann, "INBOX", "Junk", "1:9");
    moved(home, ann, "Junk", "Archive", "1:9");
    assert_eq!(work(home), 0);
    check_lessons(home, ann, 0, 0);
}

fn out_of_junk_teaches_but_not_into_the_trash(home: &Home) {
    let ann = home.account("ann");
    let junk = home.mailbox(ann, "Junk").id;
    home.write(move |change| change.create_mailbox(ann, &mailbox_name("Junk/Old"), None, NOW))
        .expect("made");
    for text in ["a b", "c d", "e f"] {
        into_junk(home, ann, text.as_bytes());
    }
    moved(home, ann, "Junk", "Trash", "1");
    moved(home, ann, "Junk", "Junk/Old", "2");
    assert_eq!(work(home), 0);
    let copied = home.write(move |change| change.copy(ann, junk, &uids("3"), INBOX, NOW));
    assert_eq!(copied.expect("copied").pairs.len(), 1);
    assert_eq!(work(home), 1);
    check_lessons(home, ann, 0, 1);
    moved(home, ann, "Junk", "Archive", "3");
    assert_eq!(work(home), 0, "it is the same message");
    check_lessons(home, ann, 0, 1);
}

/// As the filter does it.
fn into_junk(home: &Home, account: AccountId, body: &[u8]) -> Delivered {
    let mut delivery = home.delivery(&[account], body);
    delivery.targets[0].place = Place::Use(SpecialUse::Junk);
    let receipt = home
        .store
        .accept_blocking(move |change| change.deliver(&delivery))
        .expect("delivered");
    receipt.delivered()[0]
}

fn what_is_filed_or_expunged_teaches_nothing(home: &Home) {
    let ann = home.account("ann");
    into_junk(home, ann, b"cheap pills");
    home.deliver(ann, b"hello");
    moved(home, ann, "INBOX", "Archive", "1");
    marked(home, ann, "Junk", FlagEdit::Add(Flags::DELETED.into()));
    marked(home, ann, "Archive", FlagEdit::Add(keyword("$Forwarded")));
    let junk = home.mailbox(ann, "Junk").id;
    home.write(move |change| change.expunge(ann, junk, &UidSet::all()))
        .expect("expunged");
    append(home, ann, "Junk", b"from elsewhere", "<x@example.org>");
    assert_eq!(work(home), 0);
    check_lessons(home, ann, 0, 0);
}

fn keywords_teach_once_with_the_move(home: &Home) {
    let ann = home.account("ann");
    home.deliver(ann, b"cheap pills");
    // As Thunderbird does.
    marked(home, ann, "INBOX", FlagEdit::Add(keyword("Junk")));
    moved(home, ann, "INBOX", "Junk", "1");
    work(home);
    check_lessons(home, ann, 1, 0);
    marked(home, ann, "Junk", FlagEdit::Remove(keyword("Junk")));
    marked(home, ann, "Junk", FlagEdit::Add(keyword("NonJunk")));
    moved(home, ann, "Junk", "INBOX", "1");
    work(home);
    check_lessons(home, ann, 0, 1);
    // Both at once say nothing.
    marked(home, ann, "INBOX", FlagEdit::Add(keyword("$junk")));
    work(home);
    check_lessons(home, ann, 0, 0);
    marked(home, ann, "INBOX", FlagEdit::Set(keyword("$JUNK")));
    work(home);
    check_lessons(home, ann, 1, 0);
    marked(home, ann, "INBOX", FlagEdit::Set(Marks::none()));
    work(home);
    check_lessons(home, ann, 0, 0);
    assert_eq!(taught(home, ann, "cheap pills").account.counts, []);
}

fn an_expunged_message_still_teaches(home: &Home) {
    let ann = home.account("ann");
    home.deliver(ann, b"cheap pills");
    let junk = home.mailbox(ann, "Junk").id;
    home.write(move |change| change.copy(ann, INBOX, &uids("1"), junk, NOW))
        .expect("copied");
    for mailbox in [INBOX, junk] {
        home.write(move |change| change.remove(ann, mailbox, &UidSet::all()))
            .expect("removed");
    }
    for _ in 0..3 {
        block_on(home.store.tidy()).expect("tidied");
    }
    assert_eq!(work(home), 1);
    check_lessons(home, ann, 1, 0);
    assert_eq!(taught(home, ann, "pills").account.counts.len(), 1);
}

fn append(home: &Home, account: AccountId, mailbox: &str, body: &[u8], id: &str) {
    let mut summary = summary();
    summary.thread.message_id = Some(id.to_owned());
    let kept = home.store.keep_blocking(body.to_vec()).expect("kept");
    let append = Append {
        account,
        mailbox: home.mailbox(account, mailbox).id,
        trace: trace(),
        kept,
        summary,
        marks: Marks::none(),
        internal_date: NOW,
        now: NOW,
    };
    home.write(move |change| change.append(&append))
        .expect("appended");
}

fn an_upload_of_a_known_message_is_a_move(home: &Home) {
    let ann = home.account("ann");
    let mut delivery = home.delivery(&[ann], b"cheap pills");
    delivery.summary.thread.message_id = Some("<1@example.org>".to_owned());
    let _ = home
        .store
        .accept_blocking(move |change| change.deliver(&delivery))
        .expect("delivered");
    // mbsync writes a field of its own into what it uploads.
    append(
        home,
        ann,
        "Junk",
        b"X-TUID: abc\r\ncheap pills",
        "<1@example.org>",
    );
    learn_all(home, "<1@example.org>");
    check_lessons(home, ann, 1, 0);
    append(
        home,
        ann,
        "INBOX",
        b"X-TUID: def\r\ncheap pills",
        "<1@example.org>",
    );
    learn_all(home, "<1@example.org>");
    check_lessons(home, ann, 0, 0);
    // The filter's own error is found again by the id as well.
    let junked = into_junk(home, ann, b"dear friend");
    home.write(move |change| {
        change.note_junked(&Junked {
            account: ann,
            message: junked.message,
            at: NOW,
            probability: 0.9,
            reason: "what it says".to_owned(),
            message_id: Some("<2@example.org>".to_owned()),
        })
    })
    .expect("noted");
    append(
        home,
        ann,
        "Archive",
        b"X-TUID: 1\r\ndear friend",
        "<2@example.org>",
    );
    learn_all(home, "<2@example.org>");
    check_lessons(home, ann, 0, 1);
    let statistics = home.read(move |view| view.spam_statistics(ann, NOW));
    assert_eq!((statistics.junked, statistics.rescued), (1, 1));
}

fn learn_all(home: &Home, id: &'static str) {
    let account = home.read(|view| view.accounts_with_lessons(None, 1));
    let account = *account.first().expect("lessons");
    for lesson in home.read(move |view| view.waiting_lessons(account, 10)) {
        let body = lesson.body.map_or_else(Vec::new, |body| {
            home.store
                .body_blocking(&body, 0..u64::MAX)
                .expect("the body")
        });
        let material = Material {
            message_id: Some(id.to_owned()),
            ..material(&body)
        };
        home.write(move |change| change.learn(&lesson, &material, NOW))
            .expect("learnt");
    }
}

/// One step of a person, a program or the counting job.
#[derive(Clone, Debug)]
enum Step {
    Move { from: u8, to: u8, at: u8 },
    Copy { from: u8, to: u8, at: u8 },
    Mark { mailbox: u8, at: u8, keyword: u8 },
    Remove { mailbox: u8, at: u8 },
    Tell { message: u8, class: u8 },
    Work,
}

const PLACES: [&str; 4] = ["INBOX", "Junk", "Trash", "Archive"];
const BODIES: [&str; 4] = ["alpha beta", "beta gamma", "gamma delta alpha", "delta"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u8, 0..4_u8, 0..4_u8).prop_map(|(from, to, at)| Step::Move { from, to, at }),
        2 => (0..4_u8, 0..4_u8, 0..4_u8).prop_map(|(from, to, at)| Step::Copy { from, to, at }),
        3 => (0..4_u8, 0..4_u8, 0..3_u8).prop_map(|(mailbox, at, keyword)| Step::Mark { mailbox, at, keyword }),
        1 => (0..4_u8, 0..4_u8).prop_map(|(mailbox, at)| Step::Remove { mailbox, at }),
        1 => (0..4_u8, 0..3_u8).prop_map(|(message, class)| Step::Tell { message, class }),
        3 => Just(Step::Work),
    ]
}

/// After any sequence of acts, whatever was counted in between: the counts are those of an account that was only ever
/// taught what holds in the end.
fn counts_are_those_of_the_lessons(home: &Home) {
    let mut runner = TestRunner::new(Config {
        cases: if home.is_postgres() { 8 } else { 25 },
        failure_persistence: None,
        ..Config::default()
    });
    let steps = proptest::collection::vec((0..2_usize, step()), 1..30);
    let round = std::cell::Cell::new(0);
    runner
        .run(&steps, |steps| {
            round.set(round.get() + 1);
            let people = [
                home.account(&format!("a{}", round.get())),
                home.account(&format!("b{}", round.get())),
            ];
            for person in people {
                for (at, body) in BODIES.iter().enumerate() {
                    match at {
                        3 => into_junk(home, person, body.as_bytes()),
                        _ => home.deliver(person, body.as_bytes()),
                    };
                }
            }
            for (person, step) in steps {
                take(home, people[person], &step);
            }
            work(home);
            for (at, person) in people.into_iter().enumerate() {
                check_against_fresh(home, person, &format!("fresh{}-{at}", round.get()));
            }
            check_server(home);
            // Only these are looked at by the next round.
            for person in home.read(|view| view.accounts(None)) {
                home.write(move |change| change.remove_account(person.id))
                    .expect("removed");
            }
            block_on(home.store.tidy_lessons(NOW)).expect("tidied");
            let left = home.read(|view| view.taught_totals());
            prop_assert_eq!(left, TaughtTotals::default());
            Ok(())
        })
        .expect("counts are those of the lessons");
}

fn take(home: &Home, person: AccountId, step: &Step) {
    let place = |at: u8| home.mailbox(person, PLACES[usize::from(at)]).id;
    let picked = |mailbox: MailboxId, at: u8| {
        let found = home.placements(person, mailbox);
        found
            .get(usize::from(at))
            .map(|placement| UidSet::from_iter([placement.uid]))
    };
    match *step {
        Step::Move { from, to, at } | Step::Copy { from, to, at } => {
            let (source, target) = (place(from), place(to));
            let Some(set) = picked(source, at) else {
                return;
            };
            let is_move = matches!(step, Step::Move { .. });
            home.write(move |change| match is_move {
                true => change.move_to(person, source, &set, target, NOW),
                false => change.copy(person, source, &set, target, NOW),
            })
            .expect("moved");
        }
        Step::Mark {
            mailbox,
            at,
            keyword: word,
        } => {
            let mailbox = place(mailbox);
            let Some(set) = picked(mailbox, at) else {
                return;
            };
            let edit = match word {
                0 => FlagEdit::Set(keyword("$Junk")),
                1 => FlagEdit::Set(keyword("$NotJunk")),
                _ => FlagEdit::Set(Marks::none()),
            };
            home.write(move |change| change.edit_flags(person, mailbox, &set, &edit, None, NOW))
                .expect("marked");
        }
        Step::Remove { mailbox, at } => {
            let mailbox = place(mailbox);
            if let Some(set) = picked(mailbox, at) {
                home.write(move |change| change.remove(person, mailbox, &set))
                    .expect("removed");
            }
        }
        Step::Tell { message, class } => {
            let body = BODIES[usize::from(message)].as_bytes();
            let key = LessonKey::of_bytes(person, body);
            let class = [None, Some(Class::Junk), Some(Class::Wanted)][usize::from(class)];
            let material = material(body);
            home.write(move |change| change.teach(key, class, &material, NOW))
                .expect("taught");
        }
        Step::Work => {
            work(home);
        }
    }
}

fn check_against_fresh(home: &Home, person: AccountId, name: &str) {
    let fresh = home.account(name);
    for body in BODIES {
        let class = learnt(home, person, body.as_bytes());
        let key = LessonKey::of_bytes(fresh, body.as_bytes());
        let material = material(body.as_bytes());
        home.write(move |change| change.teach(key, class, &material, NOW))
            .expect("taught");
    }
    let all = BODIES.join(" ");
    let sorted = |mut lore: Lore| {
        lore.counts.sort_unstable_by_key(|(feature, _)| *feature);
        lore
    };
    assert_eq!(
        sorted(taught(home, person, &all).account),
        sorted(taught(home, fresh, &all).account)
    );
}

/// What counts for all is what follows from the accounts' own counts.
fn check_server(home: &Home) {
    let accounts: Vec<AccountId> = home
        .read(|view| view.accounts(None))
        .iter()
        .map(|account| account.id)
        .collect();
    let all = BODIES.join(" ");
    let mut sums: BTreeMap<u64, [u32; 4]> = BTreeMap::new();
    let mut totals = [0_u32; 4];
    let add = |sums: &mut [u32; 4], count: Count| {
        sums[0] += count.junk.min(3);
        sums[1] += count.wanted.min(3);
        sums[2] += u32::from(0 < count.junk);
        sums[3] += u32::from(0 < count.wanted);
    };
    for account in &accounts {
        let lore = taught(home, *account, &all).account;
        add(&mut totals, lore.totals);
        for (feature, count) in lore.counts {
            add(sums.entry(feature).or_default(), count);
        }
    }
    let server = taught(home, accounts[0], &all).server;
    if totals[2].max(totals[3]) < 2 {
        assert_eq!(server, Lore::default());
        return;
    }
    let (junk, wanted) = (totals[0], totals[1]);
    assert_eq!(server.totals, Count { junk, wanted });
    let heard: BTreeMap<u64, (u32, u32)> = server
        .counts
        .iter()
        .map(|(feature, count)| (*feature, (count.junk, count.wanted)))
        .collect();
    let expected: BTreeMap<u64, (u32, u32)> = sums
        .into_iter()
        .filter_map(|(feature, [junk, wanted, junk_by, wanted_by])| {
            match (2 <= junk_by, 2 <= wanted_by) {
                (true, true) => Some((feature, (junk, wanted))),
                (true, false) => Some((feature, (junk, wanted.min(junk * wanted_by / junk_by)))),
                (false, true) => Some((feature, (junk.min(wanted * junk_by / wanted_by), wanted))),
                (false, false) => None,
            }
        })
        .collect();
    assert_eq!(heard, expected);
}

pub fn teach(home: &Home, account: AccountId, class: Class, text: &str) {
    let key = LessonKey::of_bytes(account, text.as_bytes());
    let material = material(text.as_bytes());
    home.write(move |change| change.teach(key, Some(class), &material, NOW))
        .expect("taught");
}

fn an_account_that_goes_takes_its_lessons_along(home: &Home) {
    let [ann, bob] = ["ann", "bob"].map(|name| home.account(name));
    teach(home, ann, Class::Junk, "cheap pills");
    teach(home, bob, Class::Junk, "cheap pills");
    home.deliver(bob, b"waiting");
    moved(home, bob, "INBOX", "Junk", "1");
    assert_eq!(taught(home, ann, "cheap").server.counts.len(), 1);
    home.write(move |change| change.remove_account(bob))
        .expect("removed");
    assert_eq!(work(home), 0);
    block_on(home.store.tidy_lessons(NOW)).expect("tidied");
    assert_eq!(taught(home, ann, "cheap").server, Lore::default());
    let totals = home.read(|view| view.taught_totals());
    assert_eq!((totals.lessons.junk, totals.features), (1, 2));
}

fn junk_is_told_of_until_it_is_rescued(home: &Home) {
    let ann = home.account("ann");
    let mut ids = BTreeSet::new();
    for (at, probability) in [(1, 0.99), (2, 0.7), (3, 0.9)] {
        let delivered = into_junk(home, ann, format!("junk {at}").as_bytes());
        ids.insert(delivered.message);
        let junked = Junked {
            account: ann,
            message: delivered.message,
            at: UnixMillis(NOW.0 + at),
            probability,
            reason: "é".repeat(300),
            message_id: None,
        };
        home.write(move |change| change.note_junked(&junked))
            .expect("noted");
    }
    let told = |after: i64| {
        let after = UnixMillis(NOW.0 + after);
        home.read(move |view| view.junked_between(ann, after, UnixMillis(NOW.0 + 3), 2))
    };
    let (listed, count) = told(0);
    let listed: Vec<f32> = listed.iter().map(|junked| junked.probability).collect();
    assert_eq!((listed, count), (vec![0.7, 0.9], 3));
    moved(home, ann, "Junk", "INBOX", "2");
    assert_eq!(told(0).1, 2);
    assert_eq!(told(1).1, 1);
    moved(home, ann, "Junk", "Trash", "3");
    assert_eq!(told(1).1, 0);
    let statistics = home.read(move |view| view.spam_statistics(ann, NOW));
    assert_eq!((statistics.junked, statistics.rescued), (3, 1));
    let later = UnixMillis(NOW.0 + limits::JUNKED_AGE_MILLIS + 10);
    block_on(home.store.tidy_lessons(later)).expect("tidied");
    let statistics = home.read(move |view| view.spam_statistics(ann, NOW));
    assert_eq!(statistics.junked, 0);
}

fn a_lesson_that_fails_is_given_up(home: &Home) {
    let ann = home.account("ann");
    home.deliver(ann, b"poison");
    moved(home, ann, "INBOX", "Junk", "1");
    let waiting = home.read(move |view| view.waiting_lessons(ann, 10));
    let begun: Vec<usize> = (0..5)
        .map(|_| {
            let waiting = waiting.clone();
            home.write(move |change| change.begin_lessons(&waiting))
                .expect("begun")
                .len()
        })
        .collect();
    assert_eq!(begun, [1, 1, 1, 0, 0]);
    assert_eq!(work(home), 0);
    check_lessons(home, ann, 0, 0);
}

fn what_is_kept_balances_what_was_junked(home: &Home) {
    let ann = home.account("ann");
    let kept = |at: UnixMillis, limit: usize| {
        home.read(move |view| view.counterweights(ann, at, limit))
            .len()
    };
    for text in ["answered", "read", "unread", "deleted"] {
        home.deliver(ann, text.as_bytes());
    }
    let flags = |set: &str, flags: Flags| {
        let set = uids(set);
        home.write(move |change| {
            change.edit_flags(ann, INBOX, &set, &FlagEdit::Add(flags.into()), None, NOW)
        })
        .expect("flagged");
    };
    flags("1", Flags::ANSWERED.with(Flags::SEEN));
    flags("2", Flags::SEEN);
    flags("4", Flags::ANSWERED.with(Flags::DELETED));
    let later = UnixMillis(NOW.0 + limits::COUNTERWEIGHT_AGE_MILLIS + 1);
    assert_eq!(kept(later, 9), 0, "nothing was junked");
    teach(home, ann, Class::Junk, "cheap pills");
    assert_eq!(kept(later, 9), 1, "one to one is enough");
    teach(home, ann, Class::Junk, "cheap watches");
    assert_eq!(kept(NOW, 9), 1, "what was just read may yet be junked");
    assert_eq!(kept(later, 9), 2);
    assert_eq!(kept(later, 1), 1);
    for text in ["answered", "other"] {
        teach(home, ann, Class::Wanted, text);
    }
    assert_eq!(kept(later, 9), 0, "one to one is enough");
    for text in ["cheap tours", "cheap rings"] {
        teach(home, ann, Class::Junk, text);
    }
    assert_eq!(kept(later, 9), 1, "each message once");
}

/// Between the look at a lesson and its counting the person may say something else.
fn what_is_due_by_now_is_learnt_from_its_body(home: &Home) {
    let ann = home.account("ann");
    home.deliver(ann, b"cheap pills");
    moved(home, ann, "INBOX", "Junk", "1");
    work(home);
    moved(home, ann, "Junk", "INBOX", "1");
    let seen = home.read(move |view| view.waiting_lessons(ann, 1));
    assert_eq!((seen[0].due, seen[0].body), (None, None));
    marked(home, ann, "INBOX", FlagEdit::Set(keyword("$NotJunk")));
    let learnt = home.write(move |change| change.learn(&seen[0], &Material::default(), NOW));
    assert_eq!(learnt.expect("nothing"), Learnt::default());
    check_lessons(home, ann, 1, 0);
    work(home);
    check_lessons(home, ann, 0, 1);
    let one = Count { junk: 0, wanted: 1 };
    let counts = taught(home, ann, "pills").account.counts;
    assert_eq!(counts, [(feature("pills"), one)]);
}

/// Whatever comes together in one transaction, and taken back together.
fn lessons_together_count_as_one_by_one(home: &Home) {
    let [ann, bob] = ["ann", "bob"].map(|name| home.account(name));
    // More features than one statement takes, some common, some taken back, some turned round.
    let text = |at: usize| {
        let own: String = (0..60)
            .map(|word| format!("w{} ", at * 40 + word))
            .collect();
        format!("common {own}")
    };
    let told = |account: AccountId, at: usize| {
        let text = text(at);
        let key = LessonKey::of_bytes(account, text.as_bytes());
        (key, material(text.as_bytes()))
    };
    let class = |at: usize| [Class::Junk, Class::Wanted][at % 2];
    let all: Vec<(usize, Option<Class>)> = (0..12)
        .map(|at| (at, Some(class(at))))
        .chain((0..4).map(|at| (at, None)))
        .chain((4..8).map(|at| (at, Some(class(at + 1)))))
        .collect();
    for account in [ann, bob] {
        for chunk in all.chunks(if account == ann { 1 } else { 16 }) {
            for class in [None, Some(Class::Junk), Some(Class::Wanted)] {
                let same = chunk.iter().filter(|(_, told)| *told == class);
                let messages: Vec<_> = same.map(|(at, _)| told(account, *at)).collect();
                home.write(move |change| change.teach_all(account, class, &messages, NOW))
                    .expect("taught");
            }
        }
    }
    // Bob's order is another one: what he said last counts.
    for at in 0..12 {
        let (key, material) = told(bob, at);
        let ann = learnt(home, ann, text(at).as_bytes());
        home.write(move |change| change.teach(key, ann, &material, NOW))
            .expect("taught");
    }
    let words: String = (0..12).map(text).collect();
    let of = |account| {
        let mut lore = taught(home, account, &words).account;
        lore.counts.sort_unstable_by_key(|(feature, _)| *feature);
        lore
    };
    assert_eq!(of(ann), of(bob));
    assert_eq!(of(ann).totals, Count { junk: 4, wanted: 4 });
    let double = |lore: Lore| -> BTreeMap<u64, Count> {
        let twice = |count: u32| 2 * count.min(3);
        let counts = lore.counts.into_iter();
        counts
            .map(|(feature, count)| {
                let (junk, wanted) = (twice(count.junk), twice(count.wanted));
                (feature, Count { junk, wanted })
            })
            .collect()
    };
    let server: BTreeMap<u64, Count> = taught(home, ann, &words)
        .server
        .counts
        .into_iter()
        .collect();
    assert_eq!(server, double(of(ann)));
}

fn one_that_failed_is_begun_alone(home: &Home) {
    let ann = home.account("ann");
    for text in ["one", "two", "three"] {
        home.deliver(ann, text.as_bytes());
    }
    moved(home, ann, "INBOX", "Junk", "1:3");
    let begin = || {
        let waiting = home.read(move |view| view.waiting_lessons(ann, 10));
        home.write(move |change| change.begin_lessons(&waiting))
            .expect("begun")
            .len()
    };
    assert_eq!(begin(), 3);
    // Whoever began fell over one of them: each comes alone until it is given up.
    assert_eq!((begin(), begin(), begin()), (1, 1, 0));
    assert_eq!((begin(), begin(), begin()), (1, 1, 0));
    assert_eq!((begin(), begin(), begin()), (1, 1, 0));
    assert_eq!(work(home), 0);
}

/// Mail programs "delete" junk by a move to Trash, and whoever erred fetches it from there.
fn back_by_way_of_the_trash_is_taken_back(home: &Home) {
    let ann = home.account("ann");
    home.deliver(ann, b"invoice");
    home.deliver(ann, b"never junk");
    moved(home, ann, "INBOX", "Junk", "1");
    work(home);
    check_lessons(home, ann, 1, 0);
    moved(home, ann, "Junk", "Trash", "1");
    work(home);
    check_lessons(home, ann, 1, 0);
    moved(home, ann, "Trash", "INBOX", "1");
    work(home);
    check_lessons(home, ann, 0, 0);
    moved(home, ann, "INBOX", "Trash", "2");
    moved(home, ann, "Trash", "INBOX", "2");
    assert_eq!(work(home), 0);
    check_lessons(home, ann, 0, 0);
    // What the filter junked: fetched from the trash it was wanted.
    let delivered = into_junk(home, ann, b"filtered");
    let junked = Junked {
        account: ann,
        message: delivered.message,
        at: NOW,
        probability: 0.9,
        reason: String::new(),
        message_id: None,
    };
    home.write(move |change| change.note_junked(&junked))
        .expect("noted");
    let uid = |mailbox: &str| {
        let mailbox = home.mailbox(ann, mailbox).id;
        let placed = home.placements(ann, mailbox);
        placed.last().expect("it is there").uid.0.to_string()
    };
    moved(home, ann, "Junk", "Trash", &uid("Junk"));
    moved(home, ann, "Trash", "INBOX", &uid("Trash"));
    work(home);
    check_lessons(home, ann, 0, 1);
    let statistics = home.read(move |view| view.spam_statistics(ann, NOW));
    assert_eq!((statistics.junked, statistics.rescued), (1, 1));
}
