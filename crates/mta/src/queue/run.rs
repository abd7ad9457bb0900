//! The loop of the queue: a closed list of what can wake it, and one place that answers.
//! What goes next is decided in `schedule.rs`, how it goes in `attempt.rs`.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mail::{Domain, UnixMillis};
use store::queue::{Claim, Queued};
use store::{Durability, QueueId, StoreError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use world::Stop;

use super::aftermath::{self, seconds};
use super::attempt::{self, Attempted, SharedWay};
use super::classify::{Verdict, nobody};
use super::connect::Connection;
use super::finish::{self, Notes};
use super::idle::Idle;
use super::job::{Job, split};
use super::pacing::{Aside, Pacing};
use super::reaction::{RelayUse, Ruling};
use super::schedule::{Scheduler, Step};
use super::window::Health;
use crate::policy::{self, DomainPolicy};
use crate::route::{self, Destination, Group, Route, Unroutable, Way};
use crate::settings::Relay;
use crate::submission::abuse;
use crate::{Inner, limits};

/// An idle queue wakes this often although nothing tells it to: the time of day may have been set.
const LOOK_ANYWAY: Duration = Duration::from_secs(3_600);

/// Everything that can wake the queue.
enum Wake {
    Stop,
    /// Something was queued, released or asked to be retried.
    Notice,
    /// It is time: something is due, a lease wants a sign of life, an idle connection is over.
    Due,
    /// The store answered what is due.
    Claimed(Result<Taken, StoreError>),
    /// The DNS answered where a domain's mail goes.
    Routed(Domain, Result<Arc<Way>, Unroutable>),
    /// An attempt ended.
    Done {
        destination: Destination,
        way: SharedWay,
        key: Key,
        attempted: Box<Attempted>,
    },
    /// Jobs were put off or failed without an attempt.
    Settled {
        keys: Vec<Key>,
        due: Option<UnixMillis>,
    },
}

/// What a look at the queue gave.
struct Taken {
    messages: Vec<Queued>,
    /// There may be more that is due.
    full: bool,
    next_due: Option<UnixMillis>,
    /// Users are to be told of alarms.
    alarms: bool,
}

/// The recipients of one job.
#[derive(Clone, Debug)]
struct Key {
    id: QueueId,
    numbers: Vec<u32>,
    domain: Domain,
    sender_domain: String,
}

/// A job with its way.
struct Planned {
    job: Job,
    way: SharedWay,
    domain: Domain,
}

/// Works until a stop is requested and attempts in flight are over (or have had their time).
pub(crate) async fn run(inner: Arc<Inner>, stop: Stop) {
    inner.standings.load(&inner.store).await;
    // Those whom a crash kept from hearing of it.
    abuse::tell_users(&inner).await;
    let (sender, receiver) = unbounded_channel();
    let now = inner.world.now();
    let mut engine = Engine {
        scheduler: Scheduler::new(),
        pacing: Pacing::default(),
        idle: Idle::default(),
        ways: BTreeMap::new(),
        routing: BTreeMap::new(),
        held: BTreeMap::new(),
        by_domain: BTreeMap::new(),
        look: true,
        claiming: false,
        skipped: false,
        next_due: None,
        next_beat: now + limits::LEASE_BEAT,
        look_not_before: None,
        stop_by: None,
        next_upkeep: now + limits::POLICY_UPKEEP,
        settling: 0,
        sender,
        inner,
    };
    engine.work(receiver, stop).await;
}

struct Engine {
    inner: Arc<Inner>,
    scheduler: Scheduler<Planned>,
    pacing: Pacing,
    idle: Idle,
    ways: BTreeMap<Domain, (Instant, SharedWay)>,
    /// Jobs whose domain is being looked up.
    routing: BTreeMap<Domain, Vec<Job>>,
    /// Recipients that are ours for now.
    held: BTreeMap<(QueueId, u32), ()>,
    by_domain: BTreeMap<Domain, usize>,
    /// The queue may hold something that is due.
    look: bool,
    claiming: bool,
    /// Some domains were left out at the last look.
    skipped: bool,
    next_due: Option<UnixMillis>,
    next_beat: Instant,
    look_not_before: Option<Instant>,
    stop_by: Option<Instant>,
    /// When policies of others are looked after.
    next_upkeep: Instant,
    /// Tasks that settle jobs without an attempt.
    settling: usize,
    sender: UnboundedSender<Wake>,
}

impl Engine {
    async fn work(&mut self, mut receiver: UnboundedReceiver<Wake>, stop: Stop) {
        let mut notices = self.inner.store.watch_queue();
        let mut requested = pin!(stop.requested());
        loop {
            self.start_attempts();
            self.look_at_queue();
            if self.is_over() {
                break;
            }
            let deadline = self.deadline();
            let clock = self.inner.world.clock.clone();
            let stopping = self.stop_by.is_some();
            // In this order always, so that a simulated run repeats exactly.
            let wake = tokio::select! {
                biased;
                () = requested.as_mut(), if !stopping => Wake::Stop,
                () = notices.changed(), if !stopping => Wake::Notice,
                Some(wake) = receiver.recv() => wake,
                () = clock.until(deadline) => Wake::Due,
            };
            self.answer(wake).await;
            self.beat();
        }
        self.idle.quit_all(&self.inner);
    }

    async fn answer(&mut self, wake: Wake) {
        match wake {
            Wake::Stop => self.stop().await,
            Wake::Notice => self.look = true,
            Wake::Due => {
                let now = self.inner.world.now();
                self.idle.sweep(&self.inner, now);
                let wall = self.inner.now();
                self.look |= self.next_due.is_some_and(|due| due <= wall);
                self.look_after_policies(now);
            }
            Wake::Claimed(Ok(taken)) => self.claimed(taken).await,
            Wake::Claimed(Err(error)) => {
                self.claiming = false;
                tracing::error!(%error, "the queue cannot be read; trying again soon");
                self.look = true;
                self.look_not_before = Some(self.inner.world.now() + limits::STORE_PAUSE);
            }
            Wake::Routed(domain, result) => self.routed(domain, result),
            Wake::Done {
                destination,
                way,
                key,
                attempted,
            } => {
                let now = seconds(self.inner.now());
                self.pacing.ended(&way, &key.sender_domain, now);
                self.done(destination, &way, key, *attempted);
            }
            Wake::Settled { keys, due } => {
                self.settling = self.settling.saturating_sub(1);
                self.due_again(due);
                keys.iter().for_each(|key| self.release(key));
            }
        }
    }

    /// Asks the store for what is due, beside the loop.
    fn look_at_queue(&mut self) {
        let now = self.inner.world.now();
        if !self.look || self.claiming || self.stop_by.is_some() {
            return;
        }
        if self.look_not_before.is_some_and(|at| now < at) {
            return;
        }
        self.look_not_before = None;
        let room = limits::CLAIMED_RECIPIENTS_MAX.saturating_sub(self.held.len());
        let limit = room.min(limits::CLAIM_RECIPIENTS_MAX);
        // Looking for a handful while there is plenty to do would only burn the processor.
        if limit < limits::CLAIM_RECIPIENTS_MAX / 4 {
            return;
        }
        let skip: Vec<Domain> = self
            .by_domain
            .iter()
            .filter(|(_, count)| **count >= limits::CLAIMED_PER_DOMAIN_MAX)
            .map(|(domain, _)| domain.clone())
            .collect();
        self.look = false;
        self.claiming = true;
        self.skipped = !skip.is_empty();
        let wall = self.inner.now();
        let claim = Claim {
            now: wall,
            lease_until: wall.plus(limits::LEASE),
            limit,
            skip,
        };
        let (inner, sender) = (self.inner.clone(), self.sender.clone());
        self.inner
            .world
            .tasks
            .spawn("look at the queue", async move {
                let taken = inner
                    .store
                    .write(Durability::Relaxed, move |change| take(change, &claim));
                let mut answer = Answered {
                    sender,
                    wake: Some(Wake::Claimed(Err(StoreError::Panicked))),
                };
                answer.wake = Some(Wake::Claimed(taken.await));
            });
    }

    async fn claimed(&mut self, taken: Taken) {
        self.claiming = false;
        if taken.alarms && self.stop_by.is_none() {
            let inner = self.inner.clone();
            self.inner.world.tasks.spawn("tell of alarms", async move {
                abuse::tell_users(&inner).await
            });
        }
        // Attempts that ended during the look are in neither number: both count.
        self.next_due = earlier(
            self.next_due.filter(|due| self.inner.now() < *due),
            taken.next_due,
        );
        self.look |= taken.full;
        let mut returned = Vec::new();
        for queued in taken.messages {
            for (domain, mut job) in split(queued) {
                // A lease ran out while the store took nothing, and the attempt goes on: not twice.
                let id = job.id();
                job.recipients
                    .retain(|recipient| !self.held.contains_key(&(id, recipient.number)));
                if job.recipients.is_empty() {
                    continue;
                }
                for recipient in &job.recipients {
                    self.held.insert((job.id(), recipient.number), ());
                }
                *self.by_domain.entry(domain.clone()).or_default() += job.recipients.len();
                if self.stop_by.is_some() {
                    returned.push((domain, job));
                } else {
                    self.plan(domain, job);
                }
            }
        }
        self.give_back(returned).await;
    }

    /// Finds the way for a job: known, or to be asked for once per domain.
    fn plan(&mut self, domain: Domain, job: Job) {
        let now = self.inner.world.now();
        let fresh = |known: &&(Instant, SharedWay)| {
            now.saturating_duration_since(known.0) < limits::ROUTE_AGE
        };
        if let Some((_, way)) = self.ways.get(&domain).filter(fresh) {
            let way = way.clone();
            self.scheduler
                .add(&way.route.destination(), Planned { job, way, domain });
            return;
        }
        let waiting = self.routing.entry(domain.clone()).or_default();
        waiting.push(job);
        if waiting.len() > 1 {
            return;
        }
        let (inner, sender) = (self.inner.clone(), self.sender.clone());
        self.inner.world.tasks.spawn("find a route", async move {
            let lost = Unroutable::Dns {
                domain: domain.clone(),
                error: world::DnsError::Network("the lookup ended early".to_owned()),
            };
            let mut answer = Answered {
                sender,
                wake: Some(Wake::Routed(domain.clone(), Err(lost))),
            };
            let result = find_way(&inner, &domain).await.map(Arc::new);
            answer.wake = Some(Wake::Routed(domain, result));
        });
    }

    fn routed(&mut self, domain: Domain, result: Result<SharedWay, Unroutable>) {
        let jobs = self.routing.remove(&domain).unwrap_or_default();
        match result {
            Ok(way) => {
                if self.ways.len() >= limits::ROUTES_MAX {
                    self.ways.clear();
                }
                self.ways
                    .insert(domain.clone(), (self.inner.world.now(), way.clone()));
                let destination = way.route.destination();
                for job in jobs {
                    let planned = Planned {
                        job,
                        way: way.clone(),
                        domain: domain.clone(),
                    };
                    self.scheduler.add(&destination, planned);
                }
            }
            Err(why) => {
                let (class, subject, detail) = why.status();
                let status = wire::smtp::EnhancedCode(class, subject, detail);
                let answer = nobody(status, why.to_string());
                let verdict = if why.is_permanent() {
                    Verdict::Permanent(answer)
                } else {
                    Verdict::Temporary(answer)
                };
                let notes = Notes::of_unroutable(&why, self.inner.now());
                let jobs = jobs.into_iter().map(|job| (domain.clone(), job)).collect();
                self.settle(jobs, verdict, Ruling::Usual, notes);
            }
        }
    }

    fn start_attempts(&mut self) {
        if self.stop_by.is_some() {
            return;
        }
        let now = seconds(self.inner.now());
        let mut put_off = Vec::new();
        loop {
            let (inner, pacing) = (&self.inner, &mut self.pacing);
            let step = self.scheduler.step(|planned| {
                let sender = aftermath::sender_domain(&planned.job);
                pacing.judge(&inner.standings, &planned.way, &sender, now)
            });
            match step {
                None => break,
                Some(Step::Start(destination, planned)) => {
                    let sender = aftermath::sender_domain(&planned.job);
                    self.pacing.began(&planned.way, &sender, now);
                    self.make_way(&destination, &planned.way, now);
                    let (way, wish) = (&planned.way, planned.job.message.tls);
                    let idle = self.idle.take(&destination, |kept| kept.serves(way, wish));
                    self.start(destination, planned, idle);
                }
                Some(Step::Aside(planned, Aside::PutOff(until))) => put_off.push((planned, until)),
                Some(Step::Aside(planned, Aside::ByRelay)) => match planned.way.by_relay() {
                    Some(way) => {
                        let destination = way.route.destination();
                        let way = Arc::new(way);
                        self.scheduler.add(&destination, Planned { way, ..planned });
                    }
                    // There is one, or it would not have been named.
                    None => put_off.push((planned, now)),
                },
            }
        }
        self.keep_still(put_off);
    }

    /// Where connections are counted, idle ones to the provider's other hosts must not count against this one.
    fn make_way(&mut self, destination: &Destination, way: &Way, now: u64) {
        let Some(provider) = way.group.provider.as_deref().filter(|_| !way.is_relayed()) else {
            return;
        };
        let usual = way
            .group
            .connections
            .unwrap_or(limits::CONNECTIONS_USUAL_MAX);
        if !self.inner.standings.of(provider, "").is_limited(now, usual) {
            return;
        }
        self.idle.quit_others(&self.inner, destination, |kept| {
            let host = kept.mx.as_ref().and_then(|host| host.name());
            let known = doctor::replies::built_in().provider_of(host.unwrap_or_default(), "");
            known.is_some_and(|known| known.id == provider)
        });
    }

    /// Jobs for providers that are left alone for now go back to the queue.
    fn keep_still(&mut self, jobs: Vec<(Planned, u64)>) {
        if jobs.is_empty() {
            return;
        }
        self.settling += 1;
        let keys = jobs
            .iter()
            .map(|(planned, _)| key_of(&planned.domain, &planned.job))
            .collect();
        let (inner, sender) = (self.inner.clone(), self.sender.clone());
        self.inner.world.tasks.spawn("keep still", async move {
            let mut answer = Answered { sender, wake: None };
            let mut first = None;
            answer.wake = Some(Wake::Settled { keys, due: first });
            for (planned, until) in &jobs {
                let left = finish::paused(&inner, &planned.job, &planned.way, *until).await;
                first = earlier(first, left.due);
                if let Some(Wake::Settled { due, .. }) = &mut answer.wake {
                    *due = first;
                }
            }
        });
    }

    fn start(&mut self, destination: Destination, planned: Planned, idle: Option<Connection>) {
        let Planned { job, way, domain } = planned;
        let key = key_of(&domain, &job);
        let (inner, sender) = (self.inner.clone(), self.sender.clone());
        self.inner.world.tasks.spawn("attempt", async move {
            let health = Health::Unknown;
            let nothing = Attempted {
                health,
                connection: None,
                unreachable: None,
                ruling: None,
                due: None,
            };
            let done = |attempted: Attempted| {
                let (destination, key) = (destination.clone(), key.clone());
                Wake::Done {
                    destination,
                    way: way.clone(),
                    key,
                    attempted: Box::new(attempted),
                }
            };
            let mut answer = Answered {
                sender,
                wake: Some(done(nothing)),
            };
            answer.wake = Some(done(attempt::run(&inner, &way, &job, idle).await));
        });
    }

    fn done(&mut self, destination: Destination, way: &Way, key: Key, attempted: Attempted) {
        let Attempted {
            health,
            connection,
            unreachable,
            ruling,
            due,
        } = attempted;
        self.release(&key);
        self.due_again(due);
        if let Some(connection) = connection {
            let now = self.inner.world.now();
            let standing = self.inner.standings.of(&way.group.lane, "");
            let silent = standing.silent_until(seconds(self.inner.now())).is_some();
            match silent && !way.is_relayed() {
                true => connection.quit(&self.inner),
                false => self.idle.keep(&self.inner, &destination, connection, now),
            }
        }
        let put_off = self.scheduler.finished(&destination, health);
        if !put_off.is_empty() {
            // What is final is so for that message alone.
            let unreachable =
                unreachable.filter(|verdict| matches!(verdict, Verdict::Temporary(_)));
            let verdict = unreachable.unwrap_or_else(|| {
                let text = "no server could be reached".to_owned();
                Verdict::Temporary(nobody(wire::smtp::EnhancedCode(4, 4, 1), text))
            });
            let jobs = put_off
                .into_iter()
                .map(|planned| (planned.domain, planned.job))
                .collect();
            let ruling = ruling.unwrap_or(Ruling::Usual);
            self.settle(jobs, verdict, ruling, Notes::default());
        }
    }

    /// Writes the same verdict down for jobs that were never tried.
    fn settle(
        &mut self,
        jobs: Vec<(Domain, Job)>,
        verdict: Verdict,
        ruling: Ruling,
        mut notes: Notes,
    ) {
        if jobs.is_empty() {
            return;
        }
        self.settling += 1;
        let keys = jobs
            .iter()
            .map(|(domain, job)| key_of(domain, job))
            .collect();
        let (inner, sender) = (self.inner.clone(), self.sender.clone());
        self.inner.world.tasks.spawn("settle", async move {
            let mut answer = Answered { sender, wake: None };
            let mut first = None;
            answer.wake = Some(Wake::Settled { keys, due: first });
            for (_, job) in &jobs {
                // What was seen was seen once.
                let notes = std::mem::take(&mut notes);
                let left = finish::untold(&inner, job, verdict.clone(), ruling, notes).await;
                first = earlier(first, left.due);
                if let Some(Wake::Settled { due, .. }) = &mut answer.wake {
                    *due = first;
                }
            }
        });
    }

    /// The queue's next look is no later than this.
    fn due_again(&mut self, due: Option<UnixMillis>) {
        self.next_due = earlier(self.next_due, due);
    }

    /// The recipients are nobody's again, as far as this loop is concerned.
    fn release(&mut self, key: &Key) {
        for number in &key.numbers {
            self.held.remove(&(key.id, *number));
        }
        if let Some(count) = self.by_domain.get_mut(&key.domain) {
            *count = count.saturating_sub(key.numbers.len());
            if self.skipped && *count <= limits::CLAIMED_PER_DOMAIN_MAX / 2 {
                self.look = true;
            }
            if *count == 0 {
                self.by_domain.remove(&key.domain);
            }
        }
    }

    fn look_after_policies(&mut self, now: Instant) {
        if now < self.next_upkeep || self.stop_by.is_some() {
            return;
        }
        self.next_upkeep = now + limits::POLICY_UPKEEP;
        let inner = self.inner.clone();
        self.inner.world.tasks.spawn("policy upkeep", async move {
            policy::upkeep(&inner).await;
            let tidied = inner.store.tidy_deliveries(inner.now()).await;
            if let Err(error) = tidied {
                tracing::warn!(%error, "old delivery events cannot be forgotten");
            }
            if let Err(error) = inner.store.tidy_sending(inner.now()).await {
                tracing::warn!(%error, "old counts of what was sent cannot be forgotten");
            }
            abuse::tell_users(&inner).await;
            if let Err(error) = inner.store.tidy_senders(inner.now()).await {
                tracing::warn!(%error, "what is known of senders cannot be tidied");
            }
        });
    }

    /// Lets leases last while their jobs wait or run.
    fn beat(&mut self) {
        let now = self.inner.world.now();
        if self.held.is_empty() {
            self.next_beat = now + limits::LEASE_BEAT;
            return;
        }
        if now < self.next_beat {
            return;
        }
        self.next_beat = now + limits::LEASE_BEAT;
        let mut ours: BTreeMap<QueueId, Vec<u32>> = BTreeMap::new();
        for (id, number) in self.held.keys() {
            ours.entry(*id).or_default().push(*number);
        }
        let until = self.inner.now().plus(limits::LEASE);
        let inner = self.inner.clone();
        self.inner.world.tasks.spawn("extend leases", async move {
            let extended = inner
                .store
                .write(
                    Durability::Relaxed,
                    move |change| -> Result<(), StoreError> {
                        for (id, numbers) in &ours {
                            change.extend_lease(*id, numbers, until)?;
                        }
                        Ok(())
                    },
                )
                .await;
            if let Err(error) = extended {
                tracing::warn!(%error, "leases could not be extended");
            }
        });
    }

    async fn stop(&mut self) {
        self.stop_by = Some(self.inner.world.now() + limits::STOP_PATIENCE);
        let mut jobs: Vec<(Domain, Job)> = self
            .scheduler
            .drain()
            .into_iter()
            .map(|planned| (planned.domain, planned.job))
            .collect();
        for (domain, waiting) in std::mem::take(&mut self.routing) {
            jobs.extend(waiting.into_iter().map(|job| (domain.clone(), job)));
        }
        self.give_back(jobs).await;
    }

    async fn give_back(&mut self, jobs: Vec<(Domain, Job)>) {
        for (domain, job) in jobs {
            finish::untried(&self.inner, &job).await;
            self.release(&key_of(&domain, &job));
        }
    }

    fn is_over(&self) -> bool {
        let Some(stop_by) = self.stop_by else {
            return false;
        };
        let busy = self.scheduler.in_flight() > 0 || self.claiming || self.settling > 0;
        !busy || self.inner.world.now() >= stop_by
    }

    /// When to wake even if nothing happens.
    fn deadline(&self) -> Instant {
        let now = self.inner.world.now();
        let mut deadline = match self.held.is_empty() {
            true => now + LOOK_ANYWAY,
            false => self.next_beat,
        };
        if let (Some(due), false) = (self.next_due, self.look || self.claiming) {
            let wait = due.since(self.inner.now()).min(LOOK_ANYWAY);
            deadline = deadline.min(now + wait.max(Duration::from_millis(1)));
        }
        let upkeep = Some(self.next_upkeep).filter(|_| self.stop_by.is_none());
        for at in [
            self.idle.next_sweep(),
            self.look_not_before,
            self.stop_by,
            upkeep,
        ] {
            deadline = at.map_or(deadline, |at| deadline.min(at));
        }
        deadline
    }
}

/// Where mail for a domain goes, and how safe the way must be. Both are asked for at once.
async fn find_way(inner: &Inner, domain: &Domain) -> Result<Way, Unroutable> {
    let relayed = inner.settings.outbound.relay_for(domain).is_some();
    let policy = async {
        match relayed {
            // What is demanded of the way to a relay stands in its settings.
            true => Ok(DomainPolicy::default()),
            false => policy::gather(inner, domain).await,
        }
    };
    let route = route::find(&inner.world, &inner.settings, domain);
    let (route, policy) = tokio::join!(route, policy);
    let (route, mx_secure) = route?;
    // Without knowing what is demanded nothing may leave.
    let policy = policy.map_err(|error| Unroutable::Store(error.to_string()))?;
    let mut group = Group::of(domain, &route);
    if !relayed {
        let provider = group.provider.clone();
        let found = inner.store.read_small(move |view| {
            let relay = match &provider {
                Some(provider) => view.provider_relay(provider)?,
                None => None,
            };
            Ok((relay, view.holds_on_reputation()?))
        });
        let (relay, hold) = found
            .await
            .map_err(|error: StoreError| Unroutable::Store(error.to_string()))?;
        group.hold = hold;
        group.relay = relay.map(|relay| {
            let when = match relay.always {
                true => RelayUse::Always,
                false => RelayUse::WhenBlocked,
            };
            (Relay::from(relay), when)
        });
    }
    Ok(Way {
        domain: domain.clone(),
        policy: DomainPolicy {
            mx_secure: mx_secure && matches!(route, Route::Hosts(_)),
            ..policy
        },
        route,
        group,
    })
}

fn take(change: &mut store::Change<'_>, claim: &Claim) -> Result<Taken, StoreError> {
    let messages = change.claim_due(claim)?;
    let count: usize = messages
        .iter()
        .map(|message| message.recipients.len())
        .sum();
    let full = count >= claim.limit;
    let next_due = if full {
        None
    } else {
        change.next_due(&claim.skip)?
    };
    Ok(Taken {
        alarms: change.has_alarms_to_tell()?,
        messages,
        full,
        next_due,
    })
}

fn earlier(one: Option<UnixMillis>, other: Option<UnixMillis>) -> Option<UnixMillis> {
    one.into_iter().chain(other).min()
}

fn key_of(domain: &Domain, job: &Job) -> Key {
    Key {
        id: job.id(),
        numbers: job.numbers(),
        domain: domain.clone(),
        sender_domain: aftermath::sender_domain(job),
    }
}

/// Tells the loop when dropped: also when its task ends by a bug.
struct Answered {
    sender: UnboundedSender<Wake>,
    wake: Option<Wake>,
}

impl Drop for Answered {
    fn drop(&mut self) {
        if let Some(wake) = self.wake.take() {
            // Nobody listens any more after a stop.
            let _ = self.sender.send(wake);
        }
    }
}
