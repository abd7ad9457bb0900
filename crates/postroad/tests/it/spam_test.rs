//! `spam test` on the real program: a verdict with its reasons, for people and for programs, without an installation.

use serde_json::Value;

use crate::rig::Post;

const LETTER: &str = "From: Bob Miller <bob@example.org>\r\nTo: Ann <ann@example.com>\r\n\
    Subject: Re: lunch on Tuesday\r\nDate: Fri, 20 Nov 2026 08:00:00 +0000\r\n\
    Message-ID: <20261120080000.1@example.org>\r\nIn-Reply-To: <1@example.com>\r\n\r\n\
    Hi Ann,\r\n\r\n> shall we meet at noon?\r\n\r\nYes, at the usual place. I bring the draft of the report.\r\n\r\nBob\r\n";

const TRICK: &str = "From: PayPal Service <service@paypa1-support.example>\r\nTo: ann@example.com\r\n\
    Subject: Your account\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/html\r\n\r\n\
    <p>Please sign in: <a href=\"http://evil.example/x\">https://www.paypal.com/signin</a></p>\r\n\
    --b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"invoice.pdf.js\"\r\n\r\n\
    x\r\n--b--\r\n";

const TEST_LINE: &str = "From: a@example.org\r\nSubject: x\r\n\r\n\
    XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n";

#[test]
fn wanted_mail_ends_well() {
    let post = Post::empty();
    let ran = post.run_with_input(&["spam", "test", "-"], LETTER);
    ran.exits(0).says("Wanted. That it is junk:");
}

#[test]
fn junk_is_a_finding_with_reasons_in_words() {
    let post = Post::empty();
    let ran = post.run_with_input(&["spam", "test", "-", "--rcpt", "ann@example.com"], TRICK);
    ran.exits(3)
        .says("Junk. That it is junk:")
        .says("the link shows paypal.com but leads to evil.example")
        .says("the sender's domain paypa1-support.example imitates PayPal")
        .says("invoice.pdf.js is a script that runs when opened");
    let ran = post.run_with_input(&["spam", "test", "-"], TEST_LINE);
    ran.exits(3).says("GTUBE");
}

#[test]
fn programs_read_the_same() {
    let post = Post::empty();
    let file = post.data().with_extension("eml");
    std::fs::write(&file, TRICK).unwrap();
    let ran = post
        .run(&["--json", "spam", "test", file.to_str().unwrap()])
        .exits(3);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["verdict"], "junk");
    let reasons = value["reasons"].as_array().unwrap();
    let kinds: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["reason"].as_str())
        .collect();
    assert!(kinds.contains(&"link-claims-brand"), "{kinds:?}");
    assert_eq!(value["attachments"][0]["file"], "invoice.pdf.js");
}

#[test]
fn what_cannot_be_read_is_said() {
    let post = Post::empty();
    post.run(&["spam", "test", "no-such-file"])
        .exits(1)
        .complains("no-such-file");
    post.run_with_input(&["spam", "test", "-"], "")
        .exits(1)
        .complains("no message");
}
