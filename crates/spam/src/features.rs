//! Features of a message: hashes of what it says and how it is built. The model weighs them, learning counts them.
//! Only hashes are kept; who wants words asks again with another sink. See docs/spam-model.md.

use crate::{Sight, hash, limits};

mod build;
mod header;
mod links;
mod sender;
mod shape;
mod text;
mod words;

/// Hashes, sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features(Vec<u64>);

/// What kind of thing a feature is of. The number is part of the hash, so part of the model's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Group {
    /// A word of the text.
    Word = 0,
    /// Two words of the text in a row.
    Pair = 1,
    /// A word, or two in a row, of the subject.
    Subject = 2,
    /// Some letters in a row of subject or display name.
    Letters = 3,
    /// The author's address and name.
    Sender = 4,
    /// How From, Reply-To, links and text agree with one another.
    Agreement = 5,
    /// A field is there.
    Field = 6,
    /// Two fields in a row; how names are written.
    Order = 7,
    /// What fields say, and the shape of identifiers.
    Value = 8,
    /// The tree of parts.
    Parts = 9,
    /// Host names and paths of links.
    Link = 10,
    /// The shape of links.
    LinkShape = 11,
    /// How the page is built.
    Page = 12,
    /// Lengths, counts and shares.
    Measure = 13,
    /// Words that are hidden from the reader.
    Hidden = 14,
    /// Words that a link is shown with.
    Anchor = 15,
}

/// How many groups there are.
pub const GROUPS: usize = 16;

/// How far a hash is shifted for its group.
const GROUP_SHIFT: u32 = 59;

/// Who takes features: the hashes alone, or words for them too.
pub(crate) trait Sink {
    /// `says` is called only by who wants words.
    fn put(&mut self, group: Group, hash: u64, says: impl FnOnce() -> String);
}

/// A feature: its group and hash.
pub(crate) fn id(group: Group, hash: u64) -> u64 {
    // Once more, so that hashes made of few bits spread as well.
    let hash = hash::with(hash, u64::from(group as u8) + 1);
    u64::from(group as u8) << GROUP_SHIFT | hash & ((1 << GROUP_SHIFT) - 1)
}

/// The number of a feature's group.
pub(crate) fn group_of(feature: u64) -> usize {
    usize::try_from(feature >> GROUP_SHIFT).unwrap_or_default()
}

impl Features {
    /// All features of a message, at most [`limits::FEATURES_MAX`].
    pub fn of(sight: &Sight) -> Self {
        let mut hashes = Hashes(Vec::with_capacity(2_048));
        describe(sight, &mut hashes);
        let mut hashes = sorted(hashes.0);
        hashes.dedup();
        Self(hashes)
    }

    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }

    /// The features that learning keeps: what the message is about and who it is from, not how long it is.
    /// Always the same ones of the same message, and largely the same ones of like messages.
    pub fn for_learning(&self) -> Vec<u64> {
        let is_kept = |feature: &u64| LEARNT.contains(&group_of(*feature));
        let mut kept: Vec<u64> = self.0.iter().copied().filter(is_kept).collect();
        // The smallest mixed hashes: of two messages that share features, the same ones are taken.
        let rank = |feature: &u64| hash::with(*feature, 0x6c65_6172_6e00);
        if kept.len() > limits::LEARNING_FEATURES_MAX {
            kept.select_nth_unstable_by_key(limits::LEARNING_FEATURES_MAX, rank);
            kept.truncate(limits::LEARNING_FEATURES_MAX);
            kept.sort_unstable();
        }
        kept
    }
}

/// The groups that learning keeps.
const LEARNT: [usize; 5] = [
    Group::Word as usize,
    Group::Subject as usize,
    Group::Sender as usize,
    Group::Link as usize,
    Group::Anchor as usize,
];

/// All features, in the order that matters if there are too many.
pub(crate) fn describe(sight: &Sight, sink: &mut impl Sink) {
    header::describe(sight, sink);
    sender::describe(sight, sink);
    links::describe(sight, sink);
    build::describe(sight, sink);
    text::describe(sight, sink);
}

/// So many buckets: the bit above the groups is never set, and seven bits of the hash.
const BUCKETS: usize = 1 << 11;
const BUCKET_SHIFT: u32 = GROUP_SHIFT - 7;

/// Fewer are sorted as they are.
const SCATTERED_MIN: usize = 200;

/// From so many in one bucket on, a simple sort would be slow: somebody may choose words for it.
const CROWD: usize = 24;

/// Sorts numbers that are spread evenly: into buckets by their first bits, and each bucket for itself.
fn sorted(mut hashes: Vec<u64>) -> Vec<u64> {
    if hashes.len() < SCATTERED_MIN {
        hashes.sort_unstable();
        return hashes;
    }
    let bucket = |hash: u64| usize::try_from(hash >> BUCKET_SHIFT).unwrap_or_default() % BUCKETS;
    let mut ends = [0_u16; BUCKETS];
    for hash in &hashes {
        if let Some(count) = ends.get_mut(bucket(*hash)) {
            *count += 1;
        }
    }
    let mut sum = 0_u16;
    for end in &mut ends {
        sum += std::mem::replace(end, sum);
    }
    let mut out = vec![0; hashes.len()];
    for hash in &hashes {
        if let Some(end) = ends.get_mut(bucket(*hash)) {
            if let Some(slot) = out.get_mut(usize::from(*end)) {
                *slot = *hash;
            }
            *end += 1;
        }
    }
    let mut start = 0;
    for end in ends {
        let end = usize::from(end);
        if let Some(here) = out.get_mut(start..end) {
            sort_few(here);
        }
        start = end;
    }
    out
}

fn sort_few(numbers: &mut [u64]) {
    if numbers.len() >= CROWD {
        numbers.sort_unstable();
        return;
    }
    for at in 1..numbers.len() {
        let mut place = at;
        while let Some([before, here]) = place
            .checked_sub(1)
            .and_then(|start| numbers.get_mut(start..=place))
        {
            if before <= here {
                break;
            }
            std::mem::swap(before, here);
            place -= 1;
        }
    }
}

struct Hashes(Vec<u64>);

impl Sink for Hashes {
    #[inline]
    fn put(&mut self, group: Group, hash: u64, _: impl FnOnce() -> String) {
        if self.0.len() < limits::FEATURES_MAX {
            self.0.push(id(group, hash));
        }
    }
}

/// Features with words for them.
pub(crate) struct Told(pub Vec<(u64, String)>);

impl Sink for Told {
    fn put(&mut self, group: Group, hash: u64, says: impl FnOnce() -> String) {
        if self.0.len() < limits::FEATURES_MAX {
            self.0.push((id(group, hash), says()));
        }
    }
}

/// A feature for people: what kind of thing it is, and what was found.
pub(crate) fn in_words(feature: u64, says: &str) -> String {
    let of = match group_of(feature) {
        0 => "the word",
        1 => "a word before",
        2 => "in the subject:",
        3 => "letters of subject or name:",
        4 => "the author:",
        5 => "how it agrees:",
        14 => "hidden:",
        _ => return says.to_owned(),
    };
    format!("{of} {says}")
}

#[cfg(test)]
mod tests;
