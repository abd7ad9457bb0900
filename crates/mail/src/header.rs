//! Header fields: a block of lines cut into names and values, with their place in the bytes.
//! The meaning of values is read elsewhere.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2};

/// One field, or a line that is none (then the name is empty).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// As written, without white space before the colon; empty if the line is malformed.
    pub name: &'a [u8],
    /// After the colon, with its folding, without the last line end. The whole line if it is malformed.
    pub value: &'a [u8],
    /// Where the whole field stands in the block, with its last line end.
    pub start: usize,
    pub end: usize,
}

/// Which fields [`header_fields`] gives.
#[derive(Clone, Copy, Debug)]
pub enum Select<'a> {
    /// `HEADER.FIELDS`
    These(&'a [&'a str]),
    /// `HEADER.FIELDS.NOT`
    AllBut(&'a [&'a str]),
}

/// Walks over the fields of a header block (or of a whole message: it stops at the empty line).
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    block: &'a [u8],
    at: usize,
}

/// The fields of a header block, or of a whole message's header.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { block, at: 0 }
}

/// The range of the header in a message or part, with its empty line; the body follows.
pub fn extent(bytes: &[u8]) -> Range<usize> {
    let mut walk = fields(bytes);
    while walk.next().is_some() {}
    0..walk.end()
}

/// The chosen fields as they stand, and an empty line: what `BODY[HEADER.FIELDS (…)]` sends. RFC 9051 §6.4.5.1.
/// Lines that are no field belong to no name: only `AllBut` gives them.
pub fn header_fields(block: &[u8], select: Select<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    for field in fields(block) {
        let wanted = match select {
            Select::These(names) => names.iter().any(|name| field.is(name)),
            Select::AllBut(names) => !names.iter().any(|name| field.is(name)),
        };
        if wanted {
            out.extend_from_slice(block.get(field.start..field.end).unwrap_or_default());
        }
    }
    if out.last().is_some_and(|&byte| byte != b'\n') {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// The value of the first field of this name, raw.
pub fn first<'a>(block: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(block)
        .find(|field| field.is(name))
        .map(|field| field.value)
}

/// A value without its line ends and without white space around it. RFC 5322 §2.2.3.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if memchr2(b'\r', b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    Cow::Owned(
        value
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect(),
    )
}

impl Field<'_> {
    /// Whether the field has this name, in any case. A malformed line has none.
    pub fn is(&self, name: &str) -> bool {
        !self.name.is_empty() && self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Unfolded, encoded words decoded, whatever charset they or the raw bytes have.
    pub fn text(&self) -> String {
        crate::words::decode(self.value)
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn from(block: &'a [u8], at: usize) -> Self {
        Self { block, at }
    }

    /// Where the next field begins, if there is one.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Once all fields are read: where the body begins.
    pub(crate) fn end(&self) -> usize {
        let rest = self.block.get(self.at..).unwrap_or_default();
        self.at + empty_line(rest).unwrap_or(0)
    }

    /// Once all fields are read: whether the empty line is there.
    pub(crate) fn is_terminated(&self) -> bool {
        empty_line(self.block.get(self.at..).unwrap_or_default()).is_some()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.block.get(self.at..)?;
        if rest.is_empty() || empty_line(rest).is_some() {
            return None;
        }
        let mut len = 0;
        loop {
            let line = rest.get(len..).unwrap_or_default();
            len = memchr(b'\n', line).map_or(rest.len(), |newline| len + newline + 1);
            // A line that begins with white space continues the field, even if there is nothing else in it.
            if !matches!(rest.get(len), Some(b' ' | b'\t')) {
                break;
            }
        }
        let whole = rest.get(..len).unwrap_or_default();
        let start = self.at;
        self.at += len;
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (name, value) = split_name(line).unwrap_or((b"", line));
        Some(Field {
            name,
            value,
            start,
            end: self.at,
        })
    }
}

/// The length of the empty line standing here.
fn empty_line(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

/// White space before the colon is obsolete (RFC 5322 §4.5) but clear; inside a name it is neither.
fn split_name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    if name.is_empty() || !name.iter().all(|byte| (33..=126).contains(byte)) {
        return None;
    }
    Some((name, line.get(colon + 1..)?))
}

#[cfg(test)]
mod tests;
