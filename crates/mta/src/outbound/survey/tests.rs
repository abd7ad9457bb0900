//! What is seen in bytes, and line ends made strict.

use super::*;

#[track_caller]
fn check(bytes: &[u8], want: &str) {
    let found = of(bytes);
    let mut words = Vec::new();
    words.extend(found.bare_line_end.then_some("bare"));
    words.extend(found.nul.then_some("nul"));
    words.extend(found.long_line.then_some("long"));
    words.extend(found.eight_bit.then_some("8bit"));
    assert_eq!(words.join(" "), want, "{}", bytes.escape_ascii());
}

#[test]
fn surveys() {
    check(b"", "");
    check(b"a\r\nb\r\n", "");
    check(b"a\nb\r\n", "bare");
    check(b"a\rb\r\n", "bare");
    check(b"a\r\r\n", "bare");
    check(b"a\r", "bare");
    check(b"a\0b", "nul");
    check("ü\r\n".as_bytes(), "8bit");
    check(&[b'a'; 998], "");
    check(&[b'a'; 999], "long");
    check(&[&[b'a'; 999][..], b"\r\nb"].concat(), "long");
    check(&[&[b'a'; 998][..], b"\r\n"].concat(), "");
}

#[test]
fn line_ends() {
    for (from, to) in [
        (&b"a\nb"[..], &b"a\r\nb"[..]),
        (b"a\rb", b"a\r\nb"),
        (b"a\r\r\nb", b"a\r\n\r\nb"),
        (b"\n.\n", b"\r\n.\r\n"),
        (b"\r.\r", b"\r\n.\r\n"),
        (b"\n\r.\n\r", b"\r\n\r\n.\r\n\r\n"),
        (b"a\r\n", b"a\r\n"),
        (b"", b""),
    ] {
        assert_eq!(strict_line_ends(from), to, "{}", from.escape_ascii());
    }
}
