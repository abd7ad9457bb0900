//! Decides what is sent next: due order within a destination, turns among destinations, and how many
//! at a time go to each. Knows no clock and no socket; the loop is in `run.rs`.

use std::collections::{BTreeMap, VecDeque};

use super::window::{Health, Window};
use crate::limits;
use crate::route::Destination;

/// Jobs of type `J` by destination. A job stands for one or more recipients.
#[derive(Debug)]
pub(crate) struct Scheduler<J> {
    lanes: BTreeMap<Destination, Lane<J>>,
    /// Destinations with waiting jobs; the front one has the turn.
    turns: VecDeque<Destination>,
    in_flight: usize,
    waiting: usize,
}

#[derive(Debug)]
struct Lane<J> {
    waiting: VecDeque<J>,
    in_flight: usize,
    window: Window,
}

/// What is said of a job whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn<A> {
    Go,
    /// Later, and all behind it.
    Wait,
    /// It leaves the line.
    Aside(A),
}

/// What comes of a turn.
#[derive(Debug)]
pub(crate) enum Step<J, A> {
    Start(Destination, J),
    Aside(J, A),
}

impl<J> Scheduler<J> {
    pub(crate) fn new() -> Self {
        Self {
            lanes: BTreeMap::new(),
            turns: VecDeque::new(),
            in_flight: 0,
            waiting: 0,
        }
    }

    /// Jobs come in due order.
    pub(crate) fn add(&mut self, destination: &Destination, job: J) {
        let lane = self
            .lanes
            .entry(destination.clone())
            .or_insert_with(Lane::new);
        if lane.waiting.is_empty() {
            self.turns.push_back(destination.clone());
        }
        lane.waiting.push_back(job);
        self.waiting += 1;
    }

    /// The next job that may start, if any.
    #[cfg(test)]
    pub(crate) fn start(&mut self) -> Option<(Destination, J)> {
        match self.step(|_| Turn::<()>::Go)? {
            Step::Start(destination, job) => Some((destination, job)),
            Step::Aside(..) => None,
        }
    }

    /// The next job that may start or that leaves the line, as `judge` says of it.
    pub(crate) fn step<A>(&mut self, mut judge: impl FnMut(&J) -> Turn<A>) -> Option<Step<J, A>> {
        if self.in_flight >= limits::ATTEMPTS_MAX {
            return None;
        }
        for _ in 0..self.turns.len() {
            let destination = self.turns.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&destination) else {
                continue;
            };
            if lane.in_flight >= lane.window.size() {
                self.turns.push_back(destination);
                continue;
            }
            let turn = match lane.waiting.front() {
                Some(job) => judge(job),
                None => continue,
            };
            if matches!(turn, Turn::Wait) {
                self.turns.push_back(destination);
                continue;
            }
            let Some(job) = lane.waiting.pop_front() else {
                continue;
            };
            self.waiting -= 1;
            if !lane.waiting.is_empty() {
                self.turns.push_back(destination.clone());
            }
            if let Turn::Aside(aside) = turn {
                if lane.is_empty() && lane.window.is_fresh() {
                    self.lanes.remove(&destination);
                }
                return Some(Step::Aside(job, aside));
            }
            lane.in_flight += 1;
            self.in_flight += 1;
            return Some(Step::Start(destination, job));
        }
        None
    }

    /// An attempt ended. Yields the waiting jobs of a destination that proved dead: they are to be
    /// put off with the same reason.
    pub(crate) fn finished(&mut self, destination: &Destination, health: Health) -> Vec<J> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let Some(lane) = self.lanes.get_mut(destination) else {
            return Vec::new();
        };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        lane.window.note(health);
        let mut put_off = Vec::new();
        if lane.window.is_dead() {
            put_off.extend(lane.waiting.drain(..));
            self.waiting -= put_off.len();
            self.turns.retain(|turn| turn != destination);
            if lane.in_flight == 0 {
                lane.window.revive();
            }
        }
        let forget = lane.window.is_fresh() || self.lanes.len() > limits::LANES_MAX;
        if forget && self.lanes.get(destination).is_some_and(Lane::is_empty) {
            self.lanes.remove(destination);
        }
        put_off
    }

    /// Everything that waits, for giving it back when the queue stops.
    pub(crate) fn drain(&mut self) -> Vec<J> {
        self.turns.clear();
        self.waiting = 0;
        self.lanes
            .values_mut()
            .flat_map(|lane| lane.waiting.drain(..))
            .collect()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }
}

impl<J> Lane<J> {
    fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            in_flight: 0,
            window: Window::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.in_flight == 0 && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests;
