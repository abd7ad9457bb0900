//! Mail through the real program: in by SMTP, read by IMAP and POP3, out by submission into the queue.

use crate::rig::{Lines, PASSWORD, Post, Serving, deliver};

/// base64 of "\0alice@example.test\0correct horse battery".
const PLAIN: &str = "AGFsaWNlQGV4YW1wbGUudGVzdABjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";

fn log_in(serving: &Serving) -> Lines {
    let mut imap = Lines::connect(serving.address("imap"));
    assert!(imap.line().starts_with("* OK"));
    imap.imap(&format!("LOGIN alice@example.test \"{PASSWORD}\""));
    imap
}

#[test]
fn in_by_smtp_and_read_by_imap_and_pop3() {
    let post = Post::with_alice();
    let serving = post.serve();
    deliver(&serving, "alice@example.test", "The cat is on the mat.");
    deliver(
        &serving,
        "ALICE+shop@Example.Test",
        "The parcel is on its way.",
    );
    let mut imap = log_in(&serving);
    assert!(imap.imap("SELECT INBOX").contains("* 2 EXISTS"));
    let body = imap.imap("FETCH 1 BODY[TEXT]");
    assert!(body.contains("The cat is on the mat."), "{body}");
    let flags = imap.imap("FETCH 1 FLAGS");
    assert!(flags.contains("\\Seen"), "{flags}");
    imap.imap("LOGOUT");

    let mut pop3 = Lines::connect(serving.address("pop3"));
    assert!(pop3.line().starts_with("+OK"));
    for command in [
        "USER alice@example.test",
        &format!("PASS {PASSWORD}"),
        "STAT",
    ] {
        pop3.send(&format!("{command}\r\n"));
        let line = pop3.line();
        assert!(line.starts_with("+OK"), "{command}: {line}");
        if command == "STAT" {
            assert!(line.starts_with("+OK 2 "), "{line}");
        }
    }
    pop3.send("RETR 2\r\n");
    let message = pop3.until(|line| line == ".");
    assert!(message.contains("The parcel is on its way."), "{message}");
    assert_eq!(
        post.json(&["account", "show", "alice@example.test"])["messages"],
        2
    );
    assert_eq!(serving.stop(), 0);
}

#[test]
fn strangers_may_not_relay() {
    let post = Post::with_alice();
    let serving = post.serve();
    let mut smtp = Lines::connect(serving.address("smtp"));
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.example", "250");
    smtp.smtp("MAIL FROM:<bob@elsewhere.example>", "250");
    smtp.smtp("RCPT TO:<carol@elsewhere.example>", "5");
    smtp.smtp("RCPT TO:<nobody@example.test>", "550");
    let mut submission = Lines::connect(serving.address("submission"));
    submission.smtp("", "220");
    submission.smtp("EHLO client.example", "250");
    submission.smtp("MAIL FROM:<alice@example.test>", "530");
    submission.smtp(&format!("AUTH PLAIN {PLAIN}"), "235");
    submission.smtp("MAIL FROM:<bob@example.test>", "5");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn out_into_the_queue_and_under_its_commands() {
    let post = Post::with_alice();
    // Nobody answers on this resolver: everything outgoing waits.
    post.write_config("[dns]\nresolvers = [\"127.0.0.1:9\"]\n");
    let serving = post.serve();
    let mut smtp = Lines::connect(serving.address("submission"));
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.example", "250");
    smtp.smtp(&format!("AUTH PLAIN {PLAIN}"), "235");
    smtp.smtp("MAIL FROM:<alice@example.test>", "250");
    smtp.smtp("RCPT TO:<carol@far.example>", "250");
    smtp.smtp("DATA", "354");
    let reply = smtp.smtp(
        "From: alice@example.test\r\nTo: carol@far.example\r\nSubject: out\r\n\r\nHello.\r\n.",
        "250",
    );
    smtp.smtp("QUIT", "221");

    let list = post.json(&["queue", "list"]);
    let id = list[0]["id"].as_i64().unwrap().to_string();
    assert_eq!(list[0]["from"], "alice@example.test");
    assert_eq!(list[0]["recipients"][0]["address"], "carol@far.example");
    post.run(&["queue", "list"])
        .done()
        .says("carol@far.example");
    post.run(&["queue", "show", &id])
        .done()
        .says("alice@example.test");
    let trace = list[0]["trace"].as_str().unwrap();
    assert_eq!(
        post.json(&["queue", "show", trace]),
        post.json(&["queue", "show", &id])
    );
    assert!(reply.contains(trace), "{reply}");
    assert_eq!(serving.stop(), 0);

    // Stopped: the same commands on the store itself.
    assert_eq!(post.json(&["queue", "hold", &id])["count"], 1);
    assert_eq!(
        post.json(&["queue", "show", &id])["recipients"][0]["state"],
        "held"
    );
    assert_eq!(post.json(&["queue", "release", "far.example"])["count"], 1);
    assert_eq!(
        post.json(&["queue", "show", &id])["recipients"][0]["state"],
        "waiting"
    );
    assert_eq!(post.json(&["queue", "retry", "all"])["count"], 1);
    assert_eq!(post.json(&["queue", "delete", &id])["count"], 1);
    post.run(&["queue", "show", &id]).exits(1);
}

#[test]
fn mail_to_oneself_arrives_without_delay() {
    let post = Post::with_alice();
    let serving = post.serve();
    let mut imap = log_in(&serving);
    imap.imap("SELECT INBOX");
    imap.send("a IDLE\r\n");
    assert!(imap.line().starts_with('+'));
    deliver(&serving, "alice@example.test", "Wake up.");
    let pushed = imap.until(|line| line.contains("EXISTS"));
    assert!(pushed.contains("* 1 EXISTS"), "{pushed}");
    imap.send("DONE\r\n");
    imap.until(|line| line.starts_with("a OK"));
    assert_eq!(serving.stop(), 0);
}
