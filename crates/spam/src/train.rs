//! Makes a model out of messages whose kind is known: the same bytes of the same messages, in whatever order they
//! come. Logistic regression over hashed features; calibrated on messages that it was not trained with.
//! See docs/spam-model.md.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::features::{Features, GROUPS, Group, group_of};
use crate::model::{self, Calibration, Model};

mod solve;

use solve::{Row, solve};

/// A message of a corpus, taken apart.
#[derive(Clone, Debug)]
pub struct Example {
    pub features: Features,
    pub is_spam: bool,
    /// Which corpus, by number.
    pub corpus: usize,
    /// Messages of one campaign or thread have one group, which is never torn.
    pub group: u64,
    /// Names the example; orders them.
    pub name: String,
}

/// Folds in which the calibration's scores are made.
pub const FOLDS: u64 = 5;

/// A pair of words counts if so many groups have it; there are too many that only one has. All else counts from one on.
const PAIR_GROUPS_MIN: u32 = 2;

/// How much the strength of a feature alone is believed beforehand: its log ratio to this power.
const RATIO_POWER: f64 = 0.5;

/// How loud a group speaks, where not as loud as others: pairs of words and the presence of fields know the corpora by
/// heart and are mute about other mail (found by leaving corpora out).
const LOUDNESS: [(Group, f64); 3] = [(Group::Pair, 0.6), (Group::Field, 0.6), (Group::Word, 1.4)];

/// What tells of how a message was written and sent. Beside each whole message, this half alone and the other alone are
/// examples too: otherwise the louder half explains everything, and the other learns nothing to say when it is wrong.
const HEADER: [Group; 5] = [
    Group::Sender,
    Group::Agreement,
    Group::Field,
    Group::Order,
    Group::Value,
];

/// What a half counts against the whole message.
const HALF_WEIGHT: f64 = 0.3;

/// What every message counts once more with half of its features, drawn by lot: no feature may rely on its company.
const LOT_WEIGHT: f64 = 0.5;

/// By how much features that were drawn speak louder, in place of those that were not.
const LOT_LOUDNESS: f32 = 1.6;

/// The price of errors against that of large weights.
const COST: f64 = 10.0;

/// Corpora below this size are cases, not samples.
const SAMPLE_MIN: usize = 100;

/// What a smaller corpus may count at most against the largest.
const CORPUS_WEIGHT_MAX: f64 = 3.5;

/// Features of learning that so many messages of a hundred have are common.
const COMMON_PERCENT_MIN: f64 = 1.0;

/// Features are hashes already.
type ByFeature<T> = HashMap<u64, T, BuildHasherDefault<Hashed>>;

#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::hash::of(bytes);
    }

    fn write_u64(&mut self, feature: u64) {
        // The table looks at the top bits too, which are the group's.
        self.0 = feature.rotate_left(20);
    }
}

/// The fold of a group.
pub fn fold_of(group: u64, folds: u64) -> u64 {
    crate::hash::with(group, 0x666f_6c64) % folds.max(1)
}

/// Trains and calibrates.
pub fn train(examples: &[Example]) -> Model {
    let examples = in_order(examples);
    let weights = weights(&examples);
    let mut scored = Vec::with_capacity(examples.len());
    for fold in 0..FOLDS {
        let is_out = |example: &Example| fold_of(example.group, FOLDS) == fold;
        let model = fit(&examples, &weights, |example| !is_out(example));
        for (example, weight) in examples.iter().zip(&weights) {
            if is_out(example) {
                let score = f64::from(model.score(&example.features));
                scored.push((score, example.is_spam, *weight));
            }
        }
    }
    let mut model = fit(&examples, &weights, |_| true);
    model.set_calibration(calibrate(&scored));
    model.set_common(common(&examples, &weights));
    model
}

fn in_order(examples: &[Example]) -> Vec<&Example> {
    let mut examples: Vec<&Example> = examples.iter().collect();
    let key = |example: &Example| (example.corpus, example.name.clone());
    examples.sort_by_cached_key(|example| key(example));
    examples
}

