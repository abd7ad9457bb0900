//! Every message of the corpora: read without panic, within bounds, with texts that fit IMAP's grammar.

use std::time::{Duration, Instant};

use mail::structure::Kind;
use mail::{Extension, Message, Needle, Section, Structure, Summary};

use crate::corpora;
use crate::imap_grammar::{check_body, check_envelope, read};

/// What must hold for any bytes whatsoever.
pub fn check(name: &str, bytes: &[u8]) {
    let message = Message::parse(bytes);
    let structure = message.structure();
    check_ranges(name, structure, bytes.len());
    check_sections(name, structure, bytes.len());

    let summary = Summary::of(bytes);
    assert_eq!(
        Structure::decode(&summary.structure).as_ref(),
        Ok(structure),
        "{name}"
    );
    assert_eq!(
        Summary::decode(&summary.encode()).as_ref(),
        Ok(&summary),
        "{name}"
    );
    assert!(
        summary.preview.chars().count() <= 200 && !summary.preview.contains(['\r', '\n', '\0']),
        "{name}"
    );

    let grammar = |what: &str, result: Result<(), String>| {
        result.unwrap_or_else(|error| panic!("{name}: {what}: {error}"));
    };
    grammar(
        "ENVELOPE",
        read(&summary.envelope).and_then(|value| check_envelope(&value)),
    );
    let body = read(&structure.body_structure(Extension::Without));
    grammar("BODY", body.and_then(|value| check_body(&value, false)));
    let body = read(&structure.body_structure(Extension::With));
    grammar(
        "BODYSTRUCTURE",
        body.and_then(|value| check_body(&value, true)),
    );

    for part in structure.parts() {
        let _ = message.text(part);
        let _ = part.file_name();
    }
    for field in message.fields() {
        let _ = field.text();
    }
    for needle in ["e", "zebra crossing", "größe"] {
        let _ = Needle::new(needle).in_message(bytes, structure);
    }
}

fn check_ranges(name: &str, structure: &Structure, len: usize) {
    assert_eq!(structure.root().whole(), 0..len, "{name}");
    for part in structure.parts() {
        assert!(
            part.header.start <= part.header.end && part.header.end <= part.body.start,
            "{name}: {part:?}"
        );
        assert!(
            part.body.start <= part.body.end && part.body.end <= len,
            "{name}: {part:?}"
        );
        let children: Vec<usize> = match &part.kind {
            Kind::Leaf => vec![],
            Kind::Multipart { children } => children.clone(),
            Kind::Message { child, .. } => child.iter().copied().collect(),
        };
        let mut at = part.body.start;
        for child in children {
            let child = &structure.parts()[child];
            assert!(
                child.header.start >= at && child.body.end <= part.body.end,
                "{name}: {child:?} in {part:?}"
            );
            at = child.body.end;
        }
    }
}

fn check_sections(name: &str, structure: &Structure, len: usize) {
    let header = structure.section(&[], Section::Header).unwrap();
    let text = structure.section(&[], Section::Text).unwrap();
    assert_eq!(
        (header.start, header.end, text.end),
        (0, text.start, len),
        "{name}"
    );
    for number in 1..=3 {
        for path in [vec![number], vec![number, 1], vec![number, 1, 2]] {
            for what in [
                Section::Whole,
                Section::Header,
                Section::Text,
                Section::Mime,
            ] {
                if let Some(range) = structure.section(&path, what) {
                    assert!(range.start <= range.end && range.end <= len, "{name}");
                }
            }
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods)] // measures the reader, drives nothing
fn every_corpus_message_is_read_within_bounds() {
    let messages = corpora::mime_messages();
    assert!(
        messages.is_empty() || messages.len() == 593,
        "{}",
        messages.len()
    );
    for (name, bytes) in messages {
        let started = Instant::now();
        check(&name, &bytes);
        check(&format!("{name} with CRLF"), &corpora::with_crlf(&bytes));
        // Very generous: without optimisation, on a busy machine. It is there for what is not linear.
        let allowed = Duration::from_secs(5) + Duration::from_micros(20 * bytes.len() as u64);
        assert!(
            started.elapsed() < allowed,
            "{name} took {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn cut_anywhere_a_message_is_still_read() {
    for (name, bytes) in corpora::mime_messages().into_iter().step_by(7) {
        for part in 1..8 {
            let cut = bytes.len() * part / 8;
            check(&format!("{name} cut at {cut}"), &bytes[..cut]);
        }
    }
}

/// Shapes that have made other readers take the square of a message's size, or grow without bound.
#[test]
#[allow(clippy::disallowed_methods)] // measures the reader, drives nothing
fn hostile_messages_cost_no_more_than_their_size() {
    const SIZE: usize = 500_000;
    let header = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let shapes = [
        ("From: ", "@"),
        ("From: ", "a@b,"),
        ("From: ", "("),
        ("From: ", "\""),
        ("From: ", "a:"),
        ("To: ", "<"),
        ("", "To: a@b\r\n"),
        ("", "X: y\r\n"),
        ("", "\r\n "),
        ("", "\n"),
        ("", ":"),
        ("", "\0"),
        ("Subject: ", "=?utf-8?q?x?= "),
        ("Subject: ", "=?"),
        ("Subject: ", "[a"),
        ("Subject: ", "Re: "),
        ("Subject: ", "[fwd:"),
        ("Subject: ", "(fwd)"),
        ("References: ", "<a> "),
        ("References: ", "<"),
        ("Content-Type: a/b; ", "x=1;"),
        ("Content-Type: a/b; ", "x*1=1;"),
        ("Content-Type: a/b; x=", " "),
        ("Content-Type: a/b; x=", "y "),
        ("Content-Type: a/b; x=\"", "\\"),
        ("Date: ", "("),
        ("Date: ", "1 "),
        ("Content-Language: ", "a,"),
        (header, "--b\r\n"),
        (header, "--b \r\n"),
        (header, "--"),
        (header, "\n--"),
        (header, "--b\r\nContent-Type: message/rfc822\r\n\r\n"),
        ("", "Content-Type: message/rfc822\r\n\r\n"),
        ("Content-Type: text/html\r\n\r\n", "<"),
        ("Content-Type: text/html\r\n\r\n", "<style>"),
        ("Content-Type: text/html\r\n\r\n", "&"),
        ("\r\n", ">\n"),
        ("Content-Transfer-Encoding: base64\r\n\r\n", "="),
        ("Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=\n"),
    ];
    for (start, piece) in shapes {
        let message = format!("{start}{}", piece.repeat(SIZE / piece.len()));
        let started = Instant::now();
        let summary = Summary::of(message.as_bytes());
        let took = started.elapsed();
        assert!(
            took < Duration::from_secs(10),
            "{start:?} {piece:?} took {took:?}"
        );
        let kept = summary.envelope.len() + summary.structure.len();
        assert!(kept < 4 * SIZE, "{start:?} {piece:?} keeps {kept} bytes");
        if std::env::var_os("COSTS").is_some() {
            println!("{took:?}\t{kept}\t{start:?} {piece:?}");
        }
    }
}
