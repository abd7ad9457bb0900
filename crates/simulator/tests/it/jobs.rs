//! Jobs by the clock: restarts, failures, several nodes on one store.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobs::{Desk, Job, JobError, Jobs, JobsSettings, OwnMessage, Post, PostError, Run, schedule};
use mail::UnixMillis;
use simulator::{Host, Internet, days, hours, minutes};
use world::{BoxFuture, Stop, Task};

use crate::here;

/// Once in six hours; notes when it ran, and does what the test wants.
struct Chime {
    runs: Mutex<Vec<Run>>,
    fail: AtomicU32,
    /// How long one run takes.
    takes: Duration,
    panics: bool,
}

impl Chime {
    fn new() -> Self {
        Self {
            runs: Mutex::new(Vec::new()),
            fail: AtomicU32::new(0),
            takes: Duration::ZERO,
            panics: false,
        }
    }

    fn runs(&self) -> Vec<Run> {
        self.runs.lock().expect("no panic with the lock").clone()
    }

    fn count(&self) -> usize {
        self.runs().len()
    }
}

impl Job for Chime {
    fn name(&self) -> &'static str {
        "chime"
    }

    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis {
        schedule::every(hours(6), last, started)
    }

    fn run<'a>(&'a self, desk: &'a Desk, run: Run) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            self.runs.lock().expect("no panic with the lock").push(run);
            desk.world.clock.after(self.takes).await;
            assert!(!self.panics, "a bug");
            let left = self.fail.load(Ordering::SeqCst);
            if 0 < left {
                self.fail.store(left - 1, Ordering::SeqCst);
                return Err(JobError::Failed("no bell".to_owned()));
            }
            Ok(())
        })
    }
}

struct NoPost;

impl Post for NoPost {
    fn post(&self, _message: OwnMessage) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(async { Err(PostError::Later("nobody sends here".to_owned())) })
    }
}

/// A node on the host's store.
fn node(host: &Host, chime: &Arc<Chime>) -> (Task, Stop) {
    let settings = JobsSettings {
        host: host.name().to_owned(),
        addresses: Vec::new(),
    };
    let (world, store) = (host.world().clone(), host.store().clone());
    let job: Arc<dyn Job> = chime.clone();
    let jobs = Jobs::of(world.clone(), store, Arc::new(NoPost), settings, vec![job]);
    let stop = Stop::new();
    (world.tasks.spawn("node", jobs.run(stop.clone())), stop)
}

#[test]
fn a_job_runs_once_in_its_period() {
    Internet::simulated(1, async |internet| {
        let host = here(&internet).await;
        let chime = Arc::new(Chime::new());
        let _node = node(&host, &chime);
        internet.pass(days(1) - minutes(1)).await;
        assert_eq!(chime.count(), 4);
        let runs = chime.runs();
        assert_eq!(runs[0].last, None);
        assert_eq!(runs[1].last, Some(runs[0].now));
        assert_eq!(runs[1].now.since(runs[0].now), hours(6));
    });
}

#[test]
fn of_several_nodes_one_does_it() {
    Internet::simulated(2, async |internet| {
        let host = here(&internet).await;
        let mut chime = Chime::new();
        chime.takes = minutes(30);
        let chime = Arc::new(chime);
        let _nodes: Vec<_> = (0..3).map(|_| node(&host, &chime)).collect();
        internet.pass(days(2) - minutes(1)).await;
        assert_eq!(chime.count(), 8, "{:?}", chime.runs());
    });
}

#[test]
fn a_restart_neither_skips_nor_repeats() {
    Internet::simulated(3, async |internet| {
        let host = here(&internet).await;
        let chime = Arc::new(Chime::new());
        let mut expected = 1;
        for hour in 1..48_u64 {
            let (task, stop) = node(&host, &chime);
            internet.pass(minutes(30)).await;
            stop.request();
            let _ = task.ended().await;
            internet.pass(minutes(30)).await;
            if hour % 6 == 0 {
                expected += 1;
            }
            // Due while nothing ran: made up for at the next start.
            assert!(chime.count() <= expected, "hour {hour}: {:?}", chime.runs());
        }
        assert_eq!(chime.count(), 8, "{:?}", chime.runs());
    });
}

#[test]
fn failures_are_tried_again_later_and_later() {
    Internet::simulated(4, async |internet| {
        let host = here(&internet).await;
        let chime = Arc::new(Chime::new());
        chime.fail.store(3, Ordering::SeqCst);
        let _node = node(&host, &chime);
        internet.pass(hours(5)).await;
        let runs = chime.runs();
        let gaps: Vec<u64> = runs
            .windows(2)
            .map(|pair| pair[1].now.since(pair[0].now).as_secs() / 60)
            .collect();
        assert_eq!(gaps, [1, 4, 16]);
        let state = host.store().read_blocking(|view| view.job("chime"));
        let state = state.expect("the store can be read");
        assert_eq!((state.failures, state.problem), (0, None));
        assert_eq!(state.done, Some(runs[3].now));
    });
}

#[test]
fn a_bug_costs_one_run() {
    Internet::simulated(5, async |internet| {
        let host = here(&internet).await;
        let mut chime = Chime::new();
        chime.panics = true;
        let chime = Arc::new(chime);
        let _node = node(&host, &chime);
        internet.pass(minutes(10)).await;
        assert_eq!(chime.count(), 3, "tried again: {:?}", chime.runs());
    });
}

#[test]
fn a_stop_in_the_middle_counts_as_not_begun() {
    Internet::simulated(6, async |internet| {
        let host = here(&internet).await;
        let mut chime = Chime::new();
        chime.takes = hours(1);
        let chime = Arc::new(chime);
        let (task, stop) = node(&host, &chime);
        internet.pass(minutes(20)).await;
        stop.request();
        let _ = task.ended().await;
        let (_task, _stop) = node(&host, &chime);
        internet.pass(minutes(1)).await;
        assert_eq!(chime.count(), 2, "at once again");
        internet.pass(hours(3)).await;
        assert_eq!(chime.count(), 2, "and then done");
    });
}

#[test]
fn what_a_crash_interrupted_is_taken_up_again_at_once() {
    Internet::simulated(7, async |internet| {
        let mut host = here(&internet).await;
        let mut slow = Chime::new();
        slow.takes = hours(1);
        let slow = Arc::new(slow);
        let _node = node(&host, &slow);
        internet.pass(minutes(5)).await;
        assert_eq!(slow.count(), 1);
        host.kill();
        host.start_again().await;
        let quick = Arc::new(Chime::new());
        let _node = node(&host, &quick);
        internet.pass(minutes(2)).await;
        // The lease is of ten minutes, but nobody else can have this database open.
        assert_eq!(quick.count(), 1);
        internet.pass(minutes(15)).await;
        assert_eq!(quick.count(), 1, "and once");
    });
}
