//! What a filter thinks of a message, read from the header fields that it added: its word joins the spam verdict. What stood in the
//! message before says nothing: anybody can write that.

use spam::facts::FilterSaid;
use wire::milter::Change;

/// rspamd and SpamAssassin, by their usual fields. SpamAssassin's score comes with its own line; rspamd's with the line for refusal,
/// which is not the one for spam, so that its word counts first.
pub(super) fn read(changes: &[Change]) -> Option<FilterSaid> {
    let mut word = None;
    let mut score = None;
    for change in changes {
        let (Change::AddHeader { name, value }
        | Change::InsertHeader { name, value, .. }
        | Change::ChangeHeader { name, value, .. }) = change
        else {
            continue;
        };
        let value = String::from_utf8_lossy(value);
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            // `Yes, score=7.3 required=5.0 tests=…`
            "x-spam-status" => {
                if let Some(score) = of_words(value) {
                    return Some(score);
                }
                word = word.or(yes(value));
            }
            // `default: False [1.20 / 15.00];`
            "x-spamd-result" => score = score.or(of_brackets(value)),
            "x-spam" | "x-spam-flag" => word = yes(value).or(word),
            _ => {}
        }
    }
    match (word, score) {
        (Some(true), _) => Some(FilterSaid::Spam),
        (Some(false), None) => Some(FilterSaid::Ham),
        (_, score) => score,
    }
}

fn yes(value: &str) -> Option<bool> {
    let word = value.split([',', ' ']).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

fn of_words(value: &str) -> Option<FilterSaid> {
    let number = |name: &str| {
        let rest = value.split_once(name)?.1;
        let digits = rest.split(|letter: char| !"-+.0123456789".contains(letter));
        digits.into_iter().next()?.parse().ok()
    };
    let score = number("score=").or_else(|| number("hits="))?;
    sane(score, number("required=")?)
}

fn of_brackets(value: &str) -> Option<FilterSaid> {
    let inside = value.split_once('[')?.1.split_once(']')?.0;
    let (score, threshold) = inside.split_once('/')?;
    sane(score.trim().parse().ok()?, threshold.trim().parse().ok()?)
}

fn sane(score: f32, threshold: f32) -> Option<FilterSaid> {
    let finite = score.is_finite() && threshold.is_finite();
    finite.then_some(FilterSaid::Score { score, threshold })
}

#[cfg(test)]
mod tests;
