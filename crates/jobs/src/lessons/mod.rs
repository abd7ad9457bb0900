//! Learns what people teach the spam filter: counts lessons as soon as they are there, some of one account in a small
//! transaction, and keeps what was learnt small. Which acts are lessons, and that each counts once, is the business of `store`.

use std::time::Duration;

use mail::UnixMillis;
use mail::{Select, header_fields};
use spam::origin::{self, StoredOrigin};
use spam::{Features, Sight};
use store::lessons::{Class, Learnt, Lesson, LessonKey};
use store::senders::Origin;
use store::{AccountId, BodyRef, Durability, StoreError};
use world::BoxFuture;

use crate::notices::Notices;
use crate::{Desk, Job, JobError, Run, limits, schedule};

pub use store::lessons::Material;

/// Reads a message as it is stored on this host. Pure.
#[must_use]
pub fn material(message: &[u8], host: &str) -> Material {
    let header = header_fields(message, Select::These(&["Message-ID"]));
    Material {
        features: Features::of(&Sight::of(message)).for_learning(),
        message_id: mail::thread::message_ids(&header).into_iter().next(),
        origin: proven(origin::of_stored(message, host)),
    }
}

fn proven(stored: StoredOrigin) -> Origin {
    Origin {
        ip: stored.ip,
        domain: stored
            .domain
            .and_then(|domain| mail::Domain::parse(&domain).ok()),
        author: stored
            .author
            .and_then(|author| mail::Address::parse(&author).ok()),
        confirmed: stored.confirmed,
    }
}

pub(crate) fn jobs() -> Vec<std::sync::Arc<dyn Job>> {
    vec![
        std::sync::Arc::new(Learning::default()),
        std::sync::Arc::new(Tidying),
    ]
}

/// Counts lessons.
#[derive(Default)]
struct Learning {
    notices: Notices,
}

impl Job for Learning {
    fn name(&self) -> &'static str {
        "spam.learn"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(limits::LESSONS_PERIOD, last, started)
    }

    fn woken<'a>(&'a self, desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(self.notices.next(|| desk.store.watch_lessons()))
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            while round(desk).await? {}
            Ok(())
        })
    }
}

/// Some lessons of each account that has any, so that none waits for another's ten thousand. Whether there may be more.
async fn round(desk: &Desk) -> Result<bool, StoreError> {
    let mut after = None;
    let mut any = false;
    loop {
        let accounts = desk
            .store
            .read(move |view| view.accounts_with_lessons(after, limits::TEACHERS_AT_ONCE))
            .await?;
        let Some(last) = accounts.last() else {
            return Ok(any);
        };
        after = Some(*last);
        for account in accounts {
            let waiting = desk
                .store
                .read(move |view| view.waiting_lessons(account, limits::LESSONS_AT_ONCE))
                .await?;
            // One that fails is given up or taken alone, and the others come next.
            let is_any = !waiting.is_empty();
            let begun = desk
                .store
                .write_bulk(Durability::Relaxed, move |change| {
                    change.begin_lessons(&waiting)
                })
                .await?;
            any |= is_any;
            learn(desk, account, begun).await?;
        }
    }
}

/// Lessons of one account, together: what they have in common is counted once.
async fn learn(desk: &Desk, account: AccountId, lessons: Vec<Lesson>) -> Result<(), StoreError> {
    let mut ready = Vec::with_capacity(lessons.len());
    for lesson in lessons {
        let material = match (lesson.due, lesson.body) {
            (None, _) => Some(Material::default()),
            (Some(_), Some(body)) => read(desk, body).await?,
            (Some(_), None) => None,
        };
        match material {
            Some(material) => ready.push((lesson, material)),
            None => give_up(desk, lesson.key).await?,
        }
    }
    let now = desk.now();
    let mut junk = 0;
    for piece in pieces(ready, |(_, material)| material) {
        let learnt: Vec<Learnt> = desk
            .store
            .write_bulk(Durability::Relaxed, move |change| {
                change.learn_all(account, &piece, now)
            })
            .await?;
        tracing::debug!(%account, lessons = learnt.len(), "learnt");
        let is_junk = |learnt: &&Learnt| learnt.learnt == Some(Class::Junk);
        junk += learnt.iter().filter(is_junk).count();
    }
    match junk {
        0 => Ok(()),
        _ => balance(desk, account, junk).await,
    }
}

async fn give_up(desk: &Desk, key: LessonKey) -> Result<(), StoreError> {
    tracing::error!(account = %key.account, "a message that was to be learnt cannot be read");
    desk.store
        .write_bulk(Durability::Relaxed, move |change| {
            change.give_up_lesson(key)
        })
        .await
}

/// Beside junk, mail that the account kept.
async fn balance(desk: &Desk, account: AccountId, junk: usize) -> Result<(), StoreError> {
    let now = desk.now();
    let limit = junk.saturating_mul(limits::COUNTERWEIGHTS_PER_LESSON);
    let kept = desk
        .store
        .read(move |view| view.counterweights(account, now, limit));
    let mut ready = Vec::new();
    for (key, body) in kept.await? {
        if let Some(material) = read(desk, body).await? {
            ready.push((key, material));
        }
    }
    for piece in pieces(ready, |(_, material)| material) {
        desk.store
            .write_bulk(Durability::Relaxed, move |change| {
                change.teach_all(account, Some(Class::Wanted), &piece, now)
            })
            .await?;
    }
    Ok(())
}

/// So many that one transaction takes no longer than a delivery may wait for it.
fn pieces<T>(all: Vec<T>, material: impl Fn(&T) -> &Material) -> Vec<Vec<T>> {
    let mut pieces: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for one in all {
        let size = material(&one).features.len().max(1);
        match pieces.last_mut() {
            Some(piece) if size <= room => {
                room -= size;
                piece.push(one);
            }
            _ => {
                room = limits::LESSON_FEATURES_AT_ONCE.saturating_sub(size);
                pieces.push(vec![one]);
            }
        }
    }
    pieces
}

/// Nothing if it is gone, or a bug keeps it from being read.
async fn read(desk: &Desk, body: BodyRef) -> Result<Option<Material>, StoreError> {
    let bytes = match desk.store.body(body, 0..limits::LESSON_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(StoreError::BodyGone) => return Ok(None),
        Err(error) => return Err(error),
    };
    let host = desk.settings.host.clone();
    // Unpacking megabytes is no work for the event loop.
    let reading = desk.world.tasks.blocking(move || material(&bytes, &host));
    Ok(reading.await.ok())
}

/// Takes back the oldest lessons beyond a number, and what accounts taught that are gone.
struct Tidying;

impl Job for Tidying {
    fn name(&self) -> &'static str {
        "spam.tidy"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::daily(TIDY_AT, last, started)
    }

    fn spread(&self) -> Duration {
        limits::LESSONS_PERIOD
    }

    fn run<'a>(&'a self, desk: &'a Desk, run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move { Ok(desk.store.tidy_lessons(run.now).await?) })
    }
}

/// After midnight UTC.
const TIDY_AT: Duration = Duration::from_secs(3 * 3_600);

#[cfg(test)]
mod tests;
