//! What a filter sees of any bytes, and what it makes of that.

use spam::{Envelope, Facts, Features, Model, Sight, Weights, judge, limits, rules};

/// Any bytes are looked at within bounds, and judged with a number.
pub fn spam_features(data: &[u8]) {
    let sight = Sight::of(data);
    // Those with two types are read once more for each; a line end stands between the texts of parts.
    let parts = limits::PARTS_MAX * (1 + limits::TYPES_TWICE_MAX);
    assert!(
        sight.text.len() <= limits::TEXT_BYTES_MAX + parts,
        "too much text"
    );
    assert!(sight.links.len() <= limits::LINKS_MAX, "too many links");
    assert!(sight.parts.len() <= parts, "too many parts");
    let features = Features::of(&sight);
    assert!(
        features.as_slice().len() <= limits::FEATURES_MAX,
        "too many features"
    );
    assert!(features.as_slice().is_sorted(), "features out of order");
    assert!(
        features.for_learning().len() <= limits::LEARNING_FEATURES_MAX,
        "too many to learn"
    );
    let log_odds = Model::built_in().log_odds(&features);
    assert!(log_odds.is_finite(), "no number");
    for (words, weight) in Model::built_in().strongest(&sight, &features) {
        assert!(
            weight.is_finite() && words.len() < 4_096,
            "reasons out of bounds"
        );
    }
    let verdict = judge(
        log_odds,
        &rules(&sight, &Envelope::default()),
        &Facts::default(),
        &Weights::default(),
    );
    assert!((0.0..=1.0).contains(&verdict.probability), "no probability");
}
