//! Values with parameters: Content-Type and Content-Disposition. RFC 2045 §5.1, RFC 2183.
//! Pieces of RFC 2231 are joined; their percent-encoding is kept until somebody asks for text.

use std::borrow::Cow;

use crate::lexer::{Cursor, is_space};
use crate::limits::{PARAMETER_BYTES_MAX, PARAMETERS_MAX};
use crate::transfer::hex_pair;

/// Names in lower case (`filename*` when the value is percent-encoded with a charset, RFC 2231 §4), raw values.
pub type Parameters = Vec<(String, Vec<u8>)>;

/// `type/subtype; name=value…` or `disposition; name=value…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameterised {
    /// What stands before the first semicolon, lower case, without white space and comments.
    pub value: String,
    /// Each name once: the first wins.
    pub parameters: Parameters,
}

/// Reads a raw value. Never fails: what cannot be read is left out.
pub fn parse(value: &[u8]) -> Parameterised {
    let mut cursor = Cursor::new(value);
    cursor.skip_cfws();
    let main = cursor.take_while(|byte| byte != b';' && byte != b'(');
    let value = main
        .iter()
        .filter(|byte| !is_space(**byte))
        .map(u8::to_ascii_lowercase)
        .collect();
    let mut pieces = Pieces::default();
    while pieces.count < PARAMETERS_MAX {
        // Up to the next semicolon; none is forgiven when a name and "=" follow all the same.
        cursor.skip_cfws();
        while cursor.eat(b';') {
            cursor.skip_cfws();
        }
        if cursor.peek().is_none() {
            break;
        }
        let name = cursor.take_while(|byte| !matches!(byte, b'=' | b';'));
        if cursor.eat(b'=') {
            cursor.skip_cfws();
            let value = parameter_value(&mut cursor);
            pieces.add(name.trim_ascii(), value);
        }
    }
    Parameterised {
        value: to_text(value),
        parameters: pieces.join(),
    }
}

/// The decoded value of a parameter, whether it came with a charset or plain. RFC 2231 §4; encoded words, which
/// have no place there, are decoded all the same.
pub fn text(parameters: &[(String, Vec<u8>)], name: &str) -> Option<String> {
    let extended = |known: &str| known.strip_suffix('*') == Some(name);
    if let Some((_, value)) = parameters.iter().find(|(known, _)| extended(known)) {
        return Some(decode_extended(value));
    }
    let (_, value) = parameters.iter().find(|(known, _)| known == name)?;
    Some(crate::words::decode(value))
}

fn parameter_value<'a>(cursor: &mut Cursor<'a>) -> Cow<'a, [u8]> {
    if cursor.peek() == Some(b'"') {
        let value = cursor.quoted();
        // Whatever stands between the quotes and the semicolon is lost, unless it looks like the next parameter.
        cursor.skip_cfws();
        if !looks_like_parameter(cursor.rest()) {
            cursor.take_while(|byte| byte != b';');
        }
        return value;
    }
    let rest = cursor.rest();
    let mut len = 0;
    while let Some(&byte) = rest.get(len) {
        let after_space = len > 0 && rest.get(len - 1).is_some_and(|&before| is_space(before));
        let here = rest.get(len..).unwrap_or_default();
        if byte == b';'
            || after_space && (byte == b'(' || !is_space(byte) && looks_like_parameter(here))
        {
            break;
        }
        len += 1;
    }
    cursor.advance(len);
    crate::header::unfold(rest.get(..len).unwrap_or_default())
}

/// A name and "=", near.
fn looks_like_parameter(bytes: &[u8]) -> bool {
    let is_token =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'.');
    let len = bytes
        .iter()
        .take(80)
        .take_while(|byte| is_token(byte))
        .count();
    len > 0 && bytes.get(len) == Some(&b'=')
}

/// Parameters as they come in, before their continuations are joined.
#[derive(Default)]
struct Pieces<'a> {
    pieces: Vec<Piece<'a>>,
    count: usize,
}

