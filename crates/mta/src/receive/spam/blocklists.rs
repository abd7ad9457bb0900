//! Asks lists in the DNS (RFC 5782) about the peer, the sender's domains and what links lead to. Each list is asked about itself
//! first, and again every few hours: one that fails its test, refuses us, or is slow says nothing. No mail waits long for them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::{Shared, join, join_all};
use mail::UnixMillis;
use spam::blocklist::{self, Blocklist, PUBLIC_RESOLVER, Said, Subjects};
use spam::domains::registrable;
use spam::facts::{Listed, ListedOf};
use store::deliveries::NewNotice;
use store::senders::BlocklistChoice;
use store::{Durability, Store, StoreError};
use tokio::sync::oneshot;
use world::{AnswerStatus, Kind, Record, Task, World};

use crate::receive::turns::{InTurn, Turn};
use crate::{Inner, limits};

/// Asks lists. A clone is a handle to the same.
#[derive(Clone)]
pub(super) struct Blocklists {
    world: World,
    store: Store,
    with_built_in: bool,
    known: Arc<Known>,
}

/// What is known of the lists themselves.
#[derive(Default)]
struct Known {
    lists: Mutex<Option<(Instant, Arc<Vec<Blocklist>>)>>,
    health: Mutex<BTreeMap<String, Health>>,
}

/// How a list is doing.
#[derive(Clone, Copy, Debug)]
enum Health {
    /// Somebody asks it about itself; until then nobody else waits for that.
    InTest(Instant),
    Works {
        tested: Instant,
        slow: u32,
    },
    Broken(Instant),
}

/// What may be done with a list now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    Ask,
    TestAndAsk,
    Leave,
}

/// Questions about the peer, under way since MAIL. Dropping it ends them.
pub(crate) struct AskedOfPeer {
    task: Task,
    answer: Shared<oneshot::Receiver<Vec<Listed>>>,
}

impl AskedOfPeer {
    /// Begins to ask, if there is something to ask; waits for nothing.
    pub(crate) fn begin(inner: &Inner, ip: IpAddr) -> Option<Self> {
        let ip = ip.to_canonical();
        if !is_public(ip) {
            return None;
        }
        let (answered, answer) = oneshot::channel();
        let (lists, turn) = (inner.spam.lists.clone(), inner.turns.of(ip));
        let task = inner.world.tasks.spawn("blocklists", async move {
            let _ = answered.send(lists.of_peer(ip, &turn).await);
        });
        Some(Self {
            task,
            answer: answer.shared(),
        })
    }

    /// How many of them have the peer, as far as they said it by the given moment.
    pub(crate) async fn listings(&self, inner: &Inner, late: Instant) -> usize {
        let answer = inner.world.tasks.deadline(late, self.answer.clone()).await;
        let lists = answer.ok().and_then(Result::ok).unwrap_or_default();
        lists.iter().filter(|listed| 0.0 < listed.weight).count()
    }

    /// What they said up to the given moment.
    pub(super) async fn answer(self, inner: &Inner, late: Instant) -> Vec<Listed> {
        let answer = inner.world.tasks.deadline(late, self.answer.clone()).await;
        answer.ok().and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for AskedOfPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Question {
    of: ListedOf,
    subject: String,
    point: String,
}

/// Questions to a list that somebody waits for. A message that waits no longer is how most slow lists are found out.
struct Waiting<'a> {
    lists: &'a Blocklists,
    zone: &'a str,
    since: Instant,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let now = self.lists.world.now();
        // Who hangs up at once says nothing of the list.
        let waited = now.saturating_duration_since(self.since);
        if !self.answered && limits::BLOCKLISTS_PATIENCE / 2 <= waited {
            self.lists.was_slow(self.zone, now);
        }
    }
}

/// A list did not answer, or too late.
#[derive(Debug)]
struct Silent;

impl Blocklists {
    pub(super) fn new(world: World, store: Store, with_built_in: bool) -> Self {
        Self {
            world,
            store,
            with_built_in,
            known: Arc::default(),
        }
    }

