//! How numbers look, and which are understood.

use super::*;

#[test]
fn sizes_are_readable() {
    for (count, want) in [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (52_428_800, "52 MB"),
        (2_000_000_000, "2.0 GB"),
    ] {
        assert_eq!(bytes(count), want);
    }
}

#[test]
fn quotas_as_people_write_them() {
    for (text, want) in [
        ("500M", Some(500_000_000)),
        ("2 GB", Some(2_000_000_000)),
        ("1.5g", Some(1_500_000_000)),
        ("1GiB", Some(1_073_741_824)),
        ("1234", Some(1234)),
        ("none", None),
    ] {
        assert_eq!(parse_quota(text), Ok(want), "{text}");
    }
    for text in ["", "x", "-1G", "0", "5 parsecs", "1e30T", "99999999999T"] {
        assert!(parse_quota(text).is_err(), "{text}");
    }
}

#[test]
fn times_near_and_far() {
    let now = UnixMillis(1_800_000_000_000);
    let at = |secs: i64| UnixMillis(now.0 + secs * 1000);
    assert_eq!(relative(at(0), now), "now");
    assert_eq!(relative(at(90), now), "in 90s");
    assert_eq!(relative(at(-600), now), "10m ago");
    assert_eq!(relative(at(432_000), now), "in 5d");
    assert_eq!(time(now), "2027-01-15T08:00:00Z");
}
