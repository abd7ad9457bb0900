//! Decoding forgives, encoding is exact, and both together change nothing.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(encoding: Encoding, encoded: &[u8], want: &[u8]) {
    let got = decode_transfer(encoded, encoding);
    assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(want));
}

#[test]
fn quoted_printable_forgives() {
    let qp = Encoding::QuotedPrintable;
    check(qp, b"a=3Db=\r\nc=\n d  \r\ne", b"a=bc d\r\ne");
    check(qp, b"soft= \t\r\nbreak", b"softbreak");
    check(qp, b"bad =ZZ = =4", b"bad =ZZ = =4");
    check(qp, b"lower=c3=a9 ", "loweré ".as_bytes());
    check(qp, b"end=", b"end");
    check(qp, b"", b"");
}

#[test]
fn base64_forgives() {
    let b64 = Encoding::Base64;
    check(b64, b"aGVs\r\nbG8=\r\n", b"hello");
    check(b64, b"aGVsbG8", b"hello");
    check(b64, b"aGVs bG8=", b"hello");
    check(b64, b"aGVsbG8=\r\naGVsbG8=\r\n", b"hellohello");
    check(b64, b"!a*G-V_sbG8=", b"hello");
    check(b64, b"A", b"");
    check(b64, b"====", b"");
}

#[test]
fn uuencode_is_read() {
    check(
        Encoding::Uuencode,
        b"x\nbegin 644 f\n%:&5L;&\\ \n`\nend\ny",
        b"hello",
    );
    check(
        Encoding::Uuencode,
        b"begin 644 f\r\n&    04%!\r\n`\r\nend\r\n",
        b"\0\0\0AAA",
    );
    check(
        Encoding::Uuencode,
        b"begin 644 f\r\n#    \r\n`\r\nend\r\n",
        b"\0\0\0",
    );
    check(Encoding::Uuencode, b"no begin", b"no begin");
}

#[test]
fn names_are_read_in_any_case() {
    assert_eq!(
        Encoding::parse(b"Quoted-PRINTABLE"),
        Encoding::QuotedPrintable
    );
    assert_eq!(Encoding::parse(b"x-gzip64"), Encoding::Unknown);
    assert_eq!(Encoding::parse(b""), Encoding::Unknown);
}

proptest! {
    #[test]
    fn base64_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let encoded = encode_base64(&bytes);
        prop_assert!(encoded.lines().all(|line| line.len() <= 76));
        prop_assert_eq!(&*decode_transfer(encoded.as_bytes(), Encoding::Base64), &bytes[..]);
    }

    #[test]
    fn quoted_printable_round_trip(lines in prop::collection::vec("[ -~\\té=.F]{0,90}", 0..6)) {
        let text = lines.join("\r\n");
        let encoded = encode_quoted_printable(text.as_bytes());
        prop_assert!(encoded.is_ascii());
        prop_assert!(encoded.split("\r\n").all(|line| line.len() <= 76));
        prop_assert_eq!(&*decode_transfer(encoded.as_bytes(), Encoding::QuotedPrintable), text.as_bytes());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for encoding in [Encoding::Base64, Encoding::QuotedPrintable, Encoding::Uuencode] {
            prop_assert!(decode_transfer(&bytes, encoding).len() <= bytes.len());
        }
    }
}
