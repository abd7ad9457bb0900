//! People teach the spam filter with their mail programs: what they move into Junk and out of it decides where the next of its
//! kind goes, for them at once, for others when two agree. And what was junked is told of in the morning.

use mail::{Address, UnixMillis};
use simulator::{Client, Host, Internet, PASSWORD, Service, days, hours, minutes};
use store::lessons::{Choice, Scope};
use store::{AccountId, Durability};

use crate::ANN;

const BEN: &str = "ben@here.test";
const CARLA: &str = "carla@here.test";

async fn house(internet: &Internet) -> Host {
    internet
        .host("mx.here.test")
        .domain("here.test")
        .account(ANN)
        .account(BEN)
        .account(CARLA)
        .start()
        .await
}

/// One of a campaign: the words stay, the rest changes.
fn offer(number: u32) -> String {
    format!(
        "From: Garden Tools <sales{number}@tools{number}.test>\r\nTo: you\r\nSubject: Wheelbarrow clearance, offer {number}\r\n\
         Message-ID: <{number}@tools{number}.test>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n\
         Our wheelbarrow clearance ends on Sunday. Galvanised wheelbarrows, sturdy spades and rakes with ash handles, all at \
         half the price while the warehouse empties. Order number {number} today and the gloves come for free.\r\n"
    )
}

/// Mail that people here want.
fn minutes_of(number: u32) -> String {
    format!(
        "From: Choir <choir@song.test>\r\nTo: you\r\nSubject: Rehearsal {number}\r\nMessage-ID: <{number}@song.test>\r\n\
         Date: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n\
         Dear singers, we meet on Tuesday at eight in the parish hall. Please bring the blue folder; we begin with the motet \
         that we did not finish last week, rehearsal {number}.\r\n"
    )
}

async fn arrives(internet: &Internet, host: &Host, to: &str, message: &str) {
    let mut stranger = internet.stranger(host.mx()).await;
    let reply = stranger.transact("sender@far.test", &[to], message).await;
    assert_eq!(reply.expect("a reply").code, 250);
}

async fn reader(internet: &Internet, host: &Host, login: &str, mailbox: &str) -> Client {
    let mut client = internet.connect(host.service(Service::Imap)).await;
    assert!(client.line().await.unwrap().starts_with("* OK"));
    say(&mut client, &format!("LOGIN {login} \"{PASSWORD}\"")).await;
    say(&mut client, &format!("SELECT {mailbox}")).await;
    client
}

async fn say(client: &mut Client, command: &str) {
    client.send(&format!("a {command}")).await.unwrap();
    loop {
        let line = client.line().await.unwrap();
        if let Some(result) = line.strip_prefix("a ") {
            assert!(result.starts_with("OK"), "{command}: {line}");
            return;
        }
    }
}

fn account(host: &Host, address: &str) -> AccountId {
    let address = Address::parse(address).unwrap();
    let found = host
        .store()
        .read_blocking(move |view| view.account_by_address(&address));
    found.unwrap().unwrap().id
}

/// Junk and wanted lessons that are counted.
fn lessons(host: &Host, address: &str) -> (u32, u32) {
    let account = account(host, address);
    let taught = host
        .store()
        .read_blocking(move |view| view.taught(account, &[]));
    let totals = taught.unwrap().account.totals;
    (totals.junk, totals.wanted)
}

async fn learnt(internet: &Internet, host: &Host, address: &str, expected: (u32, u32)) {
    internet
        .until(minutes(1), || lessons(host, address) == expected)
        .await;
}

fn counts(host: &Host, address: &str) -> (usize, usize) {
    (
        host.inbox(address).len(),
        host.mailbox(address, "Junk").len(),
    )
}

async fn teach(internet: &Internet, host: &Host, who: &str, numbers: std::ops::Range<u32>) {
    let many = numbers.len() as u32;
    for number in numbers {
        arrives(internet, host, who, &offer(number)).await;
    }
    arrives(internet, host, who, &minutes_of(1)).await;
    let mut client = reader(internet, host, who, "INBOX").await;
    say(&mut client, &format!("MOVE 1:{many} Junk")).await;
    learnt(internet, host, who, (many, 0)).await;
}

