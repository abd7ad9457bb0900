//! Training: it learns, it is the same each time, whatever the order.

use super::*;
use crate::Sight;

fn examples() -> Vec<Example> {
    let texts = [
        ("buy cheap pills now", true),
        ("cheap watches buy now", true),
        ("buy pills and watches cheap", true),
        ("lunch on tuesday with the team", false),
        ("the team meets on tuesday", false),
        ("minutes of the meeting on tuesday", false),
    ];
    (0..60)
        .map(|at| {
            let (text, is_spam) = texts[at % texts.len()];
            let message = format!("Subject: {text}\n\n{text} {at}\n");
            Example {
                features: Features::of(&Sight::of(message.as_bytes())),
                is_spam,
                corpus: 0,
                group: at as u64,
                name: format!("{at:03}"),
            }
        })
        .collect()
}

#[test]
fn it_learns_and_is_the_same_in_any_order() {
    let mut examples = examples();
    let model = train(&examples);
    let of = |text: &str| {
        model.log_odds(&Features::of(&Sight::of(
            format!("Subject: {text}\n\n{text}\n").as_bytes(),
        )))
    };
    assert!(of("cheap pills") > 1.0, "{}", of("cheap pills"));
    assert!(of("the team on tuesday") < -1.0);
    examples.reverse();
    assert_eq!(train(&examples).to_bytes(), model.to_bytes());
}
