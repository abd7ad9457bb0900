//! Each command as one client sees it.

use crate::house::{House, message};

#[tokio::test]
async fn greeting_login_and_logout() {
    let house = House::new().await;
    let mut client = house.connect().await;
    assert!(
        client
            .refused("LOGIN alice@example.test wrong")
            .await
            .starts_with("NO [AUTHENTICATIONFAILED]")
    );
    assert!(client.refused("SELECT INBOX").await.starts_with("BAD"));
    let answer = client.command("LOGIN alice@example.test secret-word").await;
    assert!(
        answer
            .tagged
            .starts_with("OK [CAPABILITY IMAP4rev2 IMAP4rev1"),
        "{}",
        answer.tagged
    );
    client
        .says("ID (\"name\" \"test\")", &["* ID (\"name\" \"Postroad\")"])
        .await;
    client
        .says("NAMESPACE", &["* NAMESPACE ((\"\" \"/\")) NIL NIL"])
        .await;
    let answer = client.command("LOGOUT").await;
    assert!(answer.tagged.starts_with("OK") && answer.untagged[0].starts_with("* BYE"));
    assert_eq!(client.answer_line().await, None);
}

#[tokio::test]
async fn sasl_plain_and_scram() {
    let house = House::new().await;
    let mut client = house.connect().await;
    let plain = wire::sasl::encode(b"\0alice@example.test\0secret-word");
    client.ok(&format!("AUTHENTICATE PLAIN {plain}")).await;
    let mut client = house.connect().await;
    client.send("a AUTHENTICATE SCRAM-SHA-256\r\n").await;
    assert_eq!(client.answer_line().await.as_deref(), Some("+ "));
    client.send("*\r\n").await;
    assert!(client.until_tagged("a").await.tagged.starts_with("BAD"));
}

/// A wrong proof counts as a wrong password does: there is no way to guess faster.
#[tokio::test]
async fn wrong_scram_proofs_are_counted() {
    let house = House::new().await;
    let mut throttled = false;
    for _ in 0..60 {
        let mut client = house.connect().await;
        let credentials = wire::sasl::client::Credentials {
            login: "alice@example.test".to_owned(),
            password: wire::sasl::Secret::new("a guess"),
        };
        let mut exchange = wire::sasl::client::Exchange::choose(
            &[wire::sasl::Mechanism::ScramSha256],
            credentials,
            None,
            wire::sasl::client::ClearText::Never,
            "nonce".to_owned(),
        )
        .expect("usable");
        let initial = wire::sasl::encode(&exchange.initial().expect("a first message"));
        client
            .send(&format!("a AUTHENTICATE SCRAM-SHA-256 {initial}\r\n"))
            .await;
        let line = client.answer_line().await.expect("an answer");
        let Some(challenge) = line.strip_prefix("+ ") else {
            throttled = line.contains("Too many failed logins");
            break;
        };
        let challenge = wire::sasl::decode(challenge.as_bytes()).expect("base64");
        let proof = exchange.respond(&challenge).expect("a proof");
        client
            .send(&format!("{}\r\n", wire::sasl::encode(&proof)))
            .await;
        let refused = client.until_tagged("a").await.tagged;
        assert!(
            refused.starts_with("NO [AUTHENTICATIONFAILED]"),
            "{refused}"
        );
    }
    assert!(throttled);
}

