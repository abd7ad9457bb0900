//! Trees of well-made and other messages, shown as type and content of each part.

use super::*;

/// `type/subtype[body]`, with children in braces.
fn show(message: &[u8]) -> String {
    let structure = scan(message).structure;
    fn part(message: &[u8], structure: &Structure, at: usize) -> String {
        let part_here = &structure.parts()[at];
        let inside: Vec<usize> = match &part_here.kind {
            Kind::Leaf => vec![],
            Kind::Multipart { children } => children.clone(),
            Kind::Message { child, .. } => child.iter().copied().collect(),
        };
        let name = format!("{}/{}", part_here.media_type, part_here.media_subtype);
        if inside.is_empty() {
            let body = String::from_utf8_lossy(&message[part_here.body.clone()])
                .escape_default()
                .to_string();
            return format!("{name}[{body}]");
        }
        let children: Vec<_> = inside
            .iter()
            .map(|&child| part(message, structure, child))
            .collect();
        format!("{name}{{{}}}", children.join(" "))
    }
    part(message, &structure, 0)
}

#[track_caller]
fn check(message: &str, want: &str) {
    assert_eq!(show(message.as_bytes()), want, "{message}");
    // The same with bare line feeds.
    let line_feeds = message.replace("\r\n", "\n");
    assert_eq!(
        show(line_feeds.as_bytes()),
        want.replace("\\r\\n", "\\n"),
        "{line_feeds}"
    );
}

#[test]
fn plain_messages() {
    check("", "text/plain[]");
    check("From: a@b", "text/plain[]");
    check("From: a@b\r\n\r\n", "text/plain[]");
    check("From: a@b\r\n\r\nbody\r\n", "text/plain[body\\r\\n]");
    check("\r\nbody", "text/plain[body]");
    check(
        "Content-Type: TEXT/Html; charset=x\r\n\r\nbody",
        "text/html[body]",
    );
    check("Content-Type: nonsense\r\n\r\nbody", "text/plain[body]");
    check("Content-Type: a/b/c\r\n\r\nbody", "text/plain[body]");
}

#[test]
fn multiparts() {
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n--b \t\r\nContent-Type: text/html\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue\r\n--b\r\nno",
        "multipart/mixed{text/plain[one] text/html[two\\r\\n]}",
    );
    check(
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\none\r\n--b--",
        "multipart/digest{message/rfc822{text/plain[one]}}",
    );
    // The inner one is ended by the outer one's delimiter.
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/x; boundary=ab\r\n\r\n--ab\r\n\r\n1\r\n--ab\r\n\r\n2\r\n--a\r\n\r\n3\r\n--a--\r\n",
        "multipart/mixed{multipart/x{text/plain[1] text/plain[2]} text/plain[3]}",
    );
}

#[test]
fn empty_and_headless_parts() {
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\n--b\r\nContent-Type: a/b\r\n--b\r\nContent-Type: a/b\r\n\r\n--b--",
        "multipart/mixed{text/plain[] text/plain[] a/b[] a/b[]}",
    );
}

#[test]
fn delimiters_are_whole_lines() {
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx --b\r\n--bb\r\n--b-\r\n-- \r\n--b--x\r\n--b-->",
        "multipart/mixed{text/plain[x --b\\r\\n--bb\\r\\n--b-\\r\\n-- \\r\\n--b--x]}",
    );
}

#[test]
fn multiparts_without_parts_are_text() {
    check(
        "Content-Type: multipart/mixed\r\n\r\nbody",
        "text/plain[body]",
    );
    check(
        "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nbody",
        "text/plain[--\\r\\n\\r\\nbody]",
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\nbody",
        "text/plain[body]",
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\nbody",
        "text/plain[--b--\\r\\nbody]",
    );
}

#[test]
fn messages_inside() {
    check(
        "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nbody",
        "message/rfc822{message/rfc822{text/plain[body]}}",
    );
    check(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdA==",
        "message/rfc822[U3ViamVjdA==]",
    );
    check(
        "Content-Type: message/delivery-status\r\n\r\nbody",
        "message/delivery-status[body]",
    );
    // A delimiter ends the header of a message inside, too.
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n--b\r\n\r\ntwo\r\n--b--",
        "multipart/mixed{message/rfc822{text/plain[]} text/plain[two]}",
    );
}

#[test]
fn depth_and_count_are_bounded() {
    let mut deep = String::new();
    for level in 0..200 {
        deep.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}x\r\n\r\n--b{level}x\r\n"
        ));
    }
    let found = scan(deep.as_bytes());
    assert!(found.structure.parts().len() <= MIME_DEPTH_MAX + 1);
    assert!(found.defects.list().contains(&Defect::TooDeep));

    let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(200);
    let found = scan(deep.as_bytes());
    assert!(found.structure.parts().len() <= MIME_DEPTH_MAX + 1);
    assert!(found.defects.list().contains(&Defect::TooDeep));

    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\n".repeat(5_000)
    );
    let found = scan(many.as_bytes());
    assert_eq!(found.structure.parts().len(), MIME_PARTS_MAX);
    assert!(found.defects.list().contains(&Defect::TooManyParts));

    for text in [deep, many] {
        let structure = scan(text.as_bytes()).structure;
        assert_eq!(Structure::decode(&structure.encode()), Ok(structure));
    }
}

#[test]
fn defects_are_named() {
    let defects = |message: &str| crate::Message::parse(message.as_bytes()).defects().to_vec();
    assert_eq!(defects("From: a@b\r\n\r\nbody"), []);
    assert_eq!(defects("From: a@b\n\n"), [Defect::BareLineFeed]);
    assert_eq!(defects("From: a@b"), [Defect::HeaderUnterminated]);
    assert_eq!(
        defects("Fr om: a@b\r\nTo: a\r\nTo: b\r\n\r\n"),
        [Defect::HeaderLineMalformed, Defect::FieldRepeated]
    );
    assert_eq!(defects("X: \0\u{e9}\r\n\r\n"), [Defect::HeaderHasNul]);
    assert_eq!(
        defects(
            "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b\r\n\r\nx"
        ),
        [Defect::MultipartUnclosed, Defect::EncodingForbidden]
    );
    assert_eq!(
        defects("Content-Type: multipart/mixed\r\n\r\n"),
        [Defect::BoundaryMissing]
    );
    assert_eq!(
        defects("Content-Type: x\r\nContent-Transfer-Encoding: y\r\n\r\n"),
        [Defect::ContentTypeMalformed, Defect::EncodingUnknown]
    );
}
