//! Charsets under the names mail gives them.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(label: &str, bytes: &[u8], want: &str) {
    assert_eq!(decode(bytes, Some(label)), want, "{label}");
}

#[test]
fn decodes_what_mail_holds() {
    check("utf-8", "é".as_bytes(), "é");
    check("UTF-8", b"\xef\xbb\xbfa", "a");
    check("iso-8859-1", b"\xe9", "é");
    check("ISO8859_15", b"\xa4", "€");
    check("latin-1", b"\xe9", "é");
    check("us-ascii", b"\xe9", "é");
    check("us-ascii", "é".as_bytes(), "é");
    check("x-unknown", b"\xe9", "é");
    check("", b"\xe9", "é");
    check("cp1251", b"\xe9", "й");
    check("koi8-r", b"\xca", "й");
    check("iso-2022-jp", b"\x1b$B$\"\x1b(B", "あ");
    check("cp932", b"\x82\xa0", "あ");
    check("gb2312", b"\xb0\xa1", "啊");
    check("utf-16le", b"a\0", "a");
    check("utf-7", b"Hi +AOk- +- x", "Hi é + x");
    check("utf-8", b"\xff", "\u{fffd}");
}

proptest! {
    #[test]
    fn any_bytes_under_any_label_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..60), label in "[a-z0-9_ -]{0,14}") {
        let _ = decode(&bytes, Some(&label));
        let _ = decode(&bytes, Some("utf-7"));
        let _ = decode(&bytes, None);
    }
}
