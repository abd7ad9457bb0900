//! Base subjects and message-ids. RFC 5256.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(subject: &str, want: &str, is_reply: bool) {
    assert_eq!(
        base_subject(subject.as_bytes()),
        (want.to_owned(), is_reply),
        "{subject}"
    );
}

#[test]
fn subjects_lose_what_programs_add() {
    check("Hello", "Hello", false);
    check("Re: Hello", "Hello", true);
    check("re:re: RE : Hello (fwd)  (fwd)", "Hello", true);
    check("Fwd: Fw:  Hello", "Hello", true);
    check("[list] Hello", "Hello", false);
    check("[list] Re: [other] Hello", "Hello", true);
    check("Re[2]: Hello", "Hello", true);
    check("[Fwd: Re: [x] Hello]", "Hello", true);
    check("[only]", "[only]", false);
    check("[a] [b]", "[b]", false);
    check("Reply: no", "Reply: no", false);
    check("  many \t  spaces ", "many spaces", false);
    check("=?utf-8?q?Re=3A_Gr=C3=BC=C3=9Fe?=", "Grüße", true);
    check("Re:", "", true);
    check("", "", false);
    check("é[", "é[", false);
}

#[test]
fn ids_are_found_and_made_equal() {
    assert_eq!(
        message_ids(b"<a@b> junk <c@d>\r\n\t< e @ f >"),
        ["a@b", "c@d", "e@f"]
    );
    assert_eq!(message_ids(b"<\"01KF8\"@x.y>"), ["01KF8@x.y"]);
    assert_eq!(message_ids(b"Your message of Monday <a <b@c>"), ["b@c"]);
    assert!(message_ids(b"none <> <unclosed").is_empty());
    let many: String = (0..300).map(|n| format!("<{n}@x> ")).collect();
    let ids = message_ids(many.as_bytes());
    assert_eq!(
        (ids.len(), ids[0].as_str(), ids.last().unwrap().as_str()),
        (REFERENCES_MAX, "0@x", "299@x")
    );
}

proptest! {
    #[test]
    fn any_subject_is_survived_and_settles(subject in "[ \\[\\]rReEfFwWdD:()é]{0,60}") {
        let (base, _) = base_subject(subject.as_bytes());
        prop_assert_eq!(base_subject(base.as_bytes()).0, base);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = base_subject(&bytes);
        let _ = message_ids(&bytes);
    }
}
