//! Sets of UIDs as ranges, as IMAP writes them and the change log keeps them.

use std::fmt;
use std::ops::RangeInclusive;

use crate::Uid;

/// Ascending, disjoint, not touching ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    #[must_use]
    pub fn all() -> Self {
        Self {
            ranges: vec![(1, u32::MAX)],
        }
    }

    #[must_use]
    pub fn one(uid: Uid) -> Self {
        Self {
            ranges: vec![(uid.0, uid.0)],
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs. Those of [`UidSet::all`] count although no mailbox has them all.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges
            .iter()
            .map(|(from, to)| u64::from(to - from) + 1)
            .sum()
    }

    #[must_use]
    pub fn contains(&self, uid: Uid) -> bool {
        let after = self.ranges.partition_point(|(from, _)| *from <= uid.0);
        after
            .checked_sub(1)
            .and_then(|i| self.ranges.get(i))
            .is_some_and(|(_, to)| uid.0 <= *to)
    }

    /// Constant time when UIDs come in ascending order.
    pub fn insert(&mut self, uid: Uid) {
        self.insert_range(uid..=uid);
    }

    pub fn insert_range(&mut self, range: RangeInclusive<Uid>) {
        let (from, to) = (range.start().0, range.end().0);
        if to < from {
            return;
        }
        // Ranges that overlap or touch the new one melt into it.
        let first = self
            .ranges
            .partition_point(|(_, end)| end.saturating_add(1) < from);
        let last = self
            .ranges
            .partition_point(|(start, _)| *start <= to.saturating_add(1));
        match self.ranges.get(first..last) {
            Some([(start, _), ..]) => {
                let start = from.min(*start);
                let end = self
                    .ranges
                    .get(last - 1)
                    .map_or(to, |(_, end)| to.max(*end));
                self.ranges.splice(first..last, [(start, end)]);
            }
            _ => self.ranges.insert(first, (from, to)),
        }
    }

    /// Ranges in ascending order.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<Uid>> + '_ {
        self.ranges.iter().map(|(from, to)| Uid(*from)..=Uid(*to))
    }

    /// Each UID in ascending order. Not for [`UidSet::all`].
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges
            .iter()
            .flat_map(|(from, to)| (*from..=*to).map(Uid))
    }

    /// Takes away all up to and with this one.
    pub fn remove_to(&mut self, uid: Uid) {
        self.ranges.retain_mut(|(from, to)| {
            *from = uid.0.saturating_add(1).max(*from);
            *from <= *to && uid.0 < *to
        });
    }

    #[must_use]
    pub fn last(&self) -> Option<Uid> {
        self.ranges.last().map(|(_, to)| Uid(*to))
    }

    /// Reads what `Display` wrote. No `*`: what that means only a session knows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut set = Self::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (from, to) = part.split_once(':').unwrap_or((part, part));
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            set.insert_range(Uid(from)..=Uid(to));
        }
        Some(set)
    }
}

/// `1:3,7`: the form of RFC 9051 `sequence-set`; nothing for the empty set.
impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (from, to)) in self.ranges.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            if from == to {
                write!(f, "{comma}{from}")?;
            } else {
                write!(f, "{comma}{from}:{to}")?;
            }
        }
        Ok(())
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut set = Self::new();
        uids.into_iter().for_each(|uid| set.insert(uid));
        set
    }
}

impl Extend<Uid> for UidSet {
    fn extend<I: IntoIterator<Item = Uid>>(&mut self, uids: I) {
        uids.into_iter().for_each(|uid| self.insert(uid));
    }
}

#[cfg(test)]
mod tests;
