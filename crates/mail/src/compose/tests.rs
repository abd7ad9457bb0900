//! What is written can be read, and nothing can be smuggled into it.

use proptest::prelude::*;

use super::*;
use crate::{Domain, Message, ReversePath, Structure, TraceId, UnixMillis, submission};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn person(name: &str, text: &str) -> Person {
    Person {
        name: Some(name.to_owned()),
        address: address(text),
    }
}

const NOW: UnixMillis = UnixMillis::from_secs(1_795_260_480);

fn text_message(text: &str) -> Vec<u8> {
    TextMessage {
        from: person("Mail Delivery (x)", "postmaster@example.org"),
        to: vec![
            person("Jürgen", "j@example.org"),
            Person {
                name: None,
                address: address("b@c"),
            },
        ],
        subject: "Grüße\r\nBcc: evil@example.com",
        date: NOW,
        message_id: "1@example.org",
        fields: vec![("Auto-Submitted", "auto-generated".to_owned())],
        text,
    }
    .write()
}

#[test]
fn a_text_message() {
    let bytes = text_message("one\ntwo");
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "Date: Sat, 21 Nov 2026 11:28:00 +0000\r\n\
         From: \"Mail Delivery (x)\" <postmaster@example.org>\r\n\
         To: =?utf-8?q?J=C3=BCrgen?= <j@example.org>, b@c\r\n\
         Subject: =?utf-8?b?R3LDvMOfZSAgQmNjOiBldmlsQGV4YW1wbGUuY29t?=\r\n\
         Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\none\r\ntwo\r\n"
    );
    let bytes = text_message("schön");
    let message = Message::parse(&bytes);
    assert_eq!(message.defects(), []);
    assert_eq!(message.text(message.structure().root()), "schön\r\n");
    assert!(bytes.is_ascii());
}

fn report(original: Original<'_>, recipient: &Address) -> Vec<u8> {
    DeliveryReport {
        from: person("Mail Delivery System", "postmaster@mx.example.org"),
        to: &address("sender@example.net"),
        subject: "Not delivered",
        words: "Your message could not be delivered to Jürgen.",
        date: NOW,
        message_id: "dsn1@mx.example.org",
        unique: "0123456789ABCDEF",
        reporting_host: "mx.example.org",
        arrival: Some(NOW),
        envelope_id: Some("QQ314159"),
        recipients: vec![RecipientReport {
            recipient,
            original_recipient: Some("rfc822;old@example.org"),
            action: Action::Failed,
            status: "5.1.1",
            remote_host: Some("mx.example.com"),
            reply: Some("550 5.1.1 no such user\r\nX-Evil: yes"),
            last_attempt: Some(NOW),
            retry_until: None,
        }],
        original,
    }
    .write()
}

#[test]
fn a_delivery_report() {
    let bytes = report(
        Original::Headers(b"Subject: x\r\nX: y\r\n\r\nbody"),
        &address("ann@example.com"),
    );
    assert!(bytes.is_ascii());
    let message = Message::parse(&bytes);
    assert_eq!(message.defects(), []);
    let root = message.structure().root();
    assert!(root.is("multipart", "report"));
    assert_eq!(
        root.parameter("report-type").as_deref(),
        Some("delivery-status")
    );
    let parts = message.structure().parts();
    assert_eq!(
        message.text(&parts[1]),
        "Your message could not be delivered to Jürgen.\r\n"
    );
    assert!(parts[2].is("message", "delivery-status"));
    assert_eq!(
        String::from_utf8_lossy(&message.content(&parts[2])),
        "Original-Envelope-Id: QQ314159\r\nReporting-MTA: dns; mx.example.org\r\n\
         Arrival-Date: Sat, 21 Nov 2026 11:28:00 +0000\r\n\r\n\
         Original-Recipient: rfc822; old@example.org\r\nFinal-Recipient: rfc822; ann@example.com\r\n\
         Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.com\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 no such user X-Evil: yes\r\n\
         Last-Attempt-Date: Sat, 21 Nov 2026 11:28:00 +0000\r\n"
    );
    assert!(parts[3].is("text", "rfc822-headers"));
    assert_eq!(&*message.content(&parts[3]), b"Subject: x\r\nX: y\r\n\r\n");
}

#[test]
fn a_report_about_an_international_message() {
    let original = "Subject: Grüße\r\n\r\nschön\r\n".as_bytes();
    let bytes = report(Original::Headers(original), &address("jürgen@example.com"));
    assert!(bytes.is_ascii());
    let message = Message::parse(&bytes);
    let parts = message.structure().parts();
    let status = message.content(&parts[2]);
    assert!(
        String::from_utf8_lossy(&status)
            .contains("Final-Recipient: utf-8; j\\x{FC}rgen@example.com\r\n")
    );
    assert!(parts[3].is("message", "global-headers"));
    assert_eq!(
        message.content(&parts[3]),
        "Subject: Grüße\r\n\r\n".as_bytes()
    );

    let bytes = report(Original::Full(original), &address("jürgen@example.com"));
    let structure = Structure::of(&bytes);
    assert!(structure.parts()[3].is("message", "global"));
    let inner = structure.section(&[3], crate::Section::Whole).unwrap();
    assert_eq!(&bytes[inner], original);
}

