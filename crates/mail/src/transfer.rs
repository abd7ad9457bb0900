//! Content transfer encodings: base64, quoted-printable, uuencode and the identity ones. RFC 2045 §6.
//! Decoding is forgiving and keeps whatever can be kept.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memmem};

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
pub fn decode_transfer(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::SevenBit | Encoding::EightBit | Encoding::Binary | Encoding::Unknown => {
            Cow::Borrowed(bytes)
        }
        Encoding::QuotedPrintable => decode_quoted_printable(bytes),
        Encoding::Base64 => Cow::Owned(decode_base64(bytes)),
        Encoding::Uuencode => decode_uu(bytes),
    }
}

/// Base64 in lines of 76 characters, each ended by CRLF. RFC 2045 §6.8.
pub fn encode_base64(bytes: &[u8]) -> String {
    let plain = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut out = String::with_capacity(plain.len() + plain.len() / 38 + 2);
    let mut rest = plain.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(76));
        out.push_str(line);
        out.push_str("\r\n");
        rest = after;
    }
    out
}

/// Quoted-printable for text with CRLF line ends; other control characters are encoded. RFC 2045 §6.7.
pub fn encode_quoted_printable(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut column = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = text.get(at + 1..).unwrap_or_default();
        if byte == b'\r' && rest.first() == Some(&b'\n') {
            out.push_str("\r\n");
            column = 0;
            at += 2;
            continue;
        }
        // White space at the end of a line would be lost; a dot or "From " at its start is touched by old relays.
        let at_end = rest.is_empty() || rest.starts_with(b"\r\n");
        let plain = match byte {
            b' ' | b'\t' => !at_end,
            b'=' => false,
            b'.' | b'F' if column == 0 => false,
            33..=126 => true,
            _ => false,
        };
        let width = if plain { 1 } else { 3 };
        if column + width > if at_end { 76 } else { 75 } {
            out.push_str("=\r\n");
            column = 0;
        }
        if plain {
            out.push(char::from(byte));
        } else {
            push_escaped(&mut out, byte);
        }
        column += width;
        at += 1;
    }
    out
}

impl Encoding {
    /// Reads the name, in any case.
    pub fn parse(name: &[u8]) -> Self {
        let known: [(&[u8], Self); 10] = [
            (b"7bit", Self::SevenBit),
            (b"7-bit", Self::SevenBit),
            (b"8-bit", Self::EightBit),
            (b"8bit", Self::EightBit),
            (b"binary", Self::Binary),
            (b"quoted-printable", Self::QuotedPrintable),
            (b"base64", Self::Base64),
            (b"x-uuencode", Self::Uuencode),
            (b"uuencode", Self::Uuencode),
            (b"x-uue", Self::Uuencode),
        ];
        let found = known
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(Self::Unknown, |(_, encoding)| *encoding)
    }

    /// As IMAP and MIME write it; empty for unknown ones.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::Binary => "binary",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
            Self::Uuencode => "x-uuencode",
            Self::Unknown => "",
        }
    }

    /// Whether the stored bytes are the content.
    pub fn is_identity(self) -> bool {
        matches!(self, Self::SevenBit | Self::EightBit | Self::Binary)
    }
}

/// Forgiving: padding or not, odd bits at the end. What it refuses goes the slow way.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Whatever is not of the alphabet is skipped, as RFC 2045 §6.8 asks; padding ends a run, after which a new one
/// may begin (pieces encoded apart and joined).
pub(crate) fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    // Piece by piece, so that a large file is in memory once. A piece holds whole groups: each could begin a run.
    let mut piece = Vec::with_capacity(BASE64_PIECE.min(bytes.len()));
    for line in bytes.split(|&byte| byte == b'\n') {
        let mut line = line.trim_ascii_end();
        while !line.is_empty() {
            let (some, rest) = line.split_at(line.len().min(BASE64_PIECE - piece.len()));
            piece.extend_from_slice(some);
            line = rest;
            if piece.len() == BASE64_PIECE {
                if FORGIVING.decode_vec(&piece, &mut out).is_err() {
                    return decode_base64_slowly(bytes);
                }
                piece.clear();
            }
        }
    }
    match FORGIVING.decode_vec(&piece, &mut out) {
        Ok(()) => out,
        Err(_) => decode_base64_slowly(bytes),
    }
}

/// How much is decoded at once: what the processor has at hand.
const BASE64_PIECE: usize = 16 * 1024;

fn decode_base64_slowly(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &byte in bytes {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                (bits, held) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

/// Soft line breaks go, trailing white space of a line goes, a `=` that begins no escape stays. RFC 2045 §6.7.
pub(crate) fn decode_quoted_printable(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (line, after) = match memchr(b'\n', rest) {
            Some(newline) => rest.split_at(newline + 1),
            None => (rest, &b""[..]),
        };
        rest = after;
        let (text, end) = split_line_end(line);
        let text = if end.is_empty() {
            text
        } else {
            trim_wsp_end(text)
        };
        match text.strip_suffix(b"=") {
            // A line that ends with "=" goes on in the next one.
            Some(soft) => push_unescaped(&mut out, soft),
            None => {
                push_unescaped(&mut out, text);
                out.extend_from_slice(end);
            }
        }
    }
    Cow::Owned(out)
}

fn split_line_end(line: &[u8]) -> (&[u8], &[u8]) {
    let len = if line.ends_with(b"\r\n") {
        2
    } else if line.ends_with(b"\n") {
        1
    } else {
        0
    };
    line.split_at(line.len() - len)
}

fn trim_wsp_end(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

fn push_unescaped(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = memchr(b'=', text) {
        let (before, escape) = text.split_at(at);
        out.extend_from_slice(before);
        match escape.get(1..3).and_then(hex_pair) {
            Some(byte) => {
                out.push(byte);
                text = escape.get(3..).unwrap_or_default();
            }
            None => {
                out.push(b'=');
                text = escape.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(text);
}

/// Two hexadecimal digits as a byte.
pub(crate) fn hex_pair(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    match digits {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    }
}

pub(crate) fn push_escaped(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('=');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// The lines between `begin` and `end`; without a `begin` the bytes stay as they are.
fn decode_uu(bytes: &[u8]) -> Cow<'_, [u8]> {
    let begin = if bytes.starts_with(b"begin ") {
        Some(0)
    } else {
        memmem::find(bytes, b"\nbegin ").map(|newline| newline + 1)
    };
    let Some(begin) = begin else {
        return Cow::Borrowed(bytes);
    };
    let mut out = Vec::new();
    for line in bytes
        .get(begin..)
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
        .skip(1)
    {
        // Spaces are digits here, also at the end.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii_end() == b"end" {
            break;
        }
        let Some((&count, groups)) = line.split_first() else {
            continue;
        };
        let count = usize::from(count.wrapping_sub(32) & 63);
        let start = out.len();
        for group in groups.chunks(4) {
            let value =
                |at: usize| u32::from(group.get(at).map_or(0, |byte| byte.wrapping_sub(32) & 63));
            let bits = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
            out.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
        }
        out.truncate(out.len().min(start + count));
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
