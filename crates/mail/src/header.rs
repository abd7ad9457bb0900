//! Header fields: a block of lines cut into names and values, with their place in the bytes.
//! The meaning of values is read elsewhere.

use std::ops::Range;

/// One field, or a line that is none (then the name is empty).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// As written, without white space before the colon; empty if the line is malformed.
    pub name: &'a [u8],
    /// After the colon, with its folding, without the last line end.
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
    pub(crate) block: &'a [u8],
    pub(crate) at: usize,
}

/// The fields of a header block, or of a whole message's header.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { block, at: 0 }
}

/// The range of the header in a message or part, with its empty line; the body follows.
pub fn extent(_bytes: &[u8]) -> Range<usize> {
    todo!()
}

/// The chosen fields as they stand, and an empty line: what `BODY[HEADER.FIELDS (…)]` sends. RFC 9051 §6.4.5.1.
pub fn header_fields(_block: &[u8], _select: Select<'_>) -> Vec<u8> {
    todo!()
}

/// The value of the first field of this name, raw.
pub fn first<'a>(block: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(block).find(|field| field.is(name)).map(|field| field.value)
}

/// A value without its folding and without white space around it.
pub fn unfold(_value: &[u8]) -> Vec<u8> {
    todo!()
}

impl Field<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Unfolded, encoded words decoded, whatever charset they or the raw bytes have.
    pub fn text(&self) -> String {
        crate::words::decode(self.value)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        todo!()
    }
}
