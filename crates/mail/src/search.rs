//! Does a message contain this text? Case-insensitive, across charsets and encodings.
//! For scanning without an index: text whose bytes can be compared as they lie is not decoded.

use std::borrow::Cow;

use memchr::memmem;

use crate::charset;
use crate::header::{self, Field};
use crate::structure::{Kind, Part, Structure};
use crate::transfer::decode_transfer;

mod ascii;

use ascii::AsciiNeedle;

/// A text to look for, prepared once and used on many messages.
#[derive(Clone, Debug)]
pub struct Needle {
    /// In lower case.
    folded: String,
    /// If it is ASCII.
    ascii: Option<AsciiNeedle>,
    has_space: bool,
}

impl Needle {
    /// An empty text is found everywhere.
    pub fn new(text: &str) -> Self {
        let folded = text.to_lowercase();
        let ascii = folded
            .is_ascii()
            .then(|| AsciiNeedle::new(folded.as_bytes()));
        let has_space = folded.contains(char::is_whitespace);
        Self {
            folded,
            ascii,
            has_space,
        }
    }

    /// In plain text.
    pub fn in_text(&self, text: &str) -> bool {
        match &self.ascii {
            Some(ascii) => ascii.is_in(text.as_bytes()),
            None if text.is_ascii() => false,
            None => memmem::find(text.to_lowercase().as_bytes(), self.folded.as_bytes()).is_some(),
        }
    }

    /// In a field of this name: `HEADER name text`, and FROM, TO, SUBJECT and so on. An empty needle asks only
    /// whether there is such a field. `header` may be the whole message.
    pub fn in_field(&self, header: &[u8], name: &str) -> bool {
        header::fields(header).any(|field| field.is(name) && self.in_value(field.value))
    }

    /// In any header field, names included, of the message itself.
    pub fn in_header(&self, message: &[u8], structure: &Structure) -> bool {
        self.in_block(bytes_of(message, &structure.root().header))
    }

    /// In the text parts, and the headers of messages inside: BODY. RFC 9051 §6.4.4.
    pub fn in_body(&self, message: &[u8], structure: &Structure) -> bool {
        structure.parts().iter().any(|part| match &part.kind {
            Kind::Multipart { .. } => false,
            Kind::Message { child, .. } => child
                .and_then(|child| structure.parts().get(child))
                .is_some_and(|child| self.in_block(bytes_of(message, &child.header))),
            Kind::Leaf => {
                matches!(part.media_type.as_str(), "text" | "message")
                    && self.in_part(message, part)
            }
        })
    }

    /// In header or body: TEXT.
    pub fn in_message(&self, message: &[u8], structure: &Structure) -> bool {
        self.in_header(message, structure) || self.in_body(message, structure)
    }

    fn in_part(&self, message: &[u8], part: &Part) -> bool {
        let body = bytes_of(message, &part.body);
        // Only what is labelled is anything but ASCII, and then by every byte that is not.
        if self.ascii.is_none()
            && part.encoding.is_identity()
            && body.is_ascii()
            && part.charset().is_none()
        {
            return false;
        }
        self.in_encoded(
            &decode_transfer(body, part.encoding),
            part.charset().as_deref(),
        )
    }

    fn in_encoded(&self, content: &[u8], charset: Option<&str>) -> bool {
        match &self.ascii {
            Some(ascii) if charset::is_ascii_compatible(charset.unwrap_or_default()) => {
                ascii.is_in(content)
            }
            _ => self.in_text(&charset::decode(content, charset)),
        }
    }

    fn in_block(&self, block: &[u8]) -> bool {
        if let Some(ascii) = &self.ascii {
            if ascii.is_in(block) {
                return true;
            }
            if !self.has_space && memmem::find(block, b"=?").is_none() {
                return false;
            }
        }
        header::fields(block)
            .any(|field| self.may_hide_in(field.value) && self.in_text(&whole_text(&field)))
    }

    /// Whether decoding or unfolding could show what the raw bytes do not.
    fn may_hide_in(&self, value: &[u8]) -> bool {
        let is_folded = || memchr::memchr(b'\n', value).is_some();
        match &self.ascii {
            Some(_) => self.has_space && is_folded() || memmem::find(value, b"=?").is_some(),
            None => !value.is_ascii() || memmem::find(value, b"=?").is_some(),
        }
    }

    fn in_value(&self, value: &[u8]) -> bool {
        let needs_decoding = memmem::find(value, b"=?").is_some();
        match &self.ascii {
            Some(ascii) if !needs_decoding => {
                let unfolded: Cow<'_, [u8]> = header::unfold(value);
                ascii.is_in(&unfolded)
            }
            None if value.is_ascii() && !needs_decoding => false,
            _ => self.in_text(&crate::words::decode(value)),
        }
    }
}

fn whole_text(field: &Field<'_>) -> String {
    format!("{}: {}", String::from_utf8_lossy(field.name), field.text())
}

fn bytes_of<'a>(message: &'a [u8], range: &std::ops::Range<usize>) -> &'a [u8] {
    message.get(range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
