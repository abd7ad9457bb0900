//! Whole messages in which a file is not where one expects it, or is not called what it is called.

use super::*;

fn kinds_of(message: &[u8]) -> Vec<Kind> {
    let found = look(&Sight::of(message));
    found.into_iter().map(|one| one.kind).collect()
}

fn base64(content: &[u8]) -> String {
    mail::transfer::encode_base64(content)
}

fn single(fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("From: a@b.example\r\nMIME-Version: 1.0\r\n{fields}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// `before` parts of text, then a file.
fn after(before: usize, part: &str) -> Vec<u8> {
    let text = "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n".repeat(before);
    let body = format!("{text}--x\r\n{part}\r\n--x--\r\n");
    single("Content-Type: multipart/mixed; boundary=x", body.as_bytes())
}

#[test]
fn a_message_that_is_the_file() {
    let program = base64(&program());
    let archive = base64(&zip(&[("a.exe", &self::program(), 0)]));
    let table: &[(&str, &str, Kind)] = &[
        ("text/plain; name=\"invoice.exe\"", &program, Kind::Program),
        (
            "text/plain; name*0=invo; name*1=ice.exe",
            &program,
            Kind::Program,
        ),
        (
            "text/x-msdownload; name=\"invoice.exe\"",
            &program,
            Kind::Program,
        ),
        (
            "text/javascript; name=\"invoice.js\"",
            &program,
            Kind::Script,
        ),
        ("text/foo; name=\"invoice.lnk\"", &program, Kind::Shortcut),
        ("text/x-zip; name=\"invoice.zip\"", &archive, Kind::Program),
        ("text/plain; name=\"invoice.zip\"", &archive, Kind::Program),
    ];
    for (media_type, body, want) in table {
        let fields = format!("Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64");
        let found = kinds_of(&single(&fields, body.as_bytes()));
        assert!(found.contains(want), "{media_type}: {found:?}");
    }
    let plain = single("Content-Type: text/plain; name=\"letter.txt\"", b"Hello");
    assert_eq!(kinds_of(&plain), []);
}

#[test]
fn names_that_differ_and_broken_fields() {
    for fields in [
        "Content-Type: application/octet-stream; name=\"a.js\"\r\nContent-Disposition: attachment; filename=\"a.txt\"",
        "Content-Disposition: attachment; filename=\"a.txt\"; filename=\"a.js\"",
        "Content-Disposition: attachment; filename=\"a.js\"; filename=\"a.txt\"",
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment filename=\"a.js\"",
        "Content-Disposition: attachment; filename=\"a.js::$DATA\"",
    ] {
        let message = after(1, &format!("{fields}\r\n\r\nx"));
        assert_eq!(kinds_of(&message), [Kind::Script], "{fields}");
    }
}

#[test]
fn behind_many_parts_and_deep_inside() {
    let part = format!(
        "Content-Type: application/octet-stream; name=x.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(&program())
    );
    assert_eq!(kinds_of(&after(150, &part)), [Kind::Program]);
    assert!(kinds_of(&after(1_100, &part)).contains(&Kind::TooDeep));
    assert_eq!(
        kinds_of(&after(150, "Content-Type: text/plain\r\n\r\nhello")),
        []
    );
    let mut nested = part.clone();
    for depth in 0..60 {
        nested = format!(
            "Content-Type: multipart/mixed; boundary=b{depth}x\r\n\r\n--b{depth}x\r\n{nested}\r\n--b{depth}x--\r\n"
        );
    }
    let message = format!("From: a@b.example\r\nMIME-Version: 1.0\r\n{nested}");
    assert!(kinds_of(message.as_bytes()).contains(&Kind::TooDeep));
}

#[test]
fn messages_inside() {
    let inner = after(
        1,
        "Content-Disposition: attachment; filename=a.exe\r\n\r\nx",
    );
    let encoded = format!(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(&inner)
    );
    assert_eq!(kinds_of(&after(1, &encoded)), [Kind::Program]);
    let piece = "Content-Type: message/partial; id=x; number=1; total=2\r\n\r\nx";
    assert_eq!(kinds_of(&after(1, piece)), [Kind::TooDeep]);
}

#[test]
fn files_in_texts() {
    let uuencoded = "begin 644 a.exe\r\n#0V%T\r\n`\r\nend\r\n";
    let plain = single(
        "Content-Type: text/plain",
        format!("Hello\r\n{uuencoded}").as_bytes(),
    );
    assert_eq!(kinds_of(&plain), [Kind::Program]);
    let part = format!(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n{uuencoded}"
    );
    assert_eq!(kinds_of(&after(1, &part)), [Kind::Program]);
    for text in [
        "We begin 644 days ago",
        "begin 12 a.exe\r\n",
        "begin at once.exe\r\n",
    ] {
        assert_eq!(
            kinds_of(&single("Content-Type: text/plain", text.as_bytes())),
            [],
            "{text}"
        );
    }
}

#[test]
fn something_stands_before_an_archive() {
    let archive = zip(&[("a.exe", &program(), 0)]);
    let pretends = [b"\xff\xd8\xff\xe0 a picture ".to_vec(), archive.clone()].concat();
    assert!(kinds("a.zip", &pretends).contains(&Kind::Program));
    let junk = [b"anything ".repeat(40), archive].concat();
    assert_eq!(kinds("a.zip", &junk), [Kind::Program]);
    assert_eq!(kinds("a.dat", &junk), [Kind::Program]);
}
