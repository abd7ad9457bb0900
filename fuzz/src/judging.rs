//! What a filter sees of any bytes, and what it makes of that.

use spam::sight::Part;
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

/// Any file is looked into within bounds. The first byte says what it is called.
pub fn attachments(data: &[u8]) {
    const NAMES: [&str; 16] = [
        "a", "a.zip", "a.7z", "a.rar", "a.tgz", "a.tar.xz", "a.bz2", "a.cab", "a.iso", "a.img",
        "a.doc", "a.docx", "a.msg", "a.pdf", "a.one", "a.html",
    ];
    let Some((name, content)) = data.split_first() else {
        return;
    };
    let mut sight = Sight::default();
    sight.parts = vec![Part {
        name: NAMES
            .get(usize::from(*name) % NAMES.len())
            .map(|name| (*name).to_owned()),
        is_attachment: true,
        size: content.len(),
        content: content.to_vec(),
        ..Part::default()
    }];
    let found = spam::attachments::look(&sight);
    let kinds = spam::attachments::Kind::ALL.len();
    assert!(
        found.len() <= kinds * limits::DANGERS_MAX,
        "too much is found"
    );
    assert!(
        found.iter().all(|one| one.file.len() < 32 * 1024),
        "a path without end"
    );
}
