//! The other side of `hijacked.rs`: ordinary months of ordinary people. No alarm is raised, nothing is held, and what is
//! delayed at all is the mail of a day like no other. Their address books are as address books are: some people are gone, some hosts
//! answer nobody, and one place asks everybody to come again.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use simulator::{Act, Client, Host, Internet, PASSWORD, Phase, Remote, Script, hours, minutes};
use store::StoreError;
use store::sending::{Alarm, SendingState};
use world::Random;

use crate::ANN;

const PLACES: [&str; 3] = ["alpha.test", "beta.test", "gamma.test"];

/// Whose people have all left, and where nobody answers.
const GONE: &str = "gone.test";
const DEAD: &str = "dead.test";

/// Whose month it is.
#[derive(Clone, Copy)]
struct Person {
    name: &'static str,
    /// Messages on a weekday and on a day of the weekend, at most.
    messages: [u64; 2],
    /// People she writes to again and again.
    friends: u64,
    /// New ones in a week.
    new_in_week: u64,
    /// Of her letters, in a hundred, those that answer somebody new who wrote first.
    answers: u64,
    /// Days on which she invites so many at once, all of them new if so.
    events: &'static [(u64, u64, bool)],
    /// She travels from then on, and works from hotels.
    travels: Option<u64>,
}

const PEOPLE: [Person; 6] = [
    Person {
        name: "quiet",
        messages: [4, 6],
        friends: 12,
        new_in_week: 1,
        answers: 10,
        events: &[(16, 60, true)],
        travels: None,
    },
    Person {
        name: "freelancer",
        messages: [60, 10],
        friends: 80,
        new_in_week: 15,
        answers: 20,
        events: &[(12, 25, true), (26, 40, false)],
        travels: Some(18),
    },
    Person {
        name: "secretary of a club",
        messages: [12, 12],
        friends: 150,
        new_in_week: 5,
        answers: 10,
        events: &[(9, 150, false), (23, 150, false)],
        travels: None,
    },
    Person {
        name: "secretary of a new club",
        messages: [12, 12],
        friends: 30,
        new_in_week: 5,
        answers: 10,
        events: &[(9, 150, true)],
        travels: None,
    },
    Person {
        name: "help desk",
        messages: [60, 20],
        friends: 40,
        new_in_week: 10,
        answers: 80,
        events: &[],
        travels: None,
    },
    Person {
        name: "journalist",
        messages: [40, 30],
        friends: 60,
        new_in_week: 60,
        answers: 20,
        events: &[(20, 45, true)],
        travels: Some(8),
    },
];

struct Life<'i> {
    internet: &'i Internet,
    host: Host,
    remotes: BTreeMap<&'static str, Remote>,
    random: std::sync::Arc<dyn Random>,
    person: Person,
    sent: usize,
    strangers: u64,
}

impl<'i> Life<'i> {
    async fn new(internet: &'i Internet, person: Person) -> Self {
        let mut remotes = BTreeMap::new();
        for place in PLACES {
            let script = match place {
                "beta.test" => Script::accept().greylist(minutes(5)),
                _ => Script::accept(),
            };
            remotes.insert(place, internet.remote_domain(place, script).await);
        }
        let nobody = Script::accept().reply(Phase::Recipient, "550 5.1.1 No such user here");
        remotes.insert(GONE, internet.remote_domain(GONE, nobody).await);
        let silence = Script::accept().at(Phase::Greeting, Act::Cut);
        remotes.insert(DEAD, internet.remote_domain(DEAD, silence).await);
        Self {
            internet,
            host: crate::here(internet).await,
            remotes,
            random: internet.random(person.name),
            person,
            sent: 0,
            strangers: 0,
        }
    }

    fn friend(&self, number: u64) -> String {
        format!("friend{number}@{}", place(number))
    }

    fn somebody_new(&mut self) -> String {
        self.strangers += 1;
        format!("new{}@{}", self.strangers, place(self.strangers))
    }

    /// Home and the office, or another hotel each day.
    fn line(&self, day: u64) -> IpAddr {
        let is_away = self.person.travels.is_some_and(|from| from <= day);
        let network = match (is_away, self.random.below(3)) {
            (true, _) => 100 + u8::try_from(day).unwrap_or(0),
            (false, 0) => 2,
            (false, _) => 1,
        };
        Ipv4Addr::new(203, 0, network, 7).into()
    }

    async fn client(&self, day: u64) -> Client {
        let address = self.line(day);
        let world = self.internet.world("ann", vec![address]);
        let stream = world.net.connect(Some(address), self.host.submission());
        let mut client = Client::new(stream.await.expect("the server listens"));
        client.reply().await.expect("a greeting");
        client.say("EHLO laptop.test").await.expect("a reply");
        let reply = client.log_in(ANN, PASSWORD).await.expect("a reply");
        assert_eq!(reply.code, 235, "{reply:?}");
        client
    }

    async fn send(&mut self, day: u64, to: &[String], subject: &str) {
        let random = &self.random;
        const WORDS: [&str; 16] = [
            "Thursday", "invoice", "garden", "meeting", "train", "draft", "school", "bread",
            "contract", "photo", "river", "weather", "kitchen", "report", "ticket", "music",
        ];
        let count = 8 + random.below(30);
        let words: Vec<&str> = (0..count)
            .map(|_| WORDS[random.below(16) as usize])
            .collect();
        let text = format!(
            "From: <{ANN}>\r\nSubject: {subject}\r\n\r\n{}.\r\n\r\nBest wishes\r\nAnn\r\n",
            words.join(" ")
        );
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let mut client = self.client(day).await;
        let reply = client.transact(ANN, &to, &text).await.expect("a reply");
        let _ = client.say("QUIT").await;
        assert_eq!(
            reply.code, 250,
            "{}, day {day}: {reply:?}",
            self.person.name
        );
        let is_there = |to: &&&str| !to.ends_with(GONE) && !to.ends_with(DEAD);
        self.sent += to.iter().filter(is_there).count();
    }

