//! Forgets reports that are too old to tell anything.

use std::time::Duration;

use mail::UnixMillis;
use store::Durability;
use world::BoxFuture;

use super::limits::{OTHERS_KEPT, REPORTS_KEPT};
use crate::{Desk, Job, JobError, Run, schedule};

pub(super) struct Forgetting;

impl Job for Forgetting {
    fn name(&self) -> &'static str {
        "reports.forget"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::daily(Duration::from_secs(3 * 3_600), last, started)
    }

    fn spread(&self) -> Duration {
        Duration::from_secs(3_600)
    }

    fn run<'a>(&'a self, desk: &'a Desk, run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let before = |kept: Duration| {
                UnixMillis(run.now.0 - i64::try_from(kept.as_millis()).unwrap_or(i64::MAX))
            };
            let (reports, others) = (before(REPORTS_KEPT), before(OTHERS_KEPT));
            let forget =
                move |change: &mut store::Change<'_>| change.forget_reports(reports, others);
            while desk.store.write_bulk(Durability::Relaxed, forget).await? {}
            Ok(())
        })
    }
}
