//! A month of a small server's mail, some twenty messages a day to six big providers. For ten days of it the
//! Microsoft-like one blocks the range of addresses that the server is in. What becomes of the mail: with
//! Postroad and a relay, with Postroad alone, and by the rules of Postfix's queue (`postfix.rs`), which the
//! same world meets. Equal seeds give equal months.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use mail::UnixMillis;
use simulator::{Host, Internet, Page, Provider, Script, days, hours, minutes};
use store::deliveries::{Notice, ProviderRelay, RelayProtection};
use store::findings::{ChannelKind, NewChannel};
use store::{Durability, StoreError};

use crate::ANN;
use crate::authors::publish_domain;
use crate::postfix;

pub const OURS: &str = "203.0.113.25";
const RANGE: &str = "203.0.113.0/24";
const HOOK: &str = "hook.elsewhere.test";
const RELAY: &str = "smtp.relay.test";
const RELAY_IP: &str = "198.51.100.40";
const SEED: u64 = 20_260_302;

const MONTH: Duration = days(30);
const BLOCK: (Duration, Duration) = (days(8), days(18));
/// Mail of the last days has time to arrive, or to come back.
const AFTERWARDS: Duration = days(8);

/// Provider and its part of a hundred messages.
const MIX: [(&str, u64); 6] = [
    ("gmail", 35),
    ("microsoft", 25),
    ("gmx", 15),
    ("apple", 10),
    ("yahoo", 8),
    ("t-online", 7),
];

/// A message that a user writes.
pub struct Letter {
    pub number: usize,
    pub at: Duration,
    pub to: String,
    pub provider: &'static str,
}

impl Letter {
    pub fn text(&self) -> String {
        format!(
            "Subject: letter {}\r\nTo: <{}>\r\n\r\nHello, how are you?\r\n",
            self.number, self.to
        )
    }
}

/// The internet of that month, without a server of ours yet.
pub struct Month {
    pub internet: Internet,
    providers: BTreeMap<&'static str, Provider>,
    pub letters: Vec<Letter>,
}

/// What became of one message.
#[derive(Clone, Copy, Default)]
struct Story {
    delivered: Option<Duration>,
    bounced: Option<Duration>,
}

/// What became of all of them.
#[derive(Debug)]
struct Sums {
    sent: usize,
    /// To the Microsoft-like provider, while it blocked.
    met_block: usize,
    /// Those of these that came back to their senders.
    bounced: usize,
    /// Those that came back sooner than five days after they were sent.
    bounced_early: usize,
    within_ten_minutes: usize,
    /// Delivered, but not while it mattered: after a day or more.
    after_a_day: usize,
    never: usize,
    longest: Duration,
    /// To Microsoft on the day after the block: late by more than ten minutes.
    late_after: usize,
    /// All others: lost, or late by more than ten minutes.
    others_harmed: usize,
    /// Attempts that the block refused.
    refused: usize,
    /// From the end of the block to the first message that went straight again.
    resumed: Option<Duration>,
    /// From the first refusal to the moment at which the operator's webhook had heard of it.
    told: Option<Duration>,
    notice: Option<Notice>,
    spam: usize,
}

impl Month {
    async fn new(internet: &Internet) -> Self {
        let mut providers = BTreeMap::new();
        for (id, _) in MIX {
            providers.insert(id, internet.provider(id).await);
        }
        let ours: IpAddr = OURS.parse().unwrap();
        // The operator has asked there, once, when the server was new.
        providers["t-online"].let_in(ours);
        let mut month = Self {
            internet: internet.clone(),
            providers,
            letters: Vec::new(),
        };
        month.write();
        month
    }

    /// Who writes when to whom: by the seed.
    fn write(&mut self) {
        let random = self.internet.random("month");
        for day in 0..30 {
            let few = if day % 7 < 5 { 18 } else { 8 };
            let mut times: Vec<_> = (0..few + random.below(few))
                .map(|_| days(day) + Duration::from_secs(random.below(12 * 3600)))
                .collect();
            times.sort();
            for at in times {
                let mut drawn = random.below(100);
                let mut parts = MIX.iter();
                let provider = loop {
                    let (id, part) = parts.next().expect("the parts make a hundred");
                    if drawn < *part {
                        break *id;
                    }
                    drawn -= part;
                };
                let domains: Vec<_> = self.providers[provider].model().domains().collect();
                let domain = domains[random.below(domains.len() as u64) as usize];
                self.letters.push(Letter {
                    number: self.letters.len(),
                    at,
                    to: format!("friend{}@{domain}", random.below(12)),
                    provider,
                });
            }
        }
    }

