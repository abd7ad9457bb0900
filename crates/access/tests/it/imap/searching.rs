//! SEARCH, SORT, THREAD and pipelining as one client sees them.

use crate::house::{House, message};

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
