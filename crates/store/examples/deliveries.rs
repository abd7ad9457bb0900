//! Measures deliveries: `cargo run --release -p store --example deliveries -- [DIR] [CALLERS] [SECONDS] [USERS] [BYTES]`.
//! Prints messages per second, CPU seconds per 1,000, and how many shared a commit.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures real time and says it"
)]

use std::time::{Duration, Instant};

use mail::{Address, Domain, Summary, TraceId, UnixMillis};
use store::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| {
        args.get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (callers, seconds, users, bytes) = (
        number(1, 32),
        number(2, 5),
        number(3, 20),
        number(4, 10_240),
    );
    let parent = args.first().map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(parent)?;
    let store = Store::open(&StoreSettings::embedded(dir.path()))?;
    let accounts = accounts(&store, users)?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let (begin, cpu, commits) = (Instant::now(), cpu_seconds(), store.commits());
    let until = begin + Duration::from_secs(seconds as u64);
    let count: u64 = runtime.block_on(async {
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                tokio::spawn(deliver(
                    store.clone(),
                    accounts.clone(),
                    caller,
                    bytes,
                    until,
                ))
            })
            .collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap_or(0);
        }
        count
    });
    let (wall, cpu, commits) = (
        begin.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        store.commits() - commits,
    );
    let per_thousand = cpu * 1000.0 / count as f64;
    {
        println!(
            "{count} deliveries of {bytes} bytes to {users} users, {callers} at once: {:.0}/s, {per_thousand:.3} CPU s per 1,000, \
             {:.1} per commit",
            count as f64 / wall,
            count as f64 / commits as f64
        );
    }
    store.close();
    Ok(())
}

async fn deliver(
    store: Store,
    accounts: Vec<AccountId>,
    caller: usize,
    bytes: usize,
    until: Instant,
) -> u64 {
    let mut count = 0;
    while Instant::now() < until {
        let mut body = format!("Subject: {caller} {count}\r\n\r\n").into_bytes();
        body.resize(bytes, b'x');
        let Ok(kept) = store.keep(body).await else {
            break;
        };
        let mut seed = [0; 10];
        seed[..8].copy_from_slice(&((caller as u64) << 40 | count).to_be_bytes());
        let mut summary = summary();
        summary.thread.message_id = Some(format!("{caller}.{count}@bench.example"));
        let delivery = Delivery {
            trace: TraceId::from_random(seed),
            kept,
            summary,
            targets: vec![DeliveryTarget {
                account: accounts[(caller + count as usize) % accounts.len()],
                place: Place::Inbox,
                marks: Marks::none(),
            }],
            quota: QuotaRule::Refuse,
            received: UnixMillis(1_700_000_000_000),
        };
        if store
            .accept(move |change| change.deliver(&delivery))
            .await
            .is_err()
        {
            break;
        }
        count += 1;
    }
    count
}

fn accounts(store: &Store, users: usize) -> Result<Vec<AccountId>, Box<dyn std::error::Error>> {
    let now = UnixMillis(1_700_000_000_000);
    let domain = Domain::parse("bench.example")?;
    store.write_blocking(Durability::Durable, move |change| {
        change.add_domain(&domain, now)
    })?;
    (0..users)
        .map(|user| {
            let address = Address::parse(&format!("u{user}@bench.example"))?;
            let account = NewAccount {
                address,
                name: String::new(),
                password: "password".to_owned(),
                quota: None,
            };
            Ok(store.add_account_blocking(account, now)?)
        })
        .collect()
}

/// The size of what a message of ordinary length leaves.
fn summary() -> Summary {
    Summary {
        envelope: vec![b'e'; 420],
        structure: vec![b's'; 80],
        thread: mail::ThreadKeys::default(),
        sent: Some(UnixMillis(1_700_000_000_000)),
        preview: "p".repeat(150),
        has_attachment: false,
    }
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    ticks as f64 / 100.0
}
