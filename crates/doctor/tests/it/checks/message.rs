//! One outgoing message judged: a good one has nothing, each fault is named.

use doctor::checks::{MessageContext, judge, score};

const GOOD: &str = "From: Ada Lovelace <ada@example.org>\r\nTo: bob@example.net\r\nSubject: Lunch on Friday\r\n\
Date: Mon, 16 Nov 2026 09:46:40 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
Content-Type: text/plain; charset=utf-8\r\n\r\nShall we meet at noon? https://example.org/menu\r\n";

fn context() -> MessageContext {
    MessageContext {
        now: 1_794_822_400,
        domains: vec!["example.org".to_owned()],
        is_bulk: false,
    }
}

fn ids(message: &str, context: &MessageContext) -> Vec<&'static str> {
    judge(message.as_bytes(), context)
        .iter()
        .map(|finding| finding.id)
        .collect()
}

fn html(body: &str) -> String {
    GOOD.replace(
        "Content-Type: text/plain; charset=utf-8\r\n\r\nShall we meet at noon? https://example.org/menu\r\n",
        &format!(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nShall we meet at noon?\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Shall we meet?</p>{body}\r\n--b--\r\n"
        ),
    )
}

fn attached(name: &str) -> String {
    GOOD.replace(
        "Content-Type: text/plain; charset=utf-8\r\n\r\n",
        &format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\nx\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        ),
    ) + "--b--\r\n"
}

#[test]
fn a_good_message_has_nothing() {
    let findings = judge(GOOD.as_bytes(), &context());
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(score(&findings).points, 100);
    let findings = judge(
        html("<a href=\"https://example.org/menu\">the menu</a>").as_bytes(),
        &context(),
    );
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn each_fault_is_named() {
    let table: [(&str, String); 24] = [
        (
            "msg.from.single",
            GOOD.replace("ada@example.org", "ada@gmail.com"),
        ),
        (
            "msg.from.single",
            GOOD.replace(
                "Ada Lovelace <ada@example.org>",
                "ada@example.org, eve@example.org",
            ),
        ),
        (
            "msg.from.display",
            GOOD.replace("Ada Lovelace", "Ada \"support@bank.example\""),
        ),
        (
            "msg.msgid",
            GOOD.replace("<1@example.org>", "<1@localhost>"),
        ),
        (
            "msg.msgid",
            GOOD.replace("Message-ID: <1@example.org>\r\n", ""),
        ),
        ("msg.date", GOOD.replace("16 Nov 2026", "16 Nov 2025")),
        (
            "msg.date",
            GOOD.replace("Date: Mon, 16 Nov 2026 09:46:40 +0000\r\n", ""),
        ),
        (
            "msg.dup_headers",
            GOOD.replace("Subject: ", "Subject: a\r\nSubject: "),
        ),
        ("msg.header.size", GOOD.replace("Lunch on", "Mittag für")),
        (
            "msg.subject",
            GOOD.replace("Lunch on Friday", "BUY THIS NOW PLEASE"),
        ),
        ("msg.subject", GOOD.replace("Lunch on Friday", "Re: lunch")),
        (
            "msg.to",
            GOOD.replace("To: bob@example.net", "To: undisclosed-recipients:;"),
        ),
        (
            "msg.text_part",
            GOOD.replace("text/plain; charset=utf-8", "text/html")
                .replace("Shall", "<p>Shall"),
        ),
        ("msg.html.valid", html("<script>x</script>")),
        (
            "msg.html.size",
            html(&"<p>word word word word</p>\r\n".repeat(5000)),
        ),
        (
            "msg.hidden",
            html("<span style=\"font-size: 0\">viagra</span>"),
        ),
        (
            "msg.links.short",
            html("<a href=\"https://bit.ly/x\">the menu</a>"),
        ),
        (
            "msg.links.short",
            GOOD.replace("https://example.org/menu", "http://192.0.2.7/menu"),
        ),
        (
            "msg.links.mismatch",
            html("<a href=\"https://evil.example/\">https://bank.example/</a>"),
        ),
        ("msg.url_only", GOOD.replace("Shall we meet at noon? ", "")),
        ("msg.attach.type", attached("game.exe")),
        ("msg.attach.type", attached("list.docm")),
        (
            "msg.gtube",
            GOOD.replace(
                "noon?",
                concat!(
                    "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-",
                    "ANTI-UBE-TEST-EMAIL*C.34X"
                ),
            ),
        ),
        (
            "msg.bidi",
            GOOD.replace("Lunch on Friday", "=?utf-8?Q?Lunch_=E2=80=AEyadirF?="),
        ),
    ];
    for (id, message) in table {
        assert_eq!(ids(&message, &context()), [id], "{message:.600}");
    }
}

#[test]
fn bulk_mail_can_be_left_with_one_click() {
    let bulk = MessageContext {
        is_bulk: true,
        ..context()
    };
    assert_eq!(ids(GOOD, &bulk), ["msg.list.unsub"]);
    let left = GOOD.replace(
        "Subject:",
        "List-Unsubscribe: <https://example.org/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nSubject:",
    );
    assert!(ids(&left, &bulk).is_empty());
}

#[test]
fn broken_messages_do_not_break_it() {
    for message in [
        "",
        "\r\n",
        "From",
        "From: \u{fffd}\r\n\r\n<a <a href=",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b--",
    ] {
        judge(message.as_bytes(), &context());
    }
    judge(
        b"From: \xff\xfe\r\nDate: \xff\r\n\r\n<a href='http://",
        &context(),
    );
}
