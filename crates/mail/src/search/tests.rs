//! What is in a message is found, whatever it was wrapped in.

use super::*;
use proptest::prelude::*;

const MESSAGE: &[u8] = b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n\
Subject: A rather\r\n long subject\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\
\r\n\
preamble\r\n\
--b\r\n\
Content-Type: text/plain; charset=iso-8859-1\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
Sch=F6ne Gr=FC=\r\n=DFe and needle\r\n\
--b\r\n\
Content-Type: text/html; charset=utf-8\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
PGI+SGF5c3RhY2s8L2I+\r\n\
--b\r\n\
Content-Type: text/plain; charset=iso-2022-jp\r\n\
\r\n\
\x1b$B$\"$$\x1b(B\r\n\
--b\r\n\
Content-Type: application/octet-stream\r\n\
\r\n\
binary\r\n\
--b\r\n\
Content-Type: message/rfc822\r\n\
\r\n\
Subject: the inner one\r\n\
\r\n\
inner text\r\n\
--b--\r\n";

#[track_caller]
fn check(text: &str, in_header: bool, in_body: bool) {
    let structure = Structure::of(MESSAGE);
    let needle = Needle::new(text);
    assert_eq!(
        needle.in_header(MESSAGE, &structure),
        in_header,
        "header: {text}"
    );
    assert_eq!(needle.in_body(MESSAGE, &structure), in_body, "body: {text}");
    assert_eq!(
        needle.in_message(MESSAGE, &structure),
        in_header || in_body,
        "message: {text}"
    );
}

#[test]
fn finds_what_is_there() {
    check("jürgen", true, false);
    check("JÜRGEN", true, false);
    check("rather long", true, false);
    check("subject: a", true, false);
    check("subject", true, true);
    check("schöne GRÜSSE", false, false);
    check("SCHÖNE GRÜß", false, true);
    check("NEEDLE", false, true);
    check("haystack", false, true);
    check("あい", false, true);
    check("the inner", false, true);
    check("INNER TEXT", false, true);
    check("binary", false, false);
    check("preamble", false, false);
    check("nowhere", false, false);
    check("", true, true);
}

#[test]
fn fields_are_looked_at_by_name() {
    let has = |name: &str, text: &str| Needle::new(text).in_field(MESSAGE, name);
    assert!(has("from", "jürgen") && has("FROM", "example.ORG") && has("Subject", "rather long"));
    assert!(has("subject", "") && !has("x-none", "") && !has("subject", "inner"));
}

proptest! {
    #[test]
    fn the_quick_way_finds_what_the_slow_way_finds(hay in "[a-cA-C \\.]{0,40}", text in "[a-cA-C ]{0,4}") {
        let slow = hay.to_lowercase().contains(&text.to_lowercase());
        prop_assert_eq!(Needle::new(&text).in_text(&hay), slow);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,6}") {
        let structure = Structure::of(&bytes);
        let _ = Needle::new(&text).in_message(&bytes, &structure);
        let _ = Needle::new(&text).in_field(&bytes, "subject");
    }
}
