//! From bytes to whole commands: lines with their literals (RFC 9051 §4.3, RFC 7888).
//! Literals go straight into a buffer of their own, so that a message is copied once.

use super::limits::{LITERAL_RESERVE_BYTES, LITERALS_MAX};

/// What a peer in this state may send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) line_bytes_max: usize,
    pub(crate) string_bytes_max: usize,
    pub(crate) message_bytes_max: usize,
    /// All literals of a command together.
    pub(crate) literals_bytes_max: usize,
    /// So much of them needs no grant.
    pub(crate) literals_free_bytes: usize,
}

/// Whether `{n}` at the end of a line announces a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Literals {
    Read,
    /// In answers to AUTHENTICATE and IDLE there are none.
    None,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All bytes are taken and the command goes on.
    More,
    /// A literal goes beyond what is free: ask, then [`Framing::grant`] or [`Framing::deny`].
    Ask,
    /// A synchronising literal is welcome: say so.
    Continue,
    /// The command is complete.
    Complete,
    /// The line is longer than allowed; nothing after it can be trusted.
    LineTooLong,
    /// The client waits for our word on a literal that we do not want.
    LiteralRefused,
    /// A literal that we do not want is on its way.
    LiteralOnItsWay,
    /// A command is complete whose literals were denied and thrown away.
    Drained,
}

#[derive(Debug, Default)]
pub(crate) struct Framing {
    /// The text of the command with `{n}` CR LF where literals are.
    text: Vec<u8>,
    literals: Vec<Vec<u8>>,
    /// Bytes that the last literal still lacks.
    literal_left: usize,
    literal_bytes: usize,
    /// The literal that is asked for.
    asked: Option<(usize, Sync)>,
    /// Nothing of this command is kept but its first line.
    draining: bool,
}

impl Framing {
    /// Nothing of a command is here yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn in_literal(&self) -> bool {
        self.literal_left > 0
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    /// What the literals of this command take, with the announced one.
    pub(crate) fn literal_bytes(&self) -> usize {
        self.literal_bytes
    }

    /// There is room for the literal that was asked for.
    pub(crate) fn grant(&mut self) -> Progress {
        match self.asked.take() {
            Some((size, sync)) => self.begin_literal(size, sync),
            None => Progress::More,
        }
    }

    /// There is none. What is on its way is thrown away.
    pub(crate) fn deny(&mut self) -> Progress {
        match self.asked.take() {
            Some((_, Sync::Waits)) => Progress::LiteralRefused,
            Some((size, Sync::Sends)) => {
                self.literals = Vec::new();
                self.literal_bytes = 0;
                self.draining = true;
                self.literal_left = size;
                Progress::More
            }
            None => Progress::More,
        }
    }

    /// Takes bytes up to the end of a line or literal; says how many.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        literals: Literals,
        bounds: &Bounds,
    ) -> (usize, Progress) {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            if self.literal_left > 0 {
                taken += self.feed_literal(rest);
                continue;
            }
            let line_end = memchr::memchr(b'\n', rest);
            let length = line_end.map_or(rest.len(), |at| at + 1);
            if self.text.len() + length > bounds.line_bytes_max {
                return (taken, Progress::LineTooLong);
            }
            self.text
                .extend_from_slice(rest.get(..length).unwrap_or_default());
            taken += length;
            if line_end.is_some() {
                match self.line_ended(literals, bounds) {
                    Progress::More => {}
                    progress => return (taken, progress),
                }
            }
        }
        (taken, Progress::More)
    }

    /// The complete command without its last CR LF, and its literals; ready for the next one.
    pub(crate) fn take(&mut self) -> (Vec<u8>, Vec<Vec<u8>>) {
        let mut text = std::mem::take(&mut self.text);
        if text.ends_with(b"\r\n") {
            text.truncate(text.len() - 2);
        }
        self.literal_left = 0;
        self.literal_bytes = 0;
        self.asked = None;
        self.draining = false;
        (text, std::mem::take(&mut self.literals))
    }

    fn feed_literal(&mut self, rest: &[u8]) -> usize {
        let count = rest.len().min(self.literal_left);
        if let Some(literal) = self.literals.last_mut().filter(|_| !self.draining) {
            literal.extend_from_slice(rest.get(..count).unwrap_or_default());
        }
        self.literal_left -= count;
        count
    }

    fn line_ended(&mut self, literals: Literals, bounds: &Bounds) -> Progress {
        let announced = if literals == Literals::Read {
            literal_at_end(&self.text)
        } else {
            None
        };
        let Some((size, sync)) = announced else {
            return match self.draining {
                true => Progress::Drained,
                false => Progress::Complete,
            };
        };
        let size_max = if is_append(&self.text) {
            bounds.message_bytes_max
        } else {
            bounds.string_bytes_max
        };
        let total = self
            .literal_bytes
            .saturating_add(size.unwrap_or(usize::MAX));
        let Some(size) = size.filter(|size| {
            *size <= size_max
                && total <= bounds.literals_bytes_max
                && self.literals.len() < LITERALS_MAX
        }) else {
            return match sync {
                Sync::Waits => Progress::LiteralRefused,
                Sync::Sends => Progress::LiteralOnItsWay,
            };
        };
        if self.draining {
            self.literal_left = size;
            return match sync {
                Sync::Waits => Progress::LiteralRefused,
                Sync::Sends => Progress::More,
            };
        }
        self.literal_bytes = total;
        if bounds.literals_free_bytes < total {
            self.asked = Some((size, sync));
            return Progress::Ask;
        }
        self.begin_literal(size, sync)
    }

    fn begin_literal(&mut self, size: usize, sync: Sync) -> Progress {
        self.literal_left = size;
        self.literals
            .push(Vec::with_capacity(size.min(LITERAL_RESERVE_BYTES)));
        match sync {
            Sync::Waits => Progress::Continue,
            Sync::Sends => Progress::More,
        }
    }
}

/// Whether the client waits for a continuation before it sends the literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    Waits,
    Sends,
}

/// `{n}` or `{n+}` before the CR LF. The size is `None` when it does not fit a machine word.
fn literal_at_end(text: &[u8]) -> Option<(Option<usize>, Sync)> {
    let inner = text.strip_suffix(b"}\r\n")?;
    let open = inner.iter().rposition(|byte| *byte == b'{')?;
    let digits = inner.get(open + 1..)?;
    let (digits, sync) = match digits.strip_suffix(b"+") {
        Some(digits) => (digits, Sync::Sends),
        None => (digits, Sync::Waits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok());
    Some((size, sync))
}

/// Only APPEND carries messages.
pub(crate) fn is_append(text: &[u8]) -> bool {
    text.split(|byte| *byte == b' ')
        .nth(1)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"APPEND"))
}
