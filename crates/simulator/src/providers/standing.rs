//! Reputation of an address or a range: points that grow slowly with good mail, fall at once with
//! bad, heal with time, and are forgotten.

use std::time::{Duration, Instant};

use super::model::Reputation;

const DAY: Duration = Duration::from_secs(86_400);
const POINTS_MAX: f64 = 100.0;

#[derive(Clone, Debug)]
pub(super) struct Standing {
    points: f64,
    healed: Instant,
    /// When it last did anything.
    seen: Instant,
    day: Instant,
    gained: f64,
}

impl Standing {
    pub(super) fn new(rules: &Reputation, now: Instant) -> Self {
        Self {
            points: rules.start,
            healed: now,
            seen: now,
            day: now,
            gained: 0.0,
        }
    }

    pub(super) fn points(&mut self, rules: &Reputation, now: Instant) -> f64 {
        let cold = DAY.saturating_mul(u32::try_from(rules.cold_days).unwrap_or(u32::MAX));
        if cold <= now.saturating_duration_since(self.seen) {
            *self = Self::new(rules, now);
        }
        let passed = now.saturating_duration_since(self.healed);
        self.healed = now;
        if self.points < rules.start {
            let healing = rules.heals_per_day * passed.as_secs_f64() / DAY.as_secs_f64();
            self.points = (self.points + healing).min(rules.start);
        }
        self.points
    }

    pub(super) fn gain(&mut self, rules: &Reputation, share: f64, now: Instant) {
        let points = self.points(rules, now);
        self.seen = now;
        if DAY <= now.saturating_duration_since(self.day) {
            self.day = now;
            self.gained = 0.0;
        }
        let gain = rules.good.min(rules.good_per_day - self.gained).max(0.0);
        self.gained += gain;
        self.points = (points + gain * share).min(POINTS_MAX);
    }

    pub(super) fn fall(&mut self, rules: &Reputation, by: f64, now: Instant) {
        self.points = (self.points(rules, now) - by).max(0.0);
        self.seen = now;
    }

    pub(super) fn set(&mut self, points: f64, now: Instant) {
        self.points = points.clamp(0.0, POINTS_MAX);
        self.healed = now;
        self.seen = now;
    }
}
