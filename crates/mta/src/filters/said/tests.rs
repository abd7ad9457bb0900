//! Fields as rspamd, SpamAssassin and spamass-milter write them.

use super::*;

fn added(name: &str, value: &str) -> Change {
    Change::AddHeader {
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    }
}

#[test]
fn scores_and_words_are_read() {
    let score = |score, threshold| Some(FilterSaid::Score { score, threshold });
    for (name, value, expected) in [
        (
            "X-Spam-Status",
            " Yes, score=7.3 required=5.0 tests=A,B\r\n\tautolearn=no",
            score(7.3, 5.0),
        ),
        (
            "X-Spam-Status",
            " No, hits=-0.1 required=5.0",
            score(-0.1, 5.0),
        ),
        (
            "X-Spamd-Result",
            " default: False [1.20 / 15.00];\r\n\tA(1.0)[]",
            score(1.2, 15.0),
        ),
        ("X-Spam", " Yes", Some(FilterSaid::Spam)),
        ("x-spam-flag", "YES", Some(FilterSaid::Spam)),
        ("X-Spam-Flag", "NO", Some(FilterSaid::Ham)),
        (
            "X-Spam-Status",
            " Yes, score=nan required=5",
            Some(FilterSaid::Spam),
        ),
        ("X-Spam-Level", " *******", None),
        ("Subject", " Yes", None),
    ] {
        assert_eq!(read(&[added(name, value)]), expected, "{name}:{value}");
    }
    // The score says more than the word.
    let both = [
        added("X-Spam", "Yes"),
        added("X-Spamd-Result", "x [20 / 15]"),
    ];
    assert_eq!(read(&both), score(20.0, 15.0));
}
