//! `postroad report` where nothing came in yet: what it says, and what it refuses. What it makes of reports is in
//! the room's own tests, and in the pocket internet.

use serde_json::json;

use crate::rig::Post;

#[test]
fn without_reports() {
    let stopped = Post::configured();
    said(&stopped);
    let running = Post::configured();
    let serving = running.serve();
    said(&running);
    assert_eq!(serving.stop(), 0);
}

fn said(post: &Post) {
    post.run(&["domain", "add", "example.test"]).done();
    for (kind, words) in [
        ("dmarc", "No reports about example.test in 30 days."),
        ("tls", "No TLS reports about example.test in 30 days."),
        (
            "failure",
            "No failure reports about example.test in 30 days.",
        ),
    ] {
        post.run(&["report", kind, "Example.Test"])
            .done()
            .says(words);
        let value = post.json(&["report", kind, "example.test", "--days", "7"]);
        assert_eq!(value["domain"], "example.test");
        assert_eq!(value["days"], 7);
        assert_eq!(value["arrived"]["reports"], 0);
        post.run(&["report", kind, "exmaple.test"])
            .exits(1)
            .complains("did you mean example.test?");
        post.run(&["report", kind, "example.test", "--days", "0"])
            .exits(2);
        post.run(&["report", kind]).exits(2);
    }
    post.run(&["report", "sent"])
        .done()
        .says("No reports were sent yet.");
    assert_eq!(post.json(&["report", "sent"]), json!([]));
}
