//! What is encoded anew, and what is left as it was.

use super::*;

#[track_caller]
fn check(got: &[u8], want: &str) {
    assert_eq!(String::from_utf8_lossy(got), want);
}

#[test]
fn a_text_of_eight_bits() {
    let message = "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\nGr\u{fc}\u{df}e\r\n";
    check(
        &for_seven_bit(message.as_bytes()).unwrap(),
        "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n",
    );
    // Nothing to do for a server that takes eight bits.
    check(&for_lines(message.as_bytes()), message);
}

#[test]
fn a_message_without_mime_fields_gets_them() {
    let got = for_seven_bit("From: a@b.example\r\n\r\n\u{fc}\r\n".as_bytes()).unwrap();
    let text = String::from_utf8(got).unwrap();
    for field in [
        "MIME-Version: 1.0\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "\r\n\r\n=C3=BC\r\n",
    ] {
        assert!(text.contains(field), "{field:?} in {text:?}");
    }
}

#[test]
fn only_the_part_that_needs_it() {
    let message = "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\n--x\r\n\r\nplain\r\n--x\r\nContent-Type: application/octet-stream\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\n\u{fc}\r\n--x--\r\n";
    check(
        &for_seven_bit(message.as_bytes()).unwrap(),
        "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\
         Content-Transfer-Encoding: 7bit\r\n\r\n--x\r\n\r\nplain\r\n--x\r\nContent-Type: application/octet-stream\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nw7w=\r\n--x--\r\n",
    );
}

#[test]
fn line_ends_are_made_strict_and_binary_is_encoded() {
    check(
        &for_lines(b"From: a@b.example\r\n\r\na\n.\nb\r\n"),
        "From: a@b.example\r\n\r\na\r\n.\r\nb\r\n",
    );
    let binary = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: image/x\r\n\
        Content-Transfer-Encoding: binary\r\n\r\n\0\r\n.\r\n\n";
    let got = String::from_utf8(for_lines(binary)).unwrap();
    assert!(
        got.contains("Content-Transfer-Encoding: base64\r\n"),
        "{got}"
    );
    assert!(survey::of(got.as_bytes()).is_seven_bit(), "{got}");
}

#[test]
fn long_lines_are_encoded_never_cut() {
    let message = format!("From: a@b.example\r\n\r\n{}\r\n", "x".repeat(3_000));
    let got = for_lines(message.as_bytes());
    assert!(survey::of(&got).travels());
    let text = String::from_utf8(got).unwrap();
    assert!(text.contains("quoted-printable"));
    let body = text.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body.replace("=\r\n", "").trim_end(), "x".repeat(3_000));
}

#[test]
fn an_eight_bit_header_cannot_be_helped() {
    assert!(for_seven_bit("Subject: \u{fc}\r\n\r\nx\r\n".as_bytes()).is_none());
}
