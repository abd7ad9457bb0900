//! Signing keys over months: they change, and whatever the operator does or leaves undone, what arrives can be
//! verified with the records of that day.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record as WireRecord};
use mail::{Domain, UnixMillis};
use mailauth::dkim::{Verdict, verify};
use mailauth::explain::Notes;
use postroad::Config;
use postroad::commands::{Context, Request, dkim};
use postroad::output::{Answer, Exit};
use simulator::{Act, Host, Internet, Phase, Remote, Script, days, hours, minutes};
use store::{DkimAlgorithm, DkimKey, DkimRecord, DkimRotation, DkimState, Durability, signing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::Record;

use crate::{ANN, BOB, letter};

const HERE: &str = "here.test";
const PERIOD_DAYS: u32 = 30;

struct Town {
    internet: Internet,
    here: Host,
    there: Remote,
}

/// A host with keys that are published and change every [`PERIOD_DAYS`] days.
async fn town(internet: Internet, script: Script) -> Town {
    let host = internet.host("mx.here.test").domain(HERE).account(ANN);
    let here = host.start().await;
    let there = internet.remote_domain("there.test", script).await;
    let now = UnixMillis::from(internet.wall());
    let pair = jobs::dkim::new_pair(DkimState::Active, &[], now).expect("keys can be made");
    let rotation = DkimRotation::Every { days: PERIOD_DAYS };
    let made = here
        .store()
        .write_blocking(Durability::Durable, move |change| {
            let domain = Domain::parse(HERE).expect("a domain");
            for key in &pair {
                change.add_dkim_key(&domain, key, now)?;
            }
            change.set_dkim_rotation(Some(&domain), Some(rotation))
        });
    made.expect("keys can be stored");
    let town = Town {
        internet,
        here,
        there,
    };
    town.publish();
    town
}

impl Town {
    fn keys(&self) -> Vec<DkimKey> {
        let domain = Domain::parse(HERE).expect("a domain");
        let keys = self
            .here
            .store()
            .read_blocking(move |view| view.dkim_keys(&domain));
        keys.expect("the store can be read")
    }

    fn key(&self, algorithm: DkimAlgorithm, state: DkimState) -> Option<DkimKey> {
        let is_it = |key: &DkimKey| key.algorithm == algorithm && key.state == state;
        self.keys().into_iter().find(is_it)
    }

    fn count(&self, state: DkimState) -> usize {
        self.keys().iter().filter(|key| key.state == state).count()
    }

    /// What `dns show` asks for: new records in, old ones out.
    fn publish(&self) {
        for key in self.keys() {
            let name = record_name(&key);
            self.internet.zones().clear(&name);
            if key.state != DkimState::Retired {
                let text = jobs::dkim::record(&key.private).expect("a sound key");
                self.internet.zones().name(&name).txt(&text);
            }
        }
    }

    fn command(&self, request: dkim::Request) -> Answer {
        let world = self.here.world();
        let context = Context {
            store: self.here.store().clone(),
            config: Arc::new(Config::new("mx.here.test", "nowhere")),
            clock: world.clock.clone(),
            random: world.random.clone(),
            tls: None,
            wanted: None,
            changed: None,
            post: None,
        };
        let answer = postroad::commands::execute(&context, Request::Dkim(request));
        answer.expect("the command works")
    }

    /// A message that goes over now.
    async fn send(&self) -> Vec<u8> {
        let before = self.there.taken_count();
        self.here.submit(ANN, &[BOB], &letter("the weather")).await;
        self.internet
            .until(minutes(5), || before < self.there.taken_count())
            .await;
        self.there.taken().pop().expect("it was taken").message
    }

    async fn verdicts(&self, message: &[u8]) -> Vec<Verdict> {
        let now = UnixMillis::from(self.internet.wall()).secs();
        let dns = self.here.world().dns.clone();
        verify(&*dns, message, now as u64, &mut Notes::off()).await
    }

    /// The selectors of a message whose signatures all hold.
    #[track_caller]
    fn all_hold(&self, verdicts: &[Verdict]) -> BTreeSet<String> {
        let day = self.internet.elapsed().as_secs() / 86_400;
        assert!(!verdicts.is_empty(), "unsigned on day {day}");
        for verdict in verdicts {
            assert!(
                verdict.passed(),
                "day {day}: {verdict:?}\n{:?}",
                self.keys()
            );
        }
        verdicts
            .iter()
            .map(|verdict| verdict.selector.clone())
            .collect()
    }
}

fn record_name(key: &DkimKey) -> String {
    format!("{}._domainkey.{}", key.selector, key.domain)
}

#[test]
fn months_pass_and_every_signature_holds() {
    Internet::simulated(1, async |internet| {
        let town = town(internet, Script::accept()).await;
        let mut used = BTreeSet::new();
        // What was sent seven days ago is verified again: it may have waited so long elsewhere.
        let mut recent = VecDeque::new();
        for day in 0..110 {
            // The operator has a look twice a week.
            if day % 4 == 3 {
                town.publish();
            }
            let message = town.send().await;
            let verdicts = town.verdicts(&message).await;
            let selectors = town.all_hold(&verdicts);
            assert_eq!(selectors.len(), 2, "one of each kind: {selectors:?}");
            used.extend(selectors);
            recent.push_back(message);
            if 7 < recent.len() {
                let late = recent.pop_front().unwrap_or_default();
                town.all_hold(&town.verdicts(&late).await);
            }
            town.internet.pass(days(1)).await;
        }
        assert!(6 <= used.len(), "keys were changed: {used:?}");
        // What nobody needs is forgotten, in the DNS and here.
        assert_eq!(town.count(DkimState::Active), 2);
        assert!(town.keys().len() <= 6, "{:?}", town.keys());
    });
}

#[test]
fn each_step_takes_its_time() {
    Internet::simulated(2, async |internet| {
        let town = town(internet, Script::accept()).await;
        let period = days(u64::from(PERIOD_DAYS));
        town.internet.pass(period - days(1)).await;
        assert_eq!(town.count(DkimState::Coming), 0);
        town.internet.pass(days(1) + hours(2)).await;
        assert_eq!(town.count(DkimState::Coming), 2, "made, and not used");
        town.internet.pass(hours(30)).await;
        let coming = town.key(DkimAlgorithm::RsaSha256, DkimState::Coming);
        assert_eq!(coming.expect("it waits").look.found, DkimRecord::Missing);

        town.publish();
        town.internet
            .until(hours(2), || {
                let coming = town.key(DkimAlgorithm::RsaSha256, DkimState::Coming);
                coming.is_some_and(|key| key.look.found == DkimRecord::Right)
            })
            .await;
        assert_eq!(town.count(DkimState::Coming), 2, "seen once is not enough");
        town.internet
            .until(hours(3), || town.count(DkimState::Coming) == 0)
            .await;
        assert_eq!(town.count(DkimState::Kept), 2);
        let switched = town.internet.now();
        // What is signed from now on is signed with the new ones.
        town.internet.pass(minutes(1)).await;
        let message = town.send().await;
        let selectors = town.all_hold(&town.verdicts(&message).await);
        let active: BTreeSet<String> = signing(&town.keys())
            .map(|key| key.selector.clone())
            .collect();
        assert_eq!(selectors, active);

        town.internet
            .until(days(9), || town.count(DkimState::Retired) == 2)
            .await;
        let kept = town.internet.now() - switched;
        assert!(days(7) - minutes(5) <= kept, "{kept:?}");
        town.internet.pass(days(3)).await;
        assert_eq!(town.count(DkimState::Retired), 2, "its record is there");
        town.publish();
        town.internet
            .until(days(2), || town.keys().len() == 2)
            .await;
    });
}

#[test]
fn without_the_new_records_the_old_keys_go_on() {
    Internet::simulated(3, async |internet| {
        let town = town(internet, Script::accept()).await;
        let before: BTreeSet<String> = town.keys().into_iter().map(|key| key.selector).collect();
        for _ in 0..12 {
            let message = town.send().await;
            let selectors = town.all_hold(&town.verdicts(&message).await);
            assert_eq!(selectors, before);
            town.internet.pass(days(10)).await;
        }
        assert_eq!(
            town.count(DkimState::Coming),
            2,
            "one pair, not one a month"
        );
        let coming = town
            .key(DkimAlgorithm::Ed25519Sha256, DkimState::Coming)
            .expect("it waits");
        // The operator is reminded day by day.
        let now = UnixMillis::from(town.internet.wall());
        let reminded = coming.look.reminded.expect("a reminder");
        assert!(now.since(reminded) < days(1) + hours(2));
        let answer = town.command(dkim::Request::List { domain: None });
        assert_eq!(answer.exit, Exit::Findings);
        let told = answer.value.to_string();
        assert!(told.contains("publish its record"), "{told}");

        // One record comes, the other not: each kind goes its own way.
        let rsa = town.key(DkimAlgorithm::RsaSha256, DkimState::Coming);
        let rsa = rsa.expect("it waits");
        let text = jobs::dkim::record(&rsa.private).expect("a sound key");
        town.internet.zones().name(&record_name(&rsa)).txt(&text);
        town.internet.pass(hours(4)).await;
        let message = town.send().await;
        let selectors = town.all_hold(&town.verdicts(&message).await);
        assert!(selectors.contains(&rsa.selector), "{selectors:?}");
        assert!(!selectors.contains(&coming.selector), "{selectors:?}");
    });
}

#[test]
fn a_broken_record_silences_its_key_beside_a_sound_one() {
    Internet::simulated(4, async |internet| {
        let town = town(internet, Script::accept()).await;
        town.internet.pass(days(2)).await;
        let ed = town.key(DkimAlgorithm::Ed25519Sha256, DkimState::Active);
        let ed = ed.expect("it signs");
        let text = jobs::dkim::record(&ed.private).expect("a sound key");
        let wrong = format!("{}AAAA", &text[..text.len() - 4]);
        for (broken, record) in [("wrong", Some(wrong)), ("missing", None)] {
            town.internet.zones().clear(&record_name(&ed));
            if let Some(record) = record {
                town.internet.zones().name(&record_name(&ed)).txt(&record);
            }
            town.internet.pass(days(1) + hours(2)).await;
            let message = town.send().await;
            let verdicts = town.verdicts(&message).await;
            assert_eq!(verdicts.len(), 1, "{broken}: {verdicts:?}");
            town.all_hold(&verdicts);
            // Mended: it signs again soon.
            town.publish();
            town.internet.pass(hours(2)).await;
            let message = town.send().await;
            let verdicts = town.verdicts(&message).await;
            assert_eq!(town.all_hold(&verdicts).len(), 2, "{broken}");
        }
        // DNS trouble is no broken record.
        let zone = format!("_domainkey.{HERE}");
        town.internet
            .zones()
            .fault(&zone, simulator::DnsFault::ServFail);
        town.internet.pass(days(3)).await;
        town.internet.zones().mend(&zone);
        let message = town.send().await;
        let verdicts = town.verdicts(&message).await;
        assert_eq!(town.all_hold(&verdicts).len(), 2);
    });
}

#[test]
fn what_waits_in_the_queue_counts_as_use() {
    Internet::simulated(5, async |internet| {
        // Taken only at the fourth day.
        let busy = Script::accept().at(Phase::Mail, Act::Reply("451 4.3.0 later".to_owned()));
        let town = town(internet, busy).await;
        let period = days(u64::from(PERIOD_DAYS));
        town.internet.pass(period + hours(2)).await;
        assert_eq!(town.count(DkimState::Coming), 2);
        town.here.submit(ANN, &[BOB], &letter("patience")).await;
        town.publish();
        town.internet
            .until(hours(5), || town.count(DkimState::Kept) == 2)
            .await;
        town.internet.pass(days(4)).await;
        town.there.set_script(Script::accept());
        town.internet
            .until(days(1), || town.here.queue().is_empty())
            .await;
        let left = town.internet.now();
        town.internet
            .until(days(10), || town.count(DkimState::Retired) == 2)
            .await;
        // Looked for once a day, so the last use is known to the day.
        let kept = town.internet.now() - left;
        assert!(days(6) <= kept, "{kept:?}");
        let message = &town.there.taken()[0].message;
        town.all_hold(&town.verdicts(message).await);
    });
}

#[test]
fn a_power_cut_in_the_middle_loses_no_step_and_repeats_none() {
    Internet::simulated(6, async |internet| {
        let mut town = town(internet, Script::accept()).await;
        let mut used = BTreeSet::new();
        for day in 0..75_u64 {
            town.here.kill();
            town.internet.pass(hours(day % 5)).await;
            town.here.start_again().await;
            if day % 3 == 0 {
                town.publish();
            }
            let message = town.send().await;
            used.extend(town.all_hold(&town.verdicts(&message).await));
            assert!(town.count(DkimState::Coming) <= 2);
            town.internet.pass(hours(20)).await;
        }
        assert!((4..=8).contains(&used.len()), "{used:?}");
        assert_eq!(town.count(DkimState::Active), 2);
    });
}

#[test]
fn keys_rest_after_a_change_of_the_dmarc_policy() {
    Internet::simulated(7, async |internet| {
        let town = town(internet, Script::accept()).await;
        let policy = |text: &str| {
            town.internet.zones().clear("_dmarc.here.test");
            town.internet.zones().name("_dmarc.here.test").txt(text);
        };
        policy("v=DMARC1; p=none");
        let period = days(u64::from(PERIOD_DAYS));
        town.internet.pass(period - days(3)).await;
        policy("v=DMARC1; p=quarantine");
        town.internet.pass(days(6)).await;
        assert_eq!(town.count(DkimState::Coming), 0, "too soon");
        town.internet.pass(days(3)).await;
        assert_eq!(town.count(DkimState::Coming), 2);
    });
}

#[test]
fn a_new_key_waits_for_the_last_name_server() {
    Internet::simulated(8, async |internet| {
        let town = town(internet, Script::accept()).await;
        let first = NameServer::start(&town.internet, "ns1.here.test").await;
        let second = NameServer::start(&town.internet, "ns2.here.test").await;
        // The third is down, which holds up nothing.
        town.internet
            .zones()
            .add(HERE, Record::Ns("ns3.here.test".to_owned()));
        let down = town.internet.fresh_address();
        town.internet.zones().host("ns3.here.test", down);
        let period = days(u64::from(PERIOD_DAYS));
        town.internet.pass(period + hours(2)).await;
        assert_eq!(town.count(DkimState::Coming), 2);
        town.publish();
        let records: Vec<(String, String)> = town
            .keys()
            .iter()
            .map(|key| {
                let text = jobs::dkim::record(&key.private).expect("a sound key");
                (record_name(key), text)
            })
            .collect();
        first.has(&records);
        town.internet.pass(days(2)).await;
        assert_eq!(town.count(DkimState::Coming), 2, "one server lags");
        second.has(&records);
        town.internet
            .until(hours(4), || town.count(DkimState::Coming) == 0)
            .await;
    });
}

/// A name server of the domain, with what it has heard of so far.
struct NameServer {
    texts: Arc<Mutex<BTreeMap<String, String>>>,
}

impl NameServer {
    async fn start(internet: &Internet, name: &str) -> Self {
        let address = internet.fresh_address();
        internet.zones().host(name, address);
        internet.zones().add(HERE, Record::Ns(name.to_owned()));
        let world = internet.world(name, vec![address]);
        let listener = world.net.listen(SocketAddr::new(address, 53)).await;
        let listener = listener.expect("the port is free");
        let texts = Arc::new(Mutex::new(BTreeMap::new()));
        let known = texts.clone();
        world.tasks.spawn("name server", async move {
            while let Ok(mut stream) = listener.accept().await {
                let mut length = [0; 2];
                if stream.read_exact(&mut length).await.is_err() {
                    continue;
                }
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                if stream.read_exact(&mut question).await.is_err() {
                    continue;
                }
                let answer = answer(&question, &known.lock().expect("no panic with the lock"));
                let length = (answer.len() as u16).to_be_bytes();
                let _ = stream.write_all(&[&length[..], &answer].concat()).await;
                let _ = stream.flush().await;
            }
        });
        Self { texts }
    }

    fn has(&self, records: &[(String, String)]) {
        let mut texts = self.texts.lock().expect("no panic with the lock");
        texts.extend(records.iter().cloned());
    }
}

fn answer(question: &[u8], texts: &BTreeMap<String, String>) -> Vec<u8> {
    let question = Message::from_vec(question).expect("a question");
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.metadata.authoritative = true;
    let query = question.queries[0].clone();
    let name = query.name().to_ascii().trim_end_matches('.').to_owned();
    match texts.get(&name) {
        Some(text) => {
            let strings = text
                .as_bytes()
                .chunks(255)
                .map(|part| String::from_utf8(part.to_vec()).expect("ASCII"));
            let data = RData::TXT(TXT::new(strings.collect()));
            answer.add_answer(WireRecord::from_rdata(query.name().clone(), 60, data));
        }
        None => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer.add_query(query);
    answer.to_vec().expect("an answer")
}
