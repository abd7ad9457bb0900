//! Who speaks for the others with what they taught the spam filter: nobody alone, and no few of many.

use std::collections::BTreeMap;

use mail::UnixMillis;
use store::lessons::*;
use store::*;

use crate::fixture::*;
use crate::lessons::{feature, features, material, taught, teach};

on_both!(
    one_account_speaks_for_nobody_else,
    ten_thousand_false_lessons_weigh_like_three,
    a_young_account_is_heard_later,
    two_of_many_are_not_heard,
);

fn one_account_speaks_for_nobody_else(home: &Home) {
    let people = ["ann", "bob", "carl"].map(|name| home.account(name));
    teach(home, people[0], Class::Junk, "cheap pills");
    assert_eq!(
        taught(home, people[2], "cheap pills").server,
        Lore::default()
    );
    teach(home, people[1], Class::Junk, "cheap watches");
    let server = taught(home, people[2], "cheap pills watches").server;
    assert_eq!(server.totals, Count { junk: 2, wanted: 0 });
    let two = Count { junk: 2, wanted: 0 };
    assert_eq!(server.counts, [(feature("cheap"), two)]);
}

fn ten_thousand_false_lessons_weigh_like_three(home: &Home) {
    let lessons = if home.is_postgres() { 100 } else { 10_000 };
    let [ann, bob, carl, mallory] =
        ["ann", "bob", "carl", "mallory"].map(|name| home.account(name));
    // What people here really think.
    for (at, person) in [ann, bob, carl].into_iter().enumerate() {
        teach(
            home,
            person,
            Class::Wanted,
            &format!("invoice meeting n{at}"),
        );
        teach(home, person, Class::Junk, &format!("pills casino n{at}"));
    }
    let asked = "invoice meeting pills casino secret";
    let before = taught(home, ann, asked).server;
    for first in (0..lessons).step_by(100) {
        home.write(move |change| {
            for at in first..first + 100 {
                let junk = format!("invoice meeting secret m{at}");
                let wanted = format!("pills casino o{at}");
                for (class, text) in [(Class::Junk, junk), (Class::Wanted, wanted)] {
                    let key = LessonKey::of_bytes(mallory, text.as_bytes());
                    change.teach(key, Some(class), &material(text.as_bytes()), NOW)?;
                }
            }
            Ok::<_, StoreError>(())
        })
        .expect("taught");
    }
    let after = taught(home, ann, asked).server;
    let of = |lore: &Lore, word: &str| {
        let found = lore
            .counts
            .iter()
            .find(|(known, _)| *known == feature(word));
        found.map(|(_, count)| (count.junk, count.wanted))
    };
    for (word, was, is) in [
        ("invoice", (0, 3), (1, 3)),
        ("meeting", (0, 3), (1, 3)),
        ("pills", (3, 0), (3, 1)),
    ] {
        assert_eq!((of(&before, word), of(&after, word)), (Some(was), Some(is)));
    }
    assert_eq!(of(&after, "secret"), None, "only one account says so");
    // At most three more of each class, however many there were.
    assert_eq!(before.totals, Count { junk: 3, wanted: 3 });
    assert_eq!(after.totals, Count { junk: 6, wanted: 6 });
    let own = taught(home, ann, asked).account;
    assert_eq!(own.totals, Count { junk: 1, wanted: 1 }, "hers are hers");
}

