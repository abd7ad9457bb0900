//! The models of big providers: each rule of each file is met by what plants it and by nothing else, says
//! what the real one says, and is understood by the knowledge that ships with the program.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use doctor::replies;
use mailauth::dkim::{Algorithm, SigningKey, public_record, sign};
use mailauth::dmarc::DmarcResult;
use simulator::{
    Accepted, Client, DnsFault, Internet, Mailbox, Model, Point, Provider, Reply, days, hours,
    minutes,
};

use crate::authors::{key, seconds};
use crate::planted::{Plant, Plant as P, RULES, few_a_minute};

const DOMAIN: &str = "author.test";
const HOST: &str = "mail.author.test";
const V4: &str = "203.0.113.9";
const V6: &str = "2001:db8::9";
const ALL: [&str; 6] = ["gmail", "microsoft", "yahoo", "apple", "gmx", "t-online"];

/// A domain and its one host, right in all but what is planted.
struct Sender {
    internet: Internet,
    provider: Provider,
    ip: IpAddr,
    plants: Vec<Plant>,
    count: usize,
}

impl Sender {
    async fn new(internet: &Internet, id: &str, plants: &[Plant]) -> Self {
        let mut model = Model::built_in(id);
        for plant in plants {
            if let P::Tight(change) = plant {
                change(&mut model);
            }
        }
        let provider = internet.provider_like(model).await;
        let has = |wanted: fn(&Plant) -> bool| plants.iter().any(wanted);
        let ip = match (internet.is_simulated(), has(|plant| matches!(plant, P::V6))) {
            (false, _) => internet.fresh_address(),
            (true, true) => V6.parse().unwrap(),
            (true, false) => V4.parse().unwrap(),
        };
        let sender = Self {
            internet: internet.clone(),
            provider,
            ip,
            plants: plants.to_vec(),
            count: 0,
        };
        sender.publish();
        sender.plant();
        sender
    }

    fn has(&self, wanted: fn(&Plant) -> bool) -> bool {
        self.plants.iter().any(wanted)
    }

    fn publish(&self) {
        let internet = &self.internet;
        let reverse = world::reverse_name(self.ip);
        let generic = format!(
            "{}.dyn.isp.test",
            self.ip.to_string().replace(['.', ':'], "-")
        );
        internet.domain(HOST).address(self.ip);
        if self.has(|plant| matches!(plant, P::GenericPtr)) {
            internet.domain(&generic).address(self.ip);
            internet
                .domain(&reverse)
                .record(world::Record::Ptr(generic));
        } else if !self.has(|plant| matches!(plant, P::NoPtr)) {
            let name = world::Record::Ptr(HOST.to_owned());
            internet.domain(&reverse).record(name);
        }
        match self.has(|plant| matches!(plant, P::NullMx)) {
            true => drop(internet.domain(DOMAIN).null_mx()),
            false => drop(internet.domain(DOMAIN).mx(HOST)),
        }
        if self.has(|plant| matches!(plant, P::WrongSpf)) {
            internet.domain(DOMAIN).txt("v=spf1 ip4:192.0.2.1 -all");
        } else if !self.has(|plant| matches!(plant, P::NoSpf)) {
            internet
                .domain(DOMAIN)
                .txt("v=spf1 a:mail.author.test -all");
        }
        let record = public_record(key(Algorithm::RsaSha256)).unwrap();
        internet
            .domain(&format!("s1._domainkey.{DOMAIN}"))
            .txt(&record);
        internet.domain("other.test").mx(HOST);
        if self.has(|plant| matches!(plant, P::NoDmarc)) {
            return;
        }
        let mut policy = "p=none";
        for plant in &self.plants {
            if let P::Dmarc(other) = plant {
                policy = other;
            }
        }
        for domain in [DOMAIN, "other.test"] {
            let text = format!("v=DMARC1; {policy}");
            internet.domain(&format!("_dmarc.{domain}")).txt(&text);
        }
    }

