//! A unit of work for the database, with whoever waits for its answer.
//! The engines see no types: a job carries its result from its run to its answer itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;

use tokio::sync::oneshot;

use crate::view::{Change, View};
use crate::{Durability, StoreError};

/// What goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Urgent,
    Bulk,
}

pub(crate) trait WriteJob: Send {
    fn durability(&self) -> Durability;

    /// Runs the closure; `false` means that what it did must be taken back. May be called again.
    fn run(&mut self, change: &mut Change<'_>) -> bool;

    /// Tells the caller the result of the last run, or the error that befell the whole transaction.
    fn answer(self: Box<Self>, fate: Result<(), StoreError>);
}

pub(crate) trait ReadJob: Send {
    fn run(self: Box<Self>, view: Result<&View<'_>, StoreError>);
}

/// Where an answer goes.
pub(crate) enum Reply<T> {
    Task(oneshot::Sender<T>),
    Thread(SyncSender<T>),
}

impl<T> Reply<T> {
    fn send(self, answer: T) {
        // Whoever asked may have gone away meanwhile; what was done is done.
        match self {
            Self::Task(to) => drop(to.send(answer)),
            Self::Thread(to) => drop(to.send(answer)),
        }
    }
}

pub(crate) struct Write<F, T, E> {
    work: F,
    durability: Durability,
    outcome: Option<Result<T, E>>,
    reply: Reply<Result<T, E>>,
}

impl<F, T, E> Write<F, T, E> {
    pub(crate) fn new(work: F, durability: Durability, reply: Reply<Result<T, E>>) -> Self {
        Self {
            work,
            durability,
            outcome: None,
            reply,
        }
    }
}

impl<F, T, E> WriteJob for Write<F, T, E>
where
    F: FnMut(&mut Change<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn durability(&self) -> Durability {
        self.durability
    }

    fn run(&mut self, change: &mut Change<'_>) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(change)))
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()));
        let good = outcome.is_ok();
        self.outcome = Some(outcome);
        good
    }

    fn answer(self: Box<Self>, fate: Result<(), StoreError>) {
        let answer = match (fate, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(StoreError::Closed.into()),
            (Err(error), _) => Err(error.into()),
        };
        self.reply.send(answer);
    }
}

pub(crate) struct Read<F, T, E> {
    work: F,
    reply: Reply<Result<T, E>>,
}

impl<F, T, E> Read<F, T, E> {
    pub(crate) fn new(work: F, reply: Reply<Result<T, E>>) -> Self {
        Self { work, reply }
    }
}

impl<F, T, E> ReadJob for Read<F, T, E>
where
    F: FnMut(&View<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(mut self: Box<Self>, view: Result<&View<'_>, StoreError>) {
        let answer = match view {
            Ok(view) => catch_unwind(AssertUnwindSafe(|| (self.work)(view)))
                .unwrap_or_else(|_| Err(StoreError::Panicked.into())),
            Err(error) => Err(error.into()),
        };
        self.reply.send(answer);
    }
}
