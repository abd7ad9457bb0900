//! Features: stable, bounded, and alike for messages that are alike.

use super::*;

fn of(message: &str) -> Features {
    Features::of(&Sight::of(message.as_bytes()))
}

#[test]
fn sorted_and_each_once() {
    let features = of("Subject: a a a\n\nb b b b c");
    assert!(features.as_slice().is_sorted());
    assert!(
        features
            .as_slice()
            .windows(2)
            .all(|pair| pair[0] != pair[1])
    );
}