    fn plant(&self) {
        let (provider, ip) = (&self.provider, self.ip);
        if !self.has(|plant| matches!(plant, P::Stranger)) {
            provider.let_in(ip);
        }
        for plant in &self.plants {
            match *plant {
                P::Trouble => provider.set_trouble(true),
                P::BlockAddress => provider.block_address(ip),
                P::BlockRange => provider.block_range("203.0.113.0/24"),
                P::Listed => provider.list(ip, true),
                P::DialUp => provider.dial_up(ip),
                P::Points(points) => provider.set_reputation(ip, points),
                P::RangePoints(points) => provider.set_range_reputation(ip, points),
                P::Bulk => ["author.test", "other.test"]
                    .iter()
                    .for_each(|domain| provider.note_volume(domain, 5000)),
                P::Mailbox(mailbox) => provider.set_mailbox(&self.to(), mailbox),
                P::BrokenDns => {
                    let zones = self.internet.zones();
                    zones.fault("mail.author.test", DnsFault::ServFail);
                }
                _ => {}
            }
        }
    }

    fn to(&self) -> String {
        let domain = self.provider.model().domains().next().unwrap();
        format!("bob@{domain}")
    }

    fn at(&self) -> (String, SocketAddr) {
        self.provider.hosts()[0].clone()
    }

