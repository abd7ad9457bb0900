//! Sections, BODYSTRUCTURE and the stored form.

use proptest::prelude::*;

use super::*;

/// The example of RFC 9051 §6.4.5.1, with contents that name their parts.
const NESTED: &str = "Subject: root\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n\
--a\r\nContent-Type: text/plain\r\n\r\none\r\n\
--a\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n\
--a\r\nContent-Type: message/rfc822\r\n\r\n\
Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\n\r\nthree.one\r\n\
--b\r\nContent-Type: application/octet-stream\r\n\r\nthree.two\r\n\
--b--\r\n\r\n\
--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n\
--c\r\nContent-Type: image/gif\r\n\r\nfour.one\r\n\
--c\r\nContent-Type: message/rfc822\r\n\r\n\
Subject: four.two\r\n\r\nfour.two.one\r\n\
--c--\r\n\
--a--\r\n";

#[track_caller]
fn check(message: &str, path: &[u32], what: Section, want: Option<&str>) {
    let structure = Structure::of(message.as_bytes());
    let got = structure.section(path, what).map(|range| &message[range]);
    assert_eq!(got, want, "{path:?} {what:?}");
}

#[test]
fn sections_of_nested_parts() {
    use Section::*;
    check(NESTED, &[], Whole, Some(NESTED));
    check(
        NESTED,
        &[],
        Header,
        Some("Subject: root\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n"),
    );
    check(NESTED, &[], Mime, None);
    check(NESTED, &[1], Whole, Some("one"));
    check(NESTED, &[1], Mime, Some("Content-Type: text/plain\r\n\r\n"));
    check(NESTED, &[1], Header, None);
    check(NESTED, &[1], Text, None);
    check(NESTED, &[1, 1], Whole, None);
    check(NESTED, &[2], Whole, Some("two"));
    check(
        NESTED,
        &[3],
        Mime,
        Some("Content-Type: message/rfc822\r\n\r\n"),
    );
    check(
        NESTED,
        &[3],
        Header,
        Some("Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"),
    );
    check(NESTED, &[3, 1], Whole, Some("three.one"));
    check(NESTED, &[3, 1], Mime, Some("\r\n"));
    check(NESTED, &[3, 2], Whole, Some("three.two"));
    check(NESTED, &[3, 3], Whole, None);
    check(
        NESTED,
        &[4, 1],
        Mime,
        Some("Content-Type: image/gif\r\n\r\n"),
    );
    check(NESTED, &[4, 2], Header, Some("Subject: four.two\r\n\r\n"));
    check(NESTED, &[4, 2], Text, Some("four.two.one"));
    check(NESTED, &[4, 2, 1], Whole, Some("four.two.one"));
    check(NESTED, &[4, 2, 1], Mime, Some("Subject: four.two\r\n\r\n"));
    check(NESTED, &[4, 2, 2], Whole, None);
    check(NESTED, &[0], Whole, None);
    check(NESTED, &[u32::MAX], Whole, None);
    check(NESTED, &[5], Whole, None);
}

#[test]
fn sections_of_a_plain_message() {
    use Section::*;
    for message in ["Subject: x\r\n\r\nbody\r\n", "Subject: x\n\nbody\n"] {
        let (header, body) = message.split_at(
            message.len()
                - message.split("\n").last().unwrap().len()
                - message[message.find("body").unwrap()..].len(),
        );
        check(message, &[], Text, Some(body));
        check(message, &[], Header, Some(header));
        check(message, &[1], Whole, Some(body));
        check(message, &[1], Mime, Some(header));
        check(message, &[1], Text, None);
        check(message, &[2], Whole, None);
        check(message, &[1, 1], Whole, None);
    }
    let wrapped = "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody";
    check(wrapped, &[1], Header, Some("Subject: x\r\n\r\n"));
    check(wrapped, &[1, 1], Whole, Some("body"));
}

#[track_caller]
fn check_text(message: &str, extension: Extension, want: &str) {
    let text = Structure::of(message.as_bytes()).body_structure(extension);
    assert_eq!(String::from_utf8_lossy(&text), want);
}

