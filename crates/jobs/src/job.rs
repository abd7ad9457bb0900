//! What a job is. When it is due is decided without clock and store; what it does may take both.

use std::time::Duration;

use mail::UnixMillis;
use store::StoreError;
use world::BoxFuture;

use crate::Desk;

pub trait Job: Send + Sync {
    /// Under this name its last run is kept. Never change it.
    fn name(&self) -> &'static str;

    /// When the run after the one that began at `last` is due (see [`crate::schedule`]); `started` is
    /// when this node began to look. Pure.
    fn next(&self, last: Option<UnixMillis>, started: UnixMillis) -> UnixMillis;

    /// By how much at most a run may come later than due, so that not everybody in the world asks in the same second.
    fn spread(&self) -> Duration {
        Duration::ZERO
    }

    /// Resolves when there is a reason to run at once. Must not resolve again and again without one. A reason that
    /// comes up during a run may be missed here; the next regular run finds it.
    fn woken<'a>(&'a self, _desk: &'a Desk) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }

    /// One run. May be cut at any wait, and may then be run again: what was done must be noted in the store as it is done.
    fn run<'a>(&'a self, desk: &'a Desk, run: Run) -> BoxFuture<'a, Result<(), JobError>>;
}

/// Which run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When the last run that succeeded began.
    pub last: Option<UnixMillis>,
    pub now: UnixMillis,
}

/// A run that failed; it is tried again, later and later. The text is for the operator's log.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Failed(String),
}
