//! An account that somebody else uses: ten thousand messages in a night, in the ways that such people have. What matters is
//! what arrives elsewhere, that the owner reads on and loses nothing, and that one command each deals with the rest.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::future::join_all;
use mail::UnixMillis;
use postroad::commands::account::sending;
use postroad::commands::queue::group;
use postroad::commands::{Request, account, queue};
use simulator::{
    Client, Host, Internet, PASSWORD, Phase, Remote, Reply, Script, Service, days, hours, minutes,
};
use store::queue::RecipientState;
use store::senders::NewReceived;
use store::sending::SendingState;
use store::{Durability, StoreError};

use crate::junk::{add_list, answer};
use crate::reports::told;
use crate::{ANN, here};

/// What a night's work is.
const MESSAGES: usize = 10_000;

/// More than this must not leave.
const MOST: usize = 200;

/// Where the victims have their mail.
const PLACES: [&str; 4] = ["alpha.test", "beta.test", "gamma.test", "delta.test"];

struct Night {
    internet: Internet,
    host: Host,
    remotes: Vec<Remote>,
}

impl Night {
    /// Ann has used her account for a fortnight, and keeps a letter that is still on its way.
    async fn new(internet: &Internet) -> Self {
        let host = here(internet).await;
        let mut remotes = Vec::new();
        for place in PLACES {
            remotes.push(internet.remote_domain(place, Script::accept()).await);
        }
        let friends = internet
            .remote_domain("friends.test", Script::accept())
            .await;
        for day in 0..14 {
            for number in 0..3 {
                let to = format!("friend{}@friends.test", (day * 3 + number) % 17);
                host.submit(ANN, &[&to], &letter(&format!("day {day}"), "How are you?"))
                    .await;
            }
            internet.pass(days(1)).await;
        }
        internet
            .until(minutes(10), || friends.taken_count() == 42)
            .await;
        let slow = Script::accept().reply(Phase::Mail, "451 4.3.0 come again");
        internet.remote_domain("slow.test", slow).await;
        let waiting = letter("before the night", "The bicycle is yours.");
        host.submit(ANN, &["gus@slow.test"], &waiting).await;
        internet.pass(minutes(2)).await;
        remotes.push(friends);
        Self {
            internet: internet.clone(),
            host,
            remotes,
        }
    }

    /// Recipients that mail of the night reached.
    fn arrived(&self) -> usize {
        let taken = self.remotes.iter().flat_map(Remote::taken);
        let spam = taken.filter(|taken| taken.text().contains("X-Night:"));
        spam.map(|taken| taken.to().len()).sum()
    }

