//! Asks one milter about one message, over a connection that was kept if there is one.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use wire::milter::{Client, Event, Failure, Outcome, Settings, Work};
use world::{Talk, Tls};

use super::{Down, Filter, connect};
use crate::{Inner, limits};

/// Connections that wait for the next message.
#[derive(Default)]
pub(crate) struct Idle {
    kept: Mutex<Vec<Kept>>,
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
    let turn = inner.filters.turns.acquire();
    let _turn = match inner.world.tasks.deadline(until, turn).await {
        Ok(Ok(turn)) => turn,
        _ => return Err(Down::Busy),
    };
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
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| now.saturating_duration_since(one.since) < limits::FILTER_IDLE);
        let at = kept.iter_mut().rposition(|one| {
            one.filter == filter.name && one.talk.machine().is_fit_for(&work.connection)
        })?;
        Some(kept.remove(at).talk)
    }

    /// What is over takes no place of what may go on: it is ended at once.
    fn keep(&self, inner: &Inner, filter: &Filter, mut talk: Box<Talk<Client>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of_filter = kept.iter().filter(|one| one.filter == filter.name).count();
        let lasts =
            talk.machine().lasts() && talk.machine().tellings() < limits::FILTER_MESSAGES_MAX;
        if lasts && of_filter < limits::FILTER_IDLE_MAX {
            kept.push(Kept {
                filter: filter.name.clone(),
                since: inner.world.now(),
                talk,
            });
            return;
        }
        drop(kept);
        talk.machine().quit();
        let world = inner.world.clone();
        inner.world.tasks.spawn("milter", async move {
            let until = world.now() + limits::FILTER_CONNECT_PATIENCE;
            let _ = world.tasks.deadline(until, talk.event()).await;
        });
    }
}
