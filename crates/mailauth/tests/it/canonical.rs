//! The relaxed canonical forms, by the examples of RFC 6376 §3.4.5 and by comparison with a
//! plain, slow reading of §3.4.4.

use mailauth::dkim::{BodyHash, relaxed_field};
use proptest::prelude::*;

#[track_caller]
fn body(text: &[u8], canonical: &[u8]) {
    let want = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical);
    assert_eq!(BodyHash::of(text), want.as_ref(), "{}", text.escape_ascii());
    for cut in 0..text.len() {
        let mut hash = BodyHash::new();
        hash.update(&text[..cut]);
        hash.update(&text[cut..]);
        assert_eq!(
            hash.finish(),
            want.as_ref(),
            "{} cut at {cut}",
            text.escape_ascii()
        );
    }
}

#[test]
fn bodies() {
    body(b"", b"");
    body(b"\r\n", b"");
    body(b"\r\n\r\n\r\n", b"");
    body(b" \t", b"");
    body(b" \t\r\n", b"");
    body(b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n");
    body(b"no line end", b"no line end\r\n");
    body(b"a\r\n\r\n b", b"a\r\n\r\n b\r\n");
    body(b"a\r\n \r\nb\r\n \r\n", b"a\r\n\r\nb\r\n");
    body(b"bare\rcr\nlf\r\n", b"bare\rcr\nlf\r\n");
    body(b"end\r", b"end\r\r\n");
    body(b"a \r\r\n", b"a \r\r\n");
}

#[test]
fn fields() {
    let check = |name: &[u8], value: &[u8], want: &[u8]| {
        let mut out = Vec::new();
        relaxed_field(name, value, &mut out);
        assert_eq!(out, want, "{}", out.escape_ascii());
    };
    check(b"A", b" X\r\n", b"a:X");
    check(b"B ", b" Y\t\r\n\tZ  \r\n", b"b:Y Z");
    check(b"Subject", b"", b"subject:");
}

fn slow(body: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = body.to_vec();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut line = Vec::new();
    let mut i = 0;
    while i < text.len() {
        if text[i..].starts_with(b"\r\n") {
            lines.push(std::mem::take(&mut line));
            i += 2;
        } else {
            line.push(text[i]);
            i += 1;
        }
    }
    lines.push(line);
    let mut reduced: Vec<Vec<u8>> = lines
        .into_iter()
        .map(|line| {
            let mut out = Vec::new();
            for byte in line {
                let byte = if byte == b'\t' { b' ' } else { byte };
                if byte != b' ' || out.last() != Some(&b' ') {
                    out.push(byte);
                }
            }
            if out.last() == Some(&b' ') {
                out.pop();
            }
            out
        })
        .collect();
    while reduced.last().is_some_and(Vec::is_empty) {
        reduced.pop();
    }
    reduced
        .into_iter()
        .flat_map(|line| [line, b"\r\n".to_vec()].concat())
        .collect()
}

proptest! {
    #[test]
    fn same_as_the_slow_reading(text in "[ab \t\r\n]{0,60}", cut in 0usize..60) {
        let bytes = text.as_bytes();
        let want = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &slow(bytes));
        let cut = cut.min(bytes.len());
        let mut hash = BodyHash::new();
        hash.update(&bytes[..cut]);
        hash.update(&bytes[cut..]);
        let found = hash.finish();
        prop_assert_eq!(found.as_slice(), want.as_ref());
    }
}
