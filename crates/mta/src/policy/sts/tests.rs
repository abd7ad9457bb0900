//! When a policy is fetched, and when the kept one will do.

use super::*;

#[test]
fn when_to_fetch() {
    let kept = |id: &str, expires: i64| StsPolicy {
        domain: Domain::parse("there.test").unwrap(),
        record_id: id.to_owned(),
        policy: String::new(),
        fetched: UnixMillis(0),
        expires: UnixMillis(expires),
        refresh: UnixMillis(0),
        used: UnixMillis(0),
    };
    let id = |id: &str| Announced::Id(id.to_owned());
    let fetch = |id: &str| Next::Fetch { id: id.to_owned() };
    let table = [
        (None, id("1"), fetch("1")),
        (None, Announced::Nothing, Next::Keep),
        (None, Announced::Unknown, Next::Keep),
        (Some(kept("1", 200)), id("1"), Next::Keep),
        (Some(kept("1", 200)), id("2"), fetch("2")),
        // Hidden or blocked: the kept one binds.
        (Some(kept("1", 200)), Announced::Nothing, Next::Keep),
        (Some(kept("1", 200)), Announced::Unknown, Next::Keep),
        (Some(kept("1", 100)), id("1"), fetch("1")),
        (Some(kept("1", 100)), Announced::Nothing, Next::Keep),
    ];
    for (kept, announced, wanted) in table {
        let got = next(kept.as_ref(), &announced, UnixMillis(100));
        assert_eq!(got, wanted, "{kept:?} {announced:?}");
    }
}

#[test]
fn what_binds() {
    let kept = |mode: &str, expires: i64| StsPolicy {
        domain: Domain::parse("there.test").unwrap(),
        record_id: "1".to_owned(),
        policy: format!("version: STSv1\nmode: {mode}\nmx: mx.there.test\nmax_age: 9\n"),
        fetched: UnixMillis(0),
        expires: UnixMillis(expires),
        refresh: UnixMillis(0),
        used: UnixMillis(0),
    };
    let binds = |kept: StsPolicy| InForce::of(&kept, UnixMillis(100)).is_some();
    assert!(binds(kept("enforce", 101)));
    assert!(binds(kept("testing", 101)));
    assert!(!binds(kept("none", 101)));
    assert!(!binds(kept("enforce", 100)));
    let seen = InForce::of(&kept("enforce", 101), UnixMillis(100))
        .unwrap()
        .seen();
    assert_eq!(
        seen.text,
        [
            "version: STSv1",
            "mode: enforce",
            "mx: mx.there.test",
            "max_age: 9"
        ]
    );
    assert_eq!(seen.mx, ["mx.there.test"]);
}
