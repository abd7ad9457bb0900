//! The tasks of one host, which can all be killed at once: a power cut.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use futures_util::future::{AbortHandle, abortable};
use world::{BlockingMode, BoxFuture, Task, Tasks, TokioTasks};

pub struct HostTasks {
    inner: TokioTasks,
    switches: Mutex<Vec<AbortHandle>>,
}

impl HostTasks {
    pub fn new(blocking: BlockingMode) -> Self {
        Self {
            inner: TokioTasks::new(blocking),
            switches: Mutex::default(),
        }
    }

    /// Ends everything at its next await, in the middle of whatever it does.
    pub fn kill(&self) {
        let mut switches = self.switches.lock().unwrap_or_else(PoisonError::into_inner);
        for switch in switches.drain(..) {
            switch.abort();
        }
    }
}

impl Tasks for HostTasks {
    fn spawn_boxed(&self, name: Cow<'static, str>, future: BoxFuture<'static, ()>) -> Task {
        let (future, switch) = abortable(future);
        self.switches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(switch);
        let future = async move {
            // Killed or ended: nobody asks.
            let _ = future.await;
        };
        self.inner.spawn_boxed(name, Box::pin(future))
    }

    fn run_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.inner.run_blocking(work);
    }

    fn run_heavy(&self, work: BoxFuture<'static, ()>) {
        let (work, switch) = abortable(work);
        self.switches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(switch);
        self.inner.run_heavy(Box::pin(async move {
            let _ = work.await;
        }));
    }
}
