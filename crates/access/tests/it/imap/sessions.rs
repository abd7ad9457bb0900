//! Several sessions on one mailbox: each hears what the others do, at the right moment.

use crate::house::{House, message};

#[tokio::test]
async fn news_come_with_the_next_command() {
    let house = House::new().await;
    house.deliver("alice", &message("one")).await;
    let mut first = house.selected("alice", "INBOX").await;
    let mut second = house.selected("alice", "INBOX").await;
    house.deliver("alice", &message("two")).await;
    first.says("NOOP", &["* 2 EXISTS"]).await;
    first
        .says("STORE 1 +FLAGS (\\Seen)", &["* 1 FETCH (FLAGS (\\Seen))"])
        .await;
    first.says("NOOP", &[]).await;
    second
        .says("NOOP", &["* 2 EXISTS", "* 1 FETCH (FLAGS (\\Seen))"])
        .await;
    first
        .says(
            "STORE 2 +FLAGS.SILENT (Work)",
            &["* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen Work)"],
        )
        .await;
    second
        .says(
            "CHECK",
            &[
                "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen Work)",
                "* 2 FETCH (FLAGS (Work))",
            ],
        )
        .await;
}

#[tokio::test]
async fn numbers_do_not_move_while_the_client_counts() {
    let house = House::new().await;
    for subject in ["1", "2", "3"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut first = house.selected("alice", "INBOX").await;
    let mut second = house.selected("alice", "INBOX").await;
    first.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    first.says("EXPUNGE", &["* 1 EXPUNGE"]).await;
    house.deliver("alice", &message("4")).await;
    let answer = second.command("FETCH 1:3 (UID)").await;
    assert_eq!(
        answer.untagged,
        ["* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "* 4 EXISTS"]
    );
    assert!(
        answer.tagged.starts_with("OK [EXPUNGEISSUED]"),
        "{}",
        answer.tagged
    );
    second.says("SEARCH ALL", &["* SEARCH 2 3 4"]).await;
    second
        .says("STORE 2 +FLAGS (\\Seen)", &["* 2 FETCH (FLAGS (\\Seen))"])
        .await;
    second
        .says("UID SEARCH ALL", &["* SEARCH 2 3 4", "* 1 EXPUNGE"])
        .await;
    second.says("FETCH 1 UID", &["* 1 FETCH (UID 2)"]).await;
}

#[tokio::test]
async fn what_came_and_went_is_not_mentioned() {
    let house = House::new().await;
    let mut first = house.selected("alice", "INBOX").await;
    let mut second = house.selected("alice", "INBOX").await;
    house.deliver("alice", &message("one")).await;
    first.ok("NOOP").await;
    first.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    first.ok("EXPUNGE").await;
    second.says("NOOP", &[]).await;
    house.deliver("alice", &message("two")).await;
    second.says("NOOP", &["* 1 EXISTS"]).await;
    second.says("FETCH 1 UID", &["* 1 FETCH (UID 2)"]).await;
}

#[tokio::test]
async fn idling_hears_at_once() {
    let house = House::new().await;
    let mut idler = house.selected("alice", "INBOX").await;
    let mut other = house.selected("alice", "INBOX").await;
    idler.send("i IDLE\r\n").await;
    assert_eq!(idler.answer_line().await.as_deref(), Some("+ idling"));
    house.deliver("alice", &message("one")).await;
    assert_eq!(idler.answer_line().await.as_deref(), Some("* 1 EXISTS"));
    other.says("NOOP", &["* 1 EXISTS"]).await;
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(
        idler.answer_line().await.as_deref(),
        Some("* 1 FETCH (FLAGS (\\Deleted))")
    );
    other.ok("EXPUNGE").await;
    assert_eq!(idler.answer_line().await.as_deref(), Some("* 1 EXPUNGE"));
    idler.send("DONE\r\n").await;
    assert!(idler.until_tagged("i").await.tagged.starts_with("OK"));
    idler.says("NOOP", &[]).await;
}

#[tokio::test(start_paused = true)]
#[expect(
    clippy::disallowed_methods,
    reason = "the clock of this test is paused"
)]
async fn news_that_could_not_be_read_come_later() {
    let house = House::with_room(8 * 1024 * 1024).await;
    let mut client = house.selected("alice", "INBOX").await;
    client.send("i IDLE\r\n").await;
    assert_eq!(client.answer_line().await.as_deref(), Some("+ idling"));
    house.deliver("alice", &message("one")).await;
    house.hide_change_log();
    let silence = tokio::time::timeout(std::time::Duration::from_secs(30), client.answer_line());
    assert!(silence.await.is_err(), "nothing can be said yet");
    house.show_change_log();
    assert_eq!(client.answer_line().await.as_deref(), Some("* 1 EXISTS"));
    client.send("DONE\r\n").await;
    let answer = client.until_tagged("i").await;
    assert!(answer.tagged.starts_with("OK "), "{}", answer.tagged);
}