    fn microsoft(&self) -> &Provider {
        &self.providers["microsoft"]
    }

    /// Lets time pass until then; the block comes and goes on the way.
    pub async fn pass_until(&self, then: Duration) {
        for (at, blocks) in [(BLOCK.0, true), (BLOCK.1, false)] {
            let now = self.internet.elapsed();
            if now < at && at <= then {
                self.internet.pass(at - now).await;
                match blocks {
                    true => self.microsoft().block_range(RANGE),
                    false => self.microsoft().unblock(),
                }
            }
        }
        let now = self.internet.elapsed();
        if now < then {
            self.internet.pass(then - now).await;
        }
    }

    fn met_block(&self, letter: &Letter) -> bool {
        letter.provider == "microsoft" && BLOCK.0 <= letter.at && letter.at < BLOCK.1
    }

    /// `bounced`: number of the message, and when its sender learnt that it failed.
    fn sums(&self, bounced: &BTreeMap<usize, Duration>, notice: Option<Notice>) -> Sums {
        let mut stories = vec![Story::default(); self.letters.len()];
        let mut spam = 0;
        for provider in self.providers.values() {
            for taken in provider.taken() {
                let number = number_in(&taken.text()).expect("one of the month's letters");
                let story = &mut stories[number];
                assert!(story.delivered.is_none(), "letter {number} came twice");
                story.delivered = Some(taken.at);
                spam += usize::from(taken.spam.is_some());
            }
        }
        for (number, at) in bounced {
            stories[*number].bounced = Some(*at);
        }
        let refusals = self.microsoft().refused();
        let blocked = refusals.iter().filter(|it| it.rule == "block-range");
        let first = blocked.clone().next().map(|refused| refused.at);
        let began = UnixMillis::from(self.internet.wall() - self.internet.elapsed());
        let told = notice.as_ref().and_then(|notice| notice.told);
        let told = told.map(|told| told.since(began));
        let ours: IpAddr = OURS.parse().unwrap();
        let straight = self.microsoft().taken().into_iter();
        let resumed = straight
            .filter(|taken| taken.ip == ours && BLOCK.1 <= taken.at)
            .map(|taken| taken.at - BLOCK.1)
            .next();
        let mut sums = Sums {
            sent: self.letters.len(),
            met_block: 0,
            bounced: 0,
            bounced_early: 0,
            within_ten_minutes: 0,
            after_a_day: 0,
            never: 0,
            longest: Duration::ZERO,
            late_after: 0,
            others_harmed: 0,
            refused: blocked.count(),
            resumed,
            told: told
                .zip(first)
                .map(|(told, first)| told.saturating_sub(first)),
            notice,
            spam,
        };
        for letter in &self.letters {
            sums.count(letter, stories[letter.number], self.met_block(letter));
        }
        sums
    }
}

impl Sums {
    fn count(&mut self, letter: &Letter, story: Story, met_block: bool) {
        let delay = story.delivered.map(|at| at.saturating_sub(letter.at));
        let in_time = delay.is_some_and(|delay| delay <= minutes(10));
        if !met_block {
            let after = BLOCK.1..BLOCK.1 + days(1);
            let arrived = delay.is_some() && story.bounced.is_none();
            if letter.provider == "microsoft" && after.contains(&letter.at) && arrived {
                self.late_after += usize::from(!in_time);
            } else {
                self.others_harmed += usize::from(!in_time || !arrived);
            }
            return;
        }
        self.met_block += 1;
        self.within_ten_minutes += usize::from(in_time);
        if let Some(at) = story.bounced {
            self.bounced += 1;
            self.bounced_early += usize::from(at - letter.at < days(5));
        }
        match delay {
            Some(delay) => {
                self.longest = self.longest.max(delay);
                self.after_a_day += usize::from(days(1) <= delay);
            }
            None => self.never += 1,
        }
    }
}

/// Of a letter, or of a report about one.
pub fn number_in(text: &str) -> Option<usize> {
    let (_, rest) = text.split_once("Subject: letter ")?;
    rest.lines().next()?.trim().parse().ok()
}

