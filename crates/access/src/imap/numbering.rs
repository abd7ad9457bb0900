//! A session's picture of its mailbox: which sequence number is which UID.
//! Pure; runs of neighbouring UIDs, so that an untouched mailbox of any size costs a few bytes.

use std::ops::RangeInclusive;

use store::{Uid, UidSet};

/// Messages `1..=count` and their UIDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbering {
    runs: Vec<Run>,
    count: u32,
}

/// Consecutive UIDs with consecutive numbers, up to the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    seq: u32,
    uid: u32,
}

impl Numbering {
    pub(super) fn of(uids: impl IntoIterator<Item = Uid>) -> Self {
        let mut numbering = Numbering::default();
        for uid in uids {
            numbering.push(uid);
        }
        numbering.runs.shrink_to_fit();
        numbering
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn last_uid(&self) -> Option<Uid> {
        let run = self.runs.last()?;
        Some(Uid(run.uid + (self.count - run.seq)))
    }

    pub(super) fn uid(&self, seq: u32) -> Option<Uid> {
        if seq == 0 || seq > self.count {
            return None;
        }
        let at = self
            .runs
            .partition_point(|run| run.seq <= seq)
            .checked_sub(1)?;
        let run = self.runs.get(at)?;
        Some(Uid(run.uid + (seq - run.seq)))
    }

    pub(super) fn seq(&self, uid: Uid) -> Option<u32> {
        let at = self
            .runs
            .partition_point(|run| run.uid <= uid.0)
            .checked_sub(1)?;
        let run = self.runs.get(at)?;
        let seq = run.seq + (uid.0 - run.uid);
        (seq < self.run_end(at)).then_some(seq)
    }

    /// Adds a message behind all others; a UID that is not above all is ignored.
    pub(super) fn push(&mut self, uid: Uid) {
        let last = self.last_uid();
        if last.is_some_and(|last| uid <= last) {
            return;
        }
        self.count += 1;
        if last.is_none_or(|last| last.0 + 1 != uid.0) {
            self.runs.push(Run {
                seq: self.count,
                uid: uid.0,
            });
        }
    }

    /// Removes messages; says their numbers in the order in which they are to be announced, each
    /// number valid after the removals before it (RFC 9051 §7.5.1).
    pub(super) fn remove(&mut self, gone: &UidSet) -> Vec<u32> {
        let gone: Vec<(u32, u32)> = gone
            .ranges()
            .map(|range| (range.start().0, range.end().0))
            .collect();
        let mut numbers = Vec::new();
        let mut kept = Numbering::default();
        let mut at = 0;
        for (first, last) in self.spans() {
            let mut next = first;
            while let Some((from, to)) = gone.get(at).copied() {
                let (from, end) = (from.max(next), to.min(last));
                if from <= end {
                    kept.push_span(next, from);
                    numbers.extend((from..=end).map(|_| kept.count + 1));
                    next = end.saturating_add(1);
                }
                // A range that reaches beyond this run goes on in the next one.
                if to > last {
                    break;
                }
                at += 1;
            }
            kept.push_span(next, last.saturating_add(1));
        }
        if !numbers.is_empty() {
            *self = kept;
        }
        numbers
    }

    /// The UIDs behind ranges of sequence numbers.
    pub(super) fn by_seq(&self, ranges: &[RangeInclusive<u32>]) -> UidSet {
        let mut set = UidSet::new();
        for range in ranges {
            let (mut seq, end) = (*range.start(), (*range.end()).min(self.count));
            while seq <= end {
                let Some(at) = self
                    .runs
                    .partition_point(|run| run.seq <= seq)
                    .checked_sub(1)
                else {
                    break;
                };
                let Some(run) = self.runs.get(at) else { break };
                let last = end.min(self.run_end(at) - 1);
                set.insert_range(Uid(run.uid + (seq - run.seq))..=Uid(run.uid + (last - run.seq)));
                seq = last + 1;
            }
        }
        set
    }

    /// The UIDs of ranges that exist here.
    pub(super) fn by_uid(&self, ranges: &[RangeInclusive<u32>]) -> UidSet {
        let mut set = UidSet::new();
        for range in ranges {
            let mut at = self
                .runs
                .partition_point(|run| run.uid <= *range.start())
                .saturating_sub(1);
            while let Some(run) = self.runs.get(at).filter(|run| run.uid <= *range.end()) {
                let run_last = run.uid + (self.run_end(at) - 1 - run.seq);
                let (from, to) = ((*range.start()).max(run.uid), (*range.end()).min(run_last));
                if from <= to {
                    set.insert_range(Uid(from)..=Uid(to));
                }
                at += 1;
            }
        }
        set
    }

    pub(super) fn all(&self) -> UidSet {
        let mut set = UidSet::new();
        for (first, last) in self.spans() {
            set.insert_range(Uid(first)..=Uid(last));
        }
        set
    }

    /// Cuts a set of existing UIDs into pieces of at most `rows` messages, each as the ranges to
    /// read. Ranges with few messages between them are read as one: rows outside the set are to be
    /// passed over.
    pub(super) fn pieces(&self, set: &UidSet, rows: usize) -> Vec<Vec<RangeInclusive<Uid>>> {
        let mut pieces: Vec<Vec<RangeInclusive<Uid>>> = Vec::new();
        let mut piece: Vec<RangeInclusive<Uid>> = Vec::new();
        let mut room = rows;
        for range in set.ranges() {
            let (mut seq, Some(end)) =
                (self.seq_at_or_after(*range.start()), self.seq(*range.end()))
            else {
                continue;
            };
            while seq <= end {
                let gap_seq = piece.last().and_then(|last| self.seq(*last.end()));
                let take = room.min((end - seq + 1) as usize);
                let (Some(from), Some(to)) = (self.uid(seq), self.uid(seq + take as u32 - 1))
                else {
                    break;
                };
                match (piece.last_mut(), gap_seq) {
                    (Some(last), Some(gap)) if seq - gap <= GAP_ROWS => *last = *last.start()..=to,
                    _ => piece.push(from..=to),
                }
                seq += take as u32;
                room -= take;
                if room == 0 {
                    pieces.push(std::mem::take(&mut piece));
                    room = rows;
                }
            }
        }
        if !piece.is_empty() {
            pieces.push(piece);
        }
        pieces
    }

    fn seq_at_or_after(&self, uid: Uid) -> u32 {
        self.seq(uid).unwrap_or_else(|| {
            let after = self.runs.partition_point(|run| run.uid <= uid.0);
            self.runs.get(after).map_or(self.count + 1, |run| run.seq)
        })
    }

    /// The number after the last of a run.
    fn run_end(&self, at: usize) -> u32 {
        self.runs
            .get(at + 1)
            .map_or(self.count + 1, |next| next.seq)
    }

    /// First and last UID of each run.
    fn spans(&self) -> Vec<(u32, u32)> {
        (0..self.runs.len())
            .filter_map(|at| {
                self.runs
                    .get(at)
                    .map(|run| (run.uid, run.uid + (self.run_end(at) - 1 - run.seq)))
            })
            .collect()
    }

    /// Adds UIDs from `from` to before `end`.
    fn push_span(&mut self, from: u32, end: u32) {
        if from >= end {
            return;
        }
        if self.last_uid().is_none_or(|last| last.0 + 1 != from) {
            self.runs.push(Run {
                seq: self.count + 1,
                uid: from,
            });
        }
        self.count += end - from;
    }
}

/// Reading so many rows too many costs less than another query.
const GAP_ROWS: u32 = 16;

#[cfg(test)]
mod tests;
