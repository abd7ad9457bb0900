//! Laws that hold after any weather, under many seeds; each seed twice, with equal traces.
//!
//! No message answered with 250 is lost: each ends delivered, reported as failed, or still queued
//! (and nothing is queued for ever). Nothing arrives that nobody sent.

use std::ops::Range;
use std::sync::Arc;

use simulator::{DnsFault, Host, Internet, Lifetime, Reach, Remote, Script, days, hours, minutes};
use world::Random;

use crate::{ANN, BOB};

const SEEDS: u64 = 12;
const MESSAGES: u64 = 12;

/// What became of everything, in a form that can be compared.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    trace: Vec<String>,
    accepted: Vec<String>,
    inboxes: Vec<Vec<String>>,
}

#[test]
fn no_weather_loses_mail_and_equal_seeds_are_equal() {
    for seed in seeds() {
        let first = Internet::simulated(seed, async |internet| season(internet, seed).await);
        let second = Internet::simulated(seed, async |internet| season(internet, seed).await);
        for (one, two) in first.trace.iter().zip(&second.trace) {
            assert_eq!(one, two, "seed {seed} does not repeat");
        }
        assert_eq!(first, second, "seed {seed} does not repeat");
    }
}

/// The usual ones, or those named in POSTROAD_SEED, to look at one closely (`9`) or to search for
/// trouble (`12..500`).
fn seeds() -> Range<u64> {
    let Ok(named) = std::env::var("POSTROAD_SEED") else {
        return 0..SEEDS;
    };
    let number = |text: &str| text.parse::<u64>().expect("a number or a range of numbers");
    match named.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&named)..number(&named) + 1,
    }
}

async fn season(internet: Internet, seed: u64) -> Outcome {
    let random = internet.random("weather");
    let mut here = internet
        .host("mx.here.test")
        .domain("here.test")
        .account(ANN)
        .start()
        .await;
    let there = internet
        .host("mx.there.test")
        .domain("there.test")
        .account(BOB)
        .start()
        .await;
    let stormy = Script::accept().faults(60 + 20 * (seed % 5));
    let far = internet.remote_domain("far.test", stormy).await;
    let lines = random.branch("lines");
    internet
        .network()
        .set_lifetimes(move || match lines.below(10) {
            0 | 1 => Lifetime::Bytes(lines.below(6_000) as usize),
            _ => Lifetime::Unbounded,
        });
    let mut accepted = Vec::new();
    for number in 0..MESSAGES {
        change_weather(&internet, &*random, &far, &there);
        // The power fails now and then, in the middle of whatever is going on.
        if random.below(8) == 0 {
            here.start_again().await;
        }
        accepted.extend(try_send(&internet, &here, &there, number, &*random).await);
        internet.pass(minutes(random.below(180))).await;
    }
    for _ in 0..20 {
        change_weather(&internet, &*random, &far, &there);
        internet.pass(hours(random.below(8))).await;
    }
    clear_weather(&internet, &far, &there);
    internet.pass(days(6)).await;
    check_laws(&internet, &here, &there, &far, &accepted);
    Outcome {
        trace: internet.trace().lines(),
        accepted,
        inboxes: vec![here.inbox(ANN), there.inbox(BOB)],
    }
}

fn change_weather(internet: &Internet, random: &dyn Random, far: &Remote, there: &Host) {
    let faults = [DnsFault::ServFail, DnsFault::Silent, DnsFault::Refused];
    for name in ["far.test", "mx.far.test", "there.test", "mx.there.test"] {
        match random.below(6) {
            0 => internet
                .zones()
                .fault(name, faults[random.below(3) as usize]),
            _ => internet.zones().mend(name),
        }
    }
    let reaches = [Reach::Refused, Reach::Unreachable, Reach::Silent];
    for address in [far.at().ip(), there.address()] {
        let reach = match random.below(6) {
            0 => reaches[random.below(3) as usize],
            _ => Reach::Up,
        };
        internet.network().set_reach(address, reach);
    }
}

