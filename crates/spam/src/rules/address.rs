//! The recipient's address inside a link, as it is or in base64.

use super::{Case, Target};
use crate::limits;

/// How the recipients' addresses may be written in links.
pub(super) struct Written {
    plain: Vec<String>,
    coded: Vec<String>,
}

impl Written {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let recipients = case.recipients.iter().take(limits::TO_BELIEVED);
        let plain: Vec<String> = recipients.filter(|one| one.len() > 5).cloned().collect();
        let coded = plain.iter().map(|address| base64(address)).collect();
        Self { plain, coded }
    }

    /// Whether a link holds one anywhere, and is not there to leave a list.
    pub(super) fn is_in(&self, target: &Target<'_>) -> bool {
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
        self.holds(written) && {
            let lower = written.to_ascii_lowercase();
            !leaves.iter().any(|word| lower.contains(word))
        }
    }

    /// Whether one stands behind the `#`, which only the page itself reads.
    pub(super) fn is_in_fragment(&self, target: &Target<'_>) -> bool {
        let fragment = target.link.target.split_once('#');
        fragment.is_some_and(|(_, fragment)| self.holds(fragment))
    }

    fn holds(&self, written: &str) -> bool {
        let has = |piece: &String| memchr::memmem::find(written.as_bytes(), piece.as_bytes());
        if self.coded.iter().any(|coded| has(coded).is_some()) {
            return true;
        }
        let may_be_plain =
            memchr::memchr(b'@', written.as_bytes()).is_some() || written.contains("%40");
        may_be_plain && {
            let lower = written.to_ascii_lowercase().replace("%40", "@");
            self.plain
                .iter()
                .any(|address| lower.contains(address.as_str()))
        }
    }
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
