//! Jobs that wait for a thread: urgent ones first, bulk ones when nothing urgent waits, but never
//! starved.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::Lane;

/// Jobs that may wait. Each has a caller that waits for its answer, so more than this means that
/// the disk has stopped, and memory must not grow for it.
const WAITING_MAX: usize = 10_000;

/// After so many takings without one, a bulk job goes along with the urgent ones.
const BULK_PATIENCE: u32 = 16;

pub(crate) struct Lanes<J> {
    waiting: Mutex<Waiting<J>>,
    news: Condvar,
}

struct Waiting<J> {
    urgent: VecDeque<J>,
    bulk: VecDeque<J>,
    passed_over: u32,
    closed: bool,
}

/// A job that was not taken in.
pub(crate) enum Refused<J> {
    Closed(J),
    Crowded(J),
}

impl<J> Lanes<J> {
    pub(crate) fn new() -> Self {
        let waiting = Waiting {
            urgent: VecDeque::new(),
            bulk: VecDeque::new(),
            passed_over: 0,
            closed: false,
        };
        Self {
            waiting: Mutex::new(waiting),
            news: Condvar::new(),
        }
    }

    pub(crate) fn put(&self, job: J, lane: Lane) -> Result<(), Refused<J>> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(Refused::Closed(job));
        }
        if WAITING_MAX <= waiting.urgent.len() + waiting.bulk.len() {
            return Err(Refused::Crowded(job));
        }
        match lane {
            Lane::Urgent => waiting.urgent.push_back(job),
            Lane::Bulk => waiting.bulk.push_back(job),
        }
        drop(waiting);
        self.news.notify_one();
        Ok(())
    }

    /// Waits for work and takes what is there, at most `max`; at most one bulk job. Nothing when
    /// closed and all is done.
    pub(crate) fn take(&self, max: usize) -> Option<Vec<J>> {
        let mut waiting = self.waiting.lock();
        loop {
            let taken = waiting.take(max);
            if !taken.is_empty() {
                return Some(taken);
            }
            if waiting.closed {
                return None;
            }
            self.news.wait(&mut waiting);
        }
    }

    /// No more jobs come in; those that wait are done still.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.news.notify_all();
    }
}

impl<J> Waiting<J> {
    fn take(&mut self, max: usize) -> Vec<J> {
        let count = self.urgent.len().min(max);
        let mut taken: Vec<J> = self.urgent.drain(..count).collect();
        let bulk_turn = taken.is_empty() || BULK_PATIENCE <= self.passed_over;
        if bulk_turn && let Some(job) = self.bulk.pop_front() {
            taken.push(job);
            self.passed_over = 0;
        } else if !self.bulk.is_empty() {
            self.passed_over += 1;
        }
        taken
    }
}
