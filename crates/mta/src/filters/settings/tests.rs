//! Addresses as the documents of filters write them.

use super::*;

#[test]
fn addresses_are_read_in_the_usual_forms() {
    let local = |path: &str| Some(FilterAddress::Local(path.into()));
    let inet = |text: &str| Some(FilterAddress::Internet(text.parse().unwrap()));
    for (text, expected) in [
        ("unix:/run/a.sock", local("/run/a.sock")),
        ("local:/run/a.sock", local("/run/a.sock")),
        ("/run/a.sock", local("/run/a.sock")),
        ("127.0.0.1:11332", inet("127.0.0.1:11332")),
        ("[::1]:11332", inet("[::1]:11332")),
        ("inet:127.0.0.1:11332", inet("127.0.0.1:11332")),
        ("inet:11332@127.0.0.1", inet("127.0.0.1:11332")),
        ("inet:8891@localhost", inet("127.0.0.1:8891")),
        ("inet6:8891@[::1]", inet("[::1]:8891")),
        ("localhost:3310", inet("127.0.0.1:3310")),
        ("unix:relative", None),
        ("filter.example:11332", None),
        ("11332", None),
        ("", None),
    ] {
        assert_eq!(FilterAddress::parse(text), expected, "{text}");
    }
}
