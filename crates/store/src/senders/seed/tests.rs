//! Recipients in stored envelopes.

use mail::Summary;

use super::filed;

#[track_caller]
fn check(header: &str, want: &[&str]) {
    let summary = Summary::of(format!("{header}\r\nhello\r\n").as_bytes());
    let found: Vec<String> = filed(&summary.envelope)
        .recipients
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found, want, "{header}");
}

#[test]
fn whom_a_message_went_to() {
    check("From: ann@here.example\r\n", &[]);
    check("To: bob@there.example\r\n", &["bob@there.example"]);
    check(
        "From: ann@here.example\r\nReply-To: x@y.example\r\nTo: Bob \"the \\\\ \\\" builder\" <Bob@There.example>, <carol@there.example>\r\n\
         Cc: team: dan@there.example, eve@there.example;\r\nBcc: fay@there.example\r\nSubject: (a \"b\r\n",
        &[
            "Bob@there.example",
            "carol@there.example",
            "dan@there.example",
            "eve@there.example",
            "fay@there.example",
        ],
    );
    check("To: undisclosed-recipients:;\r\n", &[]);
    check(
        "To: nonsense, =?utf-8?q?B=C3=B6b?= <bob@there.example>\r\nSubject: B\u{f6}b\r\n",
        &["bob@there.example"],
    );
}

#[test]
fn what_makes_no_sense_is_nobody() {
    for bytes in [
        &b""[..],
        b"(",
        b"((((((((",
        b"(NIL {99}\r\nabc)",
        b"(NIL \"abc",
        b"{5}\r\nabcde",
    ] {
        assert_eq!(filed(bytes), super::Filed::default());
    }
}

#[test]
fn what_programs_file_as_sent() {
    let summary = |header: &str| {
        let summary = Summary::of(format!("{header}\r\n\r\nhello\r\n").as_bytes());
        filed(&summary.envelope)
    };
    let letter = summary("Message-ID: <1@here.example>\r\nSubject: lunch");
    assert_eq!(letter.id.as_deref(), Some("1@here.example"));
    assert!(!letter.is_automatic());
    assert!(summary("Subject: Unsubscribe").is_automatic());
}

#[test]
fn reports_are_told_from_letters() {
    for (kind, want) in [
        (
            "multipart/report; report-type=disposition-notification",
            true,
        ),
        ("Multipart/REPORT", true),
        ("multipart/mixed", false),
        ("text/plain; name=report", false),
    ] {
        let message =
            format!("Content-Type: {kind}; boundary=b\r\n\r\n--b\r\n\r\nread\r\n--b--\r\n");
        let summary = Summary::of(message.as_bytes());
        assert_eq!(super::is_report(&summary.structure), want, "{kind}");
    }
    assert!(!super::is_report(b""));
}
