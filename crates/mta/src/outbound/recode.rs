//! Makes a message fit for the way: parts with bare line ends, NUL, long lines or (for servers
//! without 8BITMIME) 8-bit bytes are encoded anew; everything else stays as it was written. RFC 6152 §3.

use std::ops::Range;

use mail::structure::{Kind, Part};
use mail::transfer::{Encoding, encode_base64, encode_quoted_printable};
use mail::{Structure, header};

use super::survey::{self, Survey, strict_line_ends};

/// For servers with 8BITMIME: strict line ends, no NUL, no long lines.
pub(crate) fn for_lines(message: &[u8]) -> Vec<u8> {
    recode(message, |found| !found.travels(), "8bit")
}

/// For servers without 8BITMIME. `None` if the header itself is 8-bit: no encoding of parts helps that.
pub(crate) fn for_seven_bit(message: &[u8]) -> Option<Vec<u8>> {
    let out = recode(message, |found| !found.is_seven_bit(), "7bit");
    out.is_ascii().then_some(out)
}

/// A stretch of the message and what stands there instead.
struct Edit {
    range: Range<usize>,
    text: Vec<u8>,
}

fn recode(message: &[u8], offends: impl Fn(Survey) -> bool, container: &str) -> Vec<u8> {
    let structure = Structure::of(message);
    let mut edits = Vec::new();
    for (at, part) in structure.parts().iter().enumerate() {
        let is_root = at == 0;
        match &part.kind {
            Kind::Leaf | Kind::Message { child: None, .. } => {
                leaf(message, part, is_root, &offends, &mut edits);
            }
            Kind::Multipart { .. } | Kind::Message { child: Some(_), .. } => {
                // RFC 2045 §6.4: a container may only say how wide its content is.
                if matches!(part.encoding, Encoding::EightBit | Encoding::Binary) {
                    relabel(message, &part.header, container, &mut edits);
                }
            }
        }
    }
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    strict_line_ends(&apply(message, edits))
}

fn leaf(
    message: &[u8],
    part: &Part,
    is_root: bool,
    offends: &impl Fn(Survey) -> bool,
    edits: &mut Vec<Edit>,
) {
    let Some(body) = message.get(part.body.clone()) else {
        return;
    };
    let found = survey::of(body);
    // What is encoded already has at most untidy line ends, which are made strict at the end.
    if !part.encoding.is_identity() || !offends(found) {
        return;
    }
    let is_text = part.media_type == "text" && !found.nul;
    if is_text && !found.long_line && !found.eight_bit && part.encoding != Encoding::Binary {
        // Only line ends, and in text those may be made strict.
        return;
    }
    let (name, text) = if is_text {
        (
            "quoted-printable",
            encode_quoted_printable(&strict_line_ends(body)).into_bytes(),
        )
    } else {
        // In a multipart the line end before the next boundary is not the part's.
        let mut text = encode_base64(body).trim_end().to_owned();
        if is_root {
            text.push_str("\r\n");
        }
        ("base64", text.into_bytes())
    };
    relabel(message, &part.header, name, edits);
    if is_root {
        complete_root(message, &part.header, found, edits);
    }
    edits.push(Edit {
        range: part.body.clone(),
        text,
    });
}

/// Says in a part's header how its body is encoded now.
fn relabel(message: &[u8], range: &Range<usize>, name: &str, edits: &mut Vec<Edit>) {
    let Some(block) = message.get(range.clone()) else {
        return;
    };
    for field in header::fields(block).filter(|field| field.is("Content-Transfer-Encoding")) {
        let at = range.start + field.start..range.start + field.end;
        edits.push(Edit {
            range: at,
            text: Vec::new(),
        });
    }
    insert(
        block,
        range,
        format!("Content-Transfer-Encoding: {name}\r\n"),
        edits,
    );
}

/// A message without MIME fields that gets an encoding needs them. RFC 2045 §4, §5.2.
fn complete_root(message: &[u8], range: &Range<usize>, found: Survey, edits: &mut Vec<Edit>) {
    let Some(block) = message.get(range.clone()) else {
        return;
    };
    if header::first(block, "MIME-Version").is_none() {
        insert(block, range, "MIME-Version: 1.0\r\n".to_owned(), edits);
    }
    if header::first(block, "Content-Type").is_none() && found.eight_bit {
        let body = message.get(range.end..).unwrap_or_default();
        let charset = if std::str::from_utf8(body).is_ok() {
            "utf-8"
        } else {
            "unknown-8bit"
        };
        insert(
            block,
            range,
            format!("Content-Type: text/plain; charset={charset}\r\n"),
            edits,
        );
    }
}

/// Adds a field at the end of a header, before its empty line.
fn insert(block: &[u8], range: &Range<usize>, field: String, edits: &mut Vec<Edit>) {
    let empty_line = if block == b"\r\n" || block.ends_with(b"\n\r\n") {
        2
    } else if block == b"\n" || block.ends_with(b"\n\n") {
        1
    } else {
        0
    };
    let at = range.end.saturating_sub(empty_line);
    let text = if empty_line == 0 && !block.is_empty() && !block.ends_with(b"\n") {
        format!("\r\n{field}")
    } else {
        field
    };
    edits.push(Edit {
        range: at..at,
        text: text.into_bytes(),
    });
}

fn apply(message: &[u8], edits: Vec<Edit>) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 2);
    let mut at = 0;
    for edit in edits {
        // Parts do not overlap; should a strange message make them, the first one counts.
        if edit.range.start < at {
            continue;
        }
        out.extend_from_slice(message.get(at..edit.range.start).unwrap_or_default());
        out.extend_from_slice(&edit.text);
        at = edit.range.end;
    }
    out.extend_from_slice(message.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