#[tokio::test]
async fn selecting() {
    let house = House::new().await;
    house.deliver("alice", &message("one")).await;
    house.deliver("alice", &message("two")).await;
    let mut client = house.log_in("alice").await;
    let answer = client.command("SELECT inbox").await;
    assert_eq!(answer.tagged, "OK [READ-WRITE] SELECT completed.");
    let all = answer.untagged.join("\n");
    for want in [
        "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen)",
        "* 2 EXISTS",
        "* 0 RECENT",
        "* OK [UNSEEN 1]",
        "* OK [UIDVALIDITY ",
        "* OK [UIDNEXT 3]",
        "\\Seen \\*)]",
        "* OK [HIGHESTMODSEQ ",
        "* OK [MAILBOXID (M",
    ] {
        assert!(all.contains(want), "{want} is not in\n{all}");
    }
    let answer = client.command("EXAMINE Sent").await;
    assert_eq!(answer.tagged, "OK [READ-ONLY] EXAMINE completed.");
    assert!(answer.untagged[0].starts_with("* OK [CLOSED]"));
    assert!(
        answer
            .untagged
            .contains(&"* OK [PERMANENTFLAGS ()] Flags that stay.".to_owned())
    );
    assert!(
        client
            .refused("SELECT nowhere")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    assert!(client.refused("FETCH 1 FLAGS").await.starts_with("BAD"));
}

#[tokio::test]
async fn rev2_answers() {
    let house = House::new().await;
    house.deliver("alice", &message("one")).await;
    let mut client = house.log_in("alice").await;
    client
        .says(
            "ENABLE IMAP4rev2 CONDSTORE X",
            &["* ENABLED IMAP4rev2 CONDSTORE"],
        )
        .await;
    client.says("ENABLE IMAP4rev2", &["* ENABLED"]).await;
    let all = client.ok("SELECT INBOX").await.join("\n");
    assert!(
        !all.contains("RECENT")
            && !all.contains("UNSEEN")
            && all.contains("* LIST () \"/\" \"INBOX\""),
        "{all}"
    );
    let answer = client.command("SEARCH ALL").await;
    assert_eq!(answer.untagged, ["* ESEARCH (TAG \"t5\") ALL 1"]);
    client.ok("CREATE \"Entwürfe\"").await;
    client
        .says(
            "LIST \"\" Entw*",
            &["* LIST (\\HasNoChildren) \"/\" \"Entwürfe\""],
        )
        .await;
    let mut old = house.log_in("alice").await;
    old.says(
        "LIST \"\" Entw*",
        &["* LIST (\\HasNoChildren) \"/\" \"Entw&APw-rfe\""],
    )
    .await;
    assert!(old.refused("CREATE \"Entwürfe\"").await.starts_with("BAD"));
}

#[tokio::test]
async fn appending_and_fetching() {
    let house = House::new().await;
    let mut client = house.selected("alice", "INBOX").await;
    let text = message("one");
    let answer = client
        .append(
            "INBOX",
            "(\\Seen Work) \"17-Jul-1996 02:44:25 -0700\" ",
            &text,
        )
        .await;
    assert!(
        answer.starts_with("OK [APPENDUID ") && answer.contains(" 1] APPEND completed."),
        "{answer}"
    );
    client
        .says(
            "FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE)",
            &[&format!(
                "* 1 FETCH (UID 1 FLAGS (\\Seen Work) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" RFC822.SIZE {})",
                text.len()
            )],
        )
        .await;
    client
        .says(
            "FETCH 1 BODY.PEEK[]",
            &[&format!("* 1 FETCH (BODY[] {{{}}}\r\n{text})", text.len())],
        )
        .await;
    client
        .says(
            "UID FETCH 1 BODY[TEXT]<5.3>",
            &["* 1 FETCH (UID 1 BODY[TEXT]<5> {3}\r\nof )"],
        )
        .await;
    client
        .says(
            "FETCH 1 BODY.PEEK[HEADER.FIELDS (subject X-No)]",
            &["* 1 FETCH (BODY[HEADER.FIELDS (subject X-No)] {16}\r\nSubject: one\r\n\r\n)"],
        )
        .await;
    client
        .says(
            "FETCH 1 (BODY[1] BODY[2] BODY[]<9999.1>)",
            &["* 1 FETCH (BODY[1] {14}\r\nBody of one.\r\n BODY[2] NIL BODY[]<9999> {0}\r\n)"],
        )
        .await;
    client
        .says(
            "FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])",
            &["* 1 FETCH (BINARY.SIZE[1] 14 BINARY[1] {14}\r\nBody of one.\r\n)"],
        )
        .await;
    let envelope = client.ok("FETCH 1 ENVELOPE").await;
    assert!(
        envelope[0].contains("\"one\" ((\"Fred\" NIL \"fred\" \"example.org\"))"),
        "{envelope:?}"
    );
    let structure = client
        .ok("FETCH 1 (BODY BODYSTRUCTURE PREVIEW EMAILID THREADID SAVEDATE MODSEQ)")
        .await
        .join("");
    assert!(
        structure
            .to_uppercase()
            .contains("BODYSTRUCTURE (\"TEXT\" \"PLAIN\" "),
        "{structure}"
    );
    assert!(
        structure.contains("PREVIEW \"Body of one.\"") && structure.contains("EMAILID (E"),
        "{structure}"
    );
    client
        .says("FETCH 1:* ALL", &[&*client_all(&house).await])
        .await;
    assert!(client.refused("FETCH 2 FLAGS").await.starts_with("BAD"));
    client.says("UID FETCH 2:100 FLAGS", &[]).await;
    assert!(
        client
            .refused("APPEND nowhere {1+}\r\nx")
            .await
            .starts_with("NO [TRYCREATE]")
    );
    assert!(
        client
            .refused("APPEND INBOX {0+}\r\n")
            .await
            .starts_with("NO")
    );
}

