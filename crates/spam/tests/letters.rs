//! Letters of our own making, as they come today: tricks of each kind in several languages, and honest ones that speak of
//! the same things. What rules alone make of them, before the model or the sender's past has said anything.

use std::fs;
use std::path::Path;

use mail::Address;
use spam::facts::{Authentication, History, Proof};
use spam::{Envelope, Facts, Sight, Verdict, Weights, judge, rules};

/// The letters of a file, each begun by a line `From -`.
fn letters(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/letters")
        .join(format!("{name}.mbox"));
    let text = fs::read_to_string(&path).unwrap();
    let all = format!("\n{text}");
    let letters = all.split("\nFrom -").skip(1);
    letters
        .map(|letter| letter.split_once('\n').unwrap().1)
        .map(|letter| letter.replace('\n', "\r\n").into_bytes())
        .collect()
}

fn judged(letter: &[u8], facts: &Facts) -> Verdict {
    let to: Address = "ann@acme-works.example".parse().unwrap();
    let envelope = Envelope {
        recipients: std::slice::from_ref(&to),
        ..Envelope::default()
    };
    let found = rules(&Sight::of(letter), &envelope);
    judge(0.0, &found, facts, &Weights::default())
}

/// Of each kind how many of its letters rules alone call junk, at least.
const KINDS: &[(&str, usize)] = &[
    ("mailbox", 12),
    ("document", 9),
    ("parcel", 9),
    ("account", 13),
    ("subscription", 8),
    ("callback", 4),
    ("coins", 4),
    ("tax", 10),
    ("social", 3),
    ("prize", 5),
    ("extortion", 5),
    ("fortune", 5),
    ("errand", 6),
    ("job", 3),
    ("qr-code", 2),
    ("file", 2),
    ("calendar", 1),
    ("picture", 1),
    ("disguise", 3),
    ("reply-chain", 1),
];

#[test]
fn tricks_are_seen_through() {
    for (kind, least) in KINDS {
        let all = letters(kind);
        let verdicts = all.iter().map(|letter| judged(letter, &Facts::default()));
        let missed: Vec<String> = verdicts
            .enumerate()
            .filter(|(_, verdict)| !verdict.is_junk())
            .map(|(at, verdict)| format!("{at}: {:?}", verdict.words()))
            .collect();
        assert!(all.len() - missed.len() >= *least, "{kind}: {missed:#?}");
    }
}

#[test]
fn honest_letters_of_the_same_things_are_left_alone() {
    for (at, letter) in letters("wanted").iter().enumerate() {
        let verdict = judged(letter, &Facts::default());
        // Far from the threshold: what the model says of strangers comes on top.
        assert!(verdict.log_odds <= 2.0, "{at}: {:?}", verdict.words());
    }
}

#[test]
fn nothing_of_it_junks_the_mail_of_somebody_one_wrote_to() {
    let facts = Facts {
        authentication: Authentication {
            author: Some("friend@friend.example".to_owned()),
            proof: Proof::Proven,
            ..Authentication::default()
        },
        history: History {
            written_to_address: 3,
            ..History::default()
        },
        ..Facts::default()
    };
    for kind in ["document", "job", "errand", "reply-chain", "mailbox"] {
        for (at, letter) in letters(kind).iter().enumerate() {
            let verdict = judged(letter, &facts);
            assert!(!verdict.is_junk(), "{kind} {at}: {:?}", verdict.words());
        }
    }
}
