//! A law under seeds: a client that heard every notice sees what the store holds.
//! Three sessions and the door for mail do what a seed says; each client keeps its own picture.

use crate::client::Client;
use crate::house::{House, message};

/// What one client knows of the mailbox: UID and flags of each number.
struct Picture {
    client: Client,
    known: Vec<Option<(u32, String)>>,
}

/// Small, and the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

impl Picture {
    async fn open(house: &House) -> Picture {
        let client = house.log_in("alice").await;
        let mut picture = Picture {
            client,
            known: Vec::new(),
        };
        picture.run("SELECT INBOX").await;
        picture.fill().await;
        picture
    }

    /// Carries out a command and believes all notices.
    async fn run(&mut self, command: &str) {
        for line in self.client.ok(command).await {
            self.hear(command, &line);
        }
    }

    fn hear(&mut self, command: &str, line: &str) {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let (Some(number), Some(word)) = (
            words.get(1).and_then(|n| n.parse::<usize>().ok()),
            words.get(2),
        ) else {
            return;
        };
        match *word {
            "EXISTS" => {
                assert!(
                    self.known.len() <= number,
                    "{command}: EXISTS goes down: {line}"
                );
                self.known.resize(number, None);
            }
            "EXPUNGE" => {
                assert!(
                    1 <= number && number <= self.known.len(),
                    "{command}: {line}"
                );
                self.known.remove(number - 1);
            }
            "FETCH" => {
                assert!(
                    1 <= number && number <= self.known.len(),
                    "{command}: {line}"
                );
                let place = &mut self.known[number - 1];
                let flags = line
                    .split_once("FLAGS (")
                    .map(|(_, rest)| rest.split(')').next().unwrap_or_default());
                let uid = line.split_once("UID ").and_then(|(_, rest)| {
                    rest.split([' ', ')'])
                        .next()
                        .and_then(|uid| uid.parse::<u32>().ok())
                });
                if let (Some((known, _)), Some(uid)) = (&place, uid) {
                    assert_eq!(
                        *known, uid,
                        "{command}: another message under an old number: {line}"
                    );
                }
                let uid = uid.or(place.as_ref().map(|(uid, _)| *uid));
                if let (Some(uid), Some(flags)) = (uid, flags) {
                    *place = Some((uid, flags.to_owned()));
                }
            }
            _ => {}
        }
    }

    /// Asks for what only EXISTS told of.
    async fn fill(&mut self) {
        while let Some(at) = self.known.iter().position(Option::is_none) {
            let before = self.known.len();
            self.run("UID FETCH 1:* (UID FLAGS)").await;
            assert!(
                self.known.get(at).is_none_or(Option::is_some) || self.known.len() != before,
                "nothing came"
            );
        }
    }

    async fn act(&mut self, dice: &mut Dice) {
        let count = self.known.len() as u64;
        let number = if count > 0 { dice.below(count) + 1 } else { 0 };
        match dice.below(9) {
            0 => self.run("NOOP").await,
            1 => self.run("EXPUNGE").await,
            2 => self.run("SEARCH ALL").await,
            3 => self.run("UID SEARCH UNSEEN").await,
            _ if number == 0 => self.run("CHECK").await,
            4 => self.run(&format!("FETCH {number} (FLAGS)")).await,
            5 => {
                self.run(&format!("STORE {number} +FLAGS (\\Deleted)"))
                    .await
            }
            6 => {
                self.run(&format!("STORE {number}:* -FLAGS (\\Flagged)"))
                    .await
            }
            7 => {
                self.run(&format!("STORE {number} +FLAGS (\\Flagged Work)"))
                    .await
            }
            _ => self.run(&format!("MOVE {number} Archive")).await,
        }
    }
}

async fn live(seed: u64) {
    let mut dice = Dice(seed);
    let house = House::new().await;
    for subject in ["1", "2", "3", "4"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut pictures = Vec::new();
    for _ in 0..3 {
        pictures.push(Picture::open(&house).await);
    }
    for _ in 0..60 {
        match dice.below(5) {
            0 => house.deliver("alice", &message("more")).await,
            _ => {
                let who = dice.below(3) as usize;
                pictures[who].act(&mut dice).await;
            }
        }
    }
    let fresh = Picture::open(&house).await;
    for picture in &mut pictures {
        picture.run("NOOP").await;
        picture.fill().await;
        picture.run("NOOP").await;
        assert_eq!(picture.known, fresh.known, "seed {seed}");
    }
}

#[tokio::test]
async fn who_heard_every_notice_sees_what_there_is() {
    for seed in 0..12 {
        live(seed).await;
    }
}
