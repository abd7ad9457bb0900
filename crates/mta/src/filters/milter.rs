//! Asks one milter about one message, over a connection that was kept if there is one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use wire::milter::{Client, Event, Failure, Outcome, Settings, Work};
use world::{Talk, Tls, World};

use super::{Down, Filter, connect};
use crate::{Inner, limits};

/// Connections that wait for the next message.
#[derive(Default)]
pub(crate) struct Idle {
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    kept: Vec<Kept>,
    /// Somebody looks after those whose time is over.
    is_swept: bool,
}

struct Kept {
    filter: String,
    since: Instant,
    talk: Box<Talk<Client>>,
}

pub(super) async fn ask(
    inner: &Inner,
    filter: &Filter,
    work: Work,
    until: Instant,
) -> Result<Outcome, Down> {
    if let Some(talk) = inner.filters.idle.take(inner, filter, &work) {
        match tell(inner, filter, talk, work.clone(), until).await {
            // It may have been closed while nobody looked: that says nothing of the filter.
            Err(Down::Milter(Failure::Closed) | Down::Unreachable(_)) => {}
            answer => return answer,
        }
    }
    let talk = open(inner, filter, until).await?;
    tell(inner, filter, talk, work, until).await
}

/// Connects and agrees, as a message would.
pub(super) async fn open(
    inner: &Inner,
    filter: &Filter,
    until: Instant,
) -> Result<Box<Talk<Client>>, Down> {
    let stream = connect::open(inner, filter, until).await?;
    let mut settings = Settings::new(inner.settings.message_bytes_max);
    settings.patience_at_end = filter.patience;
    settings.patience = settings.patience.min(filter.patience);
    settings.patience_at_first = settings.patience_at_first.min(filter.patience);
    let machine = Client::new(settings);
    let mut talk = Box::new(Talk::new(inner.world.clone(), stream, machine, Tls::None));
    match inner.world.tasks.deadline(until, talk.event()).await {
        Ok(Ok(Event::Ready)) => Ok(talk),
        Ok(Ok(Event::Failed(failure))) => Err(Down::Milter(failure)),
        Ok(Ok(Event::Finished(_))) => Err(Down::Milter(Failure::Closed)),
        Ok(Err(ended)) => Err(Down::Unreachable(ended.to_string())),
        Err(_) => Err(Down::Late),
    }
}

async fn tell(
    inner: &Inner,
    filter: &Filter,
    mut talk: Box<Talk<Client>>,
    work: Work,
    until: Instant,
) -> Result<Outcome, Down> {
    talk.machine().tell(work);
    match inner.world.tasks.deadline(until, talk.event()).await {
        Ok(Ok(Event::Finished(outcome))) => {
            inner.filters.idle.keep(inner, filter, talk);
            Ok(outcome)
        }
        Ok(Ok(Event::Failed(failure))) => Err(Down::Milter(failure)),
        Ok(Ok(Event::Ready)) => Err(Down::Milter(Failure::Closed)),
        Ok(Err(ended)) => Err(Down::Unreachable(ended.to_string())),
        Err(_) => Err(Down::Late),
    }
}

impl Idle {
    /// Best one that knows the peer already; else any that can begin anew.
    fn take(&self, inner: &Inner, filter: &Filter, work: &Work) -> Option<Box<Talk<Client>>> {
        let now = inner.world.now();
        let kept = &mut lock(&self.waiting).kept;
        let at = kept.iter_mut().rposition(|one| {
            one.filter == filter.name
                && now.saturating_duration_since(one.since) < limits::FILTER_IDLE
                && one.talk.machine().is_fit_for(work)
        })?;
        Some(kept.remove(at).talk)
    }

    /// What is over takes no place of what may go on: it is ended at once.
    fn keep(&self, inner: &Inner, filter: &Filter, mut talk: Box<Talk<Client>>) {
        let lasts =
            talk.machine().lasts() && talk.machine().tellings() < limits::FILTER_MESSAGES_MAX;
        let mut waiting = lock(&self.waiting);
        let kept = &mut waiting.kept;
        let of_filter = kept.iter().filter(|one| one.filter == filter.name).count();
        let world = inner.world.clone();
        if !lasts || limits::FILTER_IDLE_MAX <= of_filter {
            drop(waiting);
            inner
                .world
                .tasks
                .spawn("milter", async move { end(&world, talk).await });
            return;
        }
        kept.push(Kept {
            filter: filter.name.clone(),
            since: inner.world.now(),
            talk,
        });
        if !std::mem::replace(&mut waiting.is_swept, true) {
            let waiting = self.waiting.clone();
            inner
                .world
                .tasks
                .spawn("milters", async move { sweep(&world, &waiting).await });
        }
    }
}

/// Ends what waited too long, by the clock and not by the next message: a filter that serves one connection at a time would else be
/// nobody's for hours.
async fn sweep(world: &World, waiting: &Mutex<Waiting>) {
    loop {
        let next = next_end(&mut lock(waiting));
        let Some(until) = next else { return };
        world.clock.until(until).await;
        let now = world.now();
        let over: Vec<Kept> = lock(waiting)
            .kept
            .extract_if(.., |one| {
                limits::FILTER_IDLE <= now.saturating_duration_since(one.since)
            })
            .collect();
        for one in over {
            end(world, one.talk).await;
        }
    }
}

/// When the oldest is over; with none left nobody looks after them.
fn next_end(waiting: &mut Waiting) -> Option<Instant> {
    let oldest = waiting.kept.iter().map(|one| one.since).min();
    waiting.is_swept = oldest.is_some();
    oldest.map(|since| since + limits::FILTER_IDLE)
}

/// Says so to the filter.
async fn end(world: &World, mut talk: Box<Talk<Client>>) {
    talk.machine().quit();
    let until = world.now() + limits::FILTER_CONNECT_PATIENCE;
    let _ = world.tasks.deadline(until, talk.event()).await;
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
