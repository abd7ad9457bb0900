//! Address lists, the well-made and the others.

use super::*;
use proptest::prelude::*;

/// `name|route|local|domain`, with groups as `name:[…]`.
fn show(value: &[u8]) -> String {
    let mailbox = |m: &Mailbox<'_>| {
        let text = |part: &Option<Cow<'_, [u8]>>| {
            part.as_deref()
                .map_or(String::new(), |b| String::from_utf8_lossy(b).into_owned())
        };
        let (local, domain) = (
            String::from_utf8_lossy(&m.local),
            String::from_utf8_lossy(&m.domain),
        );
        format!("{}|{}|{local}|{domain}", text(&m.name), text(&m.route))
    };
    let entry = |entry: &Entry<'_>| match entry {
        Entry::Mailbox(m) => mailbox(m),
        Entry::Group { name, members } => {
            format!(
                "{}:[{}]",
                String::from_utf8_lossy(name),
                members.iter().map(mailbox).collect::<Vec<_>>().join(" & ")
            )
        }
    };
    parse(value)
        .iter()
        .map(entry)
        .collect::<Vec<_>>()
        .join(" & ")
}

#[track_caller]
fn check(value: &str, want: &str) {
    assert_eq!(show(value.as_bytes()), want, "{value}");
}

#[test]
fn reads_what_the_standard_shows() {
    for (value, want) in [
        ("a@b.c", "||a|b.c"),
        ("<a@b.c>", "||a|b.c"),
        ("Ann B <a@b.c>", "Ann B||a|b.c"),
        (
            "\"Ann, B.\" <a@b.c>, C D <c@d>",
            "Ann, B.||a|b.c & C D||c|d",
        ),
        (
            "Joe Q. Public <john.q.public@example.com>",
            "Joe Q. Public||john.q.public|example.com",
        ),
        (
            "\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
            "Giant; \"Big\" Box||sysservices|example.net",
        ),
        (
            "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            "A Group:[Ed Jones||c|a.test & ||joe|where.test & John||jdoe|one.test]",
        ),
        ("Undisclosed recipients:;", "Undisclosed recipients:[]"),
        (
            "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            "Pete||pete|silly.test",
        ),
        (
            "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n     joe@example.org;",
            "A Group:[Chris Jones||c|public.example & ||joe|example.org]",
        ),
        (
            "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
            "Mary Smith|@node.test|mary|example.net & ||jdoe|test.example",
        ),
        ("\"a b\"@c.d", "||a b|c.d"),
        ("john . smith @ example . org", "||john.smith|example.org"),
        ("a@[192.0.2.1]", "||a|[192.0.2.1]"),
        ("=?utf-8?q?D=2C_J?= <a@b>", "=?utf-8?q?D=2C_J?=||a|b"),
        ("x@y (Full Name)", "Full Name||x|y"),
        ("", ""),
    ] {
        check(value, want);
        assert!(
            value.is_empty() || value.contains(", ,") || parse_list(value.as_bytes()).is_clean,
            "{value}"
        );
    }
}

#[test]
fn guesses_what_was_meant() {
    for (value, want) in [
        ("a@b.c <d@e.f>", "a@b.c||d|e.f"),
        ("<a@b, c@d", "||a|b & ||c|d"),
        ("Ann a@b", "Ann||a|b"),
        ("a@b; c@d", "||a|b & ||c|d"),
        ("a@b@c", "||a@b|c"),
        ("just words", "||just words|"),
        ("<>", ""),
        ("Name <>", "Name|||"),
        ("Group: a@b", "Group:[||a|b]"),
        ("a@b) , <c@d>>", "||a|b & ||c|d"),
        ("=?utf-8?q?D,_J?= <a@b>", "=?utf-8?q?D,_J?=||a|b"),
        ("<a b@c>", "||a b|c"),
        ("<a . b@c>", "||a.b|c"),
        ("a@b extra", "||a|b"),
        ("@b", "|||b"),
        ("\"unclosed <a@b>", "||unclosed <a@b>|"),
    ] {
        check(value, want);
        let list = parse_list(value.as_bytes());
        let fine = ["=?utf-8?q?D,_J?= <a@b>", "<a . b@c>", "<>"];
        assert!(!list.is_clean || fine.contains(&value), "{value}");
    }
}

#[test]
fn only_sound_addresses_become_addresses() {
    let addresses = |value: &'static str| -> Vec<_> {
        flatten(parse(value.as_bytes()))
            .filter_map(|m| m.address())
            .map(|a| a.to_string())
            .collect()
    };
    assert_eq!(
        addresses("Ann <ann@EXAMPLE.org>, \"a b\"@c.d"),
        ["ann@example.org", "\"a b\"@c.d"]
    );
    assert!(addresses("words, a@b..c, @c").is_empty());
}

#[test]
fn hostile_lists_cost_no_more_than_their_size() {
    for piece in [
        "@", "<", "(", "a@", ",", ":", "a:", "=?", "\"", ";", "a@b(", "<@", ")", ". ", "@(a)",
    ] {
        let value = piece.repeat(200_000 / piece.len());
        let _ = parse(value.as_bytes());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_near_miss_is_survived(value in "[ab@<>(),:;. \"\\\\\\[\\]=?\r\n]{0,40}") {
        let list = parse_list(value.as_bytes());
        for mailbox in flatten(list.entries) {
            prop_assert!(mailbox.local.len() + mailbox.domain.len() <= 2 * value.len() + 2);
        }
    }

    #[test]
    fn addresses_are_read_back(local in "[a-z!#. ]{1,12}", domain in "[a-z]{1,8}\\.[a-z]{2,4}", name in "[A-Za-z ,.\"]{0,12}") {
        let address = crate::Address::new(&local, crate::Domain::parse(&domain).unwrap()).unwrap();
        let quoted = name.replace('"', "\\\"");
        let value = format!("\"{quoted}\" <{address}>");
        let list = parse_list(value.as_bytes());
        prop_assert!(list.is_clean);
        let got: Vec<_> = flatten(list.entries).collect();
        prop_assert_eq!(got.len(), 1);
        prop_assert_eq!(got[0].address().unwrap(), address);
        prop_assert_eq!(got[0].name.as_deref().unwrap(), name.as_bytes());
    }
}
