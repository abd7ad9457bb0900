//! Reads what came to the report addresses.

use mail::UnixMillis;
use store::reports::Intake;
use store::{Durability, StoreError};
use world::BoxFuture;

use super::limits::{LOOK_PERIOD, READ_ATTEMPTS_MAX, READ_PER_RUN};
use super::read::{Arrival, Read, read};
use super::sources;
use crate::{Desk, Job, JobError, Run, schedule};

pub(super) struct Reading;

impl Job for Reading {
    fn name(&self) -> &'static str {
        "reports.read"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(LOOK_PERIOD, last, started)
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let (waiting, local) = desk
                .store
                .read(|view| {
                    Ok::<_, StoreError>((view.waiting_reports(READ_PER_RUN)?, local_domains(view)?))
                })
                .await?;
            for intake in waiting {
                one(desk, intake, local.clone()).await?;
            }
            sources::look_up(desk).await?;
            Ok(())
        })
    }
}

pub(super) fn local_domains(view: &store::View<'_>) -> Result<Vec<String>, StoreError> {
    let domains = view.domains()?.into_iter();
    Ok(domains.map(|domain| domain.name.to_string()).collect())
}

async fn one(desk: &Desk, intake: Intake, local: Vec<String>) -> Result<(), StoreError> {
    if READ_ATTEMPTS_MAX <= intake.attempts {
        let why = "reading it went wrong several times; the log has the details";
        return keep(desk, &intake, why.to_owned()).await;
    }
    // Noted before: a message that brings the reader down must not do so for ever.
    let noted = intake.clone();
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            change.note_intake_attempt(&noted)
        })
        .await?;
    let body = desk.store.body(intake.body, 0..u64::MAX).await?;
    let arrival = Arrival::of(&intake);
    // Unpacking and parsing megabytes is no work for the event loop.
    let reading = desk
        .world
        .tasks
        .blocking(move || read(&body, &arrival, &local));
    let Ok(found) = reading.await else {
        tracing::error!(id = %intake.trace, "a bug: a report could not be read");
        return Ok(());
    };
    file(desk, intake, found).await
}

/// All that a message says, in one transaction.
async fn file(desk: &Desk, intake: Intake, found: Read) -> Result<(), StoreError> {
    let Read {
        reports,
        mut problems,
        came_back,
    } = found;
    let now = desk.now();
    if let Some((id, why)) = came_back {
        let destination = {
            let id = id.clone();
            desk.store
                .read(move |view| view.report_sent_to(&id))
                .await?
        };
        match destination {
            Some(destination) => {
                tracing::info!(destination, %why, "a report of ours was not taken");
                desk.store
                    .write_bulk(Durability::Durable, move |change| {
                        change.note_report_refused(&destination, now, &why)?;
                        change.end_intake(&intake)
                    })
                    .await?;
                return Ok(());
            }
            None => problems.push("it returns a message that is no report of ours".to_owned()),
        }
    }
    let why = problems.join("; ");
    if !why.is_empty() {
        tracing::warn!(id = %intake.trace, domain = intake.domain, why, "a report cannot be read");
    }
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            for report in &reports {
                change.file_report(report)?;
            }
            if why.is_empty() {
                change.end_intake(&intake)
            } else {
                change.keep_unreadable(&intake, &why)
            }
        })
        .await
}

async fn keep(desk: &Desk, intake: &Intake, why: String) -> Result<(), StoreError> {
    let intake = intake.clone();
    desk.store
        .write_bulk(Durability::Durable, move |change| {
            change.keep_unreadable(&intake, &why)
        })
        .await
}
