//! One line in, one command out, or a complaint.

use mail::UnixMillis;

use super::super::*;

fn parse_line(text: &str, dialect: Dialect) -> Result<Command, ParseError> {
    let (text, literals) = with_literals(text);
    parse(&text, literals, dialect)
        .map(|tagged| tagged.command)
        .map_err(|unreadable| unreadable.error)
}

/// Literals stand in the test as `{n}` CR LF and n bytes, as on the wire.
fn with_literals(text: &str) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut out, mut literals, mut rest) = (Vec::new(), Vec::new(), text.as_bytes());
    while let Some(at) = rest.windows(3).position(|window| window == b"}\r\n") {
        let open = rest[..at]
            .iter()
            .rposition(|byte| *byte == b'{')
            .expect("an open bracket");
        let digits = std::str::from_utf8(&rest[open + 1..at])
            .expect("digits")
            .trim_end_matches('+');
        let size: usize = digits.parse().expect("a size");
        out.extend_from_slice(&rest[..at + 3]);
        literals.push(rest[at + 3..at + 3 + size].to_vec());
        rest = &rest[at + 3 + size..];
    }
    out.extend_from_slice(rest);
    (out, literals)
}

#[track_caller]
fn command(text: &str) -> Command {
    parse_line(&format!("a1 {text}"), Dialect::Rev1)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn refused(text: &str) {
    let got = parse_line(&format!("a1 {text}"), Dialect::Rev1);
    assert!(got.is_err(), "{text}: {got:?}");
}

#[test]
fn commands_without_arguments() {
    assert_eq!(command("NOOP"), Command::Noop);
    assert_eq!(command("capability"), Command::Capability);
    assert_eq!(command("Unselect"), Command::Unselect);
    assert_eq!(command("EXPUNGE"), Command::Expunge(None));
    refused("NOOP ");
    refused("CAPABILITY extra stuff");
    refused("BOGUS");
    refused("UID NOOP");
    refused("UID");
    refused("");
}

#[test]
fn tags() {
    for (line, tag) in [
        ("a.1] NOOP", Some("a.1]")),
        ("+ NOOP", None),
        ("", None),
        ("* NOOP", None),
        (" NOOP", None),
    ] {
        let got = match parse(line.as_bytes(), Vec::new(), Dialect::Rev1) {
            Ok(tagged) => Some(tagged.tag),
            Err(unreadable) => unreadable.tag,
        };
        assert_eq!(got.as_deref(), tag, "{line}");
    }
}

#[test]
fn logins() {
    let login = |login: &str, password: &str| Command::Login {
        login: login.into(),
        password: password.into(),
    };
    assert_eq!(command("LOGIN alice secret"), login("alice", "secret"));
    assert_eq!(
        command("LOGIN \"a \\\"b\\\"\" {6}\r\nse\r\net"),
        login("a \"b\"", "se\r\net")
    );
    assert_eq!(command("LOGIN a]b \"\""), login("a]b", ""));
    refused("LOGIN alice");
    refused("LOGIN \"alice secret");
    refused("LOGIN al(ce secret");
    refused("LOGIN \"a\\c\" x");
    let initial = |text: &str| match command(text) {
        Command::Authenticate { mechanism, initial } => (mechanism, initial),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        initial("AUTHENTICATE plain AGEAYg=="),
        ("PLAIN".into(), Some(b"\0a\0b".to_vec()))
    );
    assert_eq!(
        initial("AUTHENTICATE SCRAM-SHA-256"),
        ("SCRAM-SHA-256".into(), None)
    );
    assert_eq!(
        initial("AUTHENTICATE EXTERNAL ="),
        ("EXTERNAL".into(), Some(Vec::new()))
    );
    refused("AUTHENTICATE PLAIN !!!");
}

#[test]
fn mailbox_names() {
    let select = |text: &str, dialect| match parse_line(&format!("a SELECT {text}"), dialect) {
        Ok(Command::Select { mailbox, .. }) => Some(mailbox.into_string()),
        _ => None,
    };
    assert_eq!(select("inBox", Dialect::Rev1).as_deref(), Some("INBOX"));
    assert_eq!(
        select("Entw&APw-rfe", Dialect::Rev1).as_deref(),
        Some("Entwürfe")
    );
    assert_eq!(
        select("Entw&APw-rfe", Dialect::Utf8).as_deref(),
        Some("Entw&APw-rfe")
    );
    assert_eq!(
        select("\"Entwürfe\"", Dialect::Utf8).as_deref(),
        Some("Entwürfe")
    );
    assert_eq!(select("\"Entwürfe\"", Dialect::Rev1), None);
    assert_eq!(select("a&b", Dialect::Rev1), None);
    assert_eq!(select("~foo", Dialect::Rev1).as_deref(), Some("~foo"));
    assert_eq!(
        select("!#$&-'+,-.0123456789:;<=>?@^_`|[}", Dialect::Rev1).as_deref(),
        Some("!#$&'+,-.0123456789:;<=>?@^_`|[}")
    );
}

#[test]
fn selecting_with_parameters() {
    let Command::Select {
        condstore,
        qresync,
        mode,
        ..
    } = command(
        "EXAMINE INBOX (CONDSTORE QRESYNC (67890007 90060115194045000 41:211,214:541 (1,3 2,4)))",
    )
    else {
        panic!()
    };
    let qresync = qresync.expect("QRESYNC");
    assert_eq!((mode, condstore), (Mode::ReadOnly, Condstore::Asked));
    assert_eq!(
        (qresync.uid_validity, qresync.mod_seq),
        (67_890_007, 90_060_115_194_045_000)
    );
    assert!(qresync.known.is_some() && qresync.matched.is_some());
    assert!(matches!(
        command("SELECT a (QRESYNC (1 2))"),
        Command::Select {
            qresync: Some(_),
            ..
        }
    ));
    assert!(matches!(
        command("SELECT a (QRESYNC (1 2 (3 4)))"),
        Command::Select {
            qresync: Some(_),
            ..
        }
    ));
    refused("SELECT a ()");
    refused("SELECT a (QRESYNC (0 2))");
    refused("SELECT a (BOGUS)");
}

#[test]
fn sequence_sets_stay_ranges() {
    let Command::Fetch(fetch) = command("FETCH 1:4294967295,*:3,5 FLAGS") else {
        panic!()
    };
    assert_eq!(fetch.set.resolve(10), vec![1..=u32::MAX]);
    let Command::Fetch(fetch) = command("UID FETCH 7,5:6,20:* UID") else {
        panic!()
    };
    assert_eq!(fetch.set.resolve(30), vec![5..=7, 20..=30]);
    assert_eq!(fetch.set.resolve(10), vec![5..=7, 10..=20]);
    let Command::Fetch(fetch) = command("FETCH $ FLAGS") else {
        panic!()
    };
    assert_eq!(fetch.set, SequenceSet::Saved);
    for bad in [
        "0",
        "4294967296",
        "1:",
        ":1",
        "1,,2",
        "1:2:3",
        "a",
        "1-2",
        "$,1",
    ] {
        refused(&format!("FETCH {bad} FLAGS"));
    }
}

#[test]
fn fetch_items() {
    let items = |text: &str| match command(&format!("FETCH 1 {text}")) {
        Command::Fetch(fetch) => fetch.items,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        items("FAST"),
        vec![
            FetchItem::Flags,
            FetchItem::InternalDate,
            FetchItem::Rfc822Size
        ]
    );
    assert_eq!(
        items("(UID BODY BODYSTRUCTURE)"),
        vec![FetchItem::Uid, FetchItem::Body, FetchItem::BodyStructure]
    );
    assert_eq!(items("(FLAGS FLAGS)"), vec![FetchItem::Flags]);
    assert_eq!(
        items("(PREVIEW (LAZY) UID)"),
        vec![FetchItem::Preview, FetchItem::Uid]
    );
    let section = |path: &[u32], what, seen, partial| FetchItem::Section {
        section: Section {
            path: path.to_vec(),
            what,
        },
        partial,
        seen,
        label: Label::Body,
    };
    assert_eq!(
        items("BODY[]"),
        vec![section(&[], SectionText::Whole, Seen::Mark, None)]
    );
    assert_eq!(
        items("BODY.PEEK[1.2.MIME]<10.20>"),
        vec![section(
            &[1, 2],
            SectionText::Mime,
            Seen::Peek,
            Some(Partial {
                offset: 10,
                count: 20
            })
        )]
    );
    let names = vec!["From".to_owned(), "X-\"".to_owned()];
    assert_eq!(
        items("body.peek[2.header.fields.not (From \"X-\\\"\")]"),
        vec![section(
            &[2],
            SectionText::HeaderFields {
                names,
                choice: Fields::AllBut
            },
            Seen::Peek,
            None
        )]
    );
    assert_eq!(
        items("BINARY.SIZE[3]"),
        vec![FetchItem::BinarySize { path: vec![3] }]
    );
    for bad in [
        "()",
        "(ALL)",
        "BODY[MIME]",
        "BODY[0]",
        "BODY[1.]",
        "BODY[1",
        "BODY[]<1>",
        "BODY[]<0.0>",
        "BODY[HEADER.FIELDS ()]",
        "BOGUS",
        "(FLAGS",
        "FLAGS)",
        "BODY[1.2.3.HEADER.FIELDS]",
    ] {
        refused(&format!("FETCH 1 {bad}"));
    }
}

#[test]
fn fetch_modifiers() {
    let Command::Fetch(fetch) = command("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)")
    else {
        panic!()
    };
    assert_eq!(
        (fetch.changed_since, fetch.vanished, fetch.by),
        (Some(12_345), true, By::Uid)
    );
    refused("FETCH 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)");
    refused("UID FETCH 1:* (FLAGS) (VANISHED)");
    refused("FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775808)");
}

#[test]
fn storing_flags() {
    let Command::Store(store) =
        command("UID STORE 1:3 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen $Work \\seen)")
    else {
        panic!()
    };
    assert_eq!(store.flags, vec![Flag::Seen, Flag::Keyword("$Work".into())]);
    assert_eq!(
        (store.action, store.answer, store.unchanged_since, store.by),
        (StoreAction::Add, StoreAnswer::Silent, Some(5), By::Uid)
    );
    let Command::Store(store) = command("STORE 1 FLAGS \\Deleted \\Draft") else {
        panic!()
    };
    assert_eq!(store.flags, vec![Flag::Deleted, Flag::Draft]);
    assert!(matches!(command("STORE 1 -FLAGS ()"), Command::Store(_)));
    refused("STORE 1 FLAGS (\\Recent)");
    refused("STORE 1 FLAGS (\\Bogus)");
    refused("STORE 1 FLAG (\\Seen)");
    refused("STORE 1 FLAGS ( \\Seen)");
}

#[test]
fn appending() {
    let Command::Append { mailbox, messages } = command(
        "APPEND Sent (\\Seen x) \"17-Jul-1996 02:44:25 -0700\" {5}\r\nhello (\\Draft) ~{2+}\r\n\0b UTF8 (~{1}\r\nc)",
    ) else {
        panic!()
    };
    assert_eq!(mailbox.as_str(), "Sent");
    let bodies: Vec<&[u8]> = messages
        .iter()
        .map(|message| message.bytes.as_slice())
        .collect();
    assert_eq!(bodies, [&b"hello"[..], b"\0b", b"c"]);
    assert_eq!(
        messages[0].flags,
        vec![Flag::Seen, Flag::Keyword("x".into())]
    );
    assert_eq!(messages[0].internal_date, Some(UnixMillis(837_596_665_000)));
    assert_eq!(messages[1].internal_date, None);
    refused("APPEND Sent");
    refused("APPEND Sent \"hello\"");
    refused("APPEND Sent \"32-Jul-1996 02:44:25 -0700\" {5}\r\nhello");
    refused("APPEND Sent \"29-Feb-2023 02:44:25 -0700\" {5}\r\nhello");
}

#[test]
fn searching() {
    let key = |text: &str| match command(&format!("SEARCH {text}")) {
        Command::Search(search) => search.key,
        other => panic!("{other:?}"),
    };
    assert_eq!(key("ALL"), SearchKey::All);
    assert_eq!(
        key("UNSEEN SENTSINCE 1-Jan-1970 NOT (TO x 2:4)"),
        SearchKey::And(vec![
            SearchKey::Not(Box::new(SearchKey::Flag(Flag::Seen))),
            SearchKey::Sent(DateTest::Since, Date { days: 0 }),
            SearchKey::Not(Box::new(SearchKey::And(vec![
                SearchKey::Header("To".into(), "x".into()),
                SearchKey::Sequence(SequenceSet::Ranges(vec![(
                    Bound::Number(2.try_into().expect("not zero")),
                    Bound::Number(4.try_into().expect("not zero"))
                )])),
            ]))),
        ])
    );
    assert_eq!(
        key("CHARSET utf-8 TEXT {2}\r\n\u{e4}"),
        SearchKey::Text("ä".into())
    );
    assert_eq!(
        key("MODSEQ \"/flags/\\\\seen\" all 7"),
        SearchKey::ModSeq(7)
    );
    assert_eq!(key("UID 1:*"), key("UID 1:*"));
    let Command::Search(search) = command("UID SEARCH RETURN (MIN COUNT) ALL") else {
        panic!()
    };
    assert_eq!(
        search.want,
        Some(SearchReturn {
            min: true,
            count: true,
            ..SearchReturn::default()
        })
    );
    let Command::Search(search) = command("SEARCH RETURN () ALL") else {
        panic!()
    };
    assert_eq!(
        search.want,
        Some(SearchReturn {
            all: true,
            ..SearchReturn::default()
        })
    );
    let charset = parse_line("a SEARCH CHARSET KOI8-R TEXT x", Dialect::Rev1);
    assert_eq!(charset, Err(ParseError::BadCharset));
    for bad in [
        "",
        "NOT",
        "OR ALL",
        "BOGUS x",
        "(ALL",
        "SINCE 1-Foo-2000",
        "LARGER x",
        "TEXT",
        "()",
        "YOUNGER 0",
    ] {
        refused(&format!("SEARCH {bad}"));
    }
}

#[test]
fn deep_and_long_searches_are_refused() {
    refused(&format!("SEARCH {}ALL{}", "(".repeat(40), ")".repeat(40)));
    refused(&format!("SEARCH {}ALL", "NOT ".repeat(40)));
    refused(&format!("SEARCH {}ALL ALL", "OR ".repeat(10_000)));
    refused(&format!("SEARCH {}", ["ALL"; 1_001].join(" ")));
    refused(&format!("SEARCH {}", ["TEXT x"; 65].join(" ")));
    command(&format!("SEARCH {}ALL{}", "(".repeat(30), ")".repeat(30)));
}

#[test]
fn listing() {
    let Command::List(list) = command(
        "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"INBOX\" Drafts Sent/%) RETURN (CHILDREN STATUS (MESSAGES SIZE))",
    ) else {
        panic!()
    };
    assert_eq!(list.patterns, ["INBOX", "Drafts", "Sent/%"]);
    assert!(
        list.select.subscribed
            && list.select.recursive_match
            && list.want.children
            && list.extended
    );
    assert_eq!(
        list.want.status,
        vec![StatusItem::Messages, StatusItem::Size]
    );
    let Command::List(list) = command("LIST \"\" ~foo*") else {
        panic!()
    };
    assert!(!list.extended);
    refused("LIST (RECURSIVEMATCH) \"\" *");
    refused("LIST \"\" ()");
    refused("LIST \"\"");
    assert!(
        matches!(command("CREATE Spam (USE (\\Junk))"), Command::Create { special_use, .. } if special_use == [SpecialUse::Junk])
    );
    refused("CREATE Spam (USE (\\Bogus))");
    refused("STATUS INBOX ()");
    refused("STATUS INBOX MESSAGES");
}

#[test]
fn ids_and_enable() {
    assert_eq!(command("ID NIL"), Command::Id(Vec::new()));
    assert_eq!(
        command("ID (\"name\" \"x\" \"os\" NIL)"),
        Command::Id(vec![("name".into(), Some("x".into())), ("os".into(), None)])
    );
    refused("ID (\"name\")");
    assert_eq!(
        command("ENABLE condstore X-GOOD UTF8=ACCEPT"),
        Command::Enable(vec![Capability::Condstore, Capability::Utf8Accept])
    );
    refused("ENABLE");
}

#[test]
fn sorting_and_threading() {
    let Command::Sort(sort) = command("SORT (REVERSE DATE SUBJECT) UTF-8 ALL") else {
        panic!()
    };
    assert_eq!(sort.order.len(), 2);
    assert_eq!(
        sort.order[0],
        SortCriterion {
            key: SortKey::Date,
            direction: Direction::Down
        }
    );
    assert!(matches!(
        command("UID THREAD REFERENCES US-ASCII ALL"),
        Command::Thread(_)
    ));
    refused("SORT () UTF-8 ALL");
    refused("SORT (REVERSE) UTF-8 ALL");
    refused("THREAD BOGUS UTF-8 ALL");
}