/// Each letter at its time through the submission port; what came back is looked for all the time.
async fn send_by(host: &Host, month: &Month) -> BTreeMap<usize, Duration> {
    let mut bounced = BTreeMap::new();
    let mut look = |at: Duration| {
        for report in host.inbox(ANN) {
            if report.contains("Action: failed") {
                let number = number_in(&report).expect("a report says of what");
                bounced.entry(number).or_insert(at);
            }
        }
    };
    let mut next_look = hours(1);
    for letter in &month.letters {
        month.pass_until(letter.at).await;
        host.submit(ANN, &[&letter.to], &letter.text()).await;
        if next_look <= letter.at {
            look(month.internet.elapsed());
            next_look = letter.at + hours(1);
        }
    }
    let mut at = MONTH;
    while at < MONTH + AFTERWARDS {
        at += hours(6);
        month.pass_until(at).await;
        look(month.internet.elapsed());
    }
    bounced
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Relay,
    Alone,
}

async fn postroad(internet: Internet, choice: Choice) -> Sums {
    let month = Month::new(&internet).await;
    let host = internet
        .host("mx.here.test")
        .at(OURS.parse().unwrap())
        .domain("here.test")
        .account(ANN);
    let host = host.start().await;
    publish_domain(&internet, &host, "here.test");
    internet
        .domain("_dmarc.here.test")
        .txt("v=DMARC1; p=quarantine");
    let hook = internet.https(HOOK, &[]).await;
    hook.set("/hook", Page::text("thanks"));
    let channel = NewChannel {
        kind: ChannelKind::Webhook,
        target: format!("https://{HOOK}/hook"),
        secret: None,
    };
    let now = UnixMillis::from(internet.wall());
    let added = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            change.add_operator_channel(&channel, now)
        });
    added.expect("the channel can be kept");
    if choice == Choice::Relay {
        relay(&internet, &host).await;
    }
    let bounced = send_by(&host, &month).await;
    let notices = host
        .store()
        .read_blocking(|view| -> Result<_, StoreError> { view.notices() });
    let notices = notices.expect("the store can be read").into_iter();
    let mut opened = notices
        .rev()
        .filter(|notice| notice.kind == "incident-opened");
    assert!(host.queue().is_empty(), "something still waits");
    // Once when it begins, once when it is over.
    assert_eq!(hook.asked().len(), 2);
    month.sums(&bounced, opened.next())
}

/// A relay for the provider, chosen by the operator beforehand, which delivers from its own address.
async fn relay(internet: &Internet, host: &Host) {
    let ip: IpAddr = RELAY_IP.parse().unwrap();
    internet.zones().host(RELAY, ip);
    let script = Script::accept().login("postroad", "secret");
    let server = internet
        .remote_at(RELAY, SocketAddr::new(ip, 0), script)
        .await;
    let chosen = ProviderRelay {
        provider: "outlook".to_owned(),
        host: RELAY.to_owned(),
        port: server.at().port(),
        protection: RelayProtection::StartTls,
        login: Some(("postroad".to_owned(), "secret".to_owned())),
        always: false,
        created: UnixMillis::from(internet.wall()),
    };
    let kept = host
        .store()
        .write_blocking(Durability::Durable, move |change| {
            change.keep_provider_relay(&chosen)
        });
    kept.expect("the relay can be kept");
    let client = postfix::Client::new(internet, RELAY, ip);
    let world = internet.world("relay", vec![ip]);
    let clock = world.clock.clone();
    world.tasks.spawn("relay passes on", async move {
        let mut passed = 0;
        loop {
            for taken in server.taken().into_iter().skip(passed) {
                for to in taken.to() {
                    let outcome = client.send(&taken.from, to, &taken.text()).await;
                    assert_eq!(outcome, postfix::Outcome::Taken, "the relay is trusted");
                }
                passed += 1;
            }
            clock.after(Duration::from_secs(5)).await;
        }
    });
}

fn with_relay() -> &'static Sums {
    static SUMS: OnceLock<Sums> = OnceLock::new();
    SUMS.get_or_init(|| of_postroad(Choice::Relay))
}

fn alone() -> &'static Sums {
    static SUMS: OnceLock<Sums> = OnceLock::new();
    SUMS.get_or_init(|| of_postroad(Choice::Alone))
}

