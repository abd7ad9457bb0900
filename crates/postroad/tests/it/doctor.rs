//! `postroad doctor` on the real program: with the server running and stopped, without a DNS that answers.

use crate::commands::in_both_modes;
use crate::rig::Post;

/// Nobody answers there: what hangs on the DNS stays unknown.
const NO_RESOLVER: &str = "[dns]\nresolvers = [\"127.0.0.1:1\"]\n";

#[test]
fn the_checks_are_listed_and_explained() {
    let post = Post::empty();
    post.run(&["doctor", "--list"])
        .done()
        .says("spf.exists")
        .says("authentication");
    let list = post.json(&["doctor", "--list"]);
    assert!(120 <= list.as_array().unwrap().len());
    assert_eq!(list[0]["points"], 5);
    post.run(&["doctor", "--explain", "ip.ptr4.exists"])
        .done()
        .says("refuse mail from an address without one");
    post.run(&["doctor", "--explain", "ip.ptr4.exist"])
        .exits(2)
        .complains("did you mean ip.ptr4.exists?");
}

#[test]
fn what_is_unknown_is_said_and_what_is_known_is_found() {
    for runs in [false, true] {
        let post = Post::configured();
        post.write_config(NO_RESOLVER);
        post.run(&["domain", "add", "example.test"]).done();
        let serving = runs.then(|| post.serve());
        let looked = post.run(&["doctor"]).exits(3).says("of 100 points");
        let looked = looked.says("[rep.snapshot]").says("unknown, not well");
        if !runs {
            looked.says("No server runs here");
        }
        post.run(&["doctor", "nobody.test"])
            .exits(1)
            .complains("nobody.test");
        post.run(&["doctor", "--history"])
            .done()
            .says("Nothing was found");
        if let Some(serving) = serving {
            assert_eq!(serving.stop(), 0);
        }
    }
}

#[test]
fn a_message_is_judged() {
    let post = Post::configured();
    post.run(&["domain", "add", "example.test"]).done();
    let letter =
        "From: Ann <ann@elsewhere.test>\r\nSubject: BUY NOW OR NEVER\r\n\r\nhttp://bit.ly/x\r\n";
    let judged = post.run_with_input(&["doctor", "--message", "-"], letter);
    judged
        .exits(3)
        .says("This message")
        .says("[msg.from.single]")
        .says("[msg.subject]")
        .says("[msg.url_only]");
}

#[test]
fn who_is_told() {
    in_both_modes(|post| {
        post.run(&["doctor", "notify", "list"])
            .done()
            .says("Nobody outside this server");
        post.run(&["domain", "add", "example.test"]).done();
        post.run(&["doctor", "notify", "add", "mail", "op@example.test"])
            .exits(2)
            .complains("is on this server");
        post.run(&["doctor", "notify", "add", "webhook", "hook.test/x"])
            .exits(2)
            .complains("is not an address");
        post.run(&["doctor", "notify", "add", "mail", "op@elsewhere.test"])
            .done()
            .says("is told from now on");
        post.run(&["doctor", "notify", "add", "mail", "op@elsewhere.test"])
            .exits(1)
            .complains("is told already");
        let secret = post.data().join("hook-secret");
        std::fs::write(&secret, "open sesame\n").unwrap();
        let secret = secret.display().to_string();
        let hook = "https://hook.test/x";
        post.run(&[
            "doctor",
            "notify",
            "add",
            "webhook",
            hook,
            "--secret-file",
            &secret,
        ])
        .done();
        let list = post.json(&["doctor", "notify", "list"]);
        assert_eq!(list[0]["kind"], "mail");
        assert_eq!(list[1]["has_secret"], true);
        assert!(!list.to_string().contains("sesame"));
        post.run(&["doctor", "notify", "remove", "1"]).done();
        post.run(&["doctor", "notify", "remove", "1"])
            .exits(1)
            .complains("there is no number 1");
        assert_eq!(
            post.json(&["doctor", "notify", "list"])
                .as_array()
                .unwrap()
                .len(),
            1
        );
    });
}
