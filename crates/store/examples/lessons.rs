//! Measures learning: `cargo run --release -p store --example lessons -- [LESSONS] [FEATURES]`.
//! Prints lessons per second, what reading for a verdict costs for accounts with and without lessons, what a move of all into
//! Junk costs, and the size of the database.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures real time and says it"
)]

use std::time::{Duration, Instant};

use mail::{Address, Domain, UnixMillis};
use store::lessons::{Class, LessonKey};
use store::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok())
        .collect();
    let lessons = args.first().copied().unwrap_or(2_000);
    let features = args.get(1).copied().unwrap_or(400);
    let dir = tempfile::tempdir()?;
    let store = Store::open(&StoreSettings::embedded(dir.path()))?;
    let domain = Domain::parse("here.example")?;
    store.write_blocking(Durability::Durable, move |change| {
        change.add_domain(&domain, NOW)
    })?;
    let people = ["ann", "bob", "carl"].map(|name| {
        store.add_account_blocking(
            NewAccount {
                address: Address::parse(&format!("{name}@here.example"))
                    .unwrap_or_else(|_| unreachable!()),
                name: name.to_owned(),
                password: "correct horse battery".to_owned(),
                quota: None,
            },
            NOW,
        )
    });
    let [ann, bob, carl] = people;
    let (ann, bob, carl) = (ann?, bob?, carl?);
    let begin = Instant::now();
    for at in 0..lessons {
        for account in [ann, bob] {
            let set = words(at as u64, features);
            let key = LessonKey::of_bytes(account, &at.to_le_bytes());
            let class = if at % 2 == 0 {
                Class::Junk
            } else {
                Class::Wanted
            };
            store.write_blocking(Durability::Relaxed, move |change| {
                change.teach(key, Some(class), &set, None, NOW)
            })?;
        }
    }
    let per_lesson = begin.elapsed() / (2 * lessons) as u32;
    println!("a lesson of {features} features: {per_lesson:?}");
    let silent = read(&store, carl, features)?;
    let taught = read(&store, ann, features)?;
    println!(
        "reading for a verdict: {taught:?} with lessons, {silent:?} with those of others only"
    );
    let empty = tempfile::tempdir()?;
    let nobody = Store::open(&StoreSettings::embedded(empty.path()))?;
    println!("where nobody taught: {:?}", read(&nobody, ann, features)?);
    let size = std::fs::metadata(dir.path().join("postroad.db"))?.len();
    println!(
        "database: {} MB for {} lessons",
        size / 1_000_000,
        2 * lessons
    );
    Ok(())
}

fn read(store: &Store, account: AccountId, features: usize) -> Result<Duration, StoreError> {
    const ROUNDS: u32 = 200;
    let begin = Instant::now();
    for at in 0..ROUNDS {
        let set = words(1_000_000 + u64::from(at), features);
        store.read_blocking(move |view| view.taught(account, &set))?;
    }
    Ok(begin.elapsed() / ROUNDS)
}

/// Half of them words that many messages have, half of them words of this one.
fn words(message: u64, features: usize) -> Vec<u64> {
    let mix = |seed: u64| {
        let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (mixed >> 32)
    };
    (0..features as u64)
        .map(|at| match at % 2 {
            0 => mix(mix(message * 1_000 + at) % 5_000),
            _ => mix(message * 1_000 + at + 1_000_000_000),
        })
        .collect()
}