/// Accounts that somebody makes in order to be many are not heard; the same account is heard when it is a week old.
fn a_young_account_is_heard_later(home: &Home) {
    const DAY: i64 = 86_400_000;
    let at = |day: i64| UnixMillis(NOW.0 + day * DAY);
    let founders = ["ann", "bob"].map(|name| home.account(name));
    for founder in founders {
        teach(home, founder, Class::Wanted, "invoice meeting");
    }
    let young: Vec<AccountId> = (0..3)
        .map(|number| account_at(home, &format!("young{number}"), at(30)))
        .collect();
    let many: String = (0..1_100).map(|word| format!("f{word} ")).collect();
    let tell = |person: AccountId, text: &str, day: i64| {
        let key = LessonKey::of_bytes(person, text.as_bytes());
        let material = material(text.as_bytes());
        home.write(move |change| change.teach(key, Some(Class::Junk), &material, at(day)))
            .expect("taught");
    };
    for person in &young {
        tell(*person, "invoice casino", 30);
        // What one lesson keeps at most, and more than one piece.
        tell(*person, &many, 31);
    }
    let heard = |words: &str| {
        let mut counts = taught(home, founders[0], words).server.counts;
        counts.sort_unstable_by_key(|(feature, _)| *feature);
        counts
    };
    let invoice = |junk| vec![(feature("invoice"), Count { junk, wanted: 2 })];
    assert_eq!(heard("invoice casino"), invoice(0));
    block_on(home.store.tidy_lessons(at(36))).expect("tidied");
    assert_eq!(heard("invoice casino"), invoice(0), "not yet");
    let own = taught(home, young[0], "casino").account.counts;
    assert_eq!(own.len(), 1, "for themselves it counts at once");
    block_on(home.store.tidy_lessons(at(38))).expect("tidied");
    let casino = (feature("casino"), Count { junk: 3, wanted: 0 });
    assert!(heard("invoice casino").contains(&casino));
    let all = features(many.as_bytes())
        .len()
        .min(limits::LESSON_FEATURES_MAX);
    let voices = home.read(|view| view.taught_totals());
    assert_eq!(voices.teachers, Count { junk: 3, wanted: 2 });
    assert_eq!(voices.features as usize, all + 3);
    // From now on at once, and all of it goes with them.
    tell(young[0], "later", 39);
    tell(young[1], "later", 39);
    assert_eq!(heard("later").len(), 1);
    // Gone while it was not heard: nothing is taken away from the others.
    let late = account_at(home, "late", at(40));
    tell(late, "invoice casino", 40);
    for person in young.into_iter().chain([late]) {
        home.write(move |change| change.remove_account(person))
            .expect("removed");
    }
    block_on(home.store.tidy_lessons(at(60))).expect("tidied");
    assert_eq!(heard("invoice casino"), invoice(0));
    let voices = home.read(|view| view.taught_totals());
    assert_eq!(
        (voices.teachers, voices.features),
        (Count { junk: 0, wanted: 2 }, 2)
    );
}

fn account_at(home: &Home, name: &str, created: UnixMillis) -> AccountId {
    let account = NewAccount {
        address: address(name),
        name: name.to_owned(),
        password: PASSWORD.to_owned(),
        quota: None,
    };
    home.store
        .add_account_blocking(account, created)
        .expect("a new account")
}

/// Where many teach, two whose passwords were stolen neither speak for all nor silence them.
fn two_of_many_are_not_heard(home: &Home) {
    let people: Vec<AccountId> = (0..9).map(|at| home.account(&format!("p{at}"))).collect();
    for person in &people {
        teach(home, *person, Class::Wanted, "invoice meeting");
        teach(home, *person, Class::Junk, "pills");
    }
    for thief in &people[..2] {
        for at in 0..5 {
            teach(home, *thief, Class::Junk, &format!("invoice bank n{at}"));
            teach(home, *thief, Class::Wanted, &format!("pills n{at}"));
        }
    }
    let heard: BTreeMap<u64, Count> = taught(home, people[8], "invoice bank pills")
        .server
        .counts
        .into_iter()
        .collect();
    let count = |junk, wanted| Count { junk, wanted };
    let expected = [
        (feature("invoice"), count(2, 9)),
        (feature("pills"), count(9, 2)),
    ];
    assert_eq!(heard, BTreeMap::from(expected));
    teach(home, people[2], Class::Junk, "bank");
    let heard = taught(home, people[8], "bank").server.counts;
    assert_eq!(heard, [(feature("bank"), count(7, 0))], "three of nine are");
}
