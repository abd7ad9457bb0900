//! Records and policies, right and wrong.

use super::*;

#[test]
fn records() {
    let of = |texts: &[&str]| Record::of_texts(texts).map(|found| found.map(|record| record.id));
    let id = |id: &str| Ok(Some(id.to_owned()));
    assert_eq!(of(&["v=STSv1; id=20160831085700Z;"]), id("20160831085700Z"));
    assert_eq!(of(&["v=STSv1;id=1"]), id("1"));
    assert_eq!(of(&["v=STSv1 ; x-new=1; id=a1 ;"]), id("a1"));
    assert_eq!(of(&["v=spf1 -all", "v=STSv1; id=2;"]), id("2"));
    assert_eq!(of(&[]), Ok(None));
    assert_eq!(of(&["v=STSv10; id=1;", "V=STSv1; id=1"]), Ok(None));
    assert_eq!(
        of(&["v=STSv1; id=1;", "v=STSv1; id=1;"]),
        Err(RecordError::Several)
    );
    assert_eq!(of(&["v=STSv1;"]), Err(RecordError::NoId));
    assert_eq!(of(&["v=STSv1; id=;"]), Err(RecordError::NoId));
    assert_eq!(of(&["v=STSv1; id=a-b;"]), Err(RecordError::NoId));
    assert_eq!(of(&["v=STSv1; id=1; id=2"]), Err(RecordError::NoId));
    assert_eq!(of(&["v=STSv1; id"]), Err(RecordError::Malformed));
    assert_eq!(
        of(&[&format!("v=STSv1; id={};", "a".repeat(33))]),
        Err(RecordError::NoId)
    );
}

const GOOD: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n";

#[test]
fn the_policy_of_the_rfc() {
    let policy = Policy::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(policy.mode, Mode::Enforce);
    assert_eq!(policy.max_age_secs, 604_800);
    let texts = policy.mx_texts();
    assert_eq!(
        texts,
        ["mail.example.com", "*.example.net", "backupmx.example.com"]
    );
    for (host, named) in [
        ("mail.example.com", true),
        ("MAIL.example.com.", true),
        ("a.example.net", true),
        ("a.b.example.net", false),
        ("example.net", false),
        ("mail.example.com.evil.test", false),
        ("xmail.example.com", false),
    ] {
        assert_eq!(policy.names(host), named, "{host}");
    }
}

#[test]
fn odd_but_right() {
    let ok = |text: &str| Policy::parse(text.as_bytes()).unwrap();
    let bare = ok("version:STSv1\nmode:testing\nmx:a.test\nmax_age:0");
    assert_eq!((bare.mode, bare.max_age_secs), (Mode::Testing, 0));
    let none = ok("version: STSv1\nmode: none\nmax_age: 86400\n");
    assert_eq!((none.mode, none.mx.len()), (Mode::None, 0));
    let new = ok(
        "version: STSv1\nx-new_key: whatever: it says\nmode: enforce\nmx: a.test\nmax_age: 9999999999\n\n",
    );
    assert_eq!(new.max_age_secs, MAX_AGE_SECS_MAX);
}

#[test]
fn wrong_policies_are_none() {
    let bad = |text: &str| Policy::parse(text.as_bytes()).unwrap_err();
    assert_eq!(bad(""), PolicyError::Version);
    assert_eq!(
        bad("version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 1"),
        PolicyError::Version
    );
    assert_eq!(
        bad("version: STSv1\nmode: Enforce\nmx: a.test\nmax_age: 1"),
        PolicyError::Mode
    );
    assert_eq!(
        bad("version: STSv1\nmode: enforce\nmax_age: 1"),
        PolicyError::NoMx
    );
    assert_eq!(
        bad("version: STSv1\nmode: enforce\nmx: a.test"),
        PolicyError::MaxAge
    );
    assert_eq!(
        bad("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1"),
        PolicyError::MaxAge
    );
    assert_eq!(
        bad("version: STSv1\nmode: enforce\nmx: *\nmax_age: 1"),
        PolicyError::Mx("*".into())
    );
    assert_eq!(
        bad("version: STSv1\nmode: enforce\nmx: a.*.test\nmax_age: 1"),
        PolicyError::Mx("a.*.test".into())
    );
    assert_eq!(
        bad("version: STSv1\nmode: none\nmode: enforce\nmx: a.test\nmax_age: 1"),
        PolicyError::Twice("mode")
    );
    assert!(matches!(
        bad("<html>\nversion: STSv1"),
        PolicyError::Line(_)
    ));
    assert!(matches!(
        bad("version: STSv1\n<a href=\"x:y\">"),
        PolicyError::Line(_)
    ));
    assert_eq!(
        Policy::parse(b"version: STSv1\nmode: \xff"),
        Err(PolicyError::NotText)
    );
    assert_eq!(
        Policy::parse(&[b'\n'; POLICY_BYTES_MAX + 1]),
        Err(PolicyError::TooLarge)
    );
}
