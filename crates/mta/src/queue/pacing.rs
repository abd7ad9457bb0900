//! What goes on towards each group of mail hosts at this moment, and what that and our standing there allow next.

use std::collections::{BTreeMap, VecDeque};

use super::reaction::{Gate, Traffic};
use super::schedule::Turn;
use super::standings::Standings;
use crate::limits;
use crate::route::Way;

/// Counts of this run of the program.
#[derive(Debug, Default)]
pub(crate) struct Pacing {
    /// Attempts in flight.
    open: BTreeMap<String, u16>,
    /// The same for each sender's domain: one that is limited there must neither wait for the others nor hold them up.
    open_of: BTreeMap<(String, String), u16>,
    /// The seconds in which attempts of the last minute began.
    sent: BTreeMap<String, VecDeque<u64>>,
    /// The last second that a message was put off to, where they are spread.
    spread: BTreeMap<String, u64>,
}

/// Why a job leaves the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aside {
    ByRelay,
    PutOff(u64),
}

impl Pacing {
    /// What is said of a message for this way, of a sender's domain.
    pub(crate) fn judge(
        &mut self,
        standings: &Standings,
        way: &Way,
        sender_domain: &str,
        now: u64,
    ) -> Turn<Aside> {
        if way.is_relayed() {
            return Turn::Go;
        }
        let group = &way.group;
        let traffic = Traffic {
            open: self.open.get(&group.lane).copied().unwrap_or(0),
            usual: group.connections.unwrap_or(limits::CONNECTIONS_USUAL_MAX),
            sent: self.sent_lately(&group.lane, now),
        };
        let key = (group.lane.clone(), sender_domain.to_owned());
        let own = Traffic {
            open: self.open_of.get(&key).copied().unwrap_or(0),
            ..traffic
        };
        let relay = group.relay_use();
        match standings.gate(&group.lane, sender_domain, now, [traffic, own], relay) {
            Gate::Go => Turn::Go,
            Gate::Wait => Turn::Wait,
            Gate::Relay => Turn::Aside(Aside::ByRelay),
            Gate::PutOff(second) => {
                let standing = standings.of(&group.lane, "");
                let spacing = standing.spacing();
                Turn::Aside(Aside::PutOff(match (spacing, standing.silent_until(now)) {
                    (Some(spacing), None) => self.spread(&group.lane, second, spacing, now),
                    _ => second,
                }))
            }
        }
    }

    /// One after the other, not all at the same second again.
    fn spread(&mut self, lane: &str, second: u64, spacing: u64, now: u64) -> u64 {
        let last = self.spread.entry(lane.to_owned()).or_insert(0);
        let latest = now.saturating_add(limits::SPREAD_SECS_MAX);
        *last = second.max(last.saturating_add(spacing)).min(latest);
        *last
    }

    pub(crate) fn began(&mut self, way: &Way, sender_domain: &str, now: u64) {
        if way.is_relayed() {
            return;
        }
        let lane = &way.group.lane;
        let key = (lane.clone(), sender_domain.to_owned());
        *self.open_of.entry(key).or_default() += 1;
        *self.open.entry(lane.clone()).or_default() += 1;
        let sent = self.sent.entry(lane.clone()).or_default();
        sent.push_back(now);
        // Nobody counts further.
        if sent.len() > limits::SENT_COUNTED_MAX {
            sent.pop_front();
        }
    }

    pub(crate) fn ended(&mut self, way: &Way, sender_domain: &str, now: u64) {
        if way.is_relayed() {
            return;
        }
        let lane = &way.group.lane;
        let key = (lane.clone(), sender_domain.to_owned());
        if let Some(open) = self.open_of.get_mut(&key) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.open_of.remove(&key);
            }
        }
        if let Some(open) = self.open.get_mut(lane) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.open.remove(lane);
            }
        }
        if self.sent.len() > limits::LANES_MAX {
            self.sent
                .retain(|_, sent| sent.back().is_some_and(|last| last + 60 > now));
            self.spread.retain(|_, last| *last > now);
        }
    }

    fn sent_lately(&mut self, lane: &str, now: u64) -> u16 {
        let Some(sent) = self.sent.get_mut(lane) else {
            return 0;
        };
        while sent.front().is_some_and(|first| first + 60 <= now) {
            sent.pop_front();
        }
        u16::try_from(sent.len()).unwrap_or(u16::MAX)
    }
}
