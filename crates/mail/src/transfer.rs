//! Content transfer encodings: base64, quoted-printable and the identity ones. RFC 2045 §6.
//! Decoding is forgiving and keeps whatever can be kept.

use std::borrow::Cow;

/// `Content-Transfer-Encoding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    #[default]
    SevenBit,
    EightBit,
    Binary,
    QuotedPrintable,
    Base64,
    /// `x-uuencode` and its kin.
    Uuencode,
    /// Something else: the content cannot be decoded. BINARY answers UNKNOWN-CTE. RFC 3516 §4.3.
    Unknown,
}

/// Undoes a transfer encoding; borrows when there is nothing to undo (also when it is unknown).
pub fn decode_transfer(_bytes: &[u8], _encoding: Encoding) -> Cow<'_, [u8]> {
    todo!()
}

/// Base64 in lines of 76 characters, each ended by CRLF.
pub fn encode_base64(_bytes: &[u8]) -> String {
    todo!()
}

/// Quoted-printable for text with CRLF line ends.
pub fn encode_quoted_printable(_text: &[u8]) -> String {
    todo!()
}

impl Encoding {
    /// Reads the name, in any case.
    pub fn parse(_name: &[u8]) -> Self {
        todo!()
    }

    /// As IMAP and MIME write it; empty for unknown ones.
    pub fn as_str(self) -> &'static str {
        todo!()
    }

    /// Whether the stored bytes are the content.
    pub fn is_identity(self) -> bool {
        matches!(self, Self::SevenBit | Self::EightBit | Self::Binary)
    }
}