async fn client_all(house: &House) -> String {
    let mut client = house.selected("alice", "INBOX").await;
    client
        .ok("FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)")
        .await
        .remove(0)
}

#[tokio::test]
async fn appending_several_at_once() {
    let house = House::new().await;
    let mut client = house.selected("alice", "INBOX").await;
    let answer = client
        .append("INBOX", "(\\Seen) {1+}\r\na (\\Draft) ", "b")
        .await;
    assert!(answer.contains(" 1:2] APPEND"), "{answer}");
    client
        .says(
            "FETCH 1:2 (FLAGS RFC822.SIZE)",
            &[
                "* 1 FETCH (FLAGS (\\Seen) RFC822.SIZE 1)",
                "* 2 FETCH (FLAGS (\\Draft) RFC822.SIZE 1)",
            ],
        )
        .await;
}

#[tokio::test]
async fn reading_marks_as_seen() {
    let house = House::new().await;
    house.deliver("alice", &message("one")).await;
    let mut client = house.selected("alice", "INBOX").await;
    client
        .says(
            "FETCH 1 BODY.PEEK[TEXT]",
            &["* 1 FETCH (BODY[TEXT] {14}\r\nBody of one.\r\n)"],
        )
        .await;
    client
        .says(
            "FETCH 1 BODY[TEXT]",
            &["* 1 FETCH (FLAGS (\\Seen) BODY[TEXT] {14}\r\nBody of one.\r\n)"],
        )
        .await;
    client
        .says(
            "FETCH 1 RFC822.TEXT",
            &["* 1 FETCH (RFC822.TEXT {14}\r\nBody of one.\r\n)"],
        )
        .await;
    client.says("NOOP", &[]).await;
    client.ok("STORE 1 -FLAGS (\\Seen)").await;
    client.ok("EXAMINE INBOX").await;
    client
        .says(
            "FETCH 1 BODY[TEXT]",
            &["* 1 FETCH (BODY[TEXT] {14}\r\nBody of one.\r\n)"],
        )
        .await;
    assert!(
        client
            .refused("STORE 1 +FLAGS (\\Seen)")
            .await
            .starts_with("NO [READ-ONLY]")
    );
    assert!(
        client
            .refused("EXPUNGE")
            .await
            .starts_with("NO [READ-ONLY]")
    );
}

