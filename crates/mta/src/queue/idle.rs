//! Idle connections, kept a moment for the next message to the same destination.

use std::collections::BTreeMap;
use std::time::Instant;

use super::connect::Connection;
use crate::route::Destination;
use crate::{Inner, limits};

#[derive(Default)]
pub(crate) struct Idle {
    connections: BTreeMap<Destination, Vec<(Instant, Connection)>>,
    count: usize,
}

impl Idle {
    /// Of those that will do, the one that was used last: it is the least likely to be timed out.
    pub(crate) fn take(
        &mut self,
        destination: &Destination,
        will_do: impl Fn(&Connection) -> bool,
    ) -> Option<Connection> {
        let list = self.connections.get_mut(destination)?;
        let at = list
            .iter()
            .rposition(|(_, connection)| will_do(connection))?;
        let (_, connection) = list.remove(at);
        if list.is_empty() {
            self.connections.remove(destination);
        }
        self.count -= 1;
        Some(connection)
    }

    pub(crate) fn keep(
        &mut self,
        inner: &Inner,
        destination: &Destination,
        mut connection: Connection,
        now: Instant,
    ) {
        let list = self.connections.entry(destination.clone()).or_default();
        let room = list.len() < limits::IDLE_PER_DESTINATION_MAX && self.count < limits::IDLE_MAX;
        if room && connection.is_fresh() {
            list.push((now, connection));
            self.count += 1;
        } else {
            connection.quit(inner);
        }
    }

    /// Ends those that nobody wanted for too long.
    pub(crate) fn sweep(&mut self, inner: &Inner, now: Instant) {
        for list in self.connections.values_mut() {
            // The oldest stand first.
            let old = list
                .iter()
                .take_while(|(since, _)| is_over(*since, now))
                .count();
            self.count -= old;
            for (_, connection) in list.drain(..old) {
                connection.quit(inner);
            }
        }
        self.connections.retain(|_, list| !list.is_empty());
    }

    /// Ends those to other destinations that `choice` names.
    pub(crate) fn quit_others(
        &mut self,
        inner: &Inner,
        destination: &Destination,
        choice: impl Fn(&Connection) -> bool,
    ) {
        for (of, list) in &mut self.connections {
            if of == destination {
                continue;
            }
            let (ended, kept) = std::mem::take(list)
                .into_iter()
                .partition(|(_, connection)| choice(connection));
            *list = kept;
            let ended: Vec<(Instant, Connection)> = ended;
            self.count -= ended.len();
            for (_, connection) in ended {
                connection.quit(inner);
            }
        }
        self.connections.retain(|_, list| !list.is_empty());
    }

    pub(crate) fn quit_all(&mut self, inner: &Inner) {
        for (_, connection) in std::mem::take(&mut self.connections)
            .into_values()
            .flatten()
        {
            connection.quit(inner);
        }
        self.count = 0;
    }

    /// When the next one is over.
    pub(crate) fn next_sweep(&self) -> Option<Instant> {
        let oldest = self
            .connections
            .values()
            .filter_map(|list| list.first())
            .map(|(at, _)| *at);
        oldest.min().map(|since| since + limits::IDLE_CONNECTION)
    }
}

fn is_over(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) >= limits::IDLE_CONNECTION
}
