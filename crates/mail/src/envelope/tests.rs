//! ENVELOPE texts, compared as a client gets them.

use crate::Summary;

#[track_caller]
fn check(header: &str, want: &str) {
    let summary = Summary::of(header.as_bytes());
    assert_eq!(String::from_utf8_lossy(&summary.envelope), want, "{header}");
}

#[test]
fn a_full_header() {
    check(
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n\
         Subject: IMAP4rev2 WG mtg\r\n summary and minutes\r\nTo: imap@cac.washington.edu\r\n\
         Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
         Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n",
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev2 WG mtg summary and minutes\" \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((NIL NIL \"imap\" \"cac.washington.edu\")) \
         ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) \
         NIL NIL \"<B27397-0100000@cac.washington.edu>\")",
    );
}

#[test]
fn absent_and_empty() {
    check("\r\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    check(
        "Date:\r\nSubject: \r\nFrom: a@b\r\nSender:\r\nReply-To: <>\r\nTo:\r\nIn-Reply-To:\r\nMessage-ID:\r\n\r\n",
        "(\"\" \"\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL \"\" \"\")",
    );
}

#[test]
fn sender_and_reply_to_of_their_own() {
    check(
        "From: a@b\r\nSender: S <s@t>\r\nReply-To: r@u\r\n\r\n",
        "(NIL NIL ((NIL NIL \"a\" \"b\")) ((\"S\" NIL \"s\" \"t\")) ((NIL NIL \"r\" \"u\")) NIL NIL NIL NIL NIL)",
    );
}

#[test]
fn groups_and_odd_addresses() {
    check(
        "To: A Group: x@y, Z <z@w>;, undisclosed: ;\r\nCc: nohost, <@route.example:a@b>\r\nBcc: \"q \\\"s\" <\"l p\"@d>\r\n\r\n",
        "(NIL NIL NIL NIL NIL \
         ((NIL NIL \"A Group\" NIL)(NIL NIL \"x\" \"y\")(\"Z\" NIL \"z\" \"w\")(NIL NIL NIL NIL)\
         (NIL NIL \"undisclosed\" NIL)(NIL NIL NIL NIL)) \
         ((NIL NIL \"nohost\" \"\")(NIL \"@route.example\" \"a\" \"b\")) \
         ((\"q \\\"s\" NIL \"l p\" \"d\")) NIL NIL)",
    );
}

#[test]
fn repeated_recipients_are_joined_and_repeated_authors_are_not() {
    check(
        "To: a@b\r\nTo: c@d\r\nFrom: e@f\r\nFrom: g@h\r\nSubject: one\r\nSubject: two\r\n\r\n",
        "(NIL \"one\" ((NIL NIL \"e\" \"f\")) ((NIL NIL \"e\" \"f\")) ((NIL NIL \"e\" \"f\")) \
         ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)",
    );
}

#[test]
fn what_cannot_be_quoted_is_a_literal() {
    let bytes = b"Subject: caf\xc3\xa9 \"x\"\r\nDate: a\0b\xff\r\nMessage-ID: a\\b\r\n\r\n";
    let envelope = Summary::of(bytes).envelope;
    assert_eq!(
        envelope,
        b"({3}\r\nab\xff {9}\r\ncaf\xc3\xa9 \"x\" NIL NIL NIL NIL NIL NIL NIL \"a\\\\b\")"
    );
    let long = "x".repeat(1_001);
    check(
        &format!("Subject: {long}\r\n\r\n"),
        &format!("(NIL {{1001}}\r\n{long} NIL NIL NIL NIL NIL NIL NIL NIL)"),
    );
}

#[test]
fn encoded_words_stay_encoded() {
    check(
        "From: =?utf-8?q?J=C3=BC?= <j@x>\r\nSubject: =?utf-8?q?=C3=A9?=\r\n\r\n",
        "(NIL \"=?utf-8?q?=C3=A9?=\" ((\"=?utf-8?q?J=C3=BC?=\" NIL \"j\" \"x\")) ((\"=?utf-8?q?J=C3=BC?=\" NIL \"j\" \"x\")) \
         ((\"=?utf-8?q?J=C3=BC?=\" NIL \"j\" \"x\")) NIL NIL NIL NIL NIL)",
    );
}