#[tokio::test]
async fn storing_flags() {
    let house = House::new().await;
    for subject in ["one", "two", "three"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut client = house.selected("alice", "INBOX").await;
    client
        .says(
            "STORE 1,3 +FLAGS (\\Flagged Work)",
            &[
                "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen Work)",
                "* 1 FETCH (FLAGS (\\Flagged Work))",
                "* 3 FETCH (FLAGS (\\Flagged Work))",
            ],
        )
        .await;
    client
        .says(
            "UID STORE 1:2 FLAGS (\\Seen)",
            &[
                "* 1 FETCH (UID 1 FLAGS (\\Seen))",
                "* 2 FETCH (UID 2 FLAGS (\\Seen))",
            ],
        )
        .await;
    client.says("STORE 3 -FLAGS.SILENT work", &[]).await;
    client
        .says(
            "FETCH 1:3 FLAGS",
            &[
                "* 1 FETCH (FLAGS (\\Seen))",
                "* 2 FETCH (FLAGS (\\Seen))",
                "* 3 FETCH (FLAGS (\\Flagged))",
            ],
        )
        .await;
    client
        .says("STORE 1 +FLAGS (\\Seen)", &["* 1 FETCH (FLAGS (\\Seen))"])
        .await;
    client.says("NOOP", &[]).await;
}

#[tokio::test]
async fn conditional_store() {
    let house = House::new().await;
    for subject in ["one", "two"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut client = house.selected("alice", "INBOX").await;
    let first = client.ok("FETCH 1:2 MODSEQ").await;
    assert!(first[0].starts_with("* OK [HIGHESTMODSEQ "), "{first:?}");
    let modseq = number_after(&first[1], "MODSEQ (");
    let changed = client
        .ok(&format!(
            "STORE 1 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT (\\Flagged)"
        ))
        .await;
    let newer = number_after(&changed[0], "MODSEQ (");
    assert!(modseq < newer, "{changed:?}");
    let answer = client
        .command(&format!(
            "STORE 1:2 (UNCHANGEDSINCE {modseq}) +FLAGS (\\Seen)"
        ))
        .await;
    assert!(
        answer.tagged.starts_with("OK [MODIFIED 1"),
        "{}",
        answer.tagged
    );
    let fetched = client
        .ok(&format!("FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq})"))
        .await;
    assert!(
        fetched[0].contains("FLAGS (\\Flagged) MODSEQ ("),
        "{fetched:?}"
    );
    let searched = client.ok(&format!("SEARCH MODSEQ {newer}")).await;
    assert!(
        searched[0].starts_with("* SEARCH 1") && searched[0].contains("(MODSEQ "),
        "{searched:?}"
    );
}

fn number_after(text: &str, mark: &str) -> u64 {
    let rest = text
        .split_once(mark)
        .unwrap_or_else(|| panic!("{mark} is not in {text}"))
        .1;
    rest.chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .expect("a number")
}

#[tokio::test]
async fn expunging_and_closing() {
    let house = House::new().await;
    for subject in ["1", "2", "3", "4", "5"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut client = house.selected("alice", "INBOX").await;
    client.ok("STORE 2:4 +FLAGS.SILENT (\\Deleted)").await;
    client.says("UID EXPUNGE 3", &["* 3 EXPUNGE"]).await;
    client
        .says("EXPUNGE", &["* 2 EXPUNGE", "* 2 EXPUNGE"])
        .await;
    client
        .says("FETCH 1:* UID", &["* 1 FETCH (UID 1)", "* 2 FETCH (UID 5)"])
        .await;
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    client.ok("UNSELECT").await;
    client.ok("SELECT INBOX").await;
    client.says("SEARCH DELETED", &["* SEARCH 1"]).await;
    client.says("CLOSE", &[]).await;
    client
        .says(
            "STATUS INBOX (MESSAGES UIDNEXT UNSEEN DELETED)",
            &["* STATUS \"INBOX\" (MESSAGES 1 UIDNEXT 6 UNSEEN 1 DELETED 0)"],
        )
        .await;
}

#[tokio::test]
async fn copying_and_moving() {
    let house = House::new().await;
    for subject in ["1", "2", "3"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut client = house.selected("alice", "INBOX").await;
    client.ok("STORE 2 FLAGS.SILENT (\\Flagged)").await;
    let answer = client.command("COPY 1:2 Archive").await;
    assert!(
        answer.tagged.starts_with("OK [COPYUID ") && answer.tagged.contains(" 1:2 1:2] COPY"),
        "{}",
        answer.tagged
    );
    let answer = client.command("UID MOVE 2:3 Archive").await;
    assert!(
        answer.untagged[0].starts_with("* OK [COPYUID ")
            && answer.untagged[0].contains(" 2:3 3:4]"),
        "{:?}",
        answer.untagged
    );
    assert_eq!(answer.untagged[1..], ["* 2 EXPUNGE", "* 2 EXPUNGE"]);
    assert!(
        client
            .refused("COPY 1 nowhere")
            .await
            .starts_with("NO [TRYCREATE]")
    );
    assert!(
        client
            .refused("MOVE 1 nowhere")
            .await
            .starts_with("NO [TRYCREATE]")
    );
    client.ok("SELECT Archive").await;
    client
        .says(
            "FETCH 1:* FLAGS",
            &[
                "* 1 FETCH (FLAGS ())",
                "* 2 FETCH (FLAGS (\\Flagged))",
                "* 3 FETCH (FLAGS (\\Flagged))",
                "* 4 FETCH (FLAGS ())",
            ],
        )
        .await;
    client.says("COPY 1 Archive", &["* 5 EXISTS"]).await;
}

#[tokio::test]
async fn making_and_listing_mailboxes() {
    let house = House::new().await;
    let mut client = house.log_in("alice").await;
    let answer = client.command("CREATE a/b/").await;
    assert!(
        answer.tagged.starts_with("OK [MAILBOXID (M"),
        "{}",
        answer.tagged
    );
    client
        .says(
            "LIST \"\" a*",
            &[
                "* LIST (\\HasChildren) \"/\" \"a\"",
                "* LIST (\\HasNoChildren) \"/\" \"a/b\"",
            ],
        )
        .await;
    client
        .says("LIST a/ %", &["* LIST (\\HasNoChildren) \"/\" \"a/b\""])
        .await;
    client
        .says("LIST \"\" \"\"", &["* LIST (\\Noselect) \"/\" \"\""])
        .await;
    assert!(
        client
            .refused("CREATE a")
            .await
            .starts_with("NO [ALREADYEXISTS]")
    );
    assert!(
        client
            .refused("CREATE INBOX")
            .await
            .starts_with("NO [ALREADYEXISTS]")
    );
    assert!(
        client
            .refused("CREATE a//b")
            .await
            .starts_with("NO [CANNOT]")
    );
    assert!(
        client
            .refused("DELETE INBOX")
            .await
            .starts_with("NO [CANNOT]")
    );
    client.ok("DELETE a").await;
    client
        .says(
            "LIST \"\" a*",
            &[
                "* LIST (\\Noselect \\HasChildren) \"/\" \"a\"",
                "* LIST (\\HasNoChildren) \"/\" \"a/b\"",
            ],
        )
        .await;
    client.ok("RENAME a/b c").await;
    client
        .says(
            "LIST \"\" (a* c)",
            &["* LIST (\\HasNoChildren) \"/\" \"c\""],
        )
        .await;
    client
        .says(
            "LIST (SPECIAL-USE) \"\" *",
            &[
                "* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"",
                "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Drafts\"",
                "* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"",
                "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"",
                "* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"",
            ],
        )
        .await;
    assert!(
        client
            .refused("CREATE x (USE (\\All))")
            .await
            .starts_with("NO [USEATTR]")
    );
    client
        .says(
            "LIST \"\" (INBOX) RETURN (STATUS (MESSAGES SIZE))",
            &[
                "* LIST (\\HasNoChildren) \"/\" \"INBOX\"",
                "* STATUS \"INBOX\" (MESSAGES 0 SIZE 0)",
            ],
        )
        .await;
}

#[tokio::test]
async fn subscriptions() {
    let house = House::new().await;
    let mut client = house.log_in("alice").await;
    for name in client.ok("LSUB \"\" *").await {
        let name = name.rsplit(' ').next().expect("a name").to_owned();
        client.ok(&format!("UNSUBSCRIBE {name}")).await;
    }
    client.ok("CREATE a/b").await;
    client.ok("SUBSCRIBE a/b").await;
    client
        .says("LSUB \"\" *", &["* LSUB () \"/\" \"a/b\""])
        .await;
    client
        .says("LSUB \"\" %", &["* LSUB (\\Noselect) \"/\" \"a\""])
        .await;
    client
        .says(
            "LIST (SUBSCRIBED) \"\" *",
            &["* LIST (\\HasNoChildren \\Subscribed) \"/\" \"a/b\""],
        )
        .await;
    client
        .says(
            "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %",
            &["* LIST (\\HasChildren) \"/\" \"a\" (\"CHILDINFO\" (\"SUBSCRIBED\"))"],
        )
        .await;
    client.ok("DELETE a/b").await;
    client
        .says(
            "LIST (SUBSCRIBED) \"\" *",
            &["* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" \"a/b\""],
        )
        .await;
}

#[tokio::test]
async fn searching() {
    let house = House::new().await;
    for subject in ["apple", "banana", "cherry"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut client = house.selected("alice", "INBOX").await;
    client
        .ok("STORE 2 +FLAGS.SILENT (\\Flagged \\Seen Fruit)")
        .await;
    for (program, want) in [
        ("ALL", "1 2 3"),
        ("FLAGGED", "2"),
        ("KEYWORD fruit", "2"),
        ("UNKEYWORD nothing", "1 2 3"),
        ("NOT SEEN", "1 3"),
        ("OR 1 UID 3", "1 3"),
        ("SUBJECT APPLE", "1"),
        ("FROM fred", "1 2 3"),
        ("BODY \"of cherry\"", "3"),
        ("TEXT banana UNFLAGGED", ""),
        ("HEADER Message-ID cherry", "3"),
        ("HEADER X-None \"\"", ""),
        ("SENTON 7-Feb-1994", "1 2 3"),
        ("SENTON 8-Feb-1994", ""),
        ("SINCE 1-Jan-2020", "1 2 3"),
        ("BEFORE 1-Jan-2020", ""),
        ("LARGER 10", "1 2 3"),
        ("SMALLER 10", ""),
        ("YOUNGER 10", ""),
        ("OLDER 10", "1 2 3"),
        ("2:* NOT 3", "2"),
        ("1000", ""),
        ("NEW", ""),
        ("OLD", "1 2 3"),
        ("OR SUBJECT apple (SUBJECT cherry NOT BODY nothing)", "1 3"),
    ] {
        let want = format!("* SEARCH {want}");
        client
            .says(&format!("SEARCH {program}"), &[want.trim_end()])
            .await;
    }
    assert!(
        client
            .refused("SEARCH CHARSET KOI8-R ALL")
            .await
            .starts_with("NO [BADCHARSET")
    );
}

#[tokio::test]
async fn extended_and_saved_searches() {
    let house = House::new().await;
    for subject in ["1", "2", "3", "4"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut client = house.selected("alice", "INBOX").await;
    client
        .says(
            "UID SEARCH RETURN (MIN MAX COUNT ALL) 2:4",
            &["* ESEARCH (TAG \"t3\") UID MIN 2 MAX 4 ALL 2:4 COUNT 3"],
        )
        .await;
    client.says("SEARCH RETURN (SAVE) 2:3", &[]).await;
    client
        .says("FETCH $ UID", &["* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)"])
        .await;
    client.says("SEARCH NOT $", &["* SEARCH 1 4"]).await;
    client
        .says(
            "SEARCH RETURN (SAVE MIN) 3:4",
            &["* ESEARCH (TAG \"t7\") MIN 3"],
        )
        .await;
    client.says("FETCH $ UID", &["* 3 FETCH (UID 3)"]).await;
}

#[tokio::test]
async fn sorting_and_threading() {
    let house = House::new().await;
    for (subject, id, answers) in [("b", "1", ""), ("a", "2", ""), ("Re: b", "3", "<1@x>")] {
        let text = format!(
            "Subject: {subject}\r\nMessage-ID: <{id}@x>\r\nDate: Mon, 7 Feb 1994 21:52:2{id} +0000\r\nReferences: {answers}\r\n\r\n"
        );
        house.deliver("alice", &text).await;
    }
    let mut client = house.selected("alice", "INBOX").await;
    client
        .says("SORT (SUBJECT) UTF-8 ALL", &["* SORT 2 1 3"])
        .await;
    client
        .says("SORT (REVERSE DATE) UTF-8 ALL", &["* SORT 3 2 1"])
        .await;
    client
        .says(
            "UID SORT RETURN (COUNT) (ARRIVAL) UTF-8 ALL",
            &["* ESEARCH (TAG \"t5\") UID COUNT 3"],
        )
        .await;
    client
        .says("THREAD REFERENCES UTF-8 ALL", &["* THREAD (1 3)(2)"])
        .await;
    client
        .says("THREAD ORDEREDSUBJECT UTF-8 ALL", &["* THREAD (1 3)(2)"])
        .await;
}

#[tokio::test]
async fn quotas() {
    let house = House::new().await;
    house.account("carol", "secret-word", Some(2_048)).await;
    let mut client = house.log_in("carol").await;
    client
        .says(
            "GETQUOTAROOT INBOX",
            &["* QUOTAROOT \"INBOX\" \"\"", "* QUOTA \"\" (STORAGE 0 2)"],
        )
        .await;
    client.append("INBOX", "", &message("one")).await;
    client
        .says("GETQUOTA \"\"", &["* QUOTA \"\" (STORAGE 1 2)"])
        .await;
    let large = "x".repeat(3_000);
    assert!(
        client
            .refused(&format!("APPEND INBOX {{3000+}}\r\n{large}"))
            .await
            .starts_with("NO [OVERQUOTA]")
    );
    assert!(
        client
            .refused("SETQUOTA \"\" (STORAGE 9)")
            .await
            .starts_with("NO [NOPERM]")
    );
    let mut free = house.log_in("alice").await;
    free.says("GETQUOTA \"\"", &["* QUOTA \"\" ()"]).await;
}

#[tokio::test]
async fn appends_are_bounded() {
    let house = House::new().await;
    let mut client = house.log_in("alice").await;
    let capabilities = client.ok("CAPABILITY").await.remove(0);
    assert!(
        capabilities.ends_with("APPENDLIMIT=1000000"),
        "{capabilities}"
    );
    client
        .says(
            "STATUS INBOX (APPENDLIMIT)",
            &["* STATUS \"INBOX\" (APPENDLIMIT 1000000)"],
        )
        .await;
    assert!(
        client
            .refused("APPEND INBOX {1000001}")
            .await
            .starts_with("NO [TOOBIG]")
    );
    client.ok("NOOP").await;
}

#[tokio::test]
async fn large_bodies_are_streamed_whole() {
    let house = House::new().await;
    let mut client = house.selected("alice", "INBOX").await;
    let text = format!(
        "Subject: large\r\n\r\n{}",
        "0123456789abcdef".repeat(60_000)
    );
    client.append("INBOX", "", &text).await;
    let got = client.ok("FETCH 1 (UID BODY.PEEK[] FLAGS)").await.remove(0);
    assert_eq!(
        got,
        format!(
            "* 1 FETCH (UID 1 BODY[] {{{}}}\r\n{text} FLAGS ())",
            text.len()
        )
    );
    let got = client
        .ok("FETCH 1 (BODY.PEEK[TEXT]<16.700000>)")
        .await
        .remove(0);
    assert_eq!(
        got.len(),
        "* 1 FETCH (BODY[TEXT]<16> {700000}\r\n)".len() + 700_000
    );
}

#[tokio::test]
async fn unknown_encodings_are_refused() {
    let house = House::new().await;
    let mut client = house.selected("alice", "INBOX").await;
    client
        .append(
            "INBOX",
            "",
            "Content-Transfer-Encoding: x-strange\r\n\r\nabc\r\n",
        )
        .await;
    client
        .append(
            "INBOX",
            "",
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nAGFi\r\n",
        )
        .await;
    assert!(
        client
            .refused("FETCH 1 BINARY.PEEK[1]")
            .await
            .starts_with("NO [UNKNOWN-CTE]")
    );
    client
        .says(
            "FETCH 2 BINARY.PEEK[1]",
            &["* 2 FETCH (BINARY[1] ~{3}\r\n\0ab)"],
        )
        .await;
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let house = House::new().await;
    house.deliver("alice", &message("one")).await;
    let mut client = house.selected("alice", "INBOX").await;
    let mut text = String::new();
    for index in 0..200 {
        text.push_str(&format!("p{index} UID FETCH 1 FLAGS\r\n"));
    }
    client.send(&text).await;
    for index in 0..200 {
        let answer = client.until_tagged(&format!("p{index}")).await;
        assert_eq!(answer.untagged, ["* 1 FETCH (UID 1 FLAGS ())"], "{index}");
    }
}