    fn state(&self) -> SendingState {
        let read = |view: &store::View<'_>| -> Result<_, StoreError> {
            let ann = mail::Address::parse(ANN).expect("an address");
            let account = view.account_by_address(&ann)?.expect("ann is there");
            view.sending_state(account.id)
        };
        self.host
            .store()
            .read_blocking(read)
            .expect("the store can be read")
    }

    fn ask(&self, request: Request) -> postroad::output::Answer {
        told(&self.host, &self.internet, request)
    }

    /// The end of every such night: little left, ann can read, and nothing of hers is lost.
    async fn ends_well(&self, most: usize) {
        self.internet.pass(hours(14)).await;
        let arrived = self.arrived();
        eprintln!("{arrived} arrived");
        assert!(arrived <= most.min(MOST), "{arrived} arrived");
        assert!(self.state().is_locked(), "{:?}", self.state());
        let refused = self.submit_as_user("a@alpha.test", "refused", "No.").await;
        assert_eq!(refused.code, 550, "{refused:?}");
        assert!(refused.text.contains("locked since"), "{refused:?}");
        // Reading goes on, with what happened in the inbox.
        let inbox = self.read_by_imap().await;
        assert!(inbox.contains("You cannot send mail for now"), "{inbox}");
        let letters = self.host.inbox(ANN);
        let told = letters
            .iter()
            .filter(|text| text.contains("You cannot send mail for now"));
        assert_eq!(told.count(), 1, "told once");
        let notices = self
            .host
            .store()
            .read_blocking(|view| -> Result<_, StoreError> { view.notices() });
        let notices = notices.expect("the store can be read");
        let locked: Vec<_> = notices
            .iter()
            .filter(|of| of.kind == "sending-locked")
            .collect();
        assert_eq!(locked.len(), 1, "{notices:#?}");
        assert!(
            locked[0]
                .fix
                .contains("postroad account release ann@here.test")
        );
        // Her own letter waits with the rest, and is not lost.
        let queue = self.host.queue();
        let own = queue
            .iter()
            .find(|queued| queued.recipients[0].address.domain().as_str() == "slow.test");
        let own = own.expect("it is in the queue");
        assert_eq!(own.recipients[0].state, RecipientState::Held);
        let states = queue.iter().flat_map(|queued| &queued.recipients);
        let mut states = states.map(|recipient| recipient.state);
        let waits = [RecipientState::Waiting, RecipientState::InFlight];
        assert!(states.all(|state| !waits.contains(&state)));
    }

    async fn submit_as_user(&self, to: &str, subject: &str, text: &str) -> Reply {
        let text = format!("From: <{ANN}>\r\n{}", letter(subject, text));
        self.host.try_submit(ANN, &[to], &text).await
    }

    async fn read_by_imap(&self) -> String {
        let mut client = self
            .internet
            .connect(self.host.service(Service::Imap))
            .await;
        let mut all = String::new();
        client.line().await.expect("a greeting");
        for (tag, command) in [
            ("a", format!("LOGIN {ANN} \"{PASSWORD}\"")),
            ("b", "SELECT INBOX".to_owned()),
            (
                "c",
                "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])".to_owned(),
            ),
        ] {
            client
                .send(&format!("{tag} {command}"))
                .await
                .expect("sent");
            loop {
                let line = client.line().await.expect("a line");
                all.push_str(&line);
                all.push('\n');
                if line.starts_with(&format!("{tag} ")) {
                    assert!(line.contains(" OK"), "{line}");
                    break;
                }
            }
        }
        all
    }
}

fn letter(subject: &str, text: &str) -> String {
    format!("Subject: {subject}\r\n\r\n{text}\r\n")
}

/// A message of the night.
fn spam(number: usize, subject: &str, text: &str) -> String {
    format!(
        "From: <{ANN}>\r\nSubject: {subject}\r\nMessage-ID: <night{number}@here.test>\r\nX-Night: {number}\r\n\r\n{text}\r\n"
    )
}

fn victim(number: usize) -> String {
    format!("victim{number}@{}", PLACES[number % PLACES.len()])
}

const OFFER: &str = "Dear friend, our pills are the best, and this week you pay half: http://pills.test/buy\r\nHurry!";

/// Somebody who comes again when he is shown out, and has a list to work through.
struct Intruder<'n> {
    night: &'n Night,
    /// Where he is; nothing for ann's own line.
    at: Option<IpAddr>,
    client: Option<Client>,
    /// Shown out so often that even he has understood.
    refusals: usize,
}

impl<'n> Intruder<'n> {
    fn new(night: &'n Night) -> Self {
        Self {
            night,
            at: None,
            client: None,
            refusals: 0,
        }
    }

    /// In another country.
    fn abroad(night: &'n Night, last: u8) -> Self {
        Self {
            at: Some(Ipv4Addr::new(203, 0, 113, last).into()),
            ..Self::new(night)
        }
    }

    async fn connect(&self) -> Client {
        let internet = &self.night.internet;
        let address = self.at.unwrap_or_else(|| internet.fresh_address());
        let world = internet.world("intruder", vec![address]);
        let stream = world
            .net
            .connect(Some(address), self.night.host.submission());
        let mut client = Client::new(stream.await.expect("the server listens"));
        client.reply().await.expect("a greeting");
        client.say("EHLO intruder.test").await.expect("a reply");
        client
    }

    async fn send(&mut self, to: &[&str], message: &str) {
        // A hundred refusals in a row say what ten thousand would.
        if self.refusals >= 100 {
            return;
        }
        if self.client.is_none() {
            let mut client = self.connect().await;
            match client.log_in(ANN, PASSWORD).await {
                Ok(reply) if reply.code == 235 => self.client = Some(client),
                _ => {
                    self.refusals += 1;
                    return;
                }
            }
        }
        let Some(client) = &mut self.client else {
            return;
        };
        match client.transact(ANN, to, message).await {
            Ok(reply) if reply.is_good() => self.refusals = 0,
            Ok(reply) if reply.code != 421 => {
                self.refusals += 1;
                let _ = client.say("RSET").await;
            }
            _ => {
                self.refusals += 1;
                self.client = None;
            }
        }
    }
}

