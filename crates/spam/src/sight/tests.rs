//! What is seen of messages of many forms.

use super::*;

#[test]
fn a_plain_message() {
    let sight = Sight::of(b"From: \"A B\" <a@Example.org>\r\nSubject: =?utf-8?q?h=C3=A9?=\r\nTo: c@d.e\r\n\r\nSee http://x.example/a?b=1, and www.y.example.\r\n");
    assert_eq!(sight.subject, "hé");
    assert_eq!(sight.from[0].name, "A B");
    assert_eq!(sight.from[0].domain, "example.org");
    let targets: Vec<_> = sight.links.iter().map(|link| &*link.target).collect();
    assert_eq!(targets, ["http://x.example/a?b=1", "www.y.example"]);
    assert_eq!(sight.links[1].host(), "www.y.example");
}

#[test]
fn a_page_shows_and_hides() {
    let sight = Sight::of(b"Content-Type: text/html\n\n<html><head><title>t</title><style>p{}</style></head><body>Hel<b>lo</b>&nbsp;you<div style=\"display: none\">secret <div>deep</div> more</div><p>after <a href='http://a.example/?x=1&amp;y=2'>click <b>here</b></a> <img src=\"http://p.example/1.gif\" width=1 height=1 alt=pic></p></body>");
    assert_eq!(sight.text, "Hello you after click here pic");
    assert_eq!(sight.hidden, "t secret deep more");
    assert_eq!(sight.links[0].target, "http://a.example/?x=1&y=2");
    assert_eq!(sight.links[0].shown, "click here");
    assert_eq!(sight.page.tiny_images, 1);
    assert_eq!(sight.page.hiding_elements, 1);
}

#[test]
fn hosts() {
    for (target, host) in [
        ("http://a.example/x", Some("a.example")),
        ("https://user:pw@b.example:8080?q", Some("b.example")),
        ("www.c.example", Some("www.c.example")),
        ("//d.example/x", Some("d.example")),
        ("http://[::1]/", Some("[::1]")),
        ("mailto:a@b", None),
        ("", None),
    ] {
        assert_eq!(host_of(target), host, "{target}");
    }
}