/// `name`, `name*`, `name*0` or `name*0*`.
struct Piece<'a> {
    name: String,
    index: Option<u32>,
    is_extended: bool,
    value: Cow<'a, [u8]>,
}

impl<'a> Pieces<'a> {
    fn add(&mut self, name: &[u8], value: Cow<'a, [u8]>) {
        self.count += 1;
        let name = to_text(name.to_ascii_lowercase());
        let (base, is_extended) = match name.strip_suffix('*') {
            Some(base) => (base, true),
            None => (name.as_str(), false),
        };
        let (base, index) = match base.rsplit_once('*') {
            Some((base, digits)) => (base, digits.parse().ok()),
            None => (base, None),
        };
        if !base.is_empty() {
            self.pieces.push(Piece {
                name: base.to_owned(),
                index,
                is_extended,
                value,
            });
        }
    }

    /// The form that can say more wins over the plain one, which is there for old programs. RFC 6266 §4.3.
    fn join(self) -> Parameters {
        if self
            .pieces
            .iter()
            .all(|piece| piece.index.is_none() && !piece.is_extended)
        {
            return unique(self.pieces);
        }
        let mut out: Parameters = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let same = |known: &str| known.strip_suffix('*').unwrap_or(known) == piece.name;
            if out.iter().any(|(known, _)| same(known)) {
                continue;
            }
            let mut all: Vec<_> = self
                .pieces
                .iter()
                .filter(|other| other.name == piece.name)
                .collect();
            if all.iter().any(|other| other.index.is_some()) {
                all.retain(|other| other.index.is_some());
                all.sort_by_key(|other| other.index);
                all.dedup_by_key(|other| other.index);
            } else {
                all.sort_by_key(|other| !other.is_extended);
                all.truncate(1);
            }
            out.push(joined(&piece.name, &all));
        }
        out
    }
}

fn unique(pieces: Vec<Piece<'_>>) -> Parameters {
    let mut out: Parameters = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if !out.iter().any(|(known, _)| *known == piece.name) {
            let mut value = piece.value.into_owned();
            value.truncate(PARAMETER_BYTES_MAX);
            out.push((piece.name, value));
        }
    }
    out
}

fn joined(name: &str, pieces: &[&Piece<'_>]) -> (String, Vec<u8>) {
    let is_extended = pieces.iter().any(|piece| piece.is_extended);
    let mut value = Vec::new();
    if is_extended && pieces.first().is_some_and(|first| !first.is_extended) {
        value.extend_from_slice(b"''");
    }
    for piece in pieces {
        if is_extended && !piece.is_extended {
            for &byte in &*piece.value {
                push_percent(&mut value, byte);
            }
        } else {
            value.extend_from_slice(&piece.value);
        }
    }
    value.truncate(PARAMETER_BYTES_MAX);
    (
        if is_extended {
            format!("{name}*")
        } else {
            name.to_owned()
        },
        value,
    )
}

/// `attribute-char` of RFC 2231 §7 stands for itself.
fn push_percent(out: &mut Vec<u8>, byte: u8) {
    if byte.is_ascii_graphic() && !b"*'%()<>@,;:\\\"/[]?=".contains(&byte) {
        out.push(byte);
    } else {
        out.extend_from_slice(format!("%{byte:02X}").as_bytes());
    }
}

/// `charset'language'percent-encoded`; without the quotes the whole is the value.
fn decode_extended(value: &[u8]) -> String {
    let mut pieces = value.splitn(3, |&byte| byte == b'\'');
    let (charset, encoded) = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(encoded)) => (std::str::from_utf8(charset).ok(), encoded),
        _ => (None, value),
    };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match after.get(..2).and_then(hex_pair) {
            Some(escaped) if byte == b'%' => {
                bytes.push(escaped);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(byte),
        }
    }
    crate::charset::decode(&bytes, charset)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn to_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests;
