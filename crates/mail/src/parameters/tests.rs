//! Parameters, the well-made and the others.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(value: &str, main: &str, want: &[(&str, &str)]) {
    let got = parse(value.as_bytes());
    assert_eq!(got.value, main, "{value}");
    let raw: Vec<_> = got
        .parameters
        .iter()
        .map(|(n, v)| (n.as_str(), std::str::from_utf8(v).unwrap()))
        .collect();
    assert_eq!(raw, want, "{value}");
}

#[test]
fn reads_types_with_parameters() {
    check("text/plain", "text/plain", &[]);
    check(
        " TEXT / Plain (comment) ; Charset = UTF-8 ",
        "text/plain",
        &[("charset", "UTF-8")],
    );
    check(
        "text/plain; charset=us-ascii (Plain text)",
        "text/plain",
        &[("charset", "us-ascii")],
    );
    check(
        "text/plain; charset=\"us-\\ascii\"",
        "text/plain",
        &[("charset", "us-ascii")],
    );
    check(
        "multipart/mixed; boundary=\"a;b\";\r\n\tx=\"y\r\n z\"",
        "multipart/mixed",
        &[("boundary", "a;b"), ("x", "y z")],
    );
    check("a/b;;;x=1;;y=2;", "a/b", &[("x", "1"), ("y", "2")]);
    check("a/b; x=1; X=2", "a/b", &[("x", "1")]);
}

#[test]
fn forgives() {
    check(
        "application/pdf; name=two words (1).pdf; x=y",
        "application/pdf",
        &[("name", "two words"), ("x", "y")],
    );
    check("a/b; name=foo bar.pdf", "a/b", &[("name", "foo bar.pdf")]);
    check("a/b; x=1 y=2", "a/b", &[("x", "1"), ("y", "2")]);
    check(
        "a/b; x=\"1\" y=\"2\" junk; z=3",
        "a/b",
        &[("x", "1"), ("y", "2"), ("z", "3")],
    );
    check("a/b; junk; x=1", "a/b", &[("x", "1")]);
    check("a/b; x=\"unclosed", "a/b", &[("x", "unclosed")]);
    check("a/b; x=", "a/b", &[("x", "")]);
    check("; x=1", "", &[("x", "1")]);
    check("", "", &[]);
}

#[test]
fn joins_continuations() {
    let value = "a/b; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu\"";
    check(value, "a/b", &[("url", "ftp://cs.utk.edu")]);
    let value = "application/x-stuff; title*1*=%2a%2a%2afun%2a%2a%2a%20; title*2=\"isn't it!\"; title*0*=us-ascii'en'This%20is%20even%20more%20";
    let got = parse(value.as_bytes());
    assert_eq!(got.parameters.len(), 1);
    assert_eq!(
        text(&got.parameters, "title").unwrap(),
        "This is even more ***fun*** isn't it!"
    );
    let value = "attachment; filename=plain.txt; filename*=UTF-8''na%C3%AFve%20file.txt";
    let got = parse(value.as_bytes());
    assert_eq!(text(&got.parameters, "filename").unwrap(), "naïve file.txt");
    check("a/b; x*=%41; x=1", "a/b", &[("x*", "%41")]);
    check("a/b; *=1; *0=2", "a/b", &[]);
}

#[test]
fn encoded_words_are_read_where_they_should_not_be() {
    let got = parse(b"attachment; filename=\"=?utf-8?q?=C3=A9.txt?=\"");
    assert_eq!(text(&got.parameters, "filename").unwrap(), "é.txt");
    assert_eq!(text(&got.parameters, "name"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let got = parse(&bytes);
        let kept: usize = got.parameters.iter().map(|(_, value)| value.len()).sum();
        prop_assert!(kept <= bytes.len() * 3 + 2);
    }

    #[test]
    fn any_near_miss_is_survived(value in "[a-c*0-2'%;=\"\\\\( )/]{0,60}") {
        let got = parse(value.as_bytes());
        for name in ["a", "b", "c"] {
            let _ = text(&got.parameters, name);
        }
    }
}
