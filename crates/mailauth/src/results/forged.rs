//! Fields that came from outside under our name, which must go before ours is added (RFC 8601 §5).

use std::ops::Range;

use mail::{Domain, header};

use super::read::head_words;

/// Where in the message stand Authentication-Results fields with our authserv-id, in order. They
/// were written by somebody else, since ours is not there yet. In doubt a field is ours: one too
/// many taken away harms nobody.
pub fn forged(message: &[u8], authserv_id: &str) -> Vec<Range<usize>> {
    let ours = normal(authserv_id);
    header::fields(message)
        .filter(|field| field.is("Authentication-Results") && claims(field.value, &ours))
        .map(|field| field.start..field.end)
        .collect()
}

fn claims(value: &[u8], ours: &str) -> bool {
    match head_words(value) {
        // A lenient reader could take any of the words for the authserv-id, or join them.
        Some(words) => {
            words.iter().any(|word| normal(word) == ours) || normal(&words.concat()) == ours
        }
        None => {
            let bytes: Vec<u8> = value
                .iter()
                .filter(|byte| !byte.is_ascii_whitespace())
                .map(u8::to_ascii_lowercase)
                .collect();
            memchr::memmem::find(&bytes, ours.as_bytes()).is_some()
        }
    }
}

/// In one case, as A-labels, without the last dot and without what some write for a version.
fn normal(word: &str) -> String {
    let word = word.split('/').next().unwrap_or(word);
    let word = word.strip_suffix('.').unwrap_or(word);
    Domain::parse(word).map_or_else(|_| word.to_lowercase(), |domain| domain.as_str().to_owned())
}
