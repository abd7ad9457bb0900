//! Previews read like the beginning of what a person wrote.

use crate::Summary;

#[track_caller]
fn check(message: &str, want: &str) {
    assert_eq!(Summary::of(message.as_bytes()).preview, want, "{message}");
}

#[test]
fn plain_text() {
    check("\r\n", "");
    check(
        "\r\n  Hello,\r\n\r\nworld \r\n-- \r\nsignature",
        "Hello, world",
    );
    check("\r\n> only\r\n> quoted", "> only > quoted");
    check(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=C3=B6n=\r\n!",
        "Schön!",
    );
    check("Content-Type: application/pdf\r\n\r\nx", "");
    check("Content-Disposition: attachment\r\n\r\nx", "");
    let long = "wörd ".repeat(2_000);
    let preview = Summary::of(format!("\r\n{long}").as_bytes()).preview;
    assert_eq!(preview.chars().count(), 199);
    assert!(preview.ends_with("wörd"));
}

#[test]
fn pages() {
    let html = |page: &str| format!("Content-Type: text/html; charset=utf-8\r\n\r\n{page}");
    check(
        &html(
            "<html><head><title>no</title><style>p{x:y}</style></head><body><p>Hi&nbsp;<b>the</b>re</p><p>&amp; you&#8230;</p>",
        ),
        "Hi there & you…",
    );
    check(
        &html("a<!-- no > no -->b<script>no</script>c 1 < 2 &bogus; &#xe9;"),
        "ab c 1 < 2 &bogus; é",
    );
    check(&html("<div>\u{200c}\u{a0}\u{200c}x</div"), "x");
    check(&html("<style>never closed"), "");
}

#[test]
fn plain_text_is_preferred_unless_empty() {
    let both = |plain: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>page</p>\r\n--b\r\n\r\n{plain}\r\n--b--"
        )
    };
    check(&both("plain"), "plain");
    check(&both(" "), "page");
}

#[test]
fn messages_inside_do_not_speak() {
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\r\ninner\r\n--b\r\n\r\nouter\r\n--b--",
        "outer",
    );
}
