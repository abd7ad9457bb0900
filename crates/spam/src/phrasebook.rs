//! Many phrases sought in one text at once, where each is a word or words of their own. One look at a table for each
//! word of the text; no allocation.

/// Phrases by the kinds of their first two letters.
pub(crate) struct Phrasebook {
    /// Where the phrases of a pair of kinds begin in `phrases`; one more than there are pairs.
    starts: Vec<u16>,
    phrases: Vec<Phrase>,
}

struct Phrase {
    /// The first eight bytes, and which of them count.
    head: u64,
    mask: u64,
    text: &'static str,
    number: usize,
}

/// How many kinds of bytes are told apart: letters and digits, and those that follow.
const KINDS: usize = 32;
const DIGIT: u8 = 27;
const NOT_ASCII: usize = 28;
const SIGN: usize = 29;

/// The kind of each byte: letters, digits, what is not ASCII, all else.
const KIND: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            letter @ b'a'..=b'z' => letter - b'a' + 1,
            b'0'..=b'9' => DIGIT,
            128.. => NOT_ASCII as u8,
            b'%' | b'$' | b'&' => SIGN as u8,
            _ => 0,
        };
        byte += 1;
    }
    kinds
}

impl Phrasebook {
    /// Of phrases in lower case, each with a number that is told where it is found.
    pub fn of(phrases: impl IntoIterator<Item = (usize, &'static str)>) -> Self {
        let mut paired: Vec<(usize, Phrase)> = Vec::new();
        for (number, text) in phrases.into_iter().filter(|(_, text)| !text.is_empty()) {
            let counted = text.len().min(8);
            let phrase = || Phrase {
                head: eight(text.as_bytes(), 0),
                mask: u64::MAX >> (64 - 8 * counted),
                text,
                number,
            };
            let pair = pair(text.as_bytes(), 0);
            paired.push((pair, phrase()));
            if text.len() == 1 {
                // Whatever parts words may follow.
                paired.extend([NOT_ASCII, SIGN].map(|kind| (pair + kind, phrase())));
            }
        }
        paired.sort_by_key(|(pair, _)| *pair);
        let mut starts = vec![0; KINDS * KINDS + 1];
        for (pair, _) in &paired {
            if let Some(count) = starts.get_mut(pair + 1) {
                *count += 1;
            }
        }
        let phrases = paired.into_iter().map(|(_, phrase)| phrase).collect();
        let mut sum = 0_u16;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { starts, phrases }
    }

    /// Calls `found` with the number of each phrase that stands in a text in lower case, not as a part of longer
    /// words; again for each place.
    pub fn find(&self, text: &str, mut found: impl FnMut(usize)) {
        let bytes = text.as_bytes();
        let mut is_inside = false;
        for (at, byte) in bytes.iter().enumerate() {
            let kind = KIND[usize::from(*byte)];
            let was_inside = std::mem::replace(&mut is_inside, matches!(kind, 1..=DIGIT));
            if was_inside {
                continue;
            }
            let pair = pair(bytes, at);
            let (Some(start), Some(end)) = (self.starts.get(pair), self.starts.get(pair + 1))
            else {
                continue;
            };
            if start == end {
                continue;
            }
            let here = eight(bytes, at);
            let candidates = self.phrases.get(usize::from(*start)..usize::from(*end));
            for phrase in candidates.unwrap_or_default() {
                if here & phrase.mask == phrase.head
                    && bytes
                        .get(at..at + phrase.text.len())
                        .is_some_and(|piece| piece == phrase.text.as_bytes())
                    && stands_alone(text, at, at + phrase.text.len())
                {
                    found(phrase.number);
                }
            }
        }
    }

    /// The numbers of the phrases that stand in a text, each once, in order.
    pub fn all(&self, text: &str) -> Vec<usize> {
        let mut numbers = Vec::new();
        self.find(text, |number| numbers.push(number));
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

#[inline]
fn pair(bytes: &[u8], at: usize) -> usize {
    let kind = |at: usize| {
        let byte = bytes.get(at).copied().unwrap_or_default();
        usize::from(KIND[usize::from(byte)])
    };
    kind(at) * KINDS + kind(at + 1)
}

/// Eight bytes from a place on; nothing where there are no more.
#[inline]
fn eight(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    match bytes.get(at..at + 8) {
        Some(all) => eight.copy_from_slice(all),
        None => {
            let rest = bytes.get(at..).unwrap_or_default();
            eight
                .iter_mut()
                .zip(rest)
                .for_each(|(slot, byte)| *slot = *byte);
        }
    }
    u64::from_le_bytes(eight)
}

/// Whether a piece of a text is not part of a longer word.
pub(crate) fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let after = text.get(end..).and_then(|text| text.chars().next());
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !is_letter(before) && !is_letter(after)
}

#[cfg(test)]
mod tests {
    use super::{Phrasebook, stands_alone};

    const PHRASES: [&str; 9] = [
        "gift",
        "gift card",
        "% of the",
        "us$",
        "x",
        "don't try to",
        "été",
        "giftcards for everybody",
        "3m",
    ];

    #[test]
    fn the_same_as_one_after_the_other() {
        let book = Phrasebook::of(PHRASES.into_iter().enumerate());
        for text in [
            "",
            "x",
            "gift",
            "a gift card, gifts",
            "10 % of the sum",
            "10% of the sum",
            "us$ 5 in bus$",
            "don't try to x-ray été",
            "étég été",
            "3m and x3m",
            "giftcards for everybody",
            "giftcards for everybody else; éx x",
            "x— and x$",
        ] {
            let one_by_one = |(number, phrase): (usize, &&str)| {
                let mut places = text.match_indices(phrase);
                let stands = places.any(|(at, _)| stands_alone(text, at, at + phrase.len()));
                stands.then_some(number)
            };
            let want: Vec<usize> = PHRASES.iter().enumerate().filter_map(one_by_one).collect();
            assert_eq!(book.all(text), want, "{text}");
        }
    }
}
