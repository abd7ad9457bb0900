//! `postroad spam why` and `spam blocklist`: what was delivered is explained, whether or not the server runs.

use serde_json::json;

use crate::rig::{Lines, Post};

const SPAM: [&str; 8] = [
    "From: \"Mrs. Grace Adams\" <claims@winner.test>",
    "To: <alice@example.test>",
    "Subject: a test of filters",
    "Date: Mon, 2 Mar 2026 09:00:00 +0000",
    "Message-ID: <win.1@winner.test>",
    "",
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X",
    ".",
];

#[test]
fn a_delivered_message_is_explained() {
    let post = Post::with_alice();
    let serving = post.serve();
    let mut talk = Lines::connect(serving.address("smtp"));
    talk.line();
    for command in [
        "HELO mx.winner.test",
        "MAIL FROM:<claims@winner.test>",
        "RCPT TO:<alice@example.test>",
        "DATA",
    ] {
        talk.send(&format!("{command}\r\n"));
        talk.line();
    }
    talk.send(&format!("{}\r\n", SPAM.join("\r\n")));
    let kept = talk.line();
    assert!(kept.starts_with("250 "), "{kept}");
    let trace = kept.trim().rsplit(' ').next().unwrap().to_owned();
    let ways: [&[&str]; 3] = [
        &[&trace],
        &["<win.1@winner.test>", "--account", "alice@example.test"],
        &[
            "--account",
            "alice@example.test",
            "--mailbox",
            "Junk",
            "--uid",
            "1",
        ],
    ];
    let explained = |post: &Post| {
        for way in ways {
            let arguments = [&["spam", "why"], way].concat();
            let found = &post.json(&arguments)[0];
            assert_eq!(found["verdict"], "junk", "{way:?} {found}");
            assert_eq!(found["trace"], trace.as_str());
            let place = json!([{ "mailbox": "Junk", "uid": 1, "junk": true }]);
            assert_eq!(found["places"], place);
            assert_eq!(found["reasons"][0]["reason"], "gtube");
            post.run(&arguments)
                .done()
                .says("it holds the test line of spam filters")
                .says("postroad spam allow add claims@winner.test --account alice@example.test");
        }
    };
    explained(&post);
    assert_eq!(serving.stop(), 0);
    explained(&post);
}

#[test]
fn what_is_not_there_is_not_explained() {
    let post = Post::with_alice();
    for (arguments, code, words) in [
        (
            vec!["0123456789ABCDEF"],
            1,
            "no stored message of any account here has the trace id",
        ),
        (
            vec!["<a@b.test>", "--account", "alice@example.test"],
            1,
            "has the Message-ID <a@b.test>",
        ),
        (
            vec!["<a@b.test>", "--account", "bob@example.test"],
            1,
            "there is no account bob@example.test",
        ),
        (
            vec!["--account", "alice@example.test", "--uid", "7"],
            1,
            "there is no message 7 in INBOX",
        ),
        (vec!["--uid", "7"], 2, "--account"),
        (vec![], 2, "MESSAGE"),
    ] {
        let arguments = [vec!["spam", "why"], arguments].concat();
        post.run(&arguments).exits(code).complains(words);
    }
}

#[test]
fn block_lists_are_chosen() {
    let post = Post::configured();
    let state = |zone: &str| {
        let lists = post.json(&["spam", "blocklist", "list"]);
        let lists = lists.as_array().unwrap().clone();
        let known = lists.into_iter().find(|list| list["zone"] == zone);
        known.map(|list| (list["on"].clone(), list["from"].clone()))
    };
    let zen = "zen.spamhaus.org";
    assert_eq!(state(zen), Some((json!(true), json!("built in"))));
    post.run(&["spam", "blocklist", "off", "Zen.Spamhaus.ORG"])
        .done();
    assert_eq!(state(zen), Some((json!(false), json!("built in"))));
    post.run(&["spam", "blocklist", "reset", zen]).done();
    assert_eq!(state(zen), Some((json!(true), json!("built in"))));
    post.run(&["spam", "blocklist", "reset", zen])
        .exits(1)
        .complains("nothing was said");
    post.run(&["spam", "blocklist", "on", "bl.own.test"])
        .exits(2)
        .complains("--of");
    let weighing = |weight| {
        [
            "spam",
            "blocklist",
            "on",
            "bl.own.test",
            "--of",
            "domains",
            "--weight",
            weight,
        ]
    };
    post.run(&weighing("99")).exits(2).complains("up to 6");
    post.run(&weighing("1.5")).done();
    assert_eq!(state("bl.own.test"), Some((json!(true), json!("added"))));
}
