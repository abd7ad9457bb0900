//! How much of a message TOP shows: the header, the empty line, and so many lines. RFC 1939 §7.

/// Follows a message through its pieces.
#[derive(Debug)]
pub(super) struct Top {
    in_header: bool,
    /// The line under way holds nothing but perhaps a CR.
    line_empty: bool,
    lines_left: u64,
    done: bool,
}

impl Top {
    pub(super) fn new(lines: u64) -> Self {
        Top {
            in_header: true,
            line_empty: true,
            lines_left: lines,
            done: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// What of the next piece is to be shown.
    pub(super) fn take<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let mut shown = 0;
        while !self.done {
            let rest = piece.get(shown..).unwrap_or_default();
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.line_empty &= rest.iter().all(|byte| *byte == b'\r');
                return piece;
            };
            let line = rest.get(..end).unwrap_or_default();
            let empty = self.line_empty && line.iter().all(|byte| *byte == b'\r');
            self.line_empty = true;
            shown += end + 1;
            if self.in_header {
                self.in_header = !empty;
                self.done = empty && self.lines_left == 0;
            } else {
                self.lines_left -= 1;
                self.done = self.lines_left == 0;
            }
        }
        piece.get(..shown).unwrap_or(piece)
    }
}

#[cfg(test)]
mod tests;
