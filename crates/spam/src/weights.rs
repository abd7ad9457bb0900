//! How much each kind of reason counts, and from where on a message is junk. The operator may change both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::reasons::Kind;

/// Junk from this sum of log-odds on, without the operator's wish.
pub const THRESHOLD: f32 = 3.0;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Junk from this sum of log-odds on.
    pub threshold: f32,
    /// What a kind's weight is multiplied by; one that is not named counts once.
    pub multipliers: BTreeMap<Kind, f32>,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            threshold: THRESHOLD,
            multipliers: BTreeMap::new(),
        }
    }
}

impl Weights {
    pub fn multiplier(&self, kind: Kind) -> f32 {
        let wished = self.multipliers.get(&kind).copied().unwrap_or(1.0);
        if wished.is_finite() {
            wished.clamp(0.0, limits::MULTIPLIER_MAX)
        } else {
            1.0
        }
    }

    /// The threshold, kept where a threshold makes sense.
    pub fn threshold(&self) -> f32 {
        if self.threshold.is_finite() {
            self.threshold
                .clamp(limits::THRESHOLD_MIN, limits::THRESHOLD_MAX)
        } else {
            THRESHOLD
        }
    }
}