fn of_postroad(choice: Choice) -> Sums {
    Internet::simulated(SEED, async |internet| postroad(internet, choice).await)
}

fn by_postfix() -> &'static Sums {
    static SUMS: OnceLock<Sums> = OnceLock::new();
    SUMS.get_or_init(|| {
        Internet::simulated(SEED, async |internet| {
            let month = Month::new(&internet).await;
            let bounced = postfix::run(&month, MONTH + AFTERWARDS).await;
            month.sums(&bounced, None)
        })
    })
}

#[test]
fn with_a_relay_nobody_notices() {
    let sums = with_relay();
    assert!(40 <= sums.met_block, "{sums:#?}");
    assert_eq!(sums.within_ten_minutes, sums.met_block, "{sums:#?}");
    assert_eq!((sums.bounced, sums.never), (0, 0), "{sums:#?}");
    assert_eq!((sums.others_harmed, sums.spam), (0, 0), "{sums:#?}");
    assert!(sums.resumed.expect("it goes straight again") <= days(1));
    operator_knows(sums);
}

#[test]
fn alone_nothing_bounces_within_its_lifetime() {
    let sums = alone();
    assert_eq!(sums.bounced_early, 0, "{sums:#?}");
    // What was sent in the last five days of the block arrives in the end.
    assert_eq!(sums.bounced, sums.never, "{sums:#?}");
    assert!(sums.never < sums.met_block * 2 / 3, "{sums:#?}");
    assert_eq!((sums.others_harmed, sums.spam), (0, 0), "{sums:#?}");
    assert!(sums.resumed.expect("it goes straight again") <= days(1));
    operator_knows(sums);
}

#[track_caller]
fn operator_knows(sums: &Sums) {
    assert!(sums.told.expect("a notice") <= minutes(1), "{sums:#?}");
    let notice = sums.notice.as_ref().expect("a notice");
    for wanted in ["https://olcsupport.office.com/", OURS, "S3150"] {
        assert!(notice.fix.contains(wanted), "{wanted}: {notice:#?}");
    }
    // Microsoft forbids to try again and again after a refusal for good.
    assert!(sums.refused <= 10 * 24, "{} attempts", sums.refused);
}

#[test]
fn postfix_loses_the_mail_of_ten_days() {
    let sums = by_postfix();
    assert_eq!(sums.bounced, sums.met_block, "{sums:#?}");
    assert_eq!(sums.bounced_early, sums.met_block, "each at once");
    assert_eq!((sums.others_harmed, sums.spam), (0, 0), "{sums:#?}");
}

#[test]
fn the_months_compared() {
    let columns = [with_relay(), alone(), by_postfix()];
    assert!(columns.iter().all(|sums| sums.sent == columns[0].sent));
    let line = |name: &str, cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>14}")).collect();
        eprintln!("| {name:42} | {} |", cells.join(" | "));
    };
    let row = |name: &str, value: &dyn Fn(&Sums) -> String| {
        line(name, &columns.map(value));
    };
    let named = ["with a relay", "alone", "Postfix"];
    line("", &named.map(str::to_owned));
    line(&"-".repeat(42), &named.map(|_| "-".repeat(14)));
    row("messages of the month", &|sums| sums.sent.to_string());
    row("to Microsoft during the block", &|sums| {
        sums.met_block.to_string()
    });
    row("of these: delivered within 10 minutes", &|sums| {
        sums.within_ten_minutes.to_string()
    });
    row("of these: delivered after a day or later", &|sums| {
        sums.after_a_day.to_string()
    });
    row("of these: returned to their senders", &|sums| {
        sums.bounced.to_string()
    });
    row("of these: returned within 5 days", &|sums| {
        sums.bounced_early.to_string()
    });
    row("longest delay of a delivered one", &|sums| {
        words(sums.longest)
    });
    row("late on the day after the block", &|sums| {
        sums.late_after.to_string()
    });
    row("other messages harmed", &|sums| {
        sums.others_harmed.to_string()
    });
    row("attempts that the block refused", &|sums| {
        sums.refused.to_string()
    });
    row("straight again after the block", &|sums| {
        sums.resumed.map_or("-".into(), words)
    });
    row("operator told after the first refusal", &|sums| {
        sums.told.map_or("never".into(), words)
    });
}

fn words(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
