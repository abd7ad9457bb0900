//! Answers as they stand on the wire.

use super::super::*;

fn written(write: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn strings() {
    let string =
        |value: &str, dialect| written(|out| write::string(out, value.as_bytes(), dialect));
    assert_eq!(string("a \"b\" \\", Dialect::Rev1), "\"a \\\"b\\\" \\\\\"");
    assert_eq!(string("a\r\nb", Dialect::Rev1), "{4}\r\na\r\nb");
    assert_eq!(string("ä", Dialect::Rev1), "{2}\r\nä");
    assert_eq!(string("ä", Dialect::Utf8), "\"ä\"");
    assert_eq!(string("", Dialect::Rev1), "\"\"");
    assert_eq!(
        written(|out| write::mailbox(out, "ä", Dialect::Rev1)),
        "\"&AOQ-\""
    );
    assert_eq!(
        written(|out| write::mailbox(out, "ä", Dialect::Utf8)),
        "\"ä\""
    );
}

#[test]
fn numbers_and_dates() {
    for number in [0, 7, 10, 4_294_967_295, u64::MAX] {
        assert_eq!(
            written(|out| write::number(out, number)),
            number.to_string()
        );
    }
    let date = |seconds| written(|out| write::date_time(out, seconds));
    assert_eq!(date(837_596_665), "\"17-Jul-1996 09:44:25 +0000\"");
    assert_eq!(date(0), "\" 1-Jan-1970 00:00:00 +0000\"");
    assert_eq!(date(951_782_400), "\"29-Feb-2000 00:00:00 +0000\"");
    assert_eq!(date(i64::MAX), "\"31-Dec-9999 23:59:59 +0000\"");
    assert_eq!(date(i64::MIN), "\" 1-Jan-0001 00:00:00 +0000\"");
}

#[test]
fn ranges() {
    let ranges: Ranges = [1, 2, 3, 5, 7, 8, u32::MAX].into_iter().collect();
    assert_eq!(written(|out| ranges.write(out)), "1:3,5,7:8,4294967295");
    assert_eq!(ranges.count(), 7);
}
