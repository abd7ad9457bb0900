//! Large messages share the memory of all sessions: who finds it used up hears so, and goes on.

use crate::client::Client;
use crate::house::{House, message};

/// An account's part is 1 MB of it: one message of 900,000 bytes at a time.
const ROOM: usize = 8 * 1024 * 1024;

const LARGE: usize = 900_000;

fn large(subject: &str) -> String {
    let mut text = message(subject);
    text.push_str(&"x".repeat(LARGE - text.len()));
    text
}

/// A session that has announced a large message and may send it.
async fn uploading(house: &House, name: &str) -> (Client, String) {
    let mut client = house.log_in(name).await;
    let tag = "up".to_owned();
    client
        .send(&format!("{tag} APPEND INBOX {{{LARGE}}}\r\n"))
        .await;
    assert_eq!(client.answer_line().await.as_deref(), Some("+ Ok"));
    (client, tag)
}

async fn finish(mut client: Client, tag: &str) {
    client.send(&format!("{}\r\n", large("first"))).await;
    let answer = client.until_tagged(tag).await;
    assert!(answer.tagged.starts_with("OK "), "{}", answer.tagged);
}

/// What the second session hears.
async fn append(client: &mut Client) -> String {
    let command = format!("APPEND INBOX {{{LARGE}+}}\r\n{}", large("second"));
    client.command(&command).await.tagged
}

#[track_caller]
fn assert_no_room(tagged: &str) {
    assert!(tagged.starts_with("NO [LIMIT] "), "{tagged}");
}

#[tokio::test(start_paused = true)]
async fn who_asks_first_is_refused_before_sending() {
    let house = House::with_room(ROOM).await;
    let (first, tag) = uploading(&house, "alice").await;
    let mut second = house.log_in("alice").await;
    let refused = second.refused(&format!("APPEND INBOX {{{LARGE}}}")).await;
    assert_no_room(&refused);
    second.ok("NOOP").await;
    // Small ones and other people are not concerned.
    second.append("INBOX", "", &message("small")).await;
    let mut other = house.log_in("bob").await;
    assert!(append(&mut other).await.starts_with("OK "));
    finish(first, &tag).await;
    assert!(append(&mut second).await.starts_with("OK "));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_unasked_is_thrown_away() {
    let house = House::with_room(ROOM).await;
    let (first, tag) = uploading(&house, "alice").await;
    let mut second = house.log_in("alice").await;
    assert_no_room(&append(&mut second).await);
    second
        .says(
            "STATUS INBOX (MESSAGES)",
            &["* STATUS \"INBOX\" (MESSAGES 0)"],
        )
        .await;
    finish(first, &tag).await;
    assert!(append(&mut second).await.starts_with("OK "));
    second
        .says(
            "STATUS INBOX (MESSAGES)",
            &["* STATUS \"INBOX\" (MESSAGES 2)"],
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn several_messages_count_together() {
    let house = House::with_room(ROOM).await;
    let mut half = message("half");
    half.push_str(&"x".repeat(500_000 - half.len()));
    let mut first = house.log_in("alice").await;
    let literal = format!("{{{}+}}\r\n{half}", half.len());
    first
        .send(&format!("a APPEND INBOX {literal} {{{}}}\r\n", half.len()))
        .await;
    assert_eq!(first.answer_line().await.as_deref(), Some("+ Ok"));
    let mut second = house.log_in("alice").await;
    let both = format!("APPEND INBOX {literal} {literal}");
    assert_no_room(&second.command(&both).await.tagged);
    first.send(&format!("{half}\r\n")).await;
    let answer = first.until_tagged("a").await;
    assert!(
        answer.tagged.starts_with("OK [APPENDUID "),
        "{}",
        answer.tagged
    );
    assert!(second.command(&both).await.tagged.starts_with("OK "));
}

#[tokio::test(start_paused = true)]
async fn room_comes_back_whatever_becomes_of_the_command() {
    let house = House::with_room(ROOM).await;
    let mut second = house.log_in("alice").await;
    // The connection is lost in the middle.
    let (first, _) = uploading(&house, "alice").await;
    drop(first);
    assert!(append(&mut second).await.starts_with("OK "));
    // The rest of the command cannot be read.
    let (mut first, tag) = uploading(&house, "alice").await;
    first
        .send(&format!("{} nonsense\r\n", large("first")))
        .await;
    let answer = first.until_tagged(&tag).await;
    assert!(answer.tagged.starts_with("BAD "), "{}", answer.tagged);
    assert!(append(&mut second).await.starts_with("OK "));
    // The mailbox does not exist.
    let gone = format!("APPEND Nowhere {{{LARGE}+}}\r\n{}", large("lost"));
    let answer = first.command(&gone).await;
    assert!(
        answer.tagged.starts_with("NO [TRYCREATE]"),
        "{}",
        answer.tagged
    );
    assert!(append(&mut second).await.starts_with("OK "));
}