    fn helo(&self) -> &'static str {
        match self.has(|plant| matches!(plant, P::OtherHelo)) {
            true => "other.author.test",
            false => HOST,
        }
    }

    fn envelope_from(&self) -> &'static str {
        match self.has(|plant| matches!(plant, P::NoEnvelopeDomain)) {
            true => "al@nowhere.test",
            false => "al@author.test",
        }
    }

    /// The next message; with a number in its id.
    fn letter(&mut self) -> String {
        self.count += 1;
        let mut author = "al@author.test";
        let mut says = "Hello, Bob.";
        let mut more = "";
        let mut id = self.count;
        for plant in &self.plants {
            match *plant {
                P::Foreign => author = "al@other.test",
                P::NoAuthorDomain => author = "al@nowhere.test",
                P::Says(text) => says = text,
                P::TwoSubjects => more = "Subject: one more\r\n",
                P::SameId(_) => id = 0,
                _ => {}
            }
        }
        let message = format!(
            "From: Al <{author}>\r\nTo: <{}>\r\nSubject: Hello\r\n{more}Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n\
             Message-ID: <{id}@author.test>\r\n\r\n{says}\r\n",
            self.to()
        );
        if self.has(|plant| matches!(plant, P::Unsigned)) {
            return message;
        }
        let key = SigningKey::from_pkcs8(DOMAIN, "s1", key(Algorithm::RsaSha256)).unwrap();
        let fields = sign(message.as_bytes(), &[&key], seconds(&self.internet)).unwrap();
        format!("{}{message}", String::from_utf8(fields).unwrap())
    }

    /// A connection with EHLO said (under TLS), or the reply that denies it.
    async fn connect(&self) -> Result<Client, Reply> {
        let (host, at) = self.at();
        let world = self.internet.world("sender", vec![self.ip]);
        let stream = world.net.connect(Some(self.ip), at).await;
        let mut client = Client::new(stream.expect("the provider listens"));
        let greeting = client.reply().await.expect("a greeting");
        if !greeting.is_good() {
            return Err(greeting);
        }
        let hello = format!("EHLO {}", self.helo());
        let reply = client.say(&hello).await.expect("a reply to EHLO");
        if !reply.is_good() || self.has(|plant| matches!(plant, P::NoTls)) {
            return if reply.is_good() {
                Ok(client)
            } else {
                Err(reply)
            };
        }
        assert!(reply.offers("STARTTLS"), "{reply:?}");
        let tls = self.internet.tls_client();
        client.start_tls(&tls, &host).await.expect("TLS");
        client.say(&hello).await.expect("a reply to EHLO");
        Ok(client)
    }

    /// What the provider says to a message on a connection of its own.
    async fn send(&mut self) -> Option<Reply> {
        let letter = self.letter();
        let mut client = match self.connect().await {
            Ok(client) => client,
            Err(reply) => return Some(reply),
        };
        let reply = self.transact(&mut client, &letter).await;
        let _ = client.say("QUIT").await;
        reply
    }

    async fn transact(&self, client: &mut Client, letter: &str) -> Option<Reply> {
        let mut to = vec![self.to()];
        if self.has(|plant| matches!(plant, P::TwoDomains)) {
            let other = self.provider.model().domains().nth(1).unwrap();
            to.push(format!("eve@{other}"));
        }
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        client
            .transact(self.envelope_from(), &to, letter)
            .await
            .ok()
    }

    /// Does what the plants want before, and then sends.
    async fn meet(&mut self) -> Option<Reply> {
        let mut held = Vec::new();
        for plant in self.plants.clone() {
            match plant {
                P::Before(count) | P::SameId(count) => {
                    for _ in 0..count {
                        assert_eq!(self.send().await.unwrap().code, 250);
                    }
                }
                P::Open(count) => {
                    for _ in 0..count {
                        held.push(self.connect().await.expect("not too many yet"));
                    }
                }
                P::HeloChanges => {
                    for name in ["a.author.test", "b.author.test", "c.author.test"] {
                        let mut client = self.connect().await.unwrap();
                        client.say(&format!("EHLO {name}")).await.unwrap();
                    }
                }
                P::Unknown(count) => self.ask_for_unknown(count).await,
                P::Same(count) => return self.send_on_one_connection(count).await,
                _ => {}
            }
        }
        self.send().await
    }

    async fn ask_for_unknown(&mut self, count: usize) {
        let domain = self.provider.model().domains().next().unwrap().to_owned();
        let mut client = self.connect().await.unwrap();
        client.say("MAIL FROM:<al@author.test>").await.unwrap();
        for number in 0..count {
            let nobody = format!("nobody{number}@{domain}");
            self.provider.set_mailbox(&nobody, Mailbox::Unknown);
            let reply = client.say(&format!("RCPT TO:<{nobody}>")).await.unwrap();
            assert!(!reply.is_good(), "{reply:?}");
        }
        // Each costs points; this is about the count.
        self.provider.set_reputation(self.ip, 50.0);
        self.provider.set_range_reputation(self.ip, 50.0);
    }

    async fn send_on_one_connection(&mut self, count: usize) -> Option<Reply> {
        let mut client = self.connect().await.unwrap();
        for number in 0..count {
            let letter = self.letter();
            let reply = self.transact(&mut client, &letter).await.unwrap();
            assert_eq!(reply.code, 250, "message {number}: {reply:?}");
            // Not too fast.
            if self.internet.is_simulated() {
                self.internet.pass(minutes(1) / 10).await;
            }
        }
        let letter = self.letter();
        self.transact(&mut client, &letter).await
    }
}

