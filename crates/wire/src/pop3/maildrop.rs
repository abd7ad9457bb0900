//! A mailbox as one POP3 session sees it: numbered once, marked, changed only at the end.

/// One message. What the flow needs to find it again is its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub octets: u64,
    pub uid: u32,
}

/// The messages at the start of the session, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maildrop {
    /// Together with a message's UID this makes its unique id. RFC 1939 §7.
    pub uid_validity: u32,
    pub entries: Vec<Entry>,
}

/// A maildrop with its marks.
#[derive(Debug)]
pub(super) struct Marked {
    drop: Maildrop,
    /// As long as the entries.
    deleted: Vec<bool>,
}

impl Marked {
    pub(super) fn new(drop: Maildrop) -> Marked {
        let deleted = vec![false; drop.entries.len()];
        Marked { drop, deleted }
    }

    /// The place and the entry of a number, unless it is marked.
    pub(super) fn get(&self, number: u32) -> Option<(usize, Entry)> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let entry = *self.drop.entries.get(index)?;
        let marked = self.deleted.get(index).copied().unwrap_or(true);
        (!marked).then_some((index, entry))
    }

    /// Numbers and entries of all that is not marked.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Entry)> {
        let entries = self.drop.entries.iter().zip(&self.deleted).enumerate();
        entries
            .filter(|(_, (_, marked))| !**marked)
            .map(|(index, (entry, _))| (index + 1, *entry))
    }

    /// Count and octets of all that is not marked.
    pub(super) fn totals(&self) -> (usize, u64) {
        self.iter().fold((0, 0), |(count, octets), (_, entry)| {
            (count + 1, octets + entry.octets)
        })
    }

    pub(super) fn mark(&mut self, index: usize) {
        if let Some(mark) = self.deleted.get_mut(index) {
            *mark = true;
        }
    }

    pub(super) fn unmark_all(&mut self) {
        self.deleted.fill(false);
    }

    /// Places of all that is marked.
    pub(super) fn marked(&self) -> Vec<usize> {
        let marks = self.deleted.iter().enumerate();
        marks
            .filter(|(_, marked)| **marked)
            .map(|(index, _)| index)
            .collect()
    }

    pub(super) fn unique_id(&self, entry: Entry) -> String {
        format!("{:08x}{:08x}", self.drop.uid_validity, entry.uid)
    }
}
