//! Work beside the caller: tasks, blocking closures, deadlines.
//! A panic costs only its task: it is caught, logged and reported to who waits for it.

use std::borrow::Cow;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

/// What a task runtime does. Callers use the typed methods of `dyn Tasks` below.
pub trait Tasks: Send + Sync {
    fn spawn_boxed(&self, name: Cow<'static, str>, future: BoxFuture<'static, ()>) -> Task;
    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>);
    /// Runs a future that computes long between its awaits.
    fn run_heavy(&self, work: BoxFuture<'static, ()>);
}

impl dyn Tasks {
    /// Runs the future beside the caller, until it ends or the runtime does.
    pub fn spawn<F>(&self, name: impl Into<Cow<'static, str>>, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn_boxed(name.into(), Box::pin(future))
    }

    /// Runs long computing or blocking calls off the event loop. In a simulated world it runs at
    /// once on the caller, so that repeats are equal.
    pub async fn blocking<F, T>(&self, work: F) -> Result<T, Panicked>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.run_blocking(Box::new(move || {
            let _ = sender.send(work());
        }));
        // The sender is dropped unsent only when the work panicked or the runtime is going down.
        receiver.await.map_err(|_| Panicked)
    }

    /// Runs a future that computes long between its awaits, on a thread of its own. In a simulated
    /// world it is a task like others, so that repeats are equal.
    pub async fn heavy<F>(&self, work: F) -> Result<F::Output, Panicked>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.run_heavy(Box::pin(async move {
            let _ = sender.send(work.await);
        }));
        receiver.await.map_err(|_| Panicked)
    }

    /// Runs the future until `at` at the latest.
    pub async fn deadline<F: Future>(&self, at: Instant, future: F) -> Result<F::Output, Late> {
        tokio::time::timeout_at(at.into(), future)
            .await
            .map_err(|_| Late)
    }
}

/// The work panicked; the log has the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work ended by a bug")]
pub struct Panicked;

/// The deadline passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed")]
pub struct Late;

/// A spawned task. Dropping it lets the task go on.
#[derive(Debug)]
pub struct Task {
    join: tokio::task::JoinHandle<Result<(), Panicked>>,
}

impl Task {
    /// Ends the task at its next await.
    pub fn abort(&self) {
        self.join.abort();
    }

    pub fn is_finished(&self) -> bool {
        self.join.is_finished()
    }

    /// Waits for the end of the task; an aborted task counts as ended.
    pub async fn ended(self) -> Result<(), Panicked> {
        self.join.await.unwrap_or(Ok(()))
    }
}

/// Where blocking closures run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockingMode {
    /// On the runtime's threads for blocking work.
    Threads,
    /// On the caller, for runs that must repeat exactly.
    Inline,
}

/// Tasks on the tokio runtime that the caller runs on.
pub struct TokioTasks {
    blocking: BlockingMode,
}

impl TokioTasks {
    pub fn new(blocking: BlockingMode) -> Self {
        Self { blocking }
    }
}

impl Tasks for TokioTasks {
    fn spawn_boxed(&self, name: Cow<'static, str>, future: BoxFuture<'static, ()>) -> Task {
        let guarded = async move {
            AssertUnwindSafe(future)
                .catch_unwind()
                .await
                .map_err(|panic| report(&name, &*panic))
        };
        Task {
            join: tokio::spawn(guarded),
        }
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        let guarded = move || {
            if let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(work)) {
                report("blocking work", &*panic);
            }
        };
        match self.blocking {
            BlockingMode::Inline => guarded(),
            BlockingMode::Threads => {
                tokio::task::spawn_blocking(guarded);
            }
        }
    }

    fn run_heavy(&self, work: BoxFuture<'static, ()>) {
        match self.blocking {
            BlockingMode::Inline => drop(self.spawn_boxed("heavy work".into(), work)),
            BlockingMode::Threads => self.run_blocking(Box::new(move || {
                tokio::runtime::Handle::current().block_on(work);
            })),
        }
    }
}

fn report(name: &str, panic: &(dyn std::any::Any + Send)) -> Panicked {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(
        task = name,
        panic = what,
        "a task ended by a bug; everything else goes on"
    );
    Panicked
}