/// Small corpora count more for each message, so that the largest era does not speak for all; and many messages of
/// one campaign count less than as many of different ones.
fn weights(examples: &[&Example]) -> Vec<f64> {
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    for example in examples {
        *sizes.entry(example.corpus).or_default() += 1;
    }
    let largest = sizes.values().copied().max().unwrap_or(1);
    examples
        .iter()
        .map(|example| {
            let size = sizes.get(&example.corpus).copied().unwrap_or(1);
            if size < SAMPLE_MIN {
                1.0
            } else {
                (largest as f64 / size as f64).sqrt().min(CORPUS_WEIGHT_MAX)
            }
        })
        .collect()
}

/// How often a feature is in messages of either kind.
#[derive(Clone, Copy, Default)]
struct Tally {
    spam: f64,
    ham: f64,
    last_group: u64,
    groups: u32,
}

/// Features that are in enough groups, with their number and scale.
fn choose(examples: &[(&Example, f64)]) -> ByFeature<(u32, f64)> {
    let mut by_group: Vec<&(&Example, f64)> = examples.iter().collect();
    by_group.sort_by_key(|(example, _)| example.group);
    let mut tallies: ByFeature<Tally> = ByFeature::default();
    let (mut spam, mut ham) = (2.0, 2.0);
    for (example, weight) in by_group {
        if example.is_spam {
            spam += weight;
        } else {
            ham += weight;
        }
        for feature in example.features.as_slice() {
            let tally = tallies.entry(*feature).or_default();
            if example.is_spam {
                tally.spam += weight;
            } else {
                tally.ham += weight;
            }
            if tally.groups == 0 || tally.last_group != example.group {
                tally.groups += 1;
                tally.last_group = example.group;
            }
        }
    }
    let mut chosen: Vec<(u64, f64)> = tallies
        .into_iter()
        .filter(|(feature, tally)| {
            tally.groups >= PAIR_GROUPS_MIN || group_of(*feature) != Group::Pair as usize
        })
        .map(|(feature, tally)| {
            let ratio = ((tally.spam + 1.0) / spam) / ((tally.ham + 1.0) / ham);
            (
                feature,
                ratio.ln().abs().powf(RATIO_POWER) * loudness(feature),
            )
        })
        .collect();
    chosen.sort_unstable_by_key(|(feature, _)| *feature);
    let numbered = (0_u32..).zip(chosen);
    numbered
        .map(|(number, (feature, scale))| (feature, (number, scale)))
        .collect()
}

fn loudness(feature: u64) -> f64 {
    let group = group_of(feature);
    let known = LOUDNESS.iter().find(|(of, _)| *of as usize == group);
    known.map_or(1.0, |(_, loudness)| *loudness)
}

/// One fit over the examples that are in.
fn fit(examples: &[&Example], weights: &[f64], is_in: impl Fn(&Example) -> bool) -> Model {
    let pairs = examples.iter().copied().zip(weights.iter().copied());
    let chosen: Vec<(&Example, f64)> = pairs.filter(|(example, _)| is_in(example)).collect();
    let features = choose(&chosen);
    let rows: Vec<Row> = chosen
        .iter()
        .flat_map(|(example, weight)| rows(example, *weight, &features))
        .collect();
    let width = features.len() + 1;
    let solution = solve(&rows, width, COST);
    let bias = solution.last().copied().unwrap_or_default();
    let weight = |(feature, (number, scale)): (&u64, &(u32, f64))| {
        let at = usize::try_from(*number).unwrap_or(usize::MAX);
        let weight = solution.get(at).copied().unwrap_or_default() * scale;
        (*feature, weight as f32)
    };
    Model::of(features.iter().map(weight).collect(), bias as f32)
}

