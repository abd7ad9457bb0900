//! Does a message contain this text? Case-insensitive, across charsets and encodings.
//! For scanning without an index: the ASCII path runs over the raw bytes.

use crate::structure::Structure;

/// A text to look for, prepared once and used on many messages.
#[derive(Clone, Debug)]
pub struct Needle {
    folded: String,
}

impl Needle {
    /// An empty text is found everywhere.
    pub fn new(text: &str) -> Self {
        Self { folded: text.to_lowercase() }
    }

    /// In plain text.
    pub fn in_text(&self, _text: &str) -> bool {
        todo!()
    }

    /// In a field of this name: `HEADER name text`, and FROM, TO, SUBJECT and so on. An empty needle asks only
    /// whether there is such a field. `header` may be the whole message.
    pub fn in_field(&self, _header: &[u8], _name: &str) -> bool {
        todo!()
    }

    /// In any header field, names included, of the message or of messages inside.
    pub fn in_header(&self, _message: &[u8], _structure: &Structure) -> bool {
        todo!()
    }

    /// In the text parts: BODY.
    pub fn in_body(&self, _message: &[u8], _structure: &Structure) -> bool {
        todo!()
    }

    /// In header or body: TEXT.
    pub fn in_message(&self, message: &[u8], structure: &Structure) -> bool {
        self.in_header(message, structure) || self.in_body(message, structure)
    }
}
