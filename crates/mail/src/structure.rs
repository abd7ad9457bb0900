//! The MIME tree of a message as offsets into its bytes: what is kept of a message beside its envelope.
//! Answers BODY, BODYSTRUCTURE and "where is section 1.2" without looking at the message again.

use std::ops::Range;

use crate::transfer::Encoding;

/// The tree, root first. Part numbers are IMAP's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    pub(crate) parts: Vec<Part>,
}

/// One part: the message itself, a part of a multipart, or a message inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The header with its empty line.
    pub header: Range<usize>,
    /// The body; for a multipart with preamble and epilogue.
    pub body: Range<usize>,
    /// Lines of the body.
    pub lines: usize,
    pub kind: Kind,
    /// Lower case, such as `text` and `plain`.
    pub media_type: String,
    pub media_subtype: String,
    /// Of `Content-Type`, decoded per RFC 2231; names in lower case.
    pub parameters: Vec<(String, String)>,
    pub id: Option<Vec<u8>>,
    pub description: Option<Vec<u8>>,
    pub encoding: Encoding,
    /// `Content-Transfer-Encoding` as it was written, if it is none of the known ones.
    pub encoding_name: Option<String>,
    pub md5: Option<Vec<u8>>,
    /// Lower case.
    pub disposition: Option<String>,
    pub disposition_parameters: Vec<(String, String)>,
    pub languages: Vec<Vec<u8>>,
    pub location: Option<Vec<u8>>,
}

/// What is inside a part; numbers are positions in [`Structure::parts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Leaf,
    Multipart { children: Vec<usize> },
    /// A message inside, with its ENVELOPE text; no child if it could not be opened (encoded, too deep).
    Message { envelope: Vec<u8>, child: Option<usize> },
}

/// What of a part is wanted. RFC 9051 §6.4.5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// `BODY[]`, `BODY[1.2]`
    Whole,
    /// `BODY[HEADER]`, `BODY[1.2.HEADER]`: of the message, or of a message inside.
    Header,
    /// `BODY[TEXT]`, `BODY[1.2.TEXT]`
    Text,
    /// `BODY[1.2.MIME]`: the part's own header.
    Mime,
}

/// Whether the text is for BODY or for BODYSTRUCTURE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// `BODY`
    Without,
    /// `BODYSTRUCTURE`
    With,
}

/// The stored bytes are of another version, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    #[error("the stored structure has version {0}, which this program does not know")]
    Version(u8),
    #[error("the stored structure is damaged")]
    Damaged,
}

impl Structure {
    /// Reads the tree from a message. Same as [`crate::Message::parse`], without the defects.
    pub fn of(_bytes: &[u8]) -> Self {
        todo!()
    }

    /// Compact and versioned; [`Structure::decode`] reads it back.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    pub fn decode(_stored: &[u8]) -> Result<Self, StructureError> {
        todo!()
    }

    /// All parts, the root first, each before what is inside it.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub fn root(&self) -> &Part {
        todo!()
    }

    /// The part with this number (`[1, 2]` is 1.2; empty is the message itself). Of a message that is no
    /// multipart, 1 is its body.
    pub fn part(&self, _path: &[u32]) -> Option<&Part> {
        todo!()
    }

    /// Where a section stands in the message's bytes; `None` if there is no such section.
    pub fn section(&self, _path: &[u32], _what: Section) -> Option<Range<usize>> {
        todo!()
    }

    /// The parenthesised text of BODY or BODYSTRUCTURE, ready to send. RFC 9051 §7.5.2.
    pub fn body_structure(&self, _extension: Extension) -> Vec<u8> {
        todo!()
    }

    /// Whether a person would say that there is an attachment.
    pub fn has_attachment(&self) -> bool {
        todo!()
    }
}

impl Part {
    /// The charset of a text part, if it names one.
    pub fn charset(&self) -> Option<&str> {
        self.parameter("charset")
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The name under which a person would save the part.
    pub fn file_name(&self) -> Option<&str> {
        let disposition = self.disposition_parameters.iter().find(|(name, _)| name == "filename");
        disposition.map(|(_, value)| value.as_str()).or_else(|| self.parameter("name"))
    }

    pub fn is(&self, media_type: &str, media_subtype: &str) -> bool {
        self.media_type == media_type && self.media_subtype == media_subtype
    }
}
