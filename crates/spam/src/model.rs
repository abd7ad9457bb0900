//! The shipped model: a weight for each of some hundred thousand hashed features, made by `postroad spam train-base`.
//! It holds no text. What it says is calibrated: log-odds that the message is unwanted.

use std::sync::OnceLock;

use crate::Sight;
use crate::features::{self, Features, GROUPS, Told, group_of};

mod file;
mod table;

pub use file::ModelError;
use table::Table;

/// What ships. See docs/spam-model.md for how it was made.
const BUILT_IN: &[u8] = include_bytes!("../../../knowledge/spam-base.model");

/// Most reasons that are given in words.
const REASONS_MAX: usize = 20;

/// The share of messages that have a feature which the corpora hardly know.
const RARE: f32 = 0.004;

/// Weights of features.
#[derive(Clone, Debug, Default)]
pub struct Model {
    weights: Table,
    bias: f32,
    calibration: Calibration,
    /// How many of a hundred messages have a feature, where many do.
    common: Table,
}

/// A line from scores to log-odds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    pub slope: f32,
    pub offset: f32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            slope: 1.0,
            offset: 0.0,
        }
    }
}

impl Model {
    /// The model in the program.
    pub fn built_in() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| Self::from_bytes(BUILT_IN).unwrap_or_default())
    }

    /// Of weights, as training found them.
    pub(crate) fn of(weights: Vec<(u64, f32)>, bias: f32) -> Self {
        Self {
            weights: Table::of(
                weights
                    .into_iter()
                    .map(|(feature, weight)| (key(feature), weight)),
            ),
            bias,
            ..Self::default()
        }
    }

    pub(crate) fn set_calibration(&mut self, calibration: Calibration) {
        self.calibration = calibration;
    }

    pub(crate) fn set_common(&mut self, common: Vec<(u64, f32)>) {
        self.common = Table::of(
            common
                .into_iter()
                .map(|(feature, share)| (key(feature), share)),
        );
    }

    /// Whether it knows nothing: it was not trained.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Natural logarithm of the odds that the message is unwanted.
    pub fn log_odds(&self, features: &Features) -> f32 {
        if self.is_empty() {
            return 0.0;
        }
        self.calibration.slope * self.score(features) + self.calibration.offset
    }

    /// Before calibration. A group's voice grows slower than the number of its features, so that long messages do
    /// not shout.
    pub(crate) fn score(&self, features: &Features) -> f32 {
        let mut sums = [(0.0_f32, 0_u32); GROUPS];
        for feature in features.as_slice() {
            if let Some(weight) = self.weights.get(key(*feature))
                && let Some((sum, count)) = sums.get_mut(group_of(*feature))
            {
                *sum += weight;
                *count += 1;
            }
        }
        let voices = sums.iter().map(|(sum, count)| sum * damping(*count));
        voices.sum::<f32>() + self.bias
    }

    /// What share of all messages has this feature, roughly.
    pub fn commonness(&self, feature: u64) -> f32 {
        self.common.get(key(feature)).unwrap_or(RARE)
    }

    /// What of this message weighs most either way, in words, with its share of the log-odds. For explanations:
    /// it reads the message again.
    pub fn strongest(&self, sight: &Sight, features: &Features) -> Vec<(String, f32)> {
        let mut counts = [0_u32; GROUPS];
        for feature in features.as_slice() {
            if let (Some(_), Some(count)) = (
                self.weights.get(key(*feature)),
                counts.get_mut(group_of(*feature)),
            ) {
                *count += 1;
            }
        }
        let mut told = Told(Vec::new());
        features::describe(sight, &mut told);
        told.0.sort_by_key(|(feature, _)| *feature);
        told.0.dedup_by_key(|(feature, _)| *feature);
        let weigh = |(feature, words): (u64, String)| {
            let weight = self.weights.get(key(feature))?;
            let count = counts.get(group_of(feature)).copied().unwrap_or(1);
            let share = weight * damping(count) * self.calibration.slope;
            Some((features::in_words(feature, &words), share))
        };
        let mut found: Vec<_> = told.0.into_iter().filter_map(weigh).collect();
        found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        found.truncate(REASONS_MAX);
        found
    }
}

/// What a feature's hash is cut to in the model: its group and 27 bits.
fn key(feature: u64) -> u32 {
    (feature >> 32) as u32
}

/// By how much a group of so many known features is turned down.
pub(crate) fn damping(count: u32) -> f32 {
    // The power -0.3, without a power's differences between machines' libraries.
    const TABLE: usize = 64;
    static POWERS: OnceLock<[f32; TABLE]> = OnceLock::new();
    let powers = POWERS.get_or_init(|| {
        let mut powers = [1.0; TABLE];
        for (at, power) in powers.iter_mut().enumerate().skip(1) {
            *power = (at as f32).powf(-0.3);
        }
        powers
    });
    let at = usize::try_from(count).unwrap_or(usize::MAX);
    match powers.get(at) {
        Some(power) => *power,
        None => (count as f32).powf(-0.3),
    }
}

#[cfg(test)]
mod tests;
