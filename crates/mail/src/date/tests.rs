//! Dates as mail programs of forty years wrote them.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, want: Option<(i64, i32)>) {
    let got = parse(text.as_bytes()).map(|zoned| (zoned.at.secs(), zoned.offset_mins));
    assert_eq!(got, want, "{text}");
}

#[test]
fn reads_header_dates() {
    let noon = 1_795_260_480; // 2026-11-21 11:28:00 UTC
    for text in [
        "Sat, 21 Nov 2026 11:28:00 +0000",
        "21 Nov 2026 11:28 GMT",
        "Sat, 21 Nov 26 11:28:00 UT",
        "Sat,21 Nov 2026 11:28:00 +0000 (UTC)",
        "(c) Sat (x(y)), 21 (z) Nov\r\n 2026 11:28:00 Z",
        "Sat Nov 21 11:28:00 2026",
        "Sat Nov 21 11:28:00 GMT 2026",
        "Sat, 21-Nov-26 11:28:00 GMT",
        "Saturday, Nov 21, 2026 11:28:00",
        "21 Nov 2026 11:28:00.123",
        "Sat, 21 Nov 126 11:28:00 nonsense",
    ] {
        check(text, Some((noon, 0)));
    }
    check("Sat, 21 Nov 2026 12:28:00 +0100", Some((noon, 60)));
    check("Sat, 21 Nov 2026 12:28:00+01:00", Some((noon, 60)));
    check("Sat, 21 Nov 2026 06:28:00 EST", Some((noon, -300)));
    check("Sat, 21 Nov 2026 05:58:00 GMT-0530", Some((noon, -330)));
    check("Sat, 21 Nov 2026 12:28:00 GMT+1", Some((noon, 60)));
    check("Sat, 21 Nov 2026 06:28:00 +-0500", Some((noon, -300)));
    check("Sat, 21 Nov 2026 16:58:00 +05-30", Some((noon, 330)));
    for text in [
        "",
        "never",
        "Sat",
        "31 Feb 2026 11:28:00 +0000",
        "21 Nov 2026",
        "21 Nov 2026 25:00:00 +0000",
        "32 Jan 2026 00:00",
        "21 Foo 2026 11:28",
        "21 Nov 20266 11:28",
        "00 Nov 2026 11:28",
        "2026-11-21",
    ] {
        check(text, None);
    }
}

#[test]
fn reads_and_writes_imap_dates() {
    let at = UnixMillis::from_secs(1_795_260_480);
    assert_eq!(format_imap(at), "21-Nov-2026 11:28:00 +0000");
    assert_eq!(format_imap(UnixMillis(0)), " 1-Jan-1970 00:00:00 +0000");
    for text in ["21-Nov-2026 11:28:00 +0000", "21-nov-2026 12:28:00 +0100"] {
        assert_eq!(parse_imap(text).map(|zoned| zoned.at), Some(at), "{text}");
    }
    assert_eq!(
        parse_imap(" 1-Jan-1970 00:00:00 +0000").map(|zoned| zoned.at),
        Some(UnixMillis(0))
    );
    for text in [
        "",
        "21-Nov-26 11:28:00 +0000",
        "21-Nov-2026 11:28:00",
        "31-Feb-2026 11:28:00 +0000",
        "21-Nov-2026 11:28:00 +00000",
        "21-Nov-2026 11:28:00 +é0",
    ] {
        assert_eq!(parse_imap(text), None, "{text}");
    }
}

#[test]
fn the_written_day_ignores_the_zone() {
    let late = parse(b"Sat, 21 Nov 2026 23:30:00 -0800").unwrap();
    assert_eq!(late.written_day(), days_of(2026, 11, 21).unwrap());
    assert_eq!(late.at.day(), days_of(2026, 11, 22).unwrap());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(secs in -62_000_000_000_i64..253_402_300_799) {
        let at = UnixMillis::from_secs(secs);
        prop_assert_eq!(parse_imap(&format_imap(at)).unwrap().at, at);
        if secs >= -59_000_000_000 {
            prop_assert_eq!(parse(format(at).as_bytes()).unwrap().at, at);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&bytes);
        let _ = parse_imap(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words_are_survived(text in "[0-9A-Za-z:+\\-, ().]{0,40}") {
        let _ = parse(text.as_bytes());
        let _ = parse_imap(&text);
    }
}
