//! Which names a walk asks, and where it ends, by the examples of the RFC and around its corners.

use super::*;

fn records(zone: &[(&str, &str)], start: &str) -> Records {
    let mut records = Records::new();
    for target in targets(start) {
        let found = zone.iter().find(|(domain, _)| *domain == target);
        let found = match found {
            Some((_, "?")) => Found::Unknown,
            Some((_, text)) => Found::Record(Box::new(Record::parse(text.as_bytes()).unwrap())),
            None => Found::Nothing,
        };
        records.insert(target.to_owned(), found);
    }
    records
}

#[track_caller]
fn check(start: &str, zone: &[(&str, &str)], org_domain: Option<&str>) {
    let records = records(zone, start);
    let found = walk(&records, start).map(|walk| walk.org_domain);
    assert_eq!(found, org_domain, "{start} in {zone:?}");
}

#[test]
fn long_names_jump_to_their_last_seven_labels() {
    let asked: Vec<_> = targets("a.b.c.d.e.f.g.h.i.j.mail.example.com").collect();
    assert_eq!(
        asked,
        [
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            "g.h.i.j.mail.example.com",
            "h.i.j.mail.example.com",
            "i.j.mail.example.com",
            "j.mail.example.com",
            "mail.example.com",
            "example.com",
            "com",
        ]
    );
    for labels in 1..40 {
        let name = vec!["x"; labels].join(".");
        let asked: Vec<_> = targets(&name).collect();
        assert_eq!(asked.len(), labels.min(WALK_QUERIES_MAX), "{labels} labels");
        assert_eq!(asked[0], name);
    }
    let eight: Vec<_> = targets("1.2.3.4.5.6.7.8").collect();
    assert_eq!(eight[1], "2.3.4.5.6.7.8", "no label of eight is skipped");
}

#[test]
fn the_organisational_domain() {
    const P: &str = "v=DMARC1; p=none";
    const NOT_SUFFIX: &str = "v=DMARC1; p=none; psd=n";
    const SUFFIX: &str = "v=DMARC1; p=none; psd=y";
    let start = "a.mail.example.com";
    // The examples of RFC 9989 §4.10.2.
    let both = [("mail.example.com", P), ("example.com", P)];
    check(start, &both, Some("example.com"));
    check(start, &[("com", SUFFIX)], Some("example.com"));
    // Nothing anywhere: the domain is its own organisation.
    check(start, &[], Some(start));
    // The record with the fewest labels, even a top-level domain that does not say what it is.
    check(start, &[(start, P), ("com", P)], Some("com"));
    // psd=n ends the walk, at the start and above.
    check(
        start,
        &[(start, NOT_SUFFIX), ("example.com", P)],
        Some(start),
    );
    check(
        start,
        &[("mail.example.com", NOT_SUFFIX), ("example.com", P)],
        Some("mail.example.com"),
    );
    // psd=y ends it one label below, whatever lies between.
    check(
        start,
        &[("mail.example.com", SUFFIX), ("example.com", P)],
        Some(start),
    );
    check(start, &[("example.com", SUFFIX)], Some("mail.example.com"));
    check(
        start,
        &[(start, P), ("example.com", SUFFIX)],
        Some("mail.example.com"),
    );
    // At the start itself psd=y ends the walk too, and the name stands for itself.
    check(
        "example.com",
        &[("example.com", SUFFIX)],
        Some("example.com"),
    );
    check(
        "example.com",
        &[("example.com", SUFFIX), ("com", P)],
        Some("example.com"),
    );
}

#[test]
fn what_is_not_known_matters_only_before_the_end() {
    let stop = "v=DMARC1; psd=n";
    check("a.example.com", &[("example.com", "?")], None);
    check("a.example.com", &[("com", "?")], None);
    check(
        "a.example.com",
        &[("a.example.com", stop), ("example.com", "?")],
        Some("a.example.com"),
    );
}

#[test]
fn a_suffix_far_above_a_long_name() {
    let start = "a.b.c.d.e.f.g.h.i.example.co.uk";
    let zone = [("co.uk", "v=DMARC1; psd=y; p=reject")];
    let records = records(&zone, start);
    let walk = walk(&records, start).unwrap();
    assert_eq!(
        (walk.org_domain, walk.suffix),
        ("example.co.uk", Some("co.uk"))
    );
}

#[test]
fn only_names_with_a_common_end_can_be_related() {
    assert!(may_be_related("a.example.com", "example.com"));
    assert!(may_be_related("example.com", "elsewhere.com"));
    assert!(!may_be_related("example.com", "example.org"));
}
