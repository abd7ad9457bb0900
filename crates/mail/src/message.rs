//! A message that was read: its header fields, its MIME tree and its defects, over borrowed bytes.
//! For what is stored on arrival see `summary.rs`.

use std::borrow::Cow;

use crate::defect::Defect;
use crate::header::{self, Fields};
use crate::mime;
use crate::structure::{Part, Structure};
use crate::transfer::decode_transfer;

/// A message over its bytes. Parsing never fails.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    structure: Structure,
    defects: Vec<Defect>,
}

impl<'a> Message<'a> {
    pub fn parse(bytes: &'a [u8]) -> Self {
        let mime::Scan {
            structure,
            mut defects,
            ..
        } = mime::scan(bytes);
        let head = bytes
            .get(structure.root().header.clone())
            .unwrap_or_default();
        let line_feeds = memchr::memchr_iter(b'\n', head);
        if line_feeds
            .into_iter()
            .any(|at| at == 0 || head.get(at - 1) != Some(&b'\r'))
        {
            defects.add(Defect::BareLineFeed);
        }
        if memchr::memchr(0, head).is_some() {
            defects.add(Defect::HeaderHasNul);
        }
        if std::str::from_utf8(head).is_err() {
            defects.add(Defect::HeaderNotUtf8);
        }
        Self {
            bytes,
            structure,
            defects: defects.list(),
        }
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
        header::fields(self.bytes)
    }

    /// The raw value of the first field of this name.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        header::first(self.bytes, name)
    }

    /// The decoded text of the first field of this name.
    pub fn header_text(&self, name: &str) -> Option<String> {
        self.header(name).map(crate::words::decode)
    }

    /// A part's content with its transfer encoding undone.
    pub fn content(&self, part: &Part) -> Cow<'a, [u8]> {
        decode_transfer(
            self.bytes.get(part.body.clone()).unwrap_or_default(),
            part.encoding,
        )
    }

    /// A text part's content, as Unicode.
    pub fn text(&self, part: &Part) -> String {
        crate::charset::decode(&self.content(part), part.charset().as_deref()).into_owned()
    }
}
