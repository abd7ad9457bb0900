//! TOP over messages of all line ends, in all cuts.

use super::Top;

#[track_caller]
fn check(message: &str, lines: u64, want: &str) {
    for cut in 0..=message.len() {
        let (head, tail) = message.split_at(cut);
        let mut top = Top::new(lines);
        let mut shown = top.take(head.as_bytes()).to_vec();
        if !top.is_done() {
            shown.extend_from_slice(top.take(tail.as_bytes()));
        }
        assert_eq!(String::from_utf8_lossy(&shown), want, "cut at {cut}");
    }
}

#[test]
fn header_and_so_many_lines() {
    let message = "A: b\r\nC: d\r\n\r\none\r\n\r\nthree\r\n";
    check(message, 0, "A: b\r\nC: d\r\n\r\n");
    check(message, 1, "A: b\r\nC: d\r\n\r\none\r\n");
    check(message, 2, "A: b\r\nC: d\r\n\r\none\r\n\r\n");
    check(message, 3, message);
    check(message, u64::MAX, message);
    check("A: b\n\none\ntwo\n", 1, "A: b\n\none\n");
    check("A: b\r\n\r\nno end", 5, "A: b\r\n\r\nno end");
    check("A: b\r\nno body\r\n", 0, "A: b\r\nno body\r\n");
    check("", 3, "");
    check("\r\nbody\r\n", 0, "\r\n");
}
