//! Part numbers to places in the bytes. RFC 9051 §6.4.5.1.

use std::ops::Range;

use super::{Kind, Part, Section, Structure};

impl Structure {
    /// The part with this number (`[1, 2]` is 1.2; empty is the message itself). Of a message that is no
    /// multipart, 1 is its body.
    pub fn part(&self, path: &[u32]) -> Option<&Part> {
        let mut part = self.root();
        // A message's parts are those of its multipart, or its body alone. A part of type message is stepped
        // through into the message inside.
        let mut is_message = true;
        for &number in path {
            if !is_message && let Kind::Message { child, .. } = &part.kind {
                part = self.parts.get((*child)?)?;
                is_message = true;
            }
            part = match &part.kind {
                Kind::Multipart { children } => {
                    let at = usize::try_from(number).ok()?.checked_sub(1)?;
                    self.parts.get(*children.get(at)?)?
                }
                _ if is_message && number == 1 => part,
                _ => return None,
            };
            is_message = false;
        }
        Some(part)
    }

    /// Where a section stands in the message's bytes; `None` if there is no such section.
    pub fn section(&self, path: &[u32], what: Section) -> Option<Range<usize>> {
        let part = self.part(path)?;
        if path.is_empty() {
            return match what {
                Section::Whole => Some(part.whole()),
                Section::Header => Some(part.header.clone()),
                Section::Text => Some(part.body.clone()),
                Section::Mime => None,
            };
        }
        // HEADER and TEXT are of the message inside the part. RFC 9051 §6.4.5.1.
        let inside = || match &part.kind {
            Kind::Message { child, .. } => self.parts.get((*child)?),
            _ => None,
        };
        match what {
            Section::Whole => Some(part.body.clone()),
            Section::Mime => Some(part.header.clone()),
            Section::Header => inside().map(|message| message.header.clone()),
            Section::Text => inside().map(|message| message.body.clone()),
        }
    }
}
