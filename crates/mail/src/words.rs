//! Encoded words in header fields: `=?utf-8?q?…?=`. RFC 2047; charset decoding in `charset.rs`.
//! Reads forgivingly, writes UTF-8 only.

use std::borrow::Cow;

use memchr::memmem;

use crate::charset;
use crate::header::unfold;
use crate::transfer::{decode_base64, hex_pair, push_escaped};

/// Longest encoded word. RFC 2047 §2.
const WORD_CHARS_MAX: usize = 75;

/// A raw field value as text: unfolded, encoded words decoded, raw bytes taken for UTF-8 or windows-1252.
/// Control characters become spaces, so that the text fits into one line anywhere.
pub fn decode(value: &[u8]) -> String {
    let value = unfold(value);
    let mut out = String::with_capacity(value.len());
    let mut pending = Pending::default();
    let mut rest = &*value;
    while let Some(at) = memmem::find(rest, b"=?") {
        let (before, from_here) = rest.split_at(at);
        let Some((word, after)) = Word::read(from_here) else {
            pending.flush(&mut out);
            let (marker, after) = from_here.split_at(2);
            push_raw(&mut out, before);
            push_raw(&mut out, marker);
            rest = after;
            continue;
        };
        // White space between two encoded words is no text. RFC 2047 §6.2.
        if !pending.is_empty() && before.trim_ascii().is_empty() {
            pending.join(word, &mut out);
        } else {
            pending.flush(&mut out);
            push_raw(&mut out, before);
            pending = Pending::from(word);
        }
        rest = after;
    }
    pending.flush(&mut out);
    push_raw(&mut out, rest);
    out
}

/// Text as header words: itself when it is plain ASCII, encoded words of at most 75 characters otherwise,
/// separated by single spaces. Control characters become spaces.
pub fn encode(text: &str) -> String {
    let text: &str = &text.replace(char::is_control, " ");
    if text.is_ascii() && !text.contains("=?") {
        return text.to_owned();
    }
    let escaped = text
        .chars()
        .filter(|c| !is_q_literal(*c) && *c != ' ')
        .map(char::len_utf8)
        .sum::<usize>();
    let quoted = escaped * 3 + (text.len() - escaped) <= text.len().div_ceil(3) * 4;
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while !rest.is_empty() {
        if !out.is_empty() {
            out.push(' ');
        }
        rest = if quoted {
            push_q(&mut out, rest)
        } else {
            push_b(&mut out, rest)
        };
    }
    out
}

/// One encoded word, its text still encoded.
struct Word<'a> {
    charset: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
}

/// Decoded bytes of a run of adjacent words in one charset: some programs cut characters in two.
#[derive(Default)]
struct Pending<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
}

impl<'a> Word<'a> {
    /// Reads `=?charset?q?text?=`, from its first byte on, and gives what follows. Spaces inside are forgiven.
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let inner = bytes.strip_prefix(b"=?")?;
        let end = memchr::memchr(b'?', inner)?;
        let (charset, inner) = (inner.get(..end)?, inner.get(end + 1..)?);
        if charset.is_empty() || !charset.iter().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let is_base64 = match inner.first()? {
            b'b' | b'B' => true,
            b'q' | b'Q' => false,
            _ => return None,
        };
        let inner = inner.get(1..)?.strip_prefix(b"?")?;
        let end = memchr::memchr(b'?', inner)?;
        let after = inner.get(end + 1..)?.strip_prefix(b"=")?;
        // A language may follow the charset. RFC 2231 §5.
        let charset = charset.split(|&byte| byte == b'*').next()?;
        Some((
            Self {
                charset,
                is_base64,
                text: inner.get(..end)?,
            },
            after,
        ))
    }

    fn decode(&self) -> Vec<u8> {
        if self.is_base64 {
            return decode_base64(self.text);
        }
        let mut out = Vec::with_capacity(self.text.len());
        let mut rest = self.text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match (byte, after.get(..2).and_then(hex_pair)) {
                (b'=', Some(escaped)) => {
                    out.push(escaped);
                    rest = after.get(2..).unwrap_or_default();
                }
                (b'_', _) => out.push(b' '),
                (other, _) => out.push(other),
            }
        }
        out
    }
}

impl<'a> Pending<'a> {
    fn from(word: Word<'a>) -> Self {
        Self {
            charset: word.charset,
            bytes: word.decode(),
        }
    }

    fn is_empty(&self) -> bool {
        self.charset.is_empty()
    }

    fn join(&mut self, word: Word<'a>, out: &mut String) {
        // Charsets with shift states begin anew in each word, and may not be shifted twice in a row.
        let is_stateful = self
            .charset
            .get(..9)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"iso-2022-"));
        if !is_stateful && self.charset.eq_ignore_ascii_case(word.charset) {
            self.bytes.extend_from_slice(&word.decode());
        } else {
            self.flush(out);
            *self = Self::from(word);
        }
    }

    fn flush(&mut self, out: &mut String) {
        if !self.is_empty() {
            let label = std::str::from_utf8(self.charset).ok();
            push_clean(out, &charset::decode(&self.bytes, label));
        }
        *self = Self::default();
    }
}

fn push_raw(out: &mut String, raw: &[u8]) {
    let text: Cow<'_, str> = charset::decode(raw, None);
    push_clean(out, &text);
}

fn push_clean(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == 127) {
        out.extend(
            text.chars()
                .map(|c| if c.is_ascii_control() { ' ' } else { c }),
        );
    } else {
        out.push_str(text);
    }
}

/// What may stand for itself in a Q word wherever such words may stand. RFC 2047 §5 (3).
fn is_q_literal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '!' | '*' | '+' | '-' | '/')
}

fn push_q<'t>(out: &mut String, text: &'t str) -> &'t str {
    out.push_str("=?utf-8?q?");
    let mut left = WORD_CHARS_MAX - "=?utf-8?q??=".len();
    let mut end = 0;
    for c in text.chars() {
        let width = if c == ' ' || is_q_literal(c) {
            1
        } else {
            3 * c.len_utf8()
        };
        if width > left {
            break;
        }
        left -= width;
        end += c.len_utf8();
        if c == ' ' {
            out.push('_');
        } else if is_q_literal(c) {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                push_escaped(out, byte);
            }
        }
    }
    out.push_str("?=");
    text.get(end..).unwrap_or_default()
}

fn push_b<'t>(out: &mut String, text: &'t str) -> &'t str {
    use base64::Engine;
    let room = (WORD_CHARS_MAX - "=?utf-8?b??=".len()) / 4 * 3;
    let end = text.floor_char_boundary(room);
    let (word, rest) = text.split_at(end);
    out.push_str("=?utf-8?b?");
    base64::engine::general_purpose::STANDARD.encode_string(word, out);
    out.push_str("?=");
    rest
}

#[cfg(test)]
mod tests;
