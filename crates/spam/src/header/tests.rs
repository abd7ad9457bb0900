//! Written and read back.

use proptest::prelude::{prop, proptest};

use super::{FIELD, FLAG};
use crate::facts::Facts;
use crate::reasons::{Finding, Kind};
use crate::verdict::{Verdict, judge};
use crate::weights::Weights;

fn verdict(details: [&str; 2]) -> Verdict {
    let findings = [
        Finding::new(Kind::LinkClaimsBrand, details),
        Finding::new(Kind::Program, [details[1]]),
        Finding::bare(Kind::HiddenText),
    ];
    judge(1.234, &findings, &Facts::default(), &Weights::default())
}

#[test]
fn as_it_stands_in_a_message() {
    let field = verdict(["paypal.com", "evil.example"]).header_field("mx.example");
    let want = "X-Postroad-Spam: junk; probability=99.9%; score=9.43; threshold=3.00;\r\n\
        \tby=mx.example; attached-program=+5.0 \"evil.example\";\r\n\
        \tlink-claims-brand=+2.5 \"paypal.com\" \"evil.example\"; content=+1.2;\r\n\
        \thidden-text=+0.7\r\n\
        X-Spam-Flag: YES\r\n";
    assert_eq!(String::from_utf8(field).unwrap(), want);
    let wanted =
        judge(-4.0, &[], &Facts::default(), &Weights::default()).header_field("mx.example");
    let wanted = String::from_utf8(wanted).unwrap();
    assert!(
        wanted.starts_with("X-Postroad-Spam: wanted; probability=1.8%;"),
        "{wanted}"
    );
    assert!(!wanted.contains(FLAG));
}

#[test]
fn what_is_read_is_what_was_written() {
    for details in [
        ["paypal.com", "evil.example"],
        ["\"; by=x\r\nSubject: y", "100 % ö 日本"],
        ["", "\\"],
    ] {
        let verdict = verdict(details);
        let mut message = verdict.header_field("mx.example");
        message.extend(b"Subject: x\r\n\r\n");
        let read = Verdict::of_message(&message).unwrap();
        assert_eq!(read.by, "mx.example");
        assert_eq!(read.verdict.place, verdict.place);
        let words = |verdict: &Verdict| verdict.words();
        assert_eq!(words(&read.verdict), words(&verdict));
    }
}

#[test]
fn what_others_write_is_no_verdict() {
    for value in [
        "",
        "YES",
        "junk2; score=1",
        "junk; score=NaN",
        "junk; score=1e999",
    ] {
        assert_eq!(Verdict::read(value.as_bytes()), None, "{value}");
    }
    // Of a later version.
    let later =
        Verdict::read(b"junk; score=4.0; threshold=3.0; new-reason=+4.0 \"x\"; gtube=+20.0")
            .unwrap();
    assert_eq!(later.verdict.reasons.len(), 1);
}

proptest! {
    #[test]
    fn fields_are_short_ascii_lines(details in prop::collection::vec(".{0,300}", 2)) {
        let field = verdict([&details[0], &details[1]]).header_field("mx.example");
        assert!(field.is_ascii());
        let text = String::from_utf8(field).unwrap();
        for line in text.split("\r\n") {
            assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{line}");
        }
        let names = text.split("\r\n").filter(|line| !line.starts_with('\t') && !line.is_empty());
        for line in names {
            assert!(line.starts_with(FIELD) || line.starts_with(FLAG), "{line}");
        }
    }

    #[test]
    fn reading_never_panics(value: Vec<u8>) {
        Verdict::read(&value);
    }
}
