//! Bytes in some charset to Unicode. Never fails: what has no meaning becomes U+FFFD.

use std::borrow::Cow;

/// Decodes by the charset's label as mail writes it. Unknown or missing labels: UTF-8 if the bytes are,
/// windows-1252 otherwise.
pub fn decode<'a>(_bytes: &'a [u8], _label: Option<&str>) -> Cow<'a, str> {
    todo!()
}
