//! Which names can be asked for at all.

use super::parse;

#[test]
fn names_with_odd_characters_can_be_asked_for() {
    let labels = |name: &str| parse(name).map(|name| name.num_labels());
    for name in [
        "mail.example.org",
        "jack&jill=up.example.org",
        "foo:bar/baz.example.org",
        "macro%percent  space%20url-space.example.org",
        "a\\b@c.example.org",
        "_spf.-odd-.org",
    ] {
        assert_eq!(labels(name), Some(3), "{name}");
        assert_eq!(labels(&format!("{name}.")), Some(3), "{name}");
    }
    assert_eq!(labels("."), Some(0));
    let long = "a".repeat(64);
    for name in ["", "a..b", ".a", "..", &long, &"a.".repeat(200)] {
        assert_eq!(labels(name), None, "{name}");
    }
}
