//! The recipient's address inside a link, as it is or in base64.

use super::{Case, Target};
use crate::limits;

/// Whether a link holds an address of a recipient anywhere, and is not there to leave a list.
pub(super) fn is_named(case: &Case<'_>, target: &Target<'_>) -> bool {
    let written = target.link.target.as_str();
    let leaves = [
        "unsub",
        "optout",
        "opt-out",
        "preferences",
        "abmelden",
        "desinscri",
        "remove",
    ];
    let lower = written.to_ascii_lowercase();
    !leaves.iter().any(|word| lower.contains(word)) && holds(case, written, &lower)
}

/// Whether it stands behind the `#`, which only the page itself reads.
pub(super) fn is_in_fragment(case: &Case<'_>, target: &Target<'_>) -> bool {
    let Some((_, fragment)) = target.link.target.split_once('#') else {
        return false;
    };
    !fragment.is_empty() && holds(case, fragment, &fragment.to_ascii_lowercase())
}

fn holds(case: &Case<'_>, written: &str, lower: &str) -> bool {
    if written.len() < 6 {
        return false;
    }
    let plain = lower.replace("%40", "@");
    let recipients = case.recipients.iter().take(limits::TO_BELIEVED);
    recipients
        .filter(|address| address.len() > 5)
        .any(|address| {
            let coded = base64(address);
            plain.contains(address.as_str()) || written.contains(coded.trim_end_matches('='))
        })
}

/// RFC 4648 §4, without the last characters that depend on what follows.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = text.as_bytes().chunks_exact(3);
    whole
        .flat_map(|three| {
            let bits = three
                .iter()
                .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|shift| char::from(LETTERS[bits >> shift & 63]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn as_everybody_writes_it() {
        assert_eq!(base64("ann@acme.example"), "YW5uQGFjbWUuZXhhbXBs");
    }
}
