//! The job: examines once a day, sooner after changes here and while something is wrong, and remembers what it found.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::doctor::checks::{Finding, Severity};
use mail::UnixMillis;
use store::{Durability, StoreError, findings::Observed};
use world::BoxFuture;
use world::TlsClient;

use super::{Briefing, Examiner, Reach, limits};
use crate::{Desk, Job, JobError, Run, schedule};

#[derive(Clone)]
pub struct DoctorSettings {
    pub briefing: Briefing,
    /// Takes any certificate and tells whether it is valid.
    pub tls: Arc<TlsClient>,
}

pub(crate) struct Doctor {
    settings: DoctorSettings,
    seen: Mutex<Seen>,
}

/// What is known between runs; lost at a restart, which examines soon after anyway.
#[derive(Default)]
struct Seen {
    /// Domains and keys as they were.
    state: Option<String>,
    examined: Option<UnixMillis>,
    something_is_wrong: bool,
    /// When big providers were last visited.
    visited: Option<UnixMillis>,
}

impl Doctor {
    pub(crate) fn new(settings: DoctorSettings) -> Self {
        Self {
            settings,
            seen: Mutex::default(),
        }
    }

    async fn look(&self, desk: &Desk) -> Result<(), JobError> {
        let briefing = self.settings.briefing.clone();
        let brief = desk.world.tasks.blocking(move || briefing()).await;
        let brief = brief
            .map_err(|error| JobError::Failed(error.to_string()))?
            .map_err(JobError::Failed)?;
        let Some(http) = desk.http.clone() else {
            return Err(JobError::Failed("there is no web client".to_owned()));
        };
        let state = state(desk).await?;
        // Nobody's mail passes here yet, or this is a trial that the world cannot see.
        if brief.domains.is_empty() || !brief.is_public() {
            self.note(state, desk.now(), false, Reach::Home);
            return Ok(());
        }
        let examiner = Examiner {
            world: desk.world.clone(),
            store: desk.store.clone(),
            http,
            tls: self.settings.tls.clone(),
            reach: self.reach(desk.now()),
        };
        let examination = examiner.examine(&brief).await?;
        let is_wrong = |one: &Finding| one.severity != Severity::Improvement;
        let something_is_wrong = examination.findings.iter().any(is_wrong);
        self.note(state, desk.now(), something_is_wrong, examiner.reach);
        let observed: Vec<Observed> = examination.findings.iter().map(observed).collect();
        let (at, points) = (examination.at, examination.score.points);
        let changed = desk
            .store
            .write_bulk(Durability::Durable, move |change| {
                let is_unknown = |check: &str| examination.is_unknown(check);
                change.note_examination(&observed, &is_unknown, at)
            })
            .await?;
        tracing::info!(
            points,
            fresh = changed.fresh.len(),
            resolved = changed.resolved.len(),
            "the server was examined; see: postroad doctor"
        );
        Ok(())
    }

    fn note(&self, state: String, at: UnixMillis, something_is_wrong: bool, reach: Reach) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.state = Some(state);
        seen.examined = Some(at);
        seen.something_is_wrong = something_is_wrong;
        if reach == Reach::Providers {
            seen.visited = Some(at);
        }
    }

    fn reach(&self, now: UnixMillis) -> Reach {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.visited {
            Some(visited) if now.since(visited) < limits::VISIT_PERIOD => Reach::Lists,
            _ => Reach::Providers,
        }
    }

    /// Whether there is a reason to examine before the day is over.
    fn is_due(&self, state: &str, now: UnixMillis) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(examined) = seen.examined else {
            return false;
        };
        let changed = seen.state.as_deref() != Some(state);
        (changed && limits::SETTLING <= now.since(examined))
            || (seen.something_is_wrong && limits::PERIOD_WHILE_WRONG <= now.since(examined))
    }
}

/// Domains, keys and their like in a text: another one after each change.
async fn state(desk: &Desk) -> Result<String, StoreError> {
    desk.store
        .read(|view| {
            let mut state = String::new();
            for domain in view.domains()? {
                state.push_str(domain.name.as_str());
                state.push_str(view.mta_sts_mode(&domain.name)?.name());
                for key in view.dkim_keys(&domain.name)? {
                    state.push_str(&format!("{} {:?} ", key.selector, key.state));
                }
            }
            Ok(state)
        })
        .await
}

pub(super) fn observed(finding: &Finding) -> Observed {
    Observed {
        check: finding.id.to_owned(),
        about: finding.about.clone(),
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Improvement => "improvement",
        }
        .to_owned(),
        seen: finding.seen.clone(),
        fix: format!("{}\n\n{}", finding.why, finding.fix.text),
    }
}

impl Job for Doctor {
    fn name(&self) -> &'static str {
        "doctor"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        // Soon after every start: what was known is lost, and something may have changed.
        let settled = started.plus(limits::SETTLING);
        match last {
            Some(last) if started <= last => schedule::every(limits::PERIOD, Some(last), started),
            _ => settled,
        }
    }

    fn spread(&self) -> Duration {
        limits::SPREAD
    }

    fn woken<'a>(&'a self, desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            loop {
                desk.world.clock.after(limits::CHANGE_LOOK).await;
                match state(desk).await {
                    Ok(state) if self.is_due(&state, desk.now()) => return,
                    _ => {}
                }
            }
        })
    }

    fn run<'a>(&'a self, desk: &'a Desk, _run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(self.look(desk))
    }
}