/// The whole message, its header, the rest, and half of all by lot.
fn rows(example: &Example, weight: f64, chosen: &ByFeature<(u32, f64)>) -> [Row; 4] {
    let mut counts = [0_u32; GROUPS];
    for feature in example.features.as_slice() {
        if let Some(count) = counts.get_mut(group_of(*feature)) {
            *count += u32::from(chosen.contains_key(feature));
        }
    }
    let lot = crate::hash::of(example.name.as_bytes());
    let (mut all, mut header, mut rest, mut drawn) = (vec![], vec![], vec![], vec![]);
    for feature in example.features.as_slice() {
        let Some((number, scale)) = chosen.get(feature) else {
            continue;
        };
        let group = group_of(*feature);
        let count = counts.get(group).copied().unwrap_or(1);
        let cell = (*number, (scale * f64::from(model::damping(count))) as f32);
        all.push(cell);
        if HEADER.iter().any(|of| *of as usize == group) {
            header.push(cell);
        } else {
            rest.push(cell);
        }
        if crate::hash::with(lot, *feature) & 1 == 1 {
            drawn.push((cell.0, cell.1 * LOT_LOUDNESS));
        }
    }
    let bias = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let rows = [
        (all, 1.0),
        (header, HALF_WEIGHT),
        (rest, HALF_WEIGHT),
        (drawn, LOT_WEIGHT),
    ];
    rows.map(|(mut cells, share)| {
        cells.push((bias, 1.0));
        Row {
            cells,
            is_positive: example.is_spam,
            weight: weight * share,
        }
    })
}

/// A line through scores and log-odds (Platt), by Newton's method; both kinds count the same in all.
fn calibrate(scored: &[(f64, bool, f64)]) -> Calibration {
    let total = |kind: bool| -> f64 {
        let of_kind = scored.iter().filter(|(_, is_spam, _)| *is_spam == kind);
        of_kind.map(|(_, _, weight)| weight).sum::<f64>().max(1e-9)
    };
    let (spam, ham) = (total(true), total(false));
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..50 {
        // Gradient and curvature, with a breath of a prior that keeps them finite.
        let (mut g0, mut g1, mut h00, mut h01, mut h11) =
            (0.0, 1e-4 * (slope - 1.0), 1e-6, 0.0, 1e-4);
        for (score, is_spam, weight) in scored {
            let weight = weight / if *is_spam { spam } else { ham };
            let p = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            let wrong = weight * (p - f64::from(u8::from(*is_spam)));
            let curve = weight * p * (1.0 - p);
            g0 += wrong;
            g1 += wrong * score;
            h00 += curve;
            h01 += curve * score;
            h11 += curve * score * score;
        }
        let determinant = h00 * h11 - h01 * h01;
        if determinant.abs() < 1e-18 {
            break;
        }
        let (d0, d1) = (
            (h11 * g0 - h01 * g1) / determinant,
            (h00 * g1 - h01 * g0) / determinant,
        );
        offset -= d0.clamp(-2.0, 2.0);
        slope -= d1.clamp(-2.0, 2.0);
        slope = slope.clamp(0.05, 10.0);
        if d0.abs() + d1.abs() < 1e-9 {
            break;
        }
    }
    Calibration {
        slope: slope as f32,
        offset: offset as f32,
    }
}

/// What share of messages has each feature of learning, where it is not rare.
fn common(examples: &[&Example], weights: &[f64]) -> Vec<(u64, f32)> {
    let all: f64 = weights.iter().sum::<f64>().max(1e-9);
    let mut shares: ByFeature<f64> = ByFeature::default();
    for (example, weight) in examples.iter().zip(weights) {
        for feature in example.features.for_learning() {
            *shares.entry(feature).or_default() += weight / all;
        }
    }
    let is_common = |(_, share): &(u64, f64)| *share * 100.0 >= COMMON_PERCENT_MIN;
    let shares = shares.into_iter().filter(is_common);
    shares
        .map(|(feature, share)| (feature, share as f32))
        .collect()
}

#[cfg(test)]
mod tests;
