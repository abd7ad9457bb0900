//! Measures learning: `cargo run --release -p store --example lessons -- [LESSONS] [FEATURES] [TOGETHER]`, with
//! `DATABASE=postgres://…` in the environment on PostgreSQL (an empty database). Prints lessons per second, what reading for a verdict costs for accounts with and without lessons, what a move of all into
//! Junk costs, and the size of the database.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures real time and says it"
)]

use std::time::{Duration, Instant};

use mail::{Address, Domain, UnixMillis};
use store::lessons::{Class, LessonKey, Material};
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
    let together = args.get(2).copied().unwrap_or(10).max(1);
    let mut settings = StoreSettings::embedded(dir.path());
    settings.url = std::env::var("DATABASE").ok();
    let store = Store::open(&settings)?;
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
    let mut longest = Duration::ZERO;
    for first in (0..lessons).step_by(together) {
        for account in [ann, bob] {
            let class = match first / together % 2 {
                0 => Class::Junk,
                _ => Class::Wanted,
            };
            let messages: Vec<(LessonKey, Material)> = (first..lessons.min(first + together))
                .map(|at| {
                    let material = Material {
                        features: words(at as u64, features),
                        ..Material::default()
                    };
                    (LessonKey::of_bytes(account, &at.to_le_bytes()), material)
                })
                .collect();
            let begin = Instant::now();
            store.write_blocking(Durability::Relaxed, move |change| {
                change.teach_all(account, Some(class), &messages, NOW)
            })?;
            longest = longest.max(begin.elapsed());
        }
    }
    let per_lesson = begin.elapsed() / (2 * lessons) as u32;
    println!(
        "a lesson of {features} features: {per_lesson:?}; a transaction of {together}: {longest:?} at most"
    );
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