fn clear_weather(internet: &Internet, far: &Remote, there: &Host) {
    for name in ["far.test", "mx.far.test", "there.test", "mx.there.test"] {
        internet.zones().mend(name);
    }
    for address in [far.at().ip(), there.address()] {
        internet.network().set_reach(address, Reach::Up);
    }
    internet.network().set_lifetimes(|| Lifetime::Unbounded);
    far.set_script(Script::accept());
}

/// A message with a word that is nowhere else; the word comes back if it was taken.
async fn try_send(
    internet: &Internet,
    here: &Host,
    there: &Host,
    number: u64,
    random: &dyn Random,
) -> Option<String> {
    let word = format!("word-{number:04}-{:08x}", random.below(1 << 32));
    let far = format!("user{}@far.test", random.below(3));
    let (host, from, to) = match random.below(3) {
        0 => (here, ANN, vec![BOB]),
        1 => (here, ANN, vec![far.as_str(), BOB]),
        _ => (there, BOB, vec![far.as_str(), ANN]),
    };
    let world = internet.world(&word, vec![internet.fresh_address()]);
    // A user does not wait for a silent network for ever.
    let patience = internet.now() + minutes(1);
    let connecting = world.net.connect(None, host.submission());
    let stream = world
        .tasks
        .deadline(patience, connecting)
        .await
        .ok()?
        .ok()?;
    let mut client = simulator::Client::new(stream);
    client.reply().await.ok()?;
    client.say("EHLO client.test").await.ok()?;
    client.log_in(from, simulator::PASSWORD).await.ok()?;
    let message = format!("From: <{from}>\r\nSubject: {word}\r\n\r\nAbout {word}.\r\n");
    let reply = client.transact(from, &to, &message).await.ok()?;
    let _ = client.say("QUIT").await;
    (reply.code == 250).then(|| format!("{word} {from} {}", to.join(" ")))
}

#[track_caller]
fn check_laws(internet: &Internet, here: &Host, there: &Host, far: &Remote, accepted: &[String]) {
    let story = || internet.trace().lines().join("\n");
    for host in [here, there] {
        assert!(
            host.queue().is_empty(),
            "{} still has mail:\n{}",
            host.name(),
            story()
        );
    }
    let inbox_of = |address: &str| match address {
        ANN => here.inbox(ANN),
        _ => there.inbox(BOB),
    };
    let far_taken = far.taken();
    for line in accepted {
        let mut words = line.split(' ');
        let (word, from) = (words.next().unwrap(), words.next().unwrap());
        let subject = format!("Subject: {word}");
        for to in words {
            let delivered = match to.ends_with("@far.test") {
                true => {
                    let mine = |taken: &&simulator::Taken| taken.text().contains(&subject);
                    far_taken
                        .iter()
                        .filter(mine)
                        .any(|taken| taken.to().contains(&to))
                }
                false => {
                    let report = |message: &String| message.contains("multipart/report");
                    inbox_of(to)
                        .iter()
                        .any(|message| message.contains(&subject) && !report(message))
                }
            };
            let reported = inbox_of(from).iter().any(|message| {
                message.contains("Action: failed") && message.contains(word) && message.contains(to)
            });
            assert!(
                delivered || reported,
                "{word} from {from} to {to} is lost:\n{}",
                story()
            );
        }
    }
}

#[test]
fn seeds_differ() {
    let run = |seed| Internet::simulated(seed, async |internet| season(internet, seed).await.trace);
    assert_ne!(run(100), run(101));
}

#[test]
fn branches_of_randomness_are_independent() {
    let seeded = |seed| -> Arc<dyn Random> { Arc::new(world::SeededRandom::new(seed)) };
    let draw = |random: &dyn Random| (0..8).map(|_| random.below(1000)).collect::<Vec<_>>();
    let (one, two) = (seeded(1), seeded(1));
    assert_eq!(draw(&*one.branch("a")), draw(&*two.branch("a")));
    assert_ne!(draw(&*one.branch("a")), draw(&*one.branch("b")));
    // Drawing from the trunk changes no branch.
    draw(&*one);
    assert_eq!(draw(&*one.branch("c")), draw(&*two.branch("c")));
    assert_ne!(draw(&*seeded(1)), draw(&*seeded(2)));
}