#[test]
fn a_burst_in_twenty_sessions() {
    Internet::simulated(1, async |internet| {
        let night = Night::new(&internet).await;
        let sessions = (0..20).map(|session| {
            let night = &night;
            async move {
                let mut intruder = Intruder::new(night);
                for number in (session..MESSAGES).step_by(20) {
                    let text = spam(number, "Cheap pills", OFFER);
                    intruder.send(&[&victim(number)], &text).await;
                }
            }
        });
        join_all(sessions).await;
        // Ann's own line is trusted with a party for sixty.
        night.ends_well(60).await;
    });
}

#[test]
fn a_drip_over_eight_hours() {
    Internet::simulated(2, async |internet| {
        let night = Night::new(&internet).await;
        let mut intruder = Intruder::abroad(&night, 1);
        let pause = hours(8) / u32::try_from(MESSAGES).expect("it fits");
        for number in 0..MESSAGES {
            let text = spam(number, "Cheap pills", OFFER);
            intruder.send(&[&victim(number)], &text).await;
            if intruder.refusals < 100 {
                internet.pass(pause).await;
            }
        }
        night.ends_well(40).await;
    });
}

/// As slow as one can be who has two nights: still no more than a day's limit in a day.
#[test]
fn a_drip_that_stays_below_the_hourly_levels() {
    Internet::simulated(3, async |internet| {
        let night = Night::new(&internet).await;
        let mut intruder = Intruder::new(&night);
        for number in 0..600 {
            let text = spam(number, &format!("Hello {number}"), OFFER);
            intruder.send(&[&victim(number)], &text).await;
            internet.pass(Duration::from_secs(144)).await;
        }
        let arrived = night.arrived();
        assert!((100..=MOST).contains(&arrived), "{arrived}");
        night.ends_well(MOST).await;
    });
}

/// The same with links that a block list has: one such letter goes, a dozen are asked about.
#[test]
fn a_slow_drip_of_links_that_are_listed() {
    Internet::simulated(11, async |internet| {
        let night = Night::new(&internet).await;
        add_list(&internet, &night.host, "dbl.list.test", "domains");
        answer(&internet, "pills.test", "dbl.list.test", "127.0.0.2");
        internet.pass(minutes(1)).await;
        let warning = "Do not open what leads to http://pills.test/buy please.";
        let before = night.remotes[0].taken_count();
        let reply = night.submit_as_user("ann2@alpha.test", "A warning", warning);
        assert_eq!(reply.await.code, 250);
        internet
            .until(minutes(5), || night.remotes[0].taken_count() == before + 1)
            .await;
        assert_eq!(night.state(), SendingState::Free);
        let mut intruder = Intruder::new(&night);
        for number in 0..600 {
            let text = spam(number, &format!("Hello {number}"), OFFER);
            intruder.send(&[&victim(number)], &text).await;
            internet.pass(Duration::from_secs(144)).await;
        }
        night.ends_well(12).await;
        let seen = night.ask(Request::Account(account::Request::Sending(
            sending::Request::Show {
                address: ANN.to_owned(),
            },
        )));
        let alarms = seen.value["alarms"].to_string();
        assert!(alarms.contains("a link that block lists have"), "{alarms}");
    });
}

#[test]
fn texts_of_which_no_two_are_alike() {
    Internet::simulated(4, async |internet| {
        let night = Night::new(&internet).await;
        let random = internet.random("words");
        let mut intruder = Intruder::abroad(&night, 2);
        let word = || -> String {
            let letters = 3 + random.below(7);
            (0..letters)
                .map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap_or(0)))
                .collect()
        };
        for number in 0..MESSAGES {
            let words: Vec<String> = (0..60).map(|_| word()).collect();
            let subject = format!("{} {}", word(), word());
            let text = spam(number, &subject, &words.join(" "));
            intruder.send(&[&victim(number)], &text).await;
        }
        night.ends_well(40).await;
        // Nothing is alike, and one command throws all of it away.
        let groups = night.ask(group_list());
        let count = groups.value.as_array().map_or(0, Vec::len);
        assert!(count > 100, "{count}");
    });
}

