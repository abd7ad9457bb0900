//! Tag lists: `name=value; name=value` (RFC 6376 §3.2), in signatures, key records and ARC fields.

use std::ops::Range;

use super::limits::TAGS_MAX;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagListError {
    Malformed,
    /// RFC 6376 §3.2: a name that occurs twice makes the whole list invalid.
    Twice(String),
}

#[derive(Clone, Debug)]
pub(crate) struct TagList<'a> {
    tags: Vec<Tag<'a>>,
}

#[derive(Clone, Debug)]
struct Tag<'a> {
    name: &'a [u8],
    value: &'a [u8],
    /// All that lies between `=` and `;`.
    place: Range<usize>,
}

impl<'a> TagList<'a> {
    pub fn parse(text: &'a [u8]) -> Result<Self, TagListError> {
        let mut tags: Vec<Tag<'a>> = Vec::with_capacity(16);
        let mut start = 0;
        for end in memchr::memchr_iter(b';', text).chain(std::iter::once(text.len())) {
            let part = text.get(start..end).unwrap_or_default();
            // Nothing may follow the last semicolon, but only the last.
            if end == text.len() && part.trim_ascii().is_empty() && !tags.is_empty() {
                break;
            }
            let tag = parse_tag(part, start).ok_or(TagListError::Malformed)?;
            if tags.iter().any(|other| other.name == tag.name) {
                let name = String::from_utf8_lossy(tag.name).into_owned();
                return Err(TagListError::Twice(name));
            }
            if tags.len() >= TAGS_MAX {
                return Err(TagListError::Malformed);
            }
            tags.push(tag);
            start = end + 1;
        }
        Ok(Self { tags })
    }

    /// The value, white space at its ends cut off.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.find(name).map(|tag| tag.value)
    }

    /// Where the value lies in the text, with all white space around it.
    pub fn place(&self, name: &str) -> Option<Range<usize>> {
        self.find(name).map(|tag| tag.place.clone())
    }

    pub fn first_name(&self) -> &'a [u8] {
        self.tags.first().map_or(&[], |tag| tag.name)
    }

    fn find(&self, name: &str) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.name == name.as_bytes())
    }
}

fn parse_tag(part: &[u8], offset: usize) -> Option<Tag<'_>> {
    let equals = memchr::memchr(b'=', part)?;
    let (name, value) = part.split_at(equals);
    let value = value.get(1..)?;
    let name = name.trim_ascii();
    let (first, rest) = name.split_first()?;
    if !first.is_ascii_alphabetic() {
        return None;
    }
    if !rest
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    {
        return None;
    }
    // Visible characters, folding white space, and what RFC 8616 adds.
    let legal = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\t' | b'\r' | b'\n');
    if !value.iter().all(legal) {
        return None;
    }
    Some(Tag {
        name,
        value: value.trim_ascii(),
        place: offset + equals + 1..offset + part.len(),
    })
}

/// A value in which white space means nothing: base64, lists.
pub(crate) fn without_white_space(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    out.extend(value.iter().filter(|byte| !byte.is_ascii_whitespace()));
    out
}

/// Digits only. A number beyond 64 bits is as good as the largest (RFC 6376 §3.5 wants at least 76 digits).
pub(crate) fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || 76 < value.len() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0, |number: u64, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

/// Base64 with white space anywhere, padded or not.
pub(crate) fn base64(value: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    ANY_PADDING.decode(without_white_space(value)).ok()
}
