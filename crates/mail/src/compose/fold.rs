//! Header fields folded into lines. RFC 5322 §2.2.3.

use crate::limits::{LINE_BYTES_MAX, LINE_CHARS_WANTED};

/// Writes `name: value`, folded at spaces, with its line end. Line ends and other control characters in the value
/// become spaces: nothing can be smuggled into the header.
pub fn push_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut column = name.len() + 1;
    let clean: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    for word in clean.split(' ').filter(|word| !word.is_empty()) {
        if column + 1 + word.len() > LINE_CHARS_WANTED && column > name.len() + 1 {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
        out.push(b' ');
        column += 1;
        column = push_word(out, word, column);
    }
    out.extend_from_slice(b"\r\n");
}

/// A word too long for any line is cut where it must be. RFC 5322 §2.1.1.
fn push_word(out: &mut Vec<u8>, word: &str, mut column: usize) -> usize {
    let mut rest = word;
    while column + rest.len() > LINE_BYTES_MAX {
        let (line, after) = rest.split_at(rest.floor_char_boundary(LINE_BYTES_MAX - column));
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n ");
        rest = after;
        column = 1;
    }
    out.extend_from_slice(rest.as_bytes());
    column + rest.len()
}
