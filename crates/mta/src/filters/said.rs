//! What a filter thinks of a message, read from the header fields that it added: its word joins the spam verdict. What stood in the
//! message before says nothing: anybody can write that.

use spam::facts::FilterSaid;
use wire::milter::Change;

/// rspamd and SpamAssassin, by their usual fields; the score if it says one.
pub(super) fn read(changes: &[Change]) -> Option<FilterSaid> {
    let mut spam = None;
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
                spam = spam.or(yes(value));
            }
            // `default: False [1.20 / 15.00];`
            "x-spamd-result" => {
                if let Some(score) = of_brackets(value) {
                    return Some(score);
                }
            }
            "x-spam" | "x-spam-flag" => spam = spam.or(yes(value)),
            _ => {}
        }
    }
    Some(match spam? {
        true => FilterSaid::Spam,
        false => FilterSaid::Ham,
    })
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