#[test]
fn what_was_moved_to_junk_teaches_at_once() {
    Internet::simulated(1, async |internet| {
        let host = house(&internet).await;
        teach(&internet, &host, ANN, 1..4).await;
        assert_eq!(counts(&host, ANN), (1, 3));
        // The next of the kind goes to Junk for her; for others she alone does not speak.
        arrives(&internet, &host, ANN, &offer(7)).await;
        assert_eq!(counts(&host, ANN), (1, 4));
        arrives(&internet, &host, ANN, &minutes_of(2)).await;
        assert_eq!(counts(&host, ANN), (2, 4), "other mail is as before");
        arrives(&internet, &host, CARLA, &offer(8)).await;
        assert_eq!(counts(&host, CARLA), (1, 0));
        // She takes it all back.
        let mut client = reader(&internet, &host, ANN, "Junk").await;
        say(&mut client, "MOVE 1:3 INBOX").await;
        learnt(&internet, &host, ANN, (0, 0)).await;
        arrives(&internet, &host, ANN, &offer(9)).await;
        assert_eq!(counts(&host, ANN), (6, 1));
    });
}

#[test]
fn what_two_taught_counts_for_all() {
    Internet::simulated(2, async |internet| {
        let host = house(&internet).await;
        teach(&internet, &host, ANN, 1..5).await;
        teach(&internet, &host, BEN, 11..15).await;
        arrives(&internet, &host, CARLA, &offer(21)).await;
        assert_eq!(counts(&host, CARLA), (0, 1));
        arrives(&internet, &host, CARLA, &minutes_of(3)).await;
        assert_eq!(counts(&host, CARLA), (1, 1));
        // Her own word counts more.
        let mut client = reader(&internet, &host, CARLA, "Junk").await;
        say(&mut client, "STORE 1 +FLAGS ($NotJunk)").await;
        say(&mut client, "MOVE 1 INBOX").await;
        learnt(&internet, &host, CARLA, (0, 1)).await;
        arrives(&internet, &host, CARLA, &offer(22)).await;
        assert_eq!(counts(&host, CARLA), (3, 0));
    });
}

#[test]
fn a_lesson_outlives_a_power_cut() {
    Internet::simulated(3, async |internet| {
        let mut host = house(&internet).await;
        for number in 1..4 {
            arrives(&internet, &host, ANN, &offer(number)).await;
        }
        let mut client = reader(&internet, &host, ANN, "INBOX").await;
        say(&mut client, "MOVE 1:3 Junk").await;
        host.kill();
        host.start_again().await;
        learnt(&internet, &host, ANN, (3, 0)).await;
        internet.pass(days(1)).await;
        assert_eq!(lessons(&host, ANN), (3, 0), "each counts once");
    });
}

fn summaries(host: &Host, address: &str) -> Vec<String> {
    let mut inbox = host.inbox(address);
    inbox.retain(|message| message.contains("went to Junk"));
    inbox
}

fn wants_summaries(host: &Host, address: &str) {
    let (account, now) = (account(host, address), UnixMillis(0));
    host.store()
        .write_blocking(Durability::Durable, move |change| {
            change.set_spam_choice(&Scope::Account(account), &Choice::Digest(true), now)
        })
        .unwrap();
}

#[test]
fn a_summary_comes_in_the_morning_and_once() {
    Internet::simulated(4, async |internet| {
        let mut host = house(&internet).await;
        wants_summaries(&host, ANN);
        internet.pass(hours(24)).await;
        assert_eq!(summaries(&host, ANN).len(), 0, "nothing to tell");
        teach(&internet, &host, ANN, 1..4).await;
        for number in 31..34 {
            arrives(&internet, &host, ANN, &offer(number)).await;
        }
        assert_eq!(counts(&host, ANN).1, 6);
        // Whatever happens in between.
        for _ in 0..24 {
            internet.pass(minutes(55)).await;
            host.kill();
            host.start_again().await;
            internet.pass(minutes(5)).await;
        }
        let told = summaries(&host, ANN);
        assert_eq!(told.len(), 1, "{told:#?}");
        let text = &told[0];
        assert!(text.contains("Subject: 3 messages went to Junk"), "{text}");
        assert!(text.contains("Wheelbarrow clearance, offer 32"), "{text}");
        assert!(text.contains("multipart/alternative"), "{text}");
        assert_eq!(summaries(&host, BEN).len(), 0, "he did not ask");
        // A crash after it was delivered, before that was noted.
        let ann = account(&host, ANN);
        let state = host.store().read_blocking(move |view| view.digest(ann));
        let day = state.unwrap().day.unwrap();
        host.store()
            .write_blocking(Durability::Durable, move |change| {
                change.note_digest(ann, day - 1, UnixMillis(0))
            })
            .unwrap();
        internet.pass(hours(1)).await;
        assert_eq!(summaries(&host, ANN).len(), 1, "it is known by its name");
        internet.pass(days(2)).await;
        assert_eq!(summaries(&host, ANN).len(), 1, "all was told");
    });
}
