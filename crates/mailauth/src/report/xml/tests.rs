//! Good documents, broken ones, and such that would blow up.

use super::*;

fn read(document: &str) -> (Vec<String>, bool) {
    let mut reader = Reader::new(document);
    let mut seen = Vec::new();
    while let Some(event) = reader.next() {
        seen.push(match event {
            Event::Open(name) => format!("<{name}"),
            Event::Close { name, text } => format!("{text}/{name}"),
        });
    }
    (seen, reader.is_broken())
}

#[track_caller]
fn check(document: &str, want: &str, broken: bool) {
    let (seen, is_broken) = read(document);
    assert_eq!(seen.join(" "), want, "{document}");
    assert_eq!(is_broken, broken, "{document}");
}

#[test]
fn good_documents() {
    check("", "", false);
    check("<a>x</a>", "<a x/a", false);
    check(
        "<?xml version='1.0'?>\n<!-- <b> --><N:A q='>'> x <b/> y</N:A>",
        "<a <b /b x  y/a",
        false,
    );
    check("<a><![CDATA[<&>]]></a>", "<a <&>/a", false);
    check("<a>1 &lt; 2 &amp;&#65;&#x42;</a>", "<a 1 < 2 &AB/a", false);
}

#[test]
fn broken_documents_are_read_as_far_as_they_go() {
    check("<a><b>x", "<a <b x/b /a", true);
    check("<a><b>x</a>", "<a <b x/b /a", true);
    check("<a>x</b></a>", "<a x/a", true);
    check(
        "<a>me <me@here.example> & you</a>",
        "<a me me@here.example & you/a",
        true,
    );
    check("<a>bad<b.c</a>", "<a badb.c/a", true);
    check("<a>&nbsp;&;&#0;</a>", "<a &nbsp;&;&#0;/a", true);
    check("<a <b>x</b>", "<b x/b", true);
    check("<a>x<", "<a x/a", true);
    check("<!-- never", "", true);
}

#[test]
fn nothing_expands() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]><x>&b;&f;</x>";
    check(bomb, "<x &b;&f;/x", true);
}

#[test]
fn depth_has_an_end() {
    let document = "<a>".repeat(100_000) + "<b>x</b>" + &"</a>".repeat(100_000);
    let (seen, broken) = read(&document);
    assert_eq!(seen.len(), 2 * XML_DEPTH_MAX);
    assert!(broken);
}

#[test]
fn what_is_written_is_read() {
    let text = "a<b>&\"c\u{1}";
    let mut written = String::from("<x>");
    push_escaped(&mut written, text);
    written.push_str("</x>");
    check(&written, "<x a<b>&\"c/x", false);
}
