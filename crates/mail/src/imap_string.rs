//! IMAP strings as a server sends them: quoted where that is legal, literals otherwise. RFC 9051 §4.3.
//! Legal for every client, with UTF8=ACCEPT or without: bytes beyond ASCII go in literals.

use crate::limits::{FIELD_VALUE_BYTES_MAX, QUOTED_STRING_BYTES_MAX};

pub(crate) fn push_nstring(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => push_string(out, text),
        None => out.extend_from_slice(b"NIL"),
    }
}

pub(crate) fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    let text = text.get(..FIELD_VALUE_BYTES_MAX).unwrap_or(text);
    let mut escapes = false;
    let mut quotable = text.len() <= QUOTED_STRING_BYTES_MAX;
    for &byte in text {
        escapes |= byte == b'"' || byte == b'\\';
        quotable &= byte < 0x80 && byte != 0 && byte != b'\r' && byte != b'\n';
    }
    if !quotable {
        push_literal(out, text);
        return;
    }
    out.push(b'"');
    if escapes {
        for &byte in text {
            if byte == b'"' || byte == b'\\' {
                out.push(b'\\');
            }
            out.push(byte);
        }
    } else {
        out.extend_from_slice(text);
    }
    out.push(b'"');
}

/// NUL has no place in a literal (only in `literal8`), and nothing to say in a header: it is left out.
fn push_literal(out: &mut Vec<u8>, text: &[u8]) {
    let nuls = memchr::memchr_iter(0, text).count();
    push_number_in(out, b'{', text.len() - nuls);
    out.extend_from_slice(b"}\r\n");
    if nuls == 0 {
        out.extend_from_slice(text);
    } else {
        out.extend(text.iter().filter(|&&byte| byte != 0));
    }
}

fn push_number_in(out: &mut Vec<u8>, open: u8, number: usize) {
    out.push(open);
    push_number(out, number);
}

pub(crate) fn push_number(out: &mut Vec<u8>, mut number: usize) {
    let mut digits = [0_u8; 20];
    let mut count = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (number % 10) as u8;
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - count..).unwrap_or_default());
}