#[test]
fn a_hundred_recipients_in_each_message() {
    Internet::simulated(5, async |internet| {
        let night = Night::new(&internet).await;
        let mut intruder = Intruder::new(&night);
        for number in 0..MESSAGES / 100 {
            let to: Vec<String> = (0..100).map(|at| victim(number * 100 + at)).collect();
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            intruder
                .send(&to, &spam(number, "Cheap pills", OFFER))
                .await;
        }
        night.ends_well(0).await;
    });
}

#[test]
fn a_bought_list_of_which_most_are_dead() {
    Internet::simulated(6, async |internet| {
        let night = Night::new(&internet).await;
        for remote in &night.remotes[..PLACES.len()] {
            let dead = (0..MESSAGES).filter(|number| number % 10 != 0);
            let script = dead.take(2_000).fold(Script::accept(), |script, number| {
                script.recipient(&victim(number), "550 5.1.1 no such user")
            });
            remote.set_script(script);
        }
        let mut intruder = Intruder::new(&night);
        for number in 0..MESSAGES {
            let text = spam(number, "Cheap pills", OFFER);
            intruder.send(&[&victim(number)], &text).await;
            if intruder.refusals < 100 {
                internet.pass(Duration::from_secs(60)).await;
            }
        }
        night.ends_well(30).await;
    });
}

/// He first makes everybody known whom he will write to: letters in their names, and a mailbox for sent mail that tells of
/// years of friendship.
#[test]
fn to_people_made_known_beforehand() {
    Internet::simulated(10, async |internet| {
        let night = Night::new(&internet).await;
        let now = UnixMillis::from(internet.wall());
        let prepare = move |change: &mut store::Change<'_>| -> Result<(), StoreError> {
            let ann = mail::Address::parse(ANN).expect("an address");
            let account = change.account_by_address(&ann)?.expect("ann is there").id;
            for number in (0..1_000).step_by(2) {
                let author = mail::Address::parse(&victim(number)).expect("an address");
                let forged = NewReceived {
                    account,
                    author,
                    confirmed: false,
                    network: None,
                };
                change.note_received(&forged, now)?;
            }
            Ok(())
        };
        let store = night.host.store();
        store
            .write_blocking(Durability::Durable, prepare)
            .expect("noted");
        file_as_sent(&internet, &night.host).await;
        internet.pass(hours(2)).await;
        let mut intruder = Intruder::new(&night);
        for number in 0..1_000 {
            let text = spam(number, &format!("Hello {number}"), OFFER);
            intruder.send(&[&victim(number)], &text).await;
            if intruder.refusals < 100 {
                internet.pass(Duration::from_secs(20)).await;
            }
        }
        // As for strangers; to people whom ann does know 170 would go.
        night.ends_well(150).await;
    });
}

/// By IMAP, in a mailbox that was not there: fifty recipients in each letter, all of years ago.
async fn file_as_sent(internet: &Internet, host: &Host) {
    let mut client = internet.connect(host.service(Service::Imap)).await;
    client.line().await.expect("a greeting");
    let mut tags = 0;
    let mut commands = vec![
        format!("LOGIN {ANN} \"{PASSWORD}\""),
        "CREATE \"Sent Items\"".to_owned(),
    ];
    for first in (1..1_000).step_by(100) {
        let to: Vec<String> = (first..first + 100).step_by(2).map(victim).collect();
        let text = format!(
            "From: {ANN}\r\nTo: {}\r\nSubject: Thank you\r\n\r\nIt was lovely.\r\n",
            to.join(",\r\n ")
        );
        commands.push(format!(
            "APPEND \"Sent Items\" \"01-Jan-2020 00:00:00 +0000\" {{{}+}}\r\n{text}",
            text.len()
        ));
    }
    for command in commands {
        tags += 1;
        client
            .send(&format!("t{tags} {command}"))
            .await
            .expect("sent");
        loop {
            let line = client.line().await.expect("a line");
            if line.starts_with(&format!("t{tags} ")) {
                assert!(line.contains(" OK"), "{line}");
                break;
            }
        }
    }
}

/// The address book, over and over: nobody in it is new.
#[test]
fn to_everybody_whom_ann_knows() {
    Internet::simulated(7, async |internet| {
        let night = Night::new(&internet).await;
        let mut intruder = Intruder::new(&night);
        for number in 0..MESSAGES {
            let to = format!("friend{}@friends.test", number % 17);
            intruder
                .send(&[&to], &spam(number, "I am in trouble", OFFER))
                .await;
            if intruder.refusals < 100 {
                internet.pass(Duration::from_secs(5)).await;
            }
        }
        night.ends_well(MOST).await;
    });
}

