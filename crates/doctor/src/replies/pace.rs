//! How fast a destination may be sent to after it complained: silence, a probe, then more with each success.
//! Pure state, one per provider (and per sender's domain where only that is concerned); the queue keeps and asks it.

use serde::{Deserialize, Serialize};

use super::wait::Wait;

/// Pauses double with each failure in a row, up to so many times the first one.
const LONGER_MAX: u32 = 8;

/// No silence grows beyond this, so that a block that ended is noticed the same day: four questions a day are polite.
const LONGEST_SECS: u64 = 6 * 3600;

/// A relay is offered after so many probes in vain.
pub const PROBES_BEFORE_RELAY: u32 = 3;

/// What a destination is allowed at the moment. The default allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Pace {
    /// Nothing before this second.
    silent_until: u64,
    /// After the silence: one message goes alone first.
    probe: bool,
    connections: Option<u16>,
    per_minute: Option<u16>,
    /// When the two limits end by themselves.
    limited_until: Option<u64>,
    grow: u16,
    /// Refusals since the last success, each in a silence of its own.
    failures: u32,
}

/// Whether something may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Now,
    /// One message alone, on one connection.
    Probe,
    /// Not before this second.
    At(u64),
    /// When a connection ends.
    Full,
}

impl Pace {
    /// The destination put off or refused; `wait` is the reaction its reply asks for.
    pub fn refused(&mut self, wait: &Wait, now: u64) {
        if wait.pause == 0 && wait.connections.is_none() && wait.per_minute.is_none() {
            return;
        }
        // Replies to what was already on the way belong to the same failure.
        if now >= self.silent_until {
            self.failures = self.failures.saturating_add(1);
        }
        // Google's rule is ten minutes more each time, not twice as long; so for all that grow back step by step.
        let longer = if wait.grow.is_some() {
            1
        } else {
            1 << self.failures.saturating_sub(1).min(3)
        };
        let first = u64::from(wait.pause);
        let pause = (first * u64::from(longer.min(LONGER_MAX))).min(first.max(LONGEST_SECS));
        self.silent_until = self.silent_until.max(now.saturating_add(pause));
        self.probe = wait.probe;
        self.connections = wait.connections.or(self.connections);
        // A rate ends by time only: without a new end it would never.
        self.per_minute = wait
            .per_minute
            .or(self.per_minute.filter(|_| wait.during.is_some()));
        self.grow = wait.grow.unwrap_or(0);
        self.limited_until = wait
            .during
            .map(|during| self.silent_until.saturating_add(u64::from(during)));
    }

    /// The destination took a message.
    pub fn accepted(&mut self, now: u64) {
        if now < self.silent_until {
            return;
        }
        self.failures = 0;
        self.probe = false;
        let ended = self.limited_until.is_some_and(|until| until <= now);
        if ended {
            *self = Self::default();
        } else if self.grow > 0 {
            self.connections = self
                .connections
                .map(|connections| connections.saturating_add(self.grow));
        } else if self.limited_until.is_none() {
            // A success after silence, without limits by time: careful steps from one on.
            self.connections = self
                .connections
                .map(|connections| connections.saturating_mul(2));
        }
    }

    /// `open`: connections to the destination now; `usual`: most that are opened to it in good times;
    /// `sent`: messages of the last minute.
    pub fn start(&self, now: u64, open: u16, usual: u16, sent: u16) -> Start {
        if now < self.silent_until {
            return Start::At(self.silent_until);
        }
        if self.probe {
            return if open == 0 { Start::Probe } else { Start::Full };
        }
        let limited = self.limited_until.is_none_or(|until| now < until);
        let connections = self.connections.filter(|_| limited).unwrap_or(usual);
        if open >= connections.min(usual) {
            return Start::Full;
        }
        match self.per_minute.filter(|_| limited) {
            Some(most) if sent >= most => Start::At(now.saturating_add(60)),
            _ => Start::Now,
        }
    }

    /// Seconds between two messages, where messages a minute are counted.
    pub fn spacing(&self) -> Option<u64> {
        let most = self.per_minute?;
        Some(60 / u64::from(most.max(1)))
    }

    /// Whether a relay should be used, or offered: the probes fail one after the other.
    pub fn wants_relay(&self) -> bool {
        self.failures >= PROBES_BEFORE_RELAY
    }

    /// Nothing is held back any more.
    pub fn is_free(&self, now: u64, usual: u16) -> bool {
        matches!(self.start(now, 0, usual, 0), Start::Now)
            && self
                .connections
                .is_none_or(|connections| connections >= usual)
            && self.per_minute.is_none()
    }
}
