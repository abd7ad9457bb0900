//! Changes land where the filter meant them, and nothing else moves.

use super::*;
use proptest::prelude::*;

const MESSAGE: &[u8] =
    b"Received: a\r\nSubject: one\r\n two\r\nX: 1\r\nno field\r\nx: 2\r\n\r\nbody\r\n";

fn edited(changes: &[Change]) -> String {
    String::from_utf8(apply(MESSAGE, changes).unwrap()).unwrap()
}

fn change(number: u32, name: &str, value: &str) -> Change {
    Change::ChangeHeader {
        number,
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    }
}

#[test]
fn fields_are_added_at_the_end_and_inserted_by_place() {
    let add = Change::AddHeader {
        name: "A".to_owned(),
        value: b" b".to_vec(),
    };
    let insert = |at| Change::InsertHeader {
        at,
        name: "I".to_owned(),
        value: b" n".to_vec(),
    };
    assert!(edited(&[add]).ends_with("x: 2\r\nA: b\r\n\r\nbody\r\n"));
    assert!(edited(&[insert(0)]).starts_with("I: n\r\nReceived: a\r\n"));
    assert!(edited(&[insert(1)]).starts_with("Received: a\r\nI: n\r\nSubject"));
    assert!(edited(&[insert(u32::MAX)]).contains("x: 2\r\nI: n\r\n\r\nbody"));
}

#[test]
fn fields_are_changed_and_deleted_by_number() {
    assert!(edited(&[change(2, "X", " new")]).contains("X: 1\r\nno field\r\nX: new\r\n\r\n"));
    assert!(edited(&[change(1, "x", "")]).contains("two\r\nno field\r\nx: 2\r\n"));
    // The second is the first once that is gone.
    let both = edited(&[change(1, "X", ""), change(1, "X", "")]);
    assert!(both.contains("two\r\nno field\r\n\r\nbody"), "{both}");
    assert!(edited(&[change(1, "subject", " s")]).contains("subject: s\r\nX: 1"));
    assert!(edited(&[change(9, "X", " more")]).contains("x: 2\r\nX: more\r\n\r\n"));
    assert_eq!(edited(&[change(9, "X", "")]).as_bytes(), MESSAGE);
}

#[test]
fn a_new_body_has_strict_lines() {
    let body = Change::ReplaceBody(b"a\nb\rc\r\nd\0".to_vec());
    assert!(edited(&[body]).ends_with("x: 2\r\n\r\na\r\nb\r\nc\r\nd\r\n"));
}

#[test]
fn what_concerns_the_envelope_changes_no_message() {
    assert_eq!(apply(MESSAGE, &[Change::Quarantine("q".to_owned())]), None);
}

#[test]
fn a_message_without_end_of_header_gets_one() {
    let add = Change::AddHeader {
        name: "A".to_owned(),
        value: b" b".to_vec(),
    };
    assert_eq!(apply(b"S: x", &[add]).unwrap(), b"S: x\r\nA: b\r\n\r\n");
}

proptest! {
    #[test]
    fn nothing_else_moves(message in "[ab:\\r\\n \\t]{0,60}", at in 0u32..5) {
        let insert = Change::InsertHeader { at, name: "Z".to_owned(), value: b" z".to_vec() };
        let out = apply(message.as_bytes(), &[insert]).unwrap();
        prop_assert!(header::fields(&out).any(|field| field.is("Z")));
        // Taken out again, all that was there before is there, but for line ends that were missing.
        let back = apply(&out, &[change(1, "Z", "")]).unwrap();
        let bare = |bytes: &[u8]| bytes.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect::<Vec<_>>();
        prop_assert_eq!(bare(&back), bare(message.as_bytes()));
    }
}
