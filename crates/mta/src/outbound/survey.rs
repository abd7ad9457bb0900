//! What in a message's bytes could keep it from travelling: line ends, NUL, long lines, 8-bit bytes.

use crate::limits::LINE_BYTES_MAX;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// A CR or LF stands alone.
    pub(crate) bare_line_end: bool,
    pub(crate) nul: bool,
    /// A line is longer than mail may have it. RFC 5322 §2.1.1.
    pub(crate) long_line: bool,
    pub(crate) eight_bit: bool,
}

impl Survey {
    /// Fit for any server that takes 8-bit mail.
    pub(crate) fn travels(self) -> bool {
        !self.bare_line_end && !self.nul && !self.long_line
    }

    pub(crate) fn is_seven_bit(self) -> bool {
        self.travels() && !self.eight_bit
    }
}

pub(crate) fn of(bytes: &[u8]) -> Survey {
    let mut survey = Survey {
        nul: memchr::memchr(0, bytes).is_some(),
        eight_bit: !bytes.is_ascii(),
        ..Survey::default()
    };
    let mut carriage_returns = 0;
    let mut start = 0;
    for at in memchr::memchr_iter(b'\n', bytes) {
        let line = bytes.get(start..at).unwrap_or_default();
        match line.strip_suffix(b"\r") {
            Some(line) => {
                carriage_returns += 1;
                survey.long_line |= line.len() > LINE_BYTES_MAX;
            }
            None => survey.bare_line_end = true,
        }
        start = at + 1;
    }
    survey.long_line |= bytes.len() - start > LINE_BYTES_MAX;
    survey.bare_line_end |= memchr::memchr_iter(b'\r', bytes).count() != carriage_returns;
    survey
}

/// All line ends made CRLF: a CR or LF alone ends a line as well as both together do.
pub(crate) fn strict_line_ends(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        let (line, ending) = rest.split_at(at);
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        let width = if ending.starts_with(b"\r\n") { 2 } else { 1 };
        rest = ending.get(width..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests;
