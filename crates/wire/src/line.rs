//! Lines out of a stream of bytes, for machines. Strict: only CR LF ends a line.

use std::ops::Range;

use memchr::memchr3;

use crate::stuffing::Fault;

/// Input not yet acted on. Grows with [`Input::push`], shrinks as it is taken.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
    /// Bytes after `start` already known to hold no line end.
    searched: usize,
}

/// What stands at the front of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A whole line, without its line end; read it with [`Input::get`] and then call [`Input::consume`]
    /// with its length and two.
    Whole(Range<usize>),
    /// No line end yet.
    Partial {
        length: usize,
    },
    Bad(Fault),
}

impl Input {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start == self.bytes.len() {
            self.clear();
        }
        if self.start > 4096 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Throws everything away, and gives the memory back: an idle connection owns no buffer.
    pub(crate) fn clear(&mut self) {
        *self = Input::default();
    }

    /// All of it, to be consumed elsewhere.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut taken = std::mem::take(self);
        taken.bytes.drain(..taken.start);
        taken.bytes
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
        self.searched = 0;
        if self.start == self.bytes.len() {
            self.clear();
        }
    }

    pub(crate) fn get(&self, range: &Range<usize>) -> &[u8] {
        self.rest().get(range.clone()).unwrap_or_default()
    }

    /// Looks for the first line. A CR, LF or NUL out of place is bad even before the line is whole.
    pub(crate) fn line(&mut self) -> Line {
        let searched = self.searched;
        let rest = self.rest();
        let Some(found) = memchr3(b'\r', b'\n', 0, rest.get(searched..).unwrap_or_default()) else {
            let length = rest.len();
            self.searched = length;
            return Line::Partial { length };
        };
        let at = searched + found;
        match rest.get(at..) {
            Some([b'\r', b'\n', ..]) => Line::Whole(0..at),
            Some([b'\r']) => {
                self.searched = at;
                Line::Partial { length: at }
            }
            Some([b'\r', ..]) => Line::Bad(Fault::BareCr),
            Some([b'\n', ..]) => Line::Bad(Fault::BareLf),
            _ => Line::Bad(Fault::Nul),
        }
    }
}
