//! `postroad tls` on the real program: the list, learning, and the look at a destination.

use crate::commands::in_both_modes;
use crate::rig::Post;

#[test]
fn the_list() {
    in_both_modes(|post| {
        post.run(&["tls", "list"])
            .done()
            .says("Nothing is required of any destination")
            .says("postroad tls learn on");
        post.run(&["tls", "require", "There.Test"]).done().says(
            "Mail for there.test goes over TLS with a valid certificate only; else it waits.",
        );
        post.run(&[
            "tls",
            "require",
            "*.bank.test",
            "--mx",
            "*.hoster.test",
            "--mx",
            "mx.bank.test",
        ])
        .done()
        .says("all domains below bank.test");
        post.run(&["tls", "require", "*", "--level", "encrypted"])
            .done()
            .says("Mail for all destinations goes over TLS only");
        let list = post.json(&["tls", "list"]);
        let required = list["required"].as_array().unwrap();
        assert_eq!(required.len(), 3);
        assert_eq!(required[0]["destination"], "*");
        assert_eq!(required[0]["level"], "encrypted");
        assert_eq!(required[1]["mx"][0], "*.hoster.test");
        assert_eq!(required[2]["destination"], "there.test");
        assert_eq!(list["insist_on_learnt"], false);
        post.run(&["tls", "list"])
            .done()
            .says("*.hoster.test mx.bank.test");
        post.run(&["tls", "forget", "there.test"])
            .done()
            .says("there.test is off the list.");
        post.run(&["tls", "forget", "there.test"])
            .exits(1)
            .complains("not on the list");
        post.run(&["tls", "learn", "on"]).done().says("for 30 days");
        assert_eq!(post.json(&["tls", "list"])["insist_on_learnt"], true);
        post.run(&["tls", "learn", "off"]).done();
    });
}

#[test]
fn wrong_usage() {
    let post = Post::configured();
    post.run(&["tls", "require", "not a domain"])
        .exits(2)
        .complains("neither a domain");
    post.run(&["tls", "require", "a.test", "--mx", "*"])
        .exits(2)
        .complains("no name of a mail host");
    post.run(&[
        "tls",
        "require",
        "a.test",
        "--level",
        "encrypted",
        "--mx",
        "mx.a.test",
    ])
    .exits(2)
    .complains("--level verified");
    post.run(&["tls", "require", "a.test", "--level", "perfect"])
        .exits(2);
    post.run(&["tls", "learn", "perhaps"]).exits(2);
}

#[test]
fn a_look_at_a_destination() {
    let post = Post::configured();
    post.write_config("[dns]\nresolvers = [\"127.0.0.1:1\"]\n");
    post.run(&["tls", "check", "there.test"])
        .exits(3)
        .says("No way to there.test: the DNS does not say where mail for there.test goes");
    let serving = post.serve();
    post.run(&["tls", "check", "there.test"]).exits(3);
    assert_eq!(serving.stop(), 0);
}