#[tokio::test]
async fn idling_without_a_mailbox() {
    let house = House::new().await;
    let mut idler = house.log_in("alice").await;
    idler.send("i IDLE\r\n").await;
    assert_eq!(idler.answer_line().await.as_deref(), Some("+ idling"));
    house.deliver("alice", &message("one")).await;
    idler.send("DONE\r\n").await;
    let answer = idler.until_tagged("i").await;
    assert!(answer.untagged.is_empty() && answer.tagged.starts_with("OK"));
}

#[tokio::test]
async fn idle_tells_what_happened_before_it() {
    let house = House::new().await;
    let mut idler = house.selected("alice", "INBOX").await;
    house.deliver("alice", &message("one")).await;
    idler.send("i IDLE\r\n").await;
    assert_eq!(idler.answer_line().await.as_deref(), Some("+ idling"));
    assert_eq!(idler.answer_line().await.as_deref(), Some("* 1 EXISTS"));
}

#[tokio::test]
async fn a_mailbox_that_is_deleted_becomes_empty() {
    let house = House::new().await;
    let mut other = house.log_in("alice").await;
    other.ok("CREATE gone").await;
    other.append("gone", "", &message("one")).await;
    let mut client = house.selected("alice", "gone").await;
    other.ok("DELETE gone").await;
    client.says("NOOP", &["* 1 EXPUNGE"]).await;
    client.says("SEARCH ALL", &["* SEARCH"]).await;
    client.says("FETCH 1:* FLAGS", &[]).await;
}

#[tokio::test]
async fn sessions_of_others_hear_nothing() {
    let house = House::new().await;
    let mut bob = house.selected("bob", "INBOX").await;
    house.deliver("alice", &message("one")).await;
    bob.says("NOOP", &[]).await;
    bob.says(
        "STATUS INBOX (MESSAGES)",
        &["* STATUS \"INBOX\" (MESSAGES 0)"],
    )
    .await;
}

#[tokio::test]
async fn coming_back_with_qresync() {
    let house = House::new().await;
    for subject in ["1", "2", "3", "4"] {
        house.deliver("alice", &message(subject)).await;
    }
    let mut away = house.log_in("alice").await;
    assert!(
        away.refused("SELECT INBOX (QRESYNC (1 1))")
            .await
            .starts_with("BAD")
    );
    away.ok("ENABLE QRESYNC").await;
    let opened = away.ok("SELECT INBOX").await.join("\n");
    let number = |mark: &str| {
        let rest = opened.split_once(mark).expect("it is there").1;
        rest.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    };
    let (validity, modseq) = (number("UIDVALIDITY "), number("HIGHESTMODSEQ "));
    away.ok("UNSELECT").await;
    let mut other = house.selected("alice", "INBOX").await;
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    other.ok("STORE 1 +FLAGS.SILENT (\\Seen)").await;
    let opened = away
        .ok(&format!("SELECT INBOX (QRESYNC ({validity} {modseq}))"))
        .await
        .join("\n");
    assert!(opened.contains("* VANISHED (EARLIER) 2"), "{opened}");
    assert!(
        opened.contains("* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ ("),
        "{opened}"
    );
    assert!(!opened.contains("* 2 FETCH"), "{opened}");
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    let news = away.ok("NOOP").await;
    assert_eq!(news, ["* VANISHED 1"]);
    let fetched = away
        .ok(&format!(
            "UID FETCH 1:10 (FLAGS) (CHANGEDSINCE {modseq} VANISHED)"
        ))
        .await;
    assert_eq!(fetched[0], "* VANISHED (EARLIER) 1:2");
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let house = House::new().await;
    let mut idler = house.selected("alice", "INBOX").await;
    idler.send("i IDLE\r\n").await;
    assert_eq!(idler.answer_line().await.as_deref(), Some("+ idling"));
    let mut reader = house.selected("alice", "INBOX").await;
    house.stop.request();
    for client in [&mut idler, &mut reader] {
        let bye = client.answer_line().await.expect("a word");
        assert!(bye.starts_with("* BYE"), "{bye}");
        assert_eq!(client.answer_line().await, None);
    }
    house.stop.all_ended().await;
}
