//! Encoded words in header fields: `=?utf-8?q?…?=`. RFC 2047; charset decoding in `charset.rs`.
//! Reads forgivingly, writes UTF-8 only.

/// A raw field value as text: unfolded, encoded words decoded, raw bytes taken for UTF-8 or windows-1252.
pub fn decode(_value: &[u8]) -> String {
    todo!()
}

/// Text as header words: itself when it is plain ASCII, encoded words of at most 75 characters otherwise,
/// separated by single spaces.
pub fn encode(_text: &str) -> String {
    todo!()
}
