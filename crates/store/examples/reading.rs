//! Measures what an IMAP session asks of a mailbox of 10,000: `cargo run --release -p store --example reading -- [DIR]`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures real time and says it"
)]

use std::time::Instant;

use mail::{Address, Domain, Summary, TraceId, UnixMillis};
use store::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const MESSAGES: u64 = 10_000;
const INBOX: MailboxId = MailboxId::INBOX;
const ALL: std::ops::RangeInclusive<Uid> = Uid::MIN..=Uid::MAX;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parent = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(parent)?;
    let begin = Instant::now();
    let store = Store::open(&StoreSettings::embedded(dir.path()))?;
    println!("{:>8.1} ms  open", begin.elapsed().as_secs_f64() * 1000.0);
    let domain = Domain::parse("bench.example")?;
    store.write_blocking(Durability::Durable, move |change| {
        change.add_domain(&domain, NOW)
    })?;
    let address = Address::parse("ann@bench.example")?;
    let account = NewAccount {
        address,
        name: String::new(),
        password: "password".to_owned(),
        quota: None,
    };
    let ann = store.add_account_blocking(account, NOW)?;
    for piece in 0..MESSAGES / 500 {
        let mut deliveries = Vec::new();
        for i in 0..500 {
            let kept = store.keep_blocking(vec![b'x'; 10_240])?;
            deliveries.push(delivery(ann, kept, piece * 500 + i));
        }
        store.write_blocking(Durability::Relaxed, move |change| {
            for delivery in &deliveries {
                drop(change.deliver(delivery)?);
            }
            Ok::<_, MessageError>(())
        })?;
    }
    for round in ["first", "again"] {
        timed(&format!("uids, {round}"), || {
            store
                .read_blocking(move |view| view.uids(ann, INBOX))
                .map(|uids| uids.len())
        })?;
        timed(&format!("flags, {round}"), || {
            store.read_blocking(move |view| {
                let mut seen = 0;
                view.each_placement(ann, INBOX, ALL, &mut |_| seen += 1)?;
                Ok::<_, StoreError>(seen)
            })
        })?;
        for (name, want) in [
            (
                "envelopes",
                Columns {
                    envelope: true,
                    ..Columns::default()
                },
            ),
            (
                "envelopes and bodies' places",
                Columns {
                    envelope: true,
                    body: true,
                    ..Columns::default()
                },
            ),
        ] {
            timed(&format!("{name}, {round}"), || {
                store.read_blocking(move |view| {
                    let mut bytes = 0;
                    view.each_message(ann, INBOX, ALL, want, &mut |row| {
                        bytes += row.envelope.len()
                    })?;
                    Ok::<_, StoreError>(bytes)
                })
            })?;
        }
        timed(&format!("bodies, {round}"), || {
            store.read_blocking(move |view| {
                let mut places = Vec::new();
                let want = Columns {
                    body: true,
                    ..Columns::default()
                };
                view.each_message(ann, INBOX, ALL, want, &mut |row| places.extend(row.body))?;
                let (mut bytes, mut buffer) = (0, Vec::new());
                for place in places {
                    buffer.clear();
                    view.read_body(&place, 0..u64::MAX, &mut buffer)?;
                    bytes += buffer.len();
                }
                Ok::<_, StoreError>(bytes)
            })
        })?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    timed("flag all", || {
        let edit = FlagEdit::Add(Flags::SEEN.into());
        runtime
            .block_on(store.edit_flags(ann, INBOX, UidSet::all(), edit, None, NOW))
            .map(|outcome| outcome.changed.len())
    })?;
    timed("copy all", || {
        let copy = move |change: &mut Change<'_>| {
            change.copy(ann, INBOX, &UidSet::all(), MailboxId(2), NOW)
        };
        store
            .write_blocking(Durability::Durable, copy)
            .map(|copied| copied.pairs.len())
    })?;
    timed("remove all", || {
        let remove = move |change: &mut Change<'_>| change.remove(ann, INBOX, &UidSet::all());
        store
            .write_blocking(Durability::Durable, remove)
            .map(|gone| gone.uids.len() as usize)
    })?;
    println!("{:>8} KB  resident", resident_kib());
    store.close();
    Ok(())
}

fn timed<E: std::error::Error + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<usize, E>,
) -> Result<(), Box<dyn std::error::Error>> {
    let begin = Instant::now();
    let count = work()?;
    println!(
        "{:>8.1} ms  {name} ({count})",
        begin.elapsed().as_secs_f64() * 1000.0
    );
    Ok(())
}

fn delivery(account: AccountId, kept: blobs::Kept, number: u64) -> Delivery {
    let mut seed = [0; 10];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let thread = mail::ThreadKeys {
        message_id: Some(format!("{number}@bench.example")),
        ..Default::default()
    };
    Delivery {
        trace: TraceId::from_random(seed),
        kept,
        summary: Summary {
            envelope: vec![b'e'; 420],
            structure: vec![b's'; 80],
            thread,
            sent: Some(NOW),
            preview: "p".repeat(150),
            has_attachment: false,
        },
        targets: vec![DeliveryTarget {
            account,
            place: Place::Inbox,
            marks: Marks::none(),
        }],
        quota: QuotaRule::Refuse,
        received: NOW,
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
