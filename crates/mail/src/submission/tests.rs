//! Submitted messages leave complete, clean, and in a known name.

use super::*;

fn submitter() -> Submitter<'static> {
    let now = UnixMillis::from_secs(1_795_260_480);
    Submitter {
        now,
        host: "mx.example.org",
        unique: "0123456789ABCDEF",
        client: Some("desk.office.example"),
        default_author: None,
    }
}

#[track_caller]
fn check(message: &str, want: &str) {
    let got = prepare(message.as_bytes(), &submitter()).unwrap();
    assert_eq!(String::from_utf8_lossy(&got.message), want);
}

#[track_caller]
fn refuse(message: &str, why: PrepareError) {
    assert_eq!(
        prepare(message.as_bytes(), &submitter()),
        Err(why),
        "{message}"
    );
}

#[test]
fn adds_what_is_missing() {
    check(
        "From: a@b.c\r\nSubject: x\r\n\r\nbody\r\n",
        "From: a@b.c\r\nSubject: x\r\nDate: Sat, 21 Nov 2026 11:28:00 +0000\r\n\
         Message-ID: <0123456789ABCDEF@mx.example.org>\r\n\r\nbody\r\n",
    );
    check(
        "From: a@b.c\r\nDate: x\r\nMessage-Id: <y>",
        "From: a@b.c\r\nDate: x\r\nMessage-Id: <y>\r\n\r\n",
    );
}

#[test]
fn removes_what_tells_on_the_sender() {
    check(
        "Received: from laptop ([192.168.1.5])\r\n by x; now\r\nFrom: a@b.c\r\nBcc: secret@x.y,\r\n\tother@x.y\r\n\
         user-agent: Program 1.0\r\nX-Originating-IP: [192.0.2.1]\r\nDate: x\r\nMessage-ID: <y>\r\n\
         Mime-Version: 1.0 (Program 2)\r\n\r\nBcc: in the body\r\n",
        "From: a@b.c\r\nDate: x\r\nMessage-ID: <y>\r\nMIME-Version: 1.0\r\n\r\nBcc: in the body\r\n",
    );
}

#[test]
fn a_message_id_does_not_name_the_users_machine() {
    for (given, want) in [
        ("<1.2@laptop>", "<1.2@mx.example.org>"),
        ("<x$y@Desk.Office.Example>", "<x$y@mx.example.org>"),
        ("<x@macbook.local>", "<x@mx.example.org>"),
        ("<x@[192.168.1.7]>", "<x@mx.example.org>"),
        ("<x@10.0.0.7>", "<x@mx.example.org>"),
        ("<x@example.org>", "<x@example.org>"),
        ("<x@mail.example.com>", "<x@mail.example.com>"),
        ("no id at all", "no id at all"),
    ] {
        check(
            &format!("From: a@b.c\r\nDate: x\r\nMessage-ID: {given}\r\n\r\n"),
            &format!("From: a@b.c\r\nDate: x\r\nMessage-ID: {want}\r\n\r\n"),
        );
    }
}

#[test]
fn fields_of_programs_for_themselves_stay_behind() {
    check(
        "From: a@b.c\r\nX-Mozilla-Draft-Info: x\r\nx-kmail-Identity: 1\r\nX-Apple-Mail-Remote: 1\r\nX-Own: kept\r\n\
         Date: x\r\nMessage-ID: <y@b.c>\r\n\r\n",
        "From: a@b.c\r\nX-Own: kept\r\nDate: x\r\nMessage-ID: <y@b.c>\r\n\r\n",
    );
}

#[test]
fn gives_all_authors_and_the_sender() {
    let got = prepare(
        b"From: A <a@b.c>, \"x y\"@D.E\r\nSender: s@t.u\r\n\r\n",
        &submitter(),
    )
    .unwrap();
    let authors: Vec<_> = got.authors.iter().map(Address::to_string).collect();
    assert_eq!(authors, ["a@b.c", "\"x y\"@d.e"]);
    assert_eq!(got.sender.unwrap().to_string(), "s@t.u");
}

#[test]
fn a_default_author_stands_in() {
    let author = Address::parse("ann@example.org").unwrap();
    let submitter = Submitter {
        client: None,
        default_author: Some(&author),
        ..submitter()
    };
    let got = prepare(b"Date: x\r\nMessage-ID: <y>\r\n\r\nhi\r\n", &submitter).unwrap();
    assert_eq!(
        got.message,
        b"Date: x\r\nMessage-ID: <y>\r\nFrom: ann@example.org\r\n\r\nhi\r\n"
    );
    assert_eq!(got.authors, [author]);
}

#[test]
fn refuses_what_could_be_read_two_ways() {
    refuse("Subject: x\r\n\r\n", PrepareError::NoAuthor);
    refuse(
        "From: a@b.c\r\nFROM: d@e.f\r\n\r\n",
        PrepareError::Repeated("From"),
    );
    refuse(
        "From: a@b.c\r\nSubject: x\r\nsubject: y\r\n\r\n",
        PrepareError::Repeated("Subject"),
    );
    refuse(
        "From: a@b.c\r\n one\r\nFr om: d@e.f\r\n\r\n",
        PrepareError::HeaderLine { line: 3 },
    );
    refuse("hello\r\n", PrepareError::HeaderLine { line: 1 });
    refuse("From: a@b.c <d@e.f>\r\n\r\n", PrepareError::AuthorMalformed);
    refuse("From: a@b@c.d\r\n\r\n", PrepareError::AuthorMalformed);
    refuse("From: nobody\r\n\r\n", PrepareError::AuthorMalformed);
    refuse("From: friends:;\r\n\r\n", PrepareError::AuthorMalformed);
    refuse(
        "From: a@b.c\r\nSender: a@b.c, d@e.f\r\n\r\n",
        PrepareError::SenderMalformed,
    );
    refuse(
        "From: a@b.c\r\nX: a\rb\r\n\r\n",
        PrepareError::ControlCharacter,
    );
    refuse(
        "From: a@b.c\r\nX: a\0b\r\n\r\n",
        PrepareError::ControlCharacter,
    );
}