#[test]
fn body_structures() {
    check_text(
        "\r\nbody\r\n",
        Extension::Without,
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1)",
    );
    check_text(
        "\r\nbody\r\n",
        Extension::With,
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1 NIL NIL NIL NIL)",
    );
    check_text(
        "Content-Type: Text/HTML\r\nContent-ID: <i@d>\r\nContent-Description: a \"d\"\r\nContent-MD5: m==\r\n\
         Content-Disposition: attachment; filename=\"x y\"\r\nContent-Language: en, de\r\nContent-Location: u/v\r\n\
         Content-Transfer-Encoding: X-Odd\r\n\r\n",
        Extension::With,
        "(\"text\" \"html\" NIL \"<i@d>\" \"a \\\"d\\\"\" \"x-odd\" 0 0 \"m==\" (\"attachment\" (\"filename\" \"x y\")) (\"en\" \"de\") \"u/v\")",
    );
    check_text(
        NESTED,
        Extension::Without,
        "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 0)(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 3)\
         (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 144 (NIL \"three\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 9 0)\
         (\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 9) \"mixed\") 11)\
         ((\"image\" \"gif\" NIL NIL NIL \"7bit\" 8)\
         (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 33 (NIL \"four.two\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 12 0) 2) \"mixed\") \"mixed\")",
    );
    check_text(
        "Content-Type: multipart/alternative; boundary=b; x=y\r\nContent-Disposition: inline\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\n--b--",
        Extension::With,
        "((\"a\" \"b\" NIL NIL NIL \"7bit\" 0 NIL NIL NIL NIL) \"alternative\" (\"boundary\" \"b\" \"x\" \"y\") (\"inline\" NIL) NIL NIL)",
    );
    check_text(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
        Extension::Without,
        "(\"message\" \"rfc822\" NIL NIL NIL \"base64\" 4 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0) 0)",
    );
}

#[test]
fn attachments_are_what_a_person_calls_so() {
    let has = |headers: &str| {
        Structure::of(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{headers}\r\n\r\nx\r\n--b--").as_bytes()).has_attachment()
    };
    assert!(has("Content-Disposition: attachment"));
    assert!(has("Content-Type: application/pdf"));
    assert!(has("Content-Type: message/rfc822"));
    assert!(has("Content-Type: text/plain; name=x.txt"));
    assert!(has("Content-Type: image/png"));
    assert!(!has("Content-Type: text/html"));
    assert!(!has(
        "Content-Type: image/png\r\nContent-ID: <x>\r\nContent-Disposition: inline; filename=logo.png"
    ));
    assert!(!has(
        "Content-Type: application/pgp-signature; name=signature.asc"
    ));
    assert!(!has("Content-Type: message/delivery-status"));
}

#[test]
fn the_stored_form_is_checked() {
    let structure = Structure::of(NESTED.as_bytes());
    let stored = structure.encode();
    assert_eq!(Structure::decode(&stored), Ok(structure));
    assert_eq!(Structure::decode(&[]), Err(StructureError::Damaged));
    assert_eq!(
        Structure::decode(&[9, 1, 2]),
        Err(StructureError::Version(9))
    );
    for len in 1..stored.len() {
        assert_eq!(
            Structure::decode(&stored[..len]),
            Err(StructureError::Damaged),
            "{len}"
        );
    }
    let longer = [&stored[..], &[0]].concat();
    assert_eq!(Structure::decode(&longer), Err(StructureError::Damaged));
}

proptest! {
    #[test]
    fn damaged_forms_are_survived(at in 0_usize..400, byte: u8) {
        let mut stored = Structure::of(NESTED.as_bytes()).encode();
        let len = stored.len();
        stored[at % len] = byte;
        if let Ok(structure) = Structure::decode(&stored) {
            let _ = structure.body_structure(Extension::With);
            let _ = structure.section(&[3, 1], Section::Whole);
            let _ = structure.has_attachment();
        }
    }

    #[test]
    fn any_message_is_survived(pieces in prop::collection::vec(prop::sample::select(vec![
        "Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: multipart/digest; boundary=c\n",
        "Content-Type: message/rfc822\r\n", "\r\n", "\n", "--b\r\n", "--b--\r\n", "--c\n", "--c--", "text\r\n", "X: y\r\n",
        "Content-Transfer-Encoding: base64\r\n", " folded\r\n", "\r", "--", "Content-Type: text/plain\r\n",
    ]), 0..40)) {
        let message = pieces.concat();
        let structure = Structure::of(message.as_bytes());
        prop_assert_eq!(crate::structure::tests::nesting_fault(&structure, message.len()), None);
        prop_assert_eq!(Structure::decode(&structure.encode()), Ok(structure.clone()));
        let _ = structure.body_structure(Extension::With);
    }
}

/// Whether each part lies inside the body of the one around it, and header and body follow one another.
fn nesting_fault(structure: &Structure, len: usize) -> Option<String> {
    let parts = structure.parts();
    let root = structure.root();
    if root.header.start != 0 || root.body.end != len {
        return Some(format!("root {root:?} of {len}"));
    }
    for part in parts {
        if part.header.start > part.header.end
            || part.header.end > part.body.start
            || part.body.start > part.body.end
        {
            return Some(format!("{part:?}"));
        }
        let inside: Vec<usize> = match &part.kind {
            Kind::Leaf => vec![],
            Kind::Multipart { children } => children.clone(),
            Kind::Message { child, .. } => child.iter().copied().collect(),
        };
        let mut at = part.body.start;
        for child in inside {
            let child = &parts[child];
            if child.header.start < at || child.body.end > part.body.end {
                return Some(format!("{child:?} in {part:?}"));
            }
            at = child.body.end;
        }
    }
    None
}
