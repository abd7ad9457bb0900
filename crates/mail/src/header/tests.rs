//! Fields come out with the right names, values and places, whatever the line ends.

use super::*;
use proptest::prelude::*;

fn names(block: &[u8]) -> Vec<String> {
    fields(block)
        .map(|field| String::from_utf8_lossy(field.name).into_owned())
        .collect()
}

#[test]
fn cuts_fields_and_keeps_folding() {
    let block = b"From: a@b\r\nSubject : one\r\n two\r\n\tthree\r\nX:\r\n\r\nBody: no\r\n";
    assert_eq!(names(block), ["From", "Subject", "X"]);
    assert_eq!(
        first(block, "subject"),
        Some(&b" one\r\n two\r\n\tthree"[..])
    );
    assert_eq!(
        *unfold(first(block, "subject").unwrap()),
        *b"one two\tthree"
    );
    assert_eq!(first(block, "body"), None);
    assert_eq!(extent(block), 0..block.len() - b"Body: no\r\n".len());
}

#[test]
fn bare_line_feeds_end_lines_too() {
    let block = b"From: a@b\nTo: c@d\n\nbody";
    assert_eq!(names(block), ["From", "To"]);
    assert_eq!(extent(block), 0..19);
}

#[test]
fn a_bare_carriage_return_ends_nothing() {
    let block = b"From: a@b\rTo: c@d\r\rbody";
    assert_eq!(names(block), ["From"]);
    assert_eq!(extent(block), 0..block.len());
}

#[test]
fn lines_that_are_no_field_have_no_name() {
    let block = b"From x Sat Nov 21 11:28:00 2026\nFr om: a@b\n:From: x\nnonsense\nTo: c\n\n";
    assert_eq!(names(block), ["", "", "", "", "To"]);
    assert_eq!(first(block, "from"), None);
    assert_eq!(first(block, ""), None);
}

#[test]
fn header_fields_keep_their_bytes() {
    let block = b"A: 1\r\nB: 2\r\n 3\r\na: 4\r\n\r\n";
    assert_eq!(
        header_fields(block, Select::These(&["a", "none"])),
        b"A: 1\r\na: 4\r\n\r\n"
    );
    assert_eq!(
        header_fields(block, Select::AllBut(&["A"])),
        b"B: 2\r\n 3\r\n\r\n"
    );
    assert_eq!(header_fields(block, Select::These(&[])), b"\r\n");
    assert_eq!(
        header_fields(b"A: 1", Select::These(&["A"])),
        b"A: 1\r\n\r\n"
    );
}

proptest! {
    #[test]
    fn fields_cover_the_block(block in "[ab:\\r\\n \\t]{0,60}") {
        let block = block.as_bytes();
        let mut at = 0;
        for field in fields(block) {
            prop_assert_eq!(field.start, at);
            prop_assert!(field.end > field.start);
            at = field.end;
        }
        let header = extent(block);
        prop_assert!(header.end >= at && header.end - at <= 2);
    }
}
