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
    // rspamd's line is that for refusal: below it there is spam too.
    let both = [
        added("X-Spamd-Result", "default: False [7.1 / 15.00]"),
        added("X-Spam-Status", "Yes, score=7.10"),
        added("X-Spam", "Yes"),
    ];
    assert_eq!(read(&both), Some(FilterSaid::Spam));
}
