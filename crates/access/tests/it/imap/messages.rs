//! APPEND, FETCH, STORE, EXPUNGE, COPY and MOVE as one client sees them.

use crate::house::{House, message};

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
