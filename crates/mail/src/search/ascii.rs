//! Looking for ASCII text in bytes, in any case: candidates come from the rarest character of the text.

use memchr::memchr2_iter;

/// From frequent to rare in text and markup of mail. What is missing here is rarer still.
const FREQUENT_FIRST: &[u8] = b" etaoinsrlhdcumpgf-=.ybwv0/<>,1:2k\"3x;5j48z679q_";

#[derive(Clone, Debug)]
pub(super) struct AsciiNeedle {
    /// In lower case.
    text: Vec<u8>,
    /// Where its rarest character stands.
    rare_at: usize,
}

impl AsciiNeedle {
    pub(super) fn new(lower: &[u8]) -> Self {
        let rank = |byte: u8| {
            FREQUENT_FIRST
                .iter()
                .position(|known| *known == byte)
                .unwrap_or(usize::MAX)
        };
        let rare = lower
            .iter()
            .enumerate()
            .max_by_key(|(_, byte)| rank(**byte));
        Self {
            text: lower.to_vec(),
            rare_at: rare.map_or(0, |(at, _)| at),
        }
    }

    pub(super) fn is_in(&self, hay: &[u8]) -> bool {
        let Some(&rare) = self.text.get(self.rare_at) else {
            return true;
        };
        if hay.len() < self.text.len() {
            return false;
        }
        // Candidates begin where the whole text still fits around them.
        let last = hay.len() - (self.text.len() - self.rare_at) + 1;
        let window = hay.get(self.rare_at..last).unwrap_or_default();
        memchr2_iter(rare, rare.to_ascii_uppercase(), window).any(|start| {
            hay.get(start..start + self.text.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(&self.text))
        })
    }
}
