//! Sequence sets as the client wrote them: ranges, never expanded.
//! What "*" means is known only to the one who resolves the set.

use std::ops::RangeInclusive;

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Number(std::num::NonZeroU32),
    /// `*`, the largest number in use.
    Last,
}

/// `sequence-set` of RFC 9051 §9.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SequenceSet {
    Ranges(Vec<(Bound, Bound)>),
    /// `$`, the saved result of the last SEARCH (RFC 5182).
    Saved,
}

impl SequenceSet {
    /// The ranges in ascending order, merged, with `*` as `last`. Numbers of an empty mailbox
    /// (`last` is 0) resolve to nothing where only `*` is asked for. `Saved` resolves to nothing.
    pub fn resolve(&self, last: u32) -> Vec<RangeInclusive<u32>> {
        let SequenceSet::Ranges(ranges) = self else {
            return Vec::new();
        };
        let value = |bound: &Bound| match bound {
            Bound::Number(number) => number.get(),
            Bound::Last => last,
        };
        let mut plain: Vec<(u32, u32)> = ranges
            .iter()
            .map(|(a, b)| (value(a), value(b)))
            .map(|(a, b)| (a.min(b).max(1), a.max(b)))
            .filter(|(a, b)| a <= b)
            .collect();
        plain.sort_unstable();
        merge(plain)
    }

    /// The largest number written out, if any: to tell a number beyond the mailbox.
    pub fn largest_number(&self) -> Option<u32> {
        let SequenceSet::Ranges(ranges) = self else {
            return None;
        };
        ranges
            .iter()
            .flat_map(|(a, b)| [a, b])
            .filter_map(|bound| match bound {
                Bound::Number(number) => Some(number.get()),
                Bound::Last => None,
            })
            .max()
    }

    /// Whether `*` stands in the set.
    pub fn names_last(&self) -> bool {
        let SequenceSet::Ranges(ranges) = self else {
            return false;
        };
        ranges
            .iter()
            .any(|(a, b)| *a == Bound::Last || *b == Bound::Last)
    }
}

/// Joins sorted ranges that touch.
fn merge(sorted: Vec<(u32, u32)>) -> Vec<RangeInclusive<u32>> {
    let mut merged: Vec<RangeInclusive<u32>> = Vec::with_capacity(sorted.len());
    for (first, last) in sorted {
        match merged.last_mut() {
            Some(range) if first <= range.end().saturating_add(1) => {
                if *range.end() < last {
                    *range = *range.start()..=last;
                }
            }
            _ => merged.push(first..=last),
        }
    }
    merged
}

/// Collects ascending numbers into ranges: for ESEARCH, COPYUID, VANISHED.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// Adds a number; ascending order packs best, any order is right.
    pub fn push(&mut self, number: u32) {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => self.0.push((number, number)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = RangeInclusive<u32>> + '_ {
        self.0.iter().map(|(first, last)| *first..=*last)
    }

    /// How many numbers it holds.
    pub fn count(&self) -> u64 {
        self.0
            .iter()
            .map(|(first, last)| u64::from(last - first) + 1)
            .sum()
    }

    /// Appends `1:3,5`.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (index, (first, last)) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            super::write::number(out, u64::from(*first));
            if first < last {
                out.push(b':');
                super::write::number(out, u64::from(*last));
            }
        }
    }
}

impl FromIterator<u32> for Ranges {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut ranges = Ranges::default();
        for number in numbers {
            ranges.push(number);
        }
        ranges
    }
}