#[test]
fn received_fields() {
    let received = |from, recipient| Received {
        from,
        by: "mx.example.org",
        with: "ESMTPS",
        tls: Some("TLS1.3 TLS_AES_128_GCM_SHA256"),
        id: TraceId::from_random([0; 10]),
        recipient,
        date: NOW,
    };
    let ann = address("ann@example.org");
    let from = ReceivedFrom {
        hello: "evil\r\nX: (y)",
        name: Some("host.example"),
        ip: "192.0.2.1".parse().unwrap(),
    };
    assert_eq!(
        String::from_utf8(received(Some(from), Some(&ann)).write()).unwrap(),
        "Received: from evil??X:??y? (host.example [192.0.2.1])\r\n\
         \tby mx.example.org with ESMTPS (TLS1.3 TLS_AES_128_GCM_SHA256)\r\n\
         \tid 0000000000000000\r\n\tfor <ann@example.org>; Sat, 21 Nov 2026 11:28:00 +0000\r\n"
    );
    let from = ReceivedFrom {
        hello: "",
        name: None,
        ip: "2001:db8::1".parse().unwrap(),
    };
    let field = String::from_utf8(received(Some(from), None).write()).unwrap();
    assert!(
        field.starts_with("Received: from unknown ([IPv6:2001:db8::1])\r\n\tby"),
        "{field}"
    );
    let field = String::from_utf8(received(None, None).write()).unwrap();
    assert!(
        field.starts_with("Received: by mx.example.org with"),
        "{field}"
    );
}

#[test]
fn return_paths() {
    assert_eq!(return_path(&ReversePath::Null), b"Return-Path: <>\r\n");
    assert_eq!(
        return_path(&address("a@b").into()),
        b"Return-Path: <a@b>\r\n"
    );
}

proptest! {
    #[test]
    fn fields_never_break_out(name in "[A-Z][a-z-]{0,20}", value in "\\PC{0,300}|[a \r\n\t:]{0,60}") {
        let mut out = Vec::new();
        push_field(&mut out, &name, &value);
        out.extend_from_slice(b"\r\n");
        let fields: Vec<_> = crate::header::fields(&out).collect();
        prop_assert_eq!(fields.len(), 1);
        prop_assert_eq!(fields[0].end + 2, out.len());
        prop_assert!(out.split(|&b| b == b'\n').all(|line| line.len() <= 999));
    }

    #[test]
    fn texts_come_back(text in "[ -~éあ\n]{0,300}", name in "[ -~é]{1,30}") {
        let bytes = text_message(&text);
        let message = Message::parse(&bytes);
        let want: String = text.lines().map(|line| format!("{line}\r\n")).collect();
        prop_assert_eq!(message.text(message.structure().root()), want);

        let ann = Person { name: Some(name.clone()), address: address("ann@example.org") };
        let value = ann.header_value();
        let list = crate::mailboxes::parse_list(value.as_bytes());
        prop_assert!(list.is_clean, "{}", value);
        let got = crate::mailboxes::flatten(list.entries).next().unwrap();
        prop_assert_eq!(got.display_name().unwrap().trim().to_owned(), name.trim());
        prop_assert_eq!(got.address().unwrap(), ann.address);
    }

    #[test]
    fn reports_are_sound(reply in "\\PC{0,200}", words in "\\PC{0,200}", local in "[ -~é]{1,30}") {
        let recipient = Address::new(&local, Domain::parse("example.com").unwrap()).unwrap();
        let bytes = DeliveryReport {
            from: Person { name: None, address: address("p@x.y") },
            to: &address("s@t.u"), subject: &words, words: &words, date: NOW, message_id: "1@x", unique: &reply,
            reporting_host: "x.y", arrival: None, envelope_id: Some(&reply),
            recipients: vec![RecipientReport {
                recipient: &recipient, original_recipient: Some(&words), action: Action::Delayed, status: "4.0.0",
                remote_host: Some(&reply), reply: Some(&reply), last_attempt: None, retry_until: Some(NOW),
            }],
            original: Original::Headers(reply.as_bytes()),
        }.write();
        prop_assert!(bytes.is_ascii());
        let structure = Structure::of(&bytes);
        prop_assert_eq!(structure.parts().len(), 4);
        // Our own submission rules accept what we write.
        let submitter = submission::Submitter { now: NOW, host: "x", unique: "1", client: None, default_author: None };
        prop_assert!(submission::prepare(&bytes, &submitter).is_ok());
    }
}