fn group_list() -> Request {
    Request::Queue(queue::Request::Group(group::Request::List {
        account: None,
    }))
}

#[test]
fn the_morning_after() {
    Internet::simulated(8, async |internet| {
        let night = Night::new(&internet).await;
        let mut intruder = Intruder::abroad(&night, 3);
        for number in 0..400 {
            let name = format!("reader{}", number * 7_919 % 1_000);
            let text = format!(
                "Hello {name}! Parcel {number} waits: http://parcel.test/{number} Confirm your address today."
            );
            intruder
                .send(
                    &[&victim(number)],
                    &spam(number, &format!("Parcel for {name}"), &text),
                )
                .await;
        }
        night.ends_well(40).await;
        let reached = night.arrived();
        // The operator looks,
        let seen = night.ask(Request::Account(account::Request::Sending(
            sending::Request::Show {
                address: ANN.to_owned(),
            },
        )));
        assert_eq!(seen.value["state"], "locked");
        let count = seen.value["reached"]["recipients"].as_u64().unwrap_or(0);
        assert!(count as usize >= reached, "{}", seen.value["reached"]);
        let networks = seen.value["networks"].to_string();
        assert!(networks.contains("203.0.113.0/24"), "{networks}");
        assert_eq!(seen.value["alarms"][0]["locked"], true);
        // finds the spam in one group,
        let groups = night.ask(group_list());
        let list = groups.value.as_array().expect("a list").clone();
        assert_eq!(list.len(), 2, "{}", groups.value);
        let spam = &list[0];
        let held = spam["messages"].as_u64().unwrap_or(0);
        assert!(held > 100, "{spam}");
        let which = spam["group"].to_string();
        let shown = night.ask(Request::Queue(queue::Request::Group(
            group::Request::Show {
                which: which.clone(),
            },
        )));
        assert!(
            shown.value["text"]
                .as_str()
                .unwrap_or_default()
                .contains("Confirm your address")
        );
        // throws it away,
        let removed = night.ask(Request::Queue(queue::Request::Group(
            group::Request::Remove { which },
        )));
        assert_eq!(removed.value["count"], held);
        assert_eq!(night.host.queue().len(), 1, "ann's own letter");
        // and releases the rest and the account.
        let slow: BTreeSet<String> = night
            .host
            .queue()
            .iter()
            .map(|of| of.recipients[0].address.to_string())
            .collect();
        assert_eq!(slow.into_iter().collect::<Vec<_>>(), ["gus@slow.test"]);
        night.ask(Request::Queue(queue::Request::Group(
            group::Request::Release {
                which: ANN.to_owned(),
            },
        )));
        assert_ne!(
            night.host.queue()[0].recipients[0].state,
            RecipientState::Held
        );
        night.ask(Request::Account(account::Request::Sending(
            sending::Request::Release {
                address: ANN.to_owned(),
                all: false,
                with_mail: false,
            },
        )));
        assert_eq!(night.state(), SendingState::Free);
        let before = night.remotes[0].taken_count();
        let reply = night
            .submit_as_user("new@alpha.test", "again", "I am back.")
            .await;
        assert_eq!(reply.code, 250, "{reply:?}");
        internet
            .until(minutes(20), || night.remotes[0].taken_count() == before + 1)
            .await;
    });
}

#[test]
fn a_lock_outlives_the_process() {
    Internet::simulated(9, async |internet| {
        let mut night = Night::new(&internet).await;
        {
            let mut intruder = Intruder::new(&night);
            for number in 0..100 {
                intruder
                    .send(&[&victim(number)], &spam(number, "Cheap pills", OFFER))
                    .await;
            }
        }
        let before = night.arrived();
        night.host.kill();
        night.host.start_again().await;
        {
            let mut intruder = Intruder::new(&night);
            for number in 100..400 {
                intruder
                    .send(&[&victim(number)], &spam(number, "Cheap pills", OFFER))
                    .await;
            }
        }
        assert!(night.state().is_locked());
        night.host.kill();
        night.host.start_again().await;
        assert!(night.state().is_locked());
        // A hundred were counted before the power went, so that some of the hundred waited already.
        night.ends_well(before.max(100)).await;
    });
}