    async fn of_peer(&self, ip: IpAddr, turn: &Turn) -> Vec<Listed> {
        let lists = self.now().await;
        let asked = lists.iter().filter(|list| list.knows(ip)).map(|list| {
            let question = Question {
                of: ListedOf::Peer,
                subject: ip.to_string(),
                point: list.point(ip),
            };
            self.ask(list, vec![question], turn)
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// What lists of domains say of these.
    pub(super) async fn of_domains(
        &self,
        ip: IpAddr,
        turn: &Turn,
        senders: &[String],
        links: &[String],
    ) -> Vec<Listed> {
        match is_public(ip.to_canonical()) {
            true => self.of_names(turn, senders, links).await,
            false => Vec::new(),
        }
    }

    /// What they say of the links in a message that somebody sends, wherever that is.
    pub(super) async fn of_links(&self, turn: &Turn, links: &[String]) -> Vec<Listed> {
        self.of_names(turn, &[], links).await
    }

    async fn of_names(&self, turn: &Turn, senders: &[String], links: &[String]) -> Vec<Listed> {
        if senders.is_empty() && links.is_empty() {
            return Vec::new();
        }
        let lists = self.now().await;
        let of_domains = lists.iter().filter(|list| list.of == Subjects::Domains);
        let asked = of_domains.map(|list| {
            let senders = senders.iter().map(|name| (ListedOf::Sender, name));
            let subjects = senders.chain(links.iter().map(|name| (ListedOf::Link, name)));
            let questions = subjects
                // Not where nothing that it could say would count.
                .filter(|(of, _)| list.log_odds(Said::Listed, *of).is_some())
                .map(|(of, name)| Question {
                    of,
                    subject: name.clone(),
                    point: list.domain_point(name),
                });
            self.ask(list, questions.collect(), turn)
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Asks one list, and if it is time for that, about itself beside it.
    async fn ask(&self, list: &Blocklist, questions: Vec<Question>, turn: &Turn) -> Vec<Listed> {
        if questions.is_empty() {
            return Vec::new();
        }
        let may = self.may_ask(&list.zone, self.world.now());
        if may == May::Leave {
            return Vec::new();
        }
        let mut waiting = Waiting {
            lists: self,
            zone: &list.zone,
            since: self.world.now(),
            answered: false,
        };
        let answers = questions
            .iter()
            .map(|question| self.say(list, &question.point, turn));
        let (works, answers) = join(
            async {
                match may {
                    May::TestAndAsk => self.test(list, turn).await,
                    May::Ask | May::Leave => true,
                }
            },
            join_all(answers),
        )
        .await;
        waiting.answered = true;
        if !works {
            return Vec::new();
        }
        match answers.contains(&None) {
            true => self.was_slow(&list.zone, self.world.now()),
            false => self.was_quick(&list.zone),
        }
        let answered = questions.into_iter().zip(answers);
        let listed = answered.filter_map(|(question, said)| {
            Some(Listed {
                zone: list.zone.clone(),
                of: question.of,
                subject: question.subject,
                weight: list.log_odds(said?, question.of)?,
            })
        });
        listed.collect()
    }

    /// Nothing: the DNS did not answer, or too late.
    async fn say(&self, list: &Blocklist, point: &str, turn: &Turn) -> Option<Said> {
        let late = self.world.now() + limits::BLOCKLIST_PATIENCE;
        let dns = InTurn {
            dns: &*self.world.dns,
            turn,
        };
        let asked = world::Dns::ask(&dns, point, Kind::A);
        let answer = self.world.tasks.deadline(late, asked).await.ok()?.ok()?;
        if answer.status != AnswerStatus::Found {
            return Some(Said::No);
        }
        let addresses = answer.records.iter().filter_map(|record| match record {
            Record::A(address) => Some(*address),
            _ => None,
        });
        Some(list.read(addresses))
    }

    /// The lists to ask, with what the operator wishes of them.
    async fn now(&self) -> Arc<Vec<Blocklist>> {
        let now = self.world.now();
        let known = lock(&self.known.lists).clone();
        if let Some((since, lists)) = known
            && now.saturating_duration_since(since) < limits::BLOCKLIST_CHOICES_AGE
        {
            return lists;
        }
        let choices = self.store.read_small(|view| view.blocklist_choices()).await;
        let choices = choices.unwrap_or_else(|error: StoreError| {
            tracing::warn!(%error, "the choice of block lists cannot be read");
            Vec::new()
        });
        let lists = Arc::new(chosen(self.with_built_in, &choices));
        *lock(&self.known.lists) = Some((now, lists.clone()));
        lists
    }

    fn may_ask(&self, zone: &str, now: Instant) -> May {
        let mut health = lock(&self.known.health);
        let may = match health.get(zone) {
            Some(Health::Works { tested, .. })
                if now.saturating_duration_since(*tested) < limits::BLOCKLIST_TEST_EVERY =>
            {
                May::Ask
            }
            Some(Health::Broken(until) | Health::InTest(until)) if now < *until => May::Leave,
            _ => May::TestAndAsk,
        };
        if may == May::TestAndAsk {
            if limits::BLOCKLISTS_MAX <= health.len() {
                health.clear();
            }
            let until = now + 2 * limits::BLOCKLIST_PATIENCE;
            health.insert(zone.to_owned(), Health::InTest(until));
        }
        may
    }

    /// Asks a list about itself (RFC 5782 §5), and remembers whether it works.
    async fn test(&self, list: &Blocklist, turn: &Turn) -> bool {
        let points = [list.test_point(), list.clean_point()];
        let asked = points.iter().map(|point| async {
            match point {
                Some(point) => self.say(list, point, turn).await.ok_or(Silent).map(Some),
                None => Ok(None),
            }
        });
        let said: Result<Vec<Option<Said>>, Silent> = join_all(asked).await.into_iter().collect();
        let now = self.world.now();
        let (works, pause) = match said.as_deref() {
            Ok([test, clean]) => (
                Blocklist::works(*test, *clean),
                limits::BLOCKLIST_BROKEN_PAUSE,
            ),
            _ => (false, limits::BLOCKLIST_SLOW_PAUSE),
        };
        let health = match works {
            true => Health::Works {
                tested: now,
                slow: 0,
            },
            false => Health::Broken(now + pause),
        };
        lock(&self.known.health).insert(list.zone.clone(), health);
        if !works {
            tracing::debug!(
                zone = list.zone,
                ?said,
                "a block list fails its test and is not asked"
            );
        }
        if let Ok([Some(Said::Error(answer)), _]) = said.as_deref() {
            self.tell(list, *answer).await;
        }
        works
    }

    fn was_slow(&self, zone: &str, now: Instant) {
        let mut all = lock(&self.known.health);
        let Some(health) = all.get_mut(zone) else {
            return;
        };
        let pause = now + limits::BLOCKLIST_SLOW_PAUSE;
        match health {
            Health::Works { slow, .. } => {
                *slow += 1;
                if limits::BLOCKLIST_SLOW_MAX <= *slow {
                    *health = Health::Broken(pause);
                }
            }
            Health::InTest(_) => *health = Health::Broken(pause),
            Health::Broken(_) => {}
        }
    }

    fn was_quick(&self, zone: &str) {
        if let Some(Health::Works { slow, .. }) = lock(&self.known.health).get_mut(zone) {
            *slow = 0;
        }
    }

    /// The operator hears once that a list refuses this server: else it would look as if nobody were listed.
    async fn tell(&self, list: &Blocklist, answer: Ipv4Addr) {
        let zone = &list.zone;
        let (title, fix) = match answer == PUBLIC_RESOLVER {
            true => (
                format!("The block list {zone} does not answer the DNS resolver of this server"),
                format!(
                    "It answers no resolvers that many share, such as those of big providers, so mail is not looked up in it. Run a \
                 resolver on this host (unbound, say) and name it in /etc/resolv.conf, or leave the list out with: postroad spam blocklist off {zone}"
                ),
            ),
            false => (
                format!("The block list {zone} answers this server with an error ({answer})"),
                format!(
                    "Mail is not looked up in it. Its web site says what the code means: often that too many questions were asked, or that an \
                 agreement is needed. Leave it out with: postroad spam blocklist off {zone}"
                ),
            ),
        };
        let notice = NewNotice {
            kind: "blocklist-refuses".to_owned(),
            topic: format!("blocklist {zone} {answer}"),
            title,
            fix,
            created: UnixMillis::from(self.world.wall()),
        };
        let told: Result<bool, StoreError> = self
            .store
            .write(Durability::Relaxed, move |change| {
                change.add_notice(&notice)
            })
            .await;
        if let Err(error) = told {
            tracing::warn!(%error, zone, "the operator cannot be told of a block list that refuses us");
        }
    }
}

/// Built-in lists unless left out, and those that the operator added. One that cannot be read says nothing.
fn chosen(with_built_in: bool, choices: &[BlocklistChoice]) -> Vec<Blocklist> {
    let choice = |zone: &str| choices.iter().find(|choice| choice.zone == zone);
    let built_in = blocklist::inbound().filter(|list| match choice(&list.zone) {
        Some(choice) => choice.is_on && choice.list.is_none(),
        None => with_built_in,
    });
    let own = choices.iter().filter(|choice| choice.is_on).filter_map(|choice| {
        let list = serde_json::from_str(choice.list.as_deref()?);
        list.inspect_err(|error| {
            tracing::warn!(%error, zone = choice.zone, "what is stored of a block list cannot be read");
        })
        .ok()
    });
    built_in
        .cloned()
        .chain(own)
        .take(limits::BLOCKLISTS_MAX)
        .collect()
}

/// The domains of the sender that lists are asked about.
pub(super) fn of_sender(author: Option<&str>, from: Option<&str>, hello: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in [author, from, Some(hello)].into_iter().flatten() {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let domain = registrable(&name);
        let is_name = domain.contains('.')
            && !domain.starts_with('[')
            && domain.parse::<IpAddr>().is_err()
            && mail::Domain::parse(domain).is_ok();
        if is_name && !found.iter().any(|known| known == domain) {
            found.push(domain.to_owned());
        }
    }
    found
}

/// Whether a list in the world can know the address: not those of private networks, of carriers (RFC 6598) and of test
/// networks (RFC 2544).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && second & 0b1100_0000 == 64;
            let is_for_tests = first == 198 && second & 0b1111_1110 == 18;
            !(ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || is_shared
                || is_for_tests)
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local())
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
