//! Keeps one job: waits until it is due, takes it from the other nodes, runs it, notes how it went.

use std::sync::Arc;
use std::time::Duration;

use mail::UnixMillis;
use store::{Durability, JobEnd, JobState, StoreError};
use world::{Stop, Task};

use crate::{Desk, Job, JobError, Run, limits, schedule};

pub(crate) async fn keep(desk: Arc<Desk>, job: Arc<dyn Job>, stop: Stop) {
    let name = job.name();
    let random = desk.world.random.branch(name);
    let mut holder = [0; 8];
    random.fill(&mut holder);
    let holder = format!("{:016x}", u64::from_le_bytes(holder));
    let started = desk.now();
    let spread = u64::try_from(job.spread().as_millis()).unwrap_or(0);
    let mut jitter = Duration::from_millis(random.below(spread));
    let mut woken = false;
    loop {
        let state = match desk.store.read(move |view| view.job(name)).await {
            Ok(state) => state,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(job = name, %error, "cannot look when a job is due");
                if rest(&desk, &stop, limits::STORE_PAUSE).await {
                    return;
                }
                continue;
            }
        };
        let now = desk.now();
        let regular = job.next(state.done, started).plus(jitter);
        let due = schedule::due(&state, if woken { now } else { regular });
        if now < due {
            let pause = due.since(now).min(limits::LOOK_PERIOD);
            tokio::select! {
                biased;
                () = stop.requested() => return,
                () = desk.world.clock.after(pause) => {}
                // A wake is not forgotten while somebody is at it or a failure is waited out.
                () = job.woken(&desk), if !woken => woken = true,
            }
            continue;
        }
        if stop.is_requested() {
            return;
        }
        woken = false;
        jitter = Duration::from_millis(random.below(spread));
        match claim(&desk, name, &state, &holder, now).await {
            Ok(true) => attempt(&desk, &job, &state, &holder, now, &stop).await,
            // Another node was faster.
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(job = name, %error, "cannot begin a job");
                if rest(&desk, &stop, limits::STORE_PAUSE).await {
                    return;
                }
            }
        }
    }
}

async fn claim(
    desk: &Desk,
    name: &'static str,
    state: &JobState,
    holder: &str,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let (state, holder) = (state.clone(), holder.to_owned());
    let lease = now.plus(limits::LEASE);
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            change.claim_job(name, &state, &holder, lease, now)
        })
        .await
}

/// One run, in a task of its own: a panic costs this run only.
async fn attempt(
    desk: &Arc<Desk>,
    job: &Arc<dyn Job>,
    state: &JobState,
    holder: &str,
    now: UnixMillis,
    stop: &Stop,
) {
    let name = job.name();
    let run = Run {
        last: state.done,
        now,
    };
    let (sender, mut outcome) = tokio::sync::oneshot::channel();
    let task = {
        let (desk, job) = (desk.clone(), job.clone());
        desk.world.tasks.clone().spawn(name, async move {
            let _ = sender.send(job.run(&desk, run).await);
        })
    };
    let end = loop {
        tokio::select! {
            biased;
            outcome = &mut outcome => break ended(name, state, outcome),
            () = stop.requested() => {
                task.abort();
                break JobEnd::Interrupted;
            }
            () = desk.world.clock.after(limits::LEASE_RENEWAL) => {
                if !renewed(desk, name, holder).await {
                    tracing::warn!(job = name, "a run took too long; another node has it now");
                    task.abort();
                    return;
                }
            }
        }
    };
    wait_for(task).await;
    let owner = holder.to_owned();
    let finished = desk
        .store
        .write_bulk(Durability::Durable, move |change| {
            change.finish_job(name, &owner, &end)
        })
        .await;
    if let Err(error) = finished {
        tracing::warn!(job = name, %error, "cannot note that a job has ended; it will be run again");
    }
}

async fn wait_for(task: Task) {
    let _ = task.ended().await;
}

fn ended<E>(name: &str, state: &JobState, outcome: Result<Result<(), JobError>, E>) -> JobEnd {
    let mut problem = match outcome {
        Ok(Ok(())) => {
            tracing::debug!(job = name, "done");
            return JobEnd::Done;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a bug ended the run; the log has the details".to_owned(),
    };
    let again_secs = schedule::retry_after(state.failures + 1).as_secs();
    tracing::warn!(job = name, %problem, again_secs, "a job failed");
    problem.truncate(problem.floor_char_boundary(limits::PROBLEM_BYTES_MAX));
    JobEnd::Failed(problem)
}

async fn renewed(desk: &Desk, name: &'static str, holder: &str) -> bool {
    let lease = desk.now().plus(limits::LEASE);
    let holder = holder.to_owned();
    let renewed = desk.store.write_bulk(Durability::Durable, move |change| {
        change.renew_job(name, &holder, lease)
    });
    // A store in trouble is no reason to stop: the lease outlives three renewals.
    renewed.await.unwrap_or(true)
}

/// True when told to stop.
async fn rest(desk: &Desk, stop: &Stop, pause: Duration) -> bool {
    tokio::select! {
        biased;
        () = stop.requested() => true,
        () = desk.world.clock.after(pause) => false,
    }
}
