//! `postroad account lock`, `release`, `limits`, `sending`, and `queue groups`, stopped and running.

use serde_json::json;

use crate::commands::in_both_modes;
use crate::rig::{PASSWORD, Post};

const ANN: &str = "ann@example.test";

fn with_ann(post: &Post) {
    post.run(&["domain", "add", "example.test"]).done();
    let add = ["account", "add", ANN, "--password-stdin"];
    post.run_with_input(&add, PASSWORD).done();
}

#[test]
fn sending_is_locked_and_released() {
    in_both_modes(|post| {
        with_ann(post);
        let shown = post.json(&["account", "sending", ANN]);
        assert_eq!(
            (&shown["state"], &shown["alarms"]),
            (&json!("free"), &json!([]))
        );
        post.run(&["account", "lock", ANN, "--reason", "the laptop was stolen"])
            .done()
            .says("may not send any more");
        post.run(&["account", "lock", ANN])
            .done()
            .says("locked already");
        let shown = post.json(&["account", "sending", ANN]);
        assert_eq!(shown["state"], "locked");
        assert_eq!(shown["alarms"][0]["by_operator"], true);
        assert_eq!(
            shown["alarms"][0]["reasons"],
            json!(["the laptop was stolen"])
        );
        post.run(&["account", "sending", ANN])
            .done()
            .says("the laptop was stolen");
        // Log-ins are another matter.
        let shown = post.json(&["account", "show", ANN]);
        assert_eq!(
            (&shown["state"], &shown["sending"]),
            (&json!("active"), &json!("locked"))
        );
        post.run(&["account", "show", ANN])
            .done()
            .says("locked since");
        post.run(&["account", "list"])
            .done()
            .says("active, sending locked");
        assert_eq!(post.json(&["account", "list"])[0]["sending"], "locked");
        post.run_with_input(
            &["account", "passwd", ANN, "--password-stdin"],
            "another good secret",
        )
        .done()
        .says("postroad account release ann@example.test");
        let released = post.json(&["account", "release", ANN]);
        assert_eq!(
            (&released["was_stopped"], &released["password_is_old"]),
            (&json!(true), &json!(false))
        );
        post.run(&["account", "release", ANN])
            .done()
            .says("was not stopped");
        let shown = post.json(&["account", "sending", ANN]);
        assert_eq!(shown["state"], "free");
        assert_ne!(shown["alarms"][0]["released"], json!(null));
        post.run(&["account", "lock", ANN, "--all"])
            .done()
            .says("no log-in");
        assert_eq!(post.json(&["account", "show", ANN])["state"], "disabled");
        post.run(&["account", "release", ANN])
            .done()
            .says("may not log in")
            .says("release ann@example.test --all");
        post.run(&["account", "release", ANN, "--all", "--with-mail"])
            .done()
            .says("may log in again");
        assert_eq!(post.json(&["account", "show", ANN])["state"], "active");
        // The old password is still good.
        post.run(&["account", "lock", ANN]).done();
        assert_eq!(
            post.json(&["account", "release", ANN])["password_is_old"],
            true
        );
        post.run(&["account", "lock", ANN, "--all", "--sending"])
            .exits(2);
        post.run(&["account", "lock", "bob@example.test"])
            .exits(1)
            .complains("ann@example.test");
    });
}

#[test]
fn users_are_told_of_log_ins_unless_they_do_not_want_it() {
    in_both_modes(|post| {
        with_ann(post);
        let notices = |arguments: &[&str]| {
            let shown = post.json(&[&["account", "notices"], arguments].concat());
            (shown["notices"].clone(), shown["chosen"].clone())
        };
        assert_eq!(notices(&[ANN]), (json!(true), json!("default")));
        assert_eq!(notices(&["everyone", "off"]), (json!(false), json!("off")));
        assert_eq!(notices(&[ANN]), (json!(false), json!("default")));
        assert_eq!(notices(&[ANN, "on"]), (json!(true), json!("on")));
        assert_eq!(notices(&[ANN, "off"]), (json!(false), json!("off")));
        assert_eq!(
            notices(&["everyone", "default"]),
            (json!(true), json!("default"))
        );
        assert_eq!(notices(&[ANN, "default"]), (json!(true), json!("default")));
        post.run(&["account", "notices", ANN])
            .done()
            .says("is told");
        post.run(&["account", "notices", ANN, "perhaps"]).exits(2);
        post.run(&["account", "notices", "bob@example.test", "off"])
            .exits(1);
    });
}

#[test]
fn limits_are_set_and_reset() {
    in_both_modes(|post| {
        with_ann(post);
        let counts = |what: &str| {
            let shown = post.json(&["account", "limits", ANN]);
            let list = shown["counts"].as_array().expect("a list").clone();
            let found = list.into_iter().find(|of| of["what"] == what);
            found.expect("it is counted")["held_above"].clone()
        };
        assert_eq!(counts("new recipients in a day"), 160);
        assert_eq!(counts("recipients in a day"), 200);
        for wrong in [
            ["--recipients", "0"],
            ["--new", "18446744073709551615"],
            ["--days", "0"],
        ] {
            post.run(&[&["account", "limits", ANN, "set"][..], &wrong].concat())
                .exits(2);
        }
        post.run(&["account", "limits", ANN, "set"])
            .exits(2)
            .complains("which limit?");
        post.run(&[
            "account",
            "limits",
            ANN,
            "set",
            "--recipients",
            "3000",
            "--days",
            "2",
        ])
        .done()
        .says("3000 recipients a day");
        assert_eq!(counts("recipients in a day"), 3000);
        assert_eq!(counts("new recipients in a day"), 160);
        post.run(&["account", "limits", ANN, "set", "--new", "2000"])
            .done();
        assert_eq!(counts("recipients in a day"), 3000);
        assert_eq!(counts("new recipients in a day"), 2000);
        // A form on a web page writes to one.
        post.run(&[
            "account",
            "limits",
            ANN,
            "set",
            "--recipients",
            "20",
            "--new",
            "0",
        ])
        .done();
        assert_eq!(counts("recipients in a day"), 20);
        post.run(&["account", "limits", ANN, "reset"])
            .done()
            .says("usual");
        assert_eq!(counts("recipients in a day"), 200);
    });
}

#[test]
fn groups_are_found_or_not() {
    in_both_modes(|post| {
        with_ann(post);
        post.run(&["queue", "groups"])
            .done()
            .says("No alarm holds any mail");
        post.run(&["queue", "groups", ANN]).done();
        post.run(&["queue", "group", "show", "7"])
            .exits(1)
            .complains("postroad queue groups");
        post.run(&["queue", "group", "remove", "seven"])
            .exits(2)
            .complains("neither a group's number nor an account");
        post.run(&["queue", "group", "release", ANN])
            .done()
            .says("0 messages on the way");
        assert_eq!(
            post.json(&["queue", "group", "remove", ANN]),
            json!({ "count": 0 })
        );
    });
}

#[test]
fn a_locked_user_hears_of_it_at_once_where_a_server_runs() {
    let post = Post::configured();
    with_ann(&post);
    let serving = post.serve();
    post.run(&["account", "lock", ANN]).done();
    // A command takes some milliseconds.
    let told = || post.json(&["account", "show", ANN])["messages"] == 1;
    assert!((0..1_000).any(|_| told()), "no message in the inbox");
    assert_eq!(serving.stop(), 0);
}
