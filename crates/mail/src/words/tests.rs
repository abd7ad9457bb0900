//! Encoded words, the well-made and the others.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(value: &str, want: &str) {
    assert_eq!(decode(value.as_bytes()), want, "{value}");
}

#[test]
fn decodes_the_examples_of_rfc_2047() {
    check("=?ISO-8859-1?Q?a?=", "a");
    check("=?ISO-8859-1?Q?a?= b", "a b");
    check("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab");
    check("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab");
    check("=?ISO-8859-1?Q?a?=\r\n   =?ISO-8859-1?Q?b?=", "ab");
    check("=?ISO-8859-1?Q?a_b?=", "a b");
    check("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b");
    check(
        "=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>",
        "Patrik Fältström <paf@nada.kth.se>",
    );
    check(
        "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
        "If you can read this you understand the example.",
    );
    check("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore");
}

#[test]
fn forgives() {
    check("plain", "plain");
    check("  folded\r\n line ", "folded line");
    check("=?utf-8?q?two words?=", "two words");
    check("x=?utf-8?q?=C3=A9?=y", "xéy");
    check("=?utf-8?b?w6k?=", "é");
    check("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é");
    check(
        "=?utf-8?x?a?= =?utf-8?q?a =?",
        "=?utf-8?x?a?= =?utf-8?q?a =?",
    );
    check("=?utf-8?q??=", "");
    check(
        "=?iso-2022-jp?b?GyRCJCIbKEI=?= =?iso-2022-jp?b?GyRCJCQbKEI=?=",
        "あい",
    );
    check("=?nonsense?q?=E9?=", "é");
    check("=?utf-8?q?a=0D=0Ab=00?=", "a  b ");
    assert_eq!(decode(b"raw \xe9"), "raw é");
    assert_eq!(decode("raw é".as_bytes()), "raw é");
}

#[test]
fn encodes_what_must_be() {
    assert_eq!(encode("plain text"), "plain text");
    assert_eq!(encode("Grüße"), "=?utf-8?b?R3LDvMOfZQ==?=");
    assert_eq!(
        encode("one é in a longer line"),
        "=?utf-8?q?one_=C3=A9_in_a_longer_line?="
    );
    assert_eq!(encode("a =? b"), "=?utf-8?b?YSA9PyBi?=");
}

proptest! {
    #[test]
    fn round_trip(text in "[ -~éßあ😀]{0,120}") {
        let encoded = encode(&text);
        prop_assert!(encoded.is_ascii());
        if encoded != text {
            prop_assert!(encoded.split(' ').all(|word| word.len() <= 75));
            prop_assert_eq!(decode(encoded.as_bytes()), text);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_near_miss_is_survived(text in "[=?qbQButf8 _A-C0-9-]{0,60}") {
        let _ = decode(text.as_bytes());
    }
}
