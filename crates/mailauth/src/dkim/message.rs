//! A message as signatures see it: header fields as they stand there, and the body.
//! Decodes nothing; `mail` is the room that understands messages.

use std::borrow::Cow;

use super::limits::HEADER_FIELDS_MAX;

/// One header field, in the bytes of the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// Up to the colon, white space before it included.
    pub name: &'a [u8],
    /// After the colon, folds and the line end included.
    pub value: &'a [u8],
    /// The whole.
    pub raw: &'a [u8],
}

impl<'a> Field<'a> {
    pub fn is(&self, name: &str) -> bool {
        self.name
            .trim_ascii_end()
            .eq_ignore_ascii_case(name.as_bytes())
    }

    /// The whole without its last line end.
    pub fn text(&self) -> &'a [u8] {
        self.raw.strip_suffix(b"\r\n").unwrap_or(self.raw)
    }
}

/// Header fields from the top down, and the body.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub fields: Vec<Field<'a>>,
    pub body: &'a [u8],
    /// There are more fields than are looked at.
    pub too_many: bool,
    /// A CR or LF stands alone in the header (BINARYMIME can carry that). Here it is a byte like any
    /// other, but readers end a line there, and would be shown fields that no signature covers.
    pub torn_lines: bool,
}

impl<'a> Message<'a> {
    /// Cuts a message with CRLF line ends. Lines without a colon are no fields and are passed over.
    pub fn split(message: &'a [u8]) -> Self {
        let mut fields = Vec::with_capacity(32);
        let mut rest = message;
        loop {
            if let Some(body) = rest.strip_prefix(b"\r\n") {
                return Self::of(message, fields, body);
            }
            if rest.is_empty() {
                return Self::of(message, fields, rest);
            }
            let (raw, after) = rest.split_at(field_len(rest));
            if let Some(colon) = memchr::memchr(b':', raw) {
                if fields.len() >= HEADER_FIELDS_MAX {
                    return Self {
                        fields,
                        body: rest,
                        too_many: true,
                        torn_lines: false,
                    };
                }
                let (name, value) = raw.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                fields.push(Field { name, value, raw });
            }
            rest = after;
        }
    }

    fn of(message: &[u8], fields: Vec<Field<'a>>, body: &'a [u8]) -> Self {
        let header = message.get(..message.len() - body.len());
        Self {
            fields,
            body,
            too_many: false,
            torn_lines: header.is_some_and(has_torn_lines),
        }
    }
}

/// Whether a CR or LF stands alone.
fn has_torn_lines(header: &[u8]) -> bool {
    let mut paired = 0;
    for at in memchr::memchr_iter(b'\n', header) {
        let before = at.checked_sub(1).and_then(|before| header.get(before));
        if before != Some(&b'\r') {
            return true;
        }
        paired += 1;
    }
    memchr::memchr_iter(b'\r', header).count() != paired
}

/// The message with CRLF line ends. What comes over SMTP has them; a file may have bare LFs
/// throughout, which its first line shows.
pub(crate) fn strict(message: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\n', message) else {
        return Cow::Borrowed(message);
    };
    if message.get(..first).unwrap_or_default().ends_with(b"\r") {
        return Cow::Borrowed(message);
    }
    let mut out = Vec::with_capacity(message.len() + message.len() / 32);
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    Cow::Owned(out)
}

/// The length of the field at the start, folded lines and its line end included.
fn field_len(bytes: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = bytes
        .get(from..)
        .and_then(|tail| memchr::memchr(b'\n', tail))
    {
        let end = from + at + 1;
        // A bare LF ends no line of a message with strict line ends.
        let strict = at.checked_add(from).and_then(|lf| lf.checked_sub(1));
        let strict = strict.and_then(|before| bytes.get(before)) == Some(&b'\r');
        match bytes.get(end) {
            Some(b' ' | b'\t') => from = end,
            _ if !strict => from = end,
            _ => return end,
        }
    }
    bytes.len()
}
