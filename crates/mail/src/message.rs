//! A message that was read: its header fields, its MIME tree and its defects, over borrowed bytes.
//! For what is stored on arrival see `summary.rs`.

use crate::defect::Defect;
use crate::header::Fields;
use crate::structure::{Part, Structure};

/// A message over its bytes. Parsing never fails.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    structure: Structure,
    defects: Vec<Defect>,
}

impl<'a> Message<'a> {
    pub fn parse(_bytes: &'a [u8]) -> Self {
        todo!()
    }

    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Sorted, each at most once.
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// The message's own header fields, in order.
    pub fn fields(&self) -> Fields<'a> {
        todo!()
    }

    /// The raw value of the first field of this name.
    pub fn header(&self, _name: &str) -> Option<&'a [u8]> {
        todo!()
    }

    /// The decoded text of the first field of this name.
    pub fn header_text(&self, _name: &str) -> Option<String> {
        todo!()
    }

    /// A part's content with its transfer encoding undone.
    pub fn content(&self, _part: &Part) -> std::borrow::Cow<'a, [u8]> {
        todo!()
    }

    /// A text part's content, as Unicode.
    pub fn text(&self, _part: &Part) -> String {
        todo!()
    }
}