#[test]
fn each_rule_is_met_by_what_plants_it() {
    let mut wrong = Vec::new();
    for (id, rule, plants) in RULES {
        let met = Internet::simulated(1, async |internet| {
            let mut sender = Sender::new(&internet, id, plants).await;
            let reply = sender.meet().await;
            (heard(&sender.provider, rule, reply.as_ref()), reply)
        });
        if let (Err(why), reply) = met {
            wrong.push(format!("{id} {rule}: {why}: {reply:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the newest message met this rule, and nothing else was heard of it.
fn heard(provider: &Provider, rule: &str, reply: Option<&Reply>) -> Result<(), String> {
    let known = provider.model().rule.iter().find(|known| known.id == rule);
    let known = known.ok_or("there is no such rule")?;
    if known.spam {
        let last = provider.taken().pop().ok_or("nothing taken")?;
        return match last.spam.as_deref() == Some(rule) {
            true => Ok(()),
            false => Err(format!("put there by {:?}", last.spam)),
        };
    }
    let last = provider.refused().pop().ok_or("not refused")?;
    if last.rule != rule || last.point != known.at {
        return Err(format!("refused by {}", last.rule));
    }
    let Some(reply) = reply else {
        assert!(last.reply.is_empty(), "{rule}: the line was closed");
        return Ok(());
    };
    let said: Vec<_> = last
        .reply
        .lines()
        .map(|line| line[4..].trim_end())
        .collect();
    let heard: Vec<_> = reply.text.lines().map(str::trim_end).collect();
    assert_eq!(said, heard, "{rule}");
    assert!(!last.reply.contains('{'), "{rule}: {}", last.reply);
    Ok(())
}

#[test]
fn no_rule_is_untried() {
    let tried: BTreeSet<_> = RULES.iter().map(|(id, rule, _)| (*id, *rule)).collect();
    let mut untried = Vec::new();
    for model in &Model::all() {
        for rule in &model.rule {
            let name = (model.id.as_str(), rule.id.as_str());
            if !tried.contains(&name) {
                untried.push(format!("{} {}", model.id, rule.id));
            }
        }
    }
    assert_eq!(untried, [""; 0], "rules without a row in RULES");
    assert!(130 <= tried.len(), "{}", tried.len());
}

#[test]
fn a_correct_sender_is_welcome_everywhere() {
    for id in ALL {
        for plants in [&[] as &[Plant], &[P::V6], &[P::Bulk]] {
            Internet::simulated(1, async |internet| {
                let mut sender = Sender::new(&internet, id, plants).await;
                for _ in 0..5 {
                    let reply = sender.send().await.unwrap();
                    assert_eq!(reply.code, 250, "{id}: {reply:?}");
                }
                assert_eq!(sender.provider.refused(), []);
                for Accepted {
                    verdict, spam, tls, ..
                } in sender.provider.taken()
                {
                    assert_eq!(spam, None, "{id}");
                    assert_eq!(verdict.dmarc.result, DmarcResult::Pass);
                    assert!(verdict.dmarc.spf_aligned && verdict.dmarc.dkim_aligned);
                    assert!(tls.is_some());
                }
            });
        }
    }
}

#[test]
fn the_knowledge_understands_what_the_models_say() {
    for model in Model::all() {
        let known = replies::built_in().providers();
        let group = known.iter().find(|group| group.id == model.group);
        let group = group.unwrap_or_else(|| panic!("{} is unknown", model.group));
        for exchange in &model.exchange {
            for (_, host) in &exchange.hosts {
                let found = replies::built_in().provider_of(host, "");
                assert_eq!(found.map(|found| &found.id), Some(&group.id), "{host}");
            }
        }
        for rule in &model.rule {
            let Some(reply) = &rule.reply else { continue };
            let phase = match rule.at {
                Point::Connect => replies::Phase::Connect,
                Point::Ehlo => replies::Phase::Helo,
                Point::Mail => replies::Phase::Mail,
                Point::Recipient => replies::Phase::Rcpt,
                Point::End => replies::Phase::End,
            };
            let reply = reply.replace("{ip}", V4);
            let host = &model.exchange[0].hosts[0].1;
            let refusal = replies::Refusal::read(host, "", phase, &reply);
            let answer = replies::classify(&refusal);
            let class = rule.class.as_deref();
            let name = format!("{} {}: {reply}: {}", model.id, rule.id, answer.rule);
            assert_eq!(Some(answer.class.as_str()), class, "{name}");
            assert_ne!(answer.rule, "unknown", "{name}");
        }
    }
}

#[test]
fn replies_are_well_formed() {
    for model in Model::all() {
        for rule in &model.rule {
            let name = format!("{} {}", model.id, rule.id);
            let Some(reply) = &rule.reply else {
                assert!(rule.spam || rule.close, "{name} does nothing");
                continue;
            };
            let codes: BTreeSet<_> = reply.lines().map(|line| &line[..3]).collect();
            assert_eq!(codes.len(), 1, "{name}: {codes:?}");
            let count = reply.lines().count();
            for (index, line) in reply.lines().enumerate() {
                let mark = if index + 1 == count { " " } else { "-" };
                assert_eq!(&line[3..4], mark, "{name}: {line}");
            }
        }
        let real: BTreeMap<_, _> = [("gmail", "gmail-smtp-in.l.google.com")].into();
        if let Some(name) = real.get(model.id.as_str()) {
            assert_eq!(model.exchange[0].hosts[0].1, *name);
        }
    }
}

/// Google's own rule (March 2026): silence, then one connection, one more for each success.
#[test]
fn gmail_wants_ten_minutes_of_silence() {
    Internet::simulated(1, async |internet| {
        let mut sender = Sender::new(&internet, "gmail", &[P::Tight(few_a_minute)]).await;
        for _ in 0..3 {
            assert_eq!(sender.send().await.unwrap().code, 250);
        }
        assert_eq!(sender.send().await.unwrap().code, 421);
        // Whoever comes too early waits anew.
        internet.pass(minutes(9)).await;
        assert_eq!(sender.send().await.unwrap().code, 421);
        internet.pass(minutes(9)).await;
        assert_eq!(sender.send().await.unwrap().code, 421);
        internet.pass(minutes(10)).await;
        let first = sender.connect().await.expect("one connection");
        let second = sender.connect().await.err().expect("and not a second");
        assert!(second.text.contains("4.7.28"), "{second:?}");
        drop(first);
        internet.pass(minutes(1)).await;
        assert_eq!(sender.send().await.unwrap().code, 250);
        let _first = sender.connect().await.expect("one connection");
        let _second = sender.connect().await.expect("and now a second");
        sender.connect().await.err().expect("and not a third");
    });
}

#[test]
fn reputation_grows_slowly_and_falls_at_once() {
    Internet::simulated(1, async |internet| {
        let mut sender = Sender::new(&internet, "microsoft", &[]).await;
        let provider = sender.provider.clone();
        let (start, _) = provider.reputation(sender.ip);
        for _ in 0..10 {
            for _ in 0..20 {
                assert_eq!(sender.send().await.unwrap().code, 250);
                internet.pass(minutes(5)).await;
            }
            internet.pass(days(1) - minutes(100)).await;
        }
        let (grown, range) = provider.reputation(sender.ip);
        assert!((start + 29.0..=start + 31.0).contains(&grown), "{grown}");
        assert!(
            start < range && range < grown,
            "the range gains half: {range}"
        );
        for _ in 0..11 {
            provider.complain(sender.ip);
        }
        let (fallen, range) = provider.reputation(sender.ip);
        assert!(fallen < 8.0, "{fallen}");
        let reply = sender.send().await.unwrap();
        assert!(reply.text.contains("SC-004"), "{reply:?}");
        // A neighbour that did nothing pays for it too.
        let neighbour: IpAddr = "203.0.113.200".parse().unwrap();
        let of_neighbour = provider.reputation(neighbour);
        assert_eq!(of_neighbour.0, start);
        assert!(
            (range..range + 1.0).contains(&of_neighbour.1),
            "{of_neighbour:?}"
        );
        assert!(range < start, "{range}");
        internet.pass(days(10)).await;
        let (healed, _) = provider.reputation(sender.ip);
        assert!((fallen + 14.0..fallen + 16.0).contains(&healed), "{healed}");
        // Too long ago: as good as new.
        internet.pass(days(30)).await;
        assert_eq!(provider.reputation(sender.ip).0, start);
    });
}

#[test]
fn a_range_is_blocked_and_unblocked() {
    for id in ALL {
        Internet::simulated(1, async |internet| {
            let mut sender = Sender::new(&internet, id, &[]).await;
            let provider = sender.provider.clone();
            assert_eq!(sender.send().await.unwrap().code, 250);
            provider.block_range("203.0.113.0/24");
            for _ in 0..3 {
                assert!(!sender.send().await.unwrap().is_good());
                internet.pass(hours(1)).await;
            }
            assert_eq!(provider.refusals()["block-range"], 3);
            // Elsewhere is not here.
            sender.ip = "198.51.100.7".parse().unwrap();
            sender.publish();
            provider.let_in(sender.ip);
            assert_eq!(sender.send().await.unwrap().code, 250, "{id}");
            sender.ip = V4.parse().unwrap();
            provider.unblock();
            assert_eq!(sender.send().await.unwrap().code, 250);
            assert_eq!((provider.taken_count(), provider.refused().len()), (3, 3));
            assert_eq!(provider.connections_from(sender.ip), 5);
            assert_eq!(provider.most_in_a_minute(sender.ip), 1);
        });
    }
}

#[test]
fn t_online_forgets_who_is_silent_for_a_year() {
    Internet::simulated(1, async |internet| {
        let mut sender = Sender::new(&internet, "t-online", &[]).await;
        assert_eq!(sender.send().await.unwrap().code, 250);
        internet.pass(days(364)).await;
        assert_eq!(sender.send().await.unwrap().code, 250);
        internet.pass(days(364)).await;
        assert_eq!(
            sender.send().await.unwrap().code,
            250,
            "each message counts anew"
        );
        internet.pass(days(366)).await;
        let reply = sender.send().await.unwrap();
        assert!(reply.text.contains("(NOWL)"), "{reply:?}");
    });
}

#[test]
fn near_five_thousand_in_a_day_is_bulk_for_ever() {
    Internet::simulated(1, async |internet| {
        let mut sender = Sender::new(&internet, "gmail", &[P::NoDmarc]).await;
        let provider = sender.provider.clone();
        provider.note_volume(DOMAIN, 4998);
        assert_eq!(sender.send().await.unwrap().code, 250, "not bulk yet");
        internet.pass(days(2)).await;
        provider.note_volume(DOMAIN, 4999);
        assert_eq!(sender.send().await.unwrap().code, 250, "the last one");
        assert_eq!(sender.send().await.unwrap().code, 421, "from here on");
        internet.pass(days(25)).await;
        let reply = sender.send().await.unwrap();
        assert!(reply.text.contains("4.7.40"), "{reply:?}");
    });
}

fn story(seed: u64) -> Vec<String> {
    Internet::simulated(seed, async |internet| {
        let mut sender = Sender::new(&internet, "gmail", &[P::Tight(few_a_minute)]).await;
        for _ in 0..6 {
            sender.send().await;
        }
        let replies = sender.provider.refused().into_iter().map(|it| it.reply);
        internet
            .trace()
            .lines()
            .into_iter()
            .chain(replies)
            .collect()
    })
}

#[test]
fn equal_seeds_tell_equal_stories() {
    assert_eq!(story(7), story(7));
    assert_ne!(
        story(7),
        story(8),
        "the marks of replies come from the seed"
    );
}

#[test]
fn providers_work_over_real_sockets() {
    for id in ALL {
        Internet::real(async |internet| {
            let mut sender = Sender::new(&internet, id, &[]).await;
            let reply = sender.send().await.unwrap();
            assert_eq!(reply.code, 250, "{id}: {reply:?}");
            let taken = sender.provider.taken();
            assert_eq!(taken[0].verdict.dmarc.result, DmarcResult::Pass, "{id}");
            sender.provider.block_range(&sender.ip.to_string());
            let reply = sender.send().await.unwrap();
            assert!(!reply.is_good(), "{id}: {reply:?}");
            assert_eq!(sender.provider.refusals()["block-range"], 1);
        });
    }
}