    /// Somebody writes to her. Whoever is put off at the door comes again.
    async fn hear_from(&self, from: &str) {
        for _ in 0..4 {
            let mut client = self.internet.stranger(self.host.mx()).await;
            let text =
                format!("From: <{from}>\r\nSubject: A question\r\n\r\nDo you have it in blue?\r\n");
            let reply = client.transact(from, &[ANN], &text).await.expect("a reply");
            if reply.is_good() {
                return;
            }
            assert!(reply.code < 500, "{reply:?}");
            self.internet.pass(minutes(20)).await;
        }
        panic!("{from} is never heard");
    }

    async fn day(&mut self, day: u64) {
        let is_weekend = day % 7 >= 5;
        let most = self.person.messages[usize::from(is_weekend)];
        let count = most / 2 + self.random.below(most / 2 + 1);
        // From eight to six, weekends later.
        let from = if is_weekend { hours(10) } else { hours(8) };
        let mut times: Vec<Duration> = (0..count)
            .map(|_| from + Duration::from_secs(self.random.below(10 * 3_600)))
            .collect();
        times.sort();
        let event = self.person.events.iter().find(|event| event.0 == day);
        let new_today = if is_weekend {
            0
        } else {
            self.person.new_in_week.div_ceil(5)
        };
        let mut new_left = new_today;
        let started = self.internet.elapsed();
        for (number, at) in times.into_iter().enumerate() {
            let passed = self.internet.elapsed() - started;
            self.internet.pass(at.saturating_sub(passed)).await;
            if number == 1
                && let Some((_, many, are_new)) = event
            {
                self.invite(day, *many, *are_new).await;
            }
            let to = if self.random.below(100) < self.person.answers {
                // Who writes has not left.
                let mut who = self.somebody_new();
                while who.ends_with(GONE) || who.ends_with(DEAD) {
                    who = self.somebody_new();
                }
                self.hear_from(&who).await;
                who
            } else if new_left > 0 && self.random.below(4) == 0 {
                new_left -= 1;
                self.somebody_new()
            } else {
                self.friend(self.random.below(self.person.friends))
            };
            self.send(day, &[to], "About it").await;
        }
        let passed = self.internet.elapsed() - started;
        self.internet.pass(hours(24).saturating_sub(passed)).await;
    }

    /// Some send one message to all, some a message each.
    async fn invite(&mut self, day: u64, many: u64, are_new: bool) {
        let to: Vec<String> = (0..many)
            .map(|number| match are_new {
                true => self.somebody_new(),
                false => self.friend(number % self.person.friends),
            })
            .collect();
        match self.random.below(2) {
            0 => self.send(day, &to, "You are invited").await,
            _ => {
                for one in to {
                    self.send(day, &[one], "You are invited").await;
                    self.internet.pass(Duration::from_secs(1)).await;
                }
            }
        }
    }

    fn arrived(&self) -> usize {
        let taken = self.remotes.values().flat_map(Remote::taken);
        taken.map(|taken| taken.to().len()).sum()
    }

    fn alarms(&self) -> (Vec<Alarm>, SendingState) {
        let read = |view: &store::View<'_>| -> Result<_, StoreError> {
            let ann = mail::Address::parse(ANN).expect("an address");
            let account = view.account_by_address(&ann)?.expect("ann is there");
            Ok((
                view.sending_alarms(account.id)?,
                view.sending_state(account.id)?,
            ))
        };
        self.host
            .store()
            .read_blocking(read)
            .expect("the store can be read")
    }
}

fn place(number: u64) -> &'static str {
    match number % 40 {
        9 | 29 => return GONE,
        19 => return DEAD,
        _ => {}
    }
    PLACES[(number % PLACES.len() as u64) as usize]
}

fn month_of(person: Person, seed: u64) {
    Internet::simulated(seed, async |internet| {
        let mut life = Life::new(&internet, person).await;
        // She has moved here with her friends.
        for number in 0..person.friends {
            let to = [life.friend(number)];
            life.send(0, &to, "My new address").await;
            internet.pass(minutes(12)).await;
        }
        internet.pass(hours(24)).await;
        for day in 0..30 {
            life.day(day).await;
        }
        // Until what nobody answers is given up.
        internet.pass(hours(6 * 24)).await;
        let (alarms, state) = life.alarms();
        assert_eq!(
            (alarms, state),
            (Vec::new(), SendingState::Free),
            "{}",
            person.name
        );
        assert_eq!(
            life.arrived(),
            life.sent,
            "{}: all of it arrives",
            person.name
        );
        assert!(life.host.queue().is_empty());
        eprintln!("{}, seed {seed}: {} recipients", person.name, life.sent);
    });
}

#[test]
fn months_of_a_quiet_person() {
    (1..=2).for_each(|seed| month_of(PEOPLE[0], seed));
}

#[test]
fn a_month_of_a_freelancer() {
    month_of(PEOPLE[1], 4);
}

#[test]
fn a_month_of_a_clubs_secretary() {
    month_of(PEOPLE[2], 5);
}

#[test]
fn a_month_of_a_new_clubs_secretary() {
    month_of(PEOPLE[3], 7);
}

#[test]
fn a_month_of_a_help_desk() {
    month_of(PEOPLE[4], 9);
}

#[test]
fn a_month_of_a_journalist() {
    month_of(PEOPLE[5], 10);
}
