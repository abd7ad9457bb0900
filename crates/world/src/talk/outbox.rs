//! What waits to be written: pieces in order, written together.
//! Empty, it owns no memory.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use crate::limits;

/// Pieces below this size are joined with their predecessor.
const JOIN_BYTES_MAX: usize = 2048;

#[derive(Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Vec<u8>>,
    /// Bytes of the first piece that are written already.
    written: usize,
    len: usize,
}

impl Outbox {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if bytes.len() < JOIN_BYTES_MAX && !self.pieces.is_empty() {
            return self.push_slice(&bytes);
        }
        self.len += bytes.len();
        self.pieces.push_back(bytes);
    }

    pub(super) fn push_slice(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len();
        match self.pieces.back_mut() {
            Some(last) if last.len() < limits::DIRECT_WRITE_BYTES_MIN => {
                last.extend_from_slice(bytes);
            }
            _ => self.pieces.push_back(bytes.to_vec()),
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Writes once: pending pieces and then `tail`. Returns how much of `tail` was taken.
    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        tail: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut vectors = [IoSlice::new(&[]); limits::VECTORS_MAX];
        let mut count = 0;
        let mut fits_all = true;
        for (index, piece) in self.pieces.iter().enumerate() {
            let from = if index == 0 { self.written } else { 0 };
            let Some(slot) = vectors.get_mut(count) else {
                fits_all = false;
                break;
            };
            *slot = IoSlice::new(piece.get(from..).unwrap_or_default());
            count += 1;
        }
        if fits_all
            && !tail.is_empty()
            && let Some(slot) = vectors.get_mut(count)
        {
            *slot = IoSlice::new(tail);
            count += 1;
        }
        let vectors = vectors.get(..count).unwrap_or_default();
        let taken = ready!(Pin::new(stream).poll_write_vectored(context, vectors))?;
        if taken == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        Poll::Ready(Ok(self.advance(taken)))
    }

    /// Forgets what was written; returns what is left over for the tail.
    fn advance(&mut self, mut taken: usize) -> usize {
        while let Some(first) = self.pieces.front() {
            let left = first.len() - self.written;
            if taken < left {
                self.written += taken;
                self.len -= taken;
                return 0;
            }
            taken -= left;
            self.len -= left;
            self.written = 0;
            self.pieces.pop_front();
        }
        self.clear();
        taken
    }
}
