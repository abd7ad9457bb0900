//! `auth check` on the real program: its rules and resolvers are those of the installation, and it
//! needs none.

use crate::rig::Post;

const MESSAGE: &str = "Return-Path: <ann@example.com>\r\n\
    Received: from mail.example.com (mail.example.com [192.0.2.1])\r\n\tby mx.example.test with ESMTPS;\r\n\tFri, 20 Nov 2026 08:00:00 +0000\r\n\
    From: Ann <ann@example.com>\r\n\r\nhi\r\n";

/// A server that nobody is: every question is refused at once.
const NO_RESOLVER: &str = "[dns]\nresolvers = [\"127.0.0.1:1\"]\n";

#[test]
fn the_resolvers_of_the_installation_are_asked() {
    let post = Post::configured();
    post.write_config(NO_RESOLVER);
    let ran = post.run_with_input(&["auth", "check", "-"], MESSAGE);
    ran.exits(3)
        .says("Sent by   192.0.2.1  (from the topmost Received field with an address)")
        .says("_dmarc.example.com TXT: no answer:")
        .says("DMARC: temperror")
        .says("ask the sender to come again later")
        .says("There are no domains here yet");
}

#[test]
fn the_choices_of_the_domains_here_decide() {
    let post = Post::configured();
    post.write_config(NO_RESOLVER);
    post.run(&["domain", "add", "example.test"]).done();
    post.run(&["domain", "add", "second.test"]).done();
    let file = post.data().join("message.eml");
    std::fs::write(&file, MESSAGE).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let check = |more: &[&str]| {
        let line = ["auth", "check", file.as_str()];
        post.run(&[&line[..], more].concat())
    };
    check(&[]).exits(3).says("for example.test, second.test:");
    check(&["--for", "second.test"])
        .exits(3)
        .says("later for second.test:");
    check(&["--for", "other.test"])
        .exits(1)
        .complains("other.test");
    let serving = post.serve();
    check(&["--for", "second.test"])
        .exits(3)
        .says("later for second.test:");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn what_cannot_be_checked() {
    let post = Post::empty();
    post.run(&["auth", "check", "no-such-file.eml"])
        .exits(1)
        .complains("no-such-file.eml");
    post.run_with_input(&["auth", "check", "-"], "")
        .exits(1)
        .complains("there is no message in it");
    post.run_with_input(&["auth", "check", "-"], "From: a@b.example\n\nhi\n")
        .exits(2)
        .complains("--ip");
    post.run(&["auth", "check"]).exits(2);
}
