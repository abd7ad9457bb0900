//! One attempt: reads the message, has it carried (`courier.rs`), and ends with the outcome in the store,
//! whatever happened.

use std::sync::Arc;

use bytes::Bytes;
use mail::UnixMillis;
use store::StoreError;
use wire::smtp::EnhancedCode;

use super::classify::{Verdict, nobody};
use super::connect::Connection;
use super::courier::{Carried, Courier};
use super::finish::{self, Notes};
use super::job::Job;
use super::reaction::Ruling;
use super::window::Health;
use crate::route::Way;
use crate::{Inner, limits};

/// What the queue learns from an attempt.
pub(crate) struct Attempted {
    pub(crate) health: Health,
    /// Good for another message.
    pub(crate) connection: Option<Connection>,
    /// Why nobody could be reached: true for whatever else waits for this destination.
    pub(crate) unreachable: Option<Verdict>,
    /// What was ruled of it.
    pub(crate) ruling: Option<Ruling>,
    /// When a recipient that was put off is due again.
    pub(crate) due: Option<UnixMillis>,
}

/// Carries the job out and writes down what became of it.
pub(crate) async fn run(
    inner: &Inner,
    way: &Way,
    job: &Job,
    idle: Option<Connection>,
) -> Attempted {
    // Fails only when the semaphore is closed, which nobody does.
    let _room = inner.leaving.acquire_many(kib(job)).await;
    if !is_ours(inner, job).await {
        finish::untried(inner, job).await;
        return Attempted {
            health: Health::Unknown,
            connection: idle,
            unreachable: None,
            ruling: None,
            due: None,
        };
    }
    let message = match load(inner, job).await {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(id = %job.message.trace, %error, "a queued message cannot be read");
            let text = "the message cannot be read from the disk here".to_owned();
            let verdict = Verdict::Temporary(nobody(EnhancedCode(4, 3, 0), text));
            let left = finish::all(inner, job, None, verdict, None, Notes::default()).await;
            let health = Health::Unknown;
            return Attempted {
                health,
                connection: idle,
                unreachable: None,
                ruling: None,
                due: left.due,
            };
        }
    };
    let mut courier = Courier::new(inner, way, job, &message);
    // The outcome is written down outside of this bound: what took too long was an attempt all the same.
    let deadline = inner.world.now() + limits::ATTEMPT_PATIENCE;
    let carrying = courier.carry(idle);
    let carried = match inner.world.tasks.deadline(deadline, carrying).await {
        Ok(carried) => carried,
        Err(_) => {
            let text = "the attempt took too long: the server is far too slow".to_owned();
            Carried::Nowhere(Verdict::Temporary(nobody(EnhancedCode(4, 4, 2), text)))
        }
    };
    let (notes, guarded) = courier.end();
    let original = message.get(job.message.prefix.len()..);
    match carried {
        Carried::Told {
            verdicts,
            connection,
            dsn_passed_on,
        } => {
            let way = Some(way);
            let left =
                finish::each(inner, job, way, verdicts, original, dsn_passed_on, notes).await;
            Attempted {
                health: Health::Good,
                connection,
                unreachable: None,
                ruling: None,
                due: left.due,
            }
        }
        Carried::Nowhere(verdict) => {
            let left = finish::all(inner, job, Some(way), verdict.clone(), original, notes).await;
            let health = match verdict {
                // What one domain demands says nothing of the others at the same hosts.
                Verdict::Temporary(_) if !guarded => Health::Unreachable,
                _ => Health::Unknown,
            };
            Attempted {
                health,
                connection: None,
                unreachable: Some(verdict),
                ruling: left.ruling,
                due: left.due,
            }
        }
    }
}

/// It may have waited for its turn while its account was locked, or an operator put it on hold.
async fn is_ours(inner: &Inner, job: &Job) -> bool {
    let (id, numbers) = (job.id(), job.numbers());
    let claimed = inner
        .store
        .read_small(move |view| view.are_claimed(id, &numbers));
    // A store in trouble is no reason to stop: it is asked for the message next.
    claimed.await.unwrap_or(true)
}

fn kib(job: &Job) -> u32 {
    let kib = u32::try_from(job.message.body.size / 1024).unwrap_or(u32::MAX);
    kib.clamp(1, limits::BODIES_LEAVING_KIB_MAX)
}

async fn load(inner: &Inner, job: &Job) -> Result<Bytes, StoreError> {
    let Job { message, .. } = job;
    let (body, size) = (message.body, message.body.size);
    let body = if size <= limits::INLINE_READ_BYTES_MAX {
        inner.store.body_blocking(&body, 0..size)?
    } else {
        inner.store.body(body, 0..size).await?
    };
    if message.prefix.is_empty() {
        return Ok(body.into());
    }
    Ok([message.prefix.as_slice(), &body].concat().into())
}

/// Shared by the tasks of the queue.
pub(crate) type SharedWay = Arc<Way>;
