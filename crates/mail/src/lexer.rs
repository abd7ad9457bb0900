//! The lexical pieces of structured header values: white space, comments, quoted strings, atoms.
//! Forgiving and bounded by the value's length; nothing here recurses.

use std::borrow::Cow;

/// A place in a header value.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn bump(&mut self) {
        self.at += 1;
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Steps over this byte, if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|&byte| !wanted(byte))
            .unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    pub(crate) fn advance(&mut self, len: usize) {
        self.at = (self.at + len).min(self.bytes.len());
    }

    /// Steps over white space and line ends; tells whether there were any.
    pub(crate) fn skip_space(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    /// Steps over white space and comments; gives the last comment's text.
    pub(crate) fn skip_cfws(&mut self) -> Option<Cow<'a, [u8]>> {
        let mut last = None;
        loop {
            self.skip_space();
            if self.peek() != Some(b'(') {
                return last;
            }
            last = Some(self.comment());
        }
    }

    /// A comment, from its parenthesis on; an unclosed one runs to the end.
    pub(crate) fn comment(&mut self) -> Cow<'a, [u8]> {
        self.bump();
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.bump(),
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            self.bump();
        }
        self.at = self.at.min(self.bytes.len());
        let inner = self.bytes.get(start..self.at).unwrap_or_default();
        self.bump();
        unescape(inner.trim_ascii())
    }

    /// A quoted string, from its opening quote on; an unclosed one runs to the end.
    pub(crate) fn quoted(&mut self) -> Cow<'a, [u8]> {
        self.bump();
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len());
        let inner = self.bytes.get(start..self.at).unwrap_or_default();
        self.bump();
        unescape(inner)
    }

    /// An encoded word standing here, whatever odd characters it has inside. RFC 2047 §2.
    pub(crate) fn encoded_word(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let inner = rest.strip_prefix(b"=?")?;
        let charset = memchr::memchr(b'?', inner)?;
        if !inner.get(..charset)?.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let text = inner.get(charset + 1..)?;
        if !matches!(text.first()?.to_ascii_lowercase(), b'q' | b'b') || text.get(1) != Some(&b'?')
        {
            return None;
        }
        let text = text.get(2..)?;
        let end = text
            .iter()
            .position(|&byte| byte == b'?' || is_space(byte))?;
        if text.get(end + 1) != Some(&b'=') || text.get(end) != Some(&b'?') {
            return None;
        }
        // "=?" charset "?" letter "?" text "?="
        let len = 2 + charset + 3 + end + 2;
        self.advance(len);
        rest.get(..len)
    }
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without backslashes of quoted pairs and without line ends.
fn unescape(inner: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr3(b'\\', b'\r', b'\n', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {}
            b'\\' => out.extend(bytes.next()),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}
