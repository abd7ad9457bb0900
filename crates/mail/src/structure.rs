//! The MIME tree of a message as offsets into its bytes: what is kept of a message beside its envelope.
//! Answers BODY, BODYSTRUCTURE and "where is section 1.2" without looking at the message again.

use std::ops::Range;

use crate::parameters::{self, Parameters};
use crate::transfer::Encoding;

mod body;
mod section;
mod stored;

pub use stored::StructureError;

/// The tree, root first. Part numbers are IMAP's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// Never empty; each part before what is inside it.
    pub(crate) parts: Vec<Part>,
}

/// One part: the message itself, a part of a multipart, or a message inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The header with its empty line.
    pub header: Range<usize>,
    /// The body; for a multipart with preamble and epilogue.
    pub body: Range<usize>,
    /// Line ends in the body, of text and messages inside.
    pub lines: usize,
    pub kind: Kind,
    /// Lower case, such as `text` and `plain`.
    pub media_type: String,
    pub media_subtype: String,
    /// Of `Content-Type`, raw; see [`Part::parameter`].
    pub parameters: Parameters,
    pub id: Option<Vec<u8>>,
    pub description: Option<Vec<u8>>,
    pub encoding: Encoding,
    /// `Content-Transfer-Encoding` as it was written, if it is none of the known ones.
    pub encoding_name: Option<String>,
    pub md5: Option<Vec<u8>>,
    /// Lower case.
    pub disposition: Option<String>,
    pub disposition_parameters: Parameters,
    pub languages: Vec<Vec<u8>>,
    pub location: Option<Vec<u8>>,
}

/// What is inside a part; numbers are positions in [`Structure::parts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Leaf,
    /// At least one child.
    Multipart {
        children: Vec<usize>,
    },
    /// A message inside, with its ENVELOPE text; no child if it could not be opened (encoded, too deep).
    Message {
        envelope: Vec<u8>,
        child: Option<usize>,
    },
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

impl Structure {
    /// Reads the tree from a message. Same as [`crate::Message::parse`], without the defects.
    pub fn of(bytes: &[u8]) -> Self {
        crate::mime::scan(bytes).structure
    }

    /// All parts, the root first, each before what is inside it.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The message itself.
    pub fn root(&self) -> &Part {
        // There is always a root: see `parts`.
        &self.parts[0]
    }

    /// The parts of the message's own text and attachments: those of messages inside are left out.
    pub fn own_parts(&self) -> impl Iterator<Item = &Part> {
        let mut inside_until = 0;
        self.parts.iter().filter(move |part| {
            let is_own = part.header.start >= inside_until;
            if is_own && matches!(part.kind, Kind::Message { .. }) {
                inside_until = part.body.end;
            }
            is_own
        })
    }

    /// Whether a person would say that there is an attachment.
    pub fn has_attachment(&self) -> bool {
        self.own_parts().any(Part::is_attachment)
    }
}

impl Part {
    /// The charset of a text part, if it names one.
    pub fn charset(&self) -> Option<String> {
        self.parameter("charset")
    }

    /// The decoded value of a `Content-Type` parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameters::text(&self.parameters, name)
    }

    /// The name under which a person would save the part.
    pub fn file_name(&self) -> Option<String> {
        parameters::text(&self.disposition_parameters, "filename")
            .or_else(|| self.parameter("name"))
    }

    pub fn is(&self, media_type: &str, media_subtype: &str) -> bool {
        self.media_type == media_type && self.media_subtype == media_subtype
    }

    /// Header and body.
    pub fn whole(&self) -> Range<usize> {
        self.header.start..self.body.end
    }

    /// Text, unless it is sent along as a file.
    pub fn is_shown_text(&self) -> bool {
        matches!(self.kind, Kind::Leaf)
            && self.media_type == "text"
            && self.disposition.as_deref() != Some("attachment")
    }

    fn is_attachment(&self) -> bool {
        if matches!(self.kind, Kind::Multipart { .. }) {
            return false;
        }
        if self.disposition.as_deref() == Some("attachment") {
            return true;
        }
        // Pictures of an HTML page, signatures and delivery reports are not what a person calls attached.
        let is_furniture = self.id.is_some() && self.media_type == "image"
            || self.media_subtype.ends_with("-signature")
            || self.media_subtype.ends_with("delivery-status")
            || self.media_subtype.ends_with("disposition-notification")
            || self.media_subtype == "rfc822-headers";
        let has_name = || {
            let named = |parameters: &Parameters, name: &str| {
                parameters
                    .iter()
                    .any(|(known, _)| known.trim_end_matches('*') == name)
            };
            named(&self.disposition_parameters, "filename") || named(&self.parameters, "name")
        };
        !is_furniture && (has_name() || !matches!(self.media_type.as_str(), "text" | "multipart"))
    }
}

#[cfg(test)]
mod tests;
