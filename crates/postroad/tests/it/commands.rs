//! Every command, on a stopped store and through a running server: same words, same JSON, same exit status.

use serde_json::json;

use crate::rig::{PASSWORD, Post};

/// Runs the test twice: with the server stopped and with it running.
pub(crate) fn in_both_modes(test: impl Fn(&Post)) {
    let stopped = Post::configured();
    test(&stopped);
    let running = Post::configured();
    let serving = running.serve();
    test(&running);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn domains() {
    in_both_modes(|post| {
        post.run(&["domain", "list"]).done().says("No domains yet");
        post.run(&["domain", "add", "Example.Test"])
            .done()
            .says("Added example.test.");
        post.run(&["domain", "add", "example.test"])
            .exits(1)
            .complains("already");
        post.run(&["domain", "add", "not a domain"])
            .exits(2)
            .complains("not a domain name");
        post.run(&["domain", "list"]).done().says("example.test");
        let list = post.json(&["domain", "list"]);
        assert_eq!(list[0]["domain"], "example.test");
        assert_eq!(list[0]["accounts"], 0);
        let shown = post.json(&["domain", "show", "example.test"]);
        assert_eq!(shown["dkim_selectors"].as_array().unwrap().len(), 2);
        post.run(&["domain", "show", "exmaple.test"])
            .exits(1)
            .complains("did you mean example.test?");
        post.run(&["domain", "show", "other.example"])
            .exits(1)
            .complains("known: example.test");
        post.run(&["domain", "remove", "example.test"]).done();
        assert_eq!(post.json(&["domain", "list"]), json!([]));
    });
}

#[test]
fn accounts() {
    in_both_modes(|post| {
        let add = ["account", "add", "ann@example.test", "--password-stdin"];
        post.run_with_input(&add, PASSWORD)
            .exits(1)
            .complains("domain add");
        post.run(&["domain", "add", "example.test"]).done();
        post.run_with_input(&add, PASSWORD)
            .done()
            .says("ann@example.test");
        post.run_with_input(&add, PASSWORD)
            .exits(1)
            .complains("already");
        post.run_with_input(
            &["account", "add", "x@example.test", "--password-stdin"],
            "short",
        )
        .exits(1)
        .complains("too short");
        post.run(&["account", "add", "y@example.test"])
            .exits(2)
            .complains("--password-stdin");
        post.run(&["account", "quota", "ann@example.test", "2G"])
            .done()
            .says("2.0 GB");
        post.run(&["account", "quota", "ann@example.test", "much"])
            .exits(2);
        let shown = post.json(&["account", "show", "ann@example.test"]);
        assert_eq!(shown["quota_bytes"], 2_000_000_000_u64);
        assert_eq!(shown["state"], "active");
        post.run(&["account", "disable", "ann@example.test"])
            .done()
            .says("disabled");
        post.run(&["account", "enable", "ann@example.test"])
            .done()
            .says("active");
        let file = post.data().join("secret");
        std::fs::write(&file, "another long password\n").unwrap();
        let file = file.to_str().unwrap();
        post.run(&[
            "account",
            "passwd",
            "ann@example.test",
            "--password-file",
            file,
        ])
        .done();
        post.run(&["account", "show", "anm@example.test"])
            .exits(1)
            .complains("did you mean");
        let list = post.json(&["account", "list", "example.test"]);
        assert_eq!(list.as_array().unwrap().len(), 1);
        post.run(&["account", "list", "nowhere.test"]).exits(1);
        post.run(&["domain", "remove", "example.test"])
            .exits(1)
            .complains("account");
        post.run(&["account", "remove", "ann@example.test"]).done();
        assert_eq!(post.json(&["account", "list"]), json!([]));
    });
}

#[test]
fn aliases() {
    in_both_modes(|post| {
        post.run(&["domain", "add", "example.test"]).done();
        post.add_account("ann@example.test");
        post.run(&["alias", "add", "info@example.test", "ann@example.test"])
            .done();
        post.run(&["alias", "add", "@example.test", "ann@example.test"])
            .done();
        post.run(&["alias", "add", "a@example.test", "nobody@example.test"])
            .exits(1)
            .complains("no account nobody@example.test");
        post.run(&["alias", "add", "a@other.test", "ann@example.test"])
            .exits(1);
        let list = post.json(&["alias", "list"]);
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 2);
        assert!(list.iter().any(|alias| alias["catch_all"] == true));
        post.run(&["alias", "list", "example.test"])
            .done()
            .says("info@example.test");
        post.run(&["alias", "remove", "info@example.test"]).done();
        post.run(&["alias", "remove", "info@example.test"]).exits(1);
        post.run(&["alias", "remove", "@example.test"]).done();
        assert_eq!(post.json(&["alias", "list"]), json!([]));
    });
}

#[test]
fn the_empty_queue() {
    in_both_modes(|post| {
        post.run(&["queue", "list"])
            .done()
            .says("The queue is empty.");
        assert_eq!(post.json(&["queue", "list"]), json!([]));
        post.run(&["queue", "show", "7"])
            .exits(1)
            .complains("no message 7");
        post.run(&["queue", "retry", "7"]).exits(1);
        post.run(&["queue", "retry", "n o"])
            .exits(2)
            .complains("`all`");
        assert_eq!(post.json(&["queue", "retry", "all"])["count"], 0);
        assert_eq!(post.json(&["queue", "hold", "example.org"])["count"], 0);
        assert_eq!(post.json(&["queue", "release", "all"])["count"], 0);
        assert_eq!(post.json(&["queue", "delete", "all"])["count"], 0);
    });
}

#[test]
fn dns_and_keys() {
    in_both_modes(|post| {
        post.run(&["domain", "add", "example.test"]).done();
        let table = post.run(&["dns", "show", "example.test"]).done();
        let table = table.says("10 mail.example.test.").says("v=spf1 mx -all");
        assert!(table.stdout.contains("_domainkey.example.test"));
        let bind = post
            .run(&["dns", "show", "example.test", "--format", "bind"])
            .done();
        let key = bind
            .stdout
            .lines()
            .find(|line| line.contains("k=rsa"))
            .unwrap();
        assert!(
            key.contains("\" \""),
            "a long key is cut into strings: {key}"
        );
        let from_format = post
            .run(&["dns", "show", "example.test", "--format", "json"])
            .done();
        let from_format: serde_json::Value = serde_json::from_str(&from_format.stdout).unwrap();
        let from_flag = post.json(&["dns", "show", "example.test"]);
        assert_eq!(from_format, from_flag);
        assert!(from_flag[0]["why"].as_str().unwrap().ends_with('.'));
        let keys = post.json(&["dkim", "list"]);
        let algorithms: Vec<&str> = keys
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["algorithm"].as_str().unwrap())
            .collect();
        assert!(algorithms.contains(&"rsa-sha256") && algorithms.contains(&"ed25519-sha256"));
        post.run(&["dns", "show", "example.tset"])
            .exits(1)
            .complains("did you mean example.test?");
    });
}

#[test]
fn version_and_completions() {
    let post = Post::empty();
    post.run(&["version"]).done().says("postroad 0.");
    assert!(post.json(&["version"])["version"].is_string());
    post.run(&["--version"]).done().says("postroad 0.");
    for shell in ["bash", "zsh", "fish"] {
        post.run(&["completions", shell]).done().says("quickstart");
    }
}

#[test]
fn help_is_true() {
    let post = Post::configured();
    let help = post.run(&["--help"]).done().stdout;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains(&"queue"), "{help}");
    for command in commands {
        post.run(&[command, "--help"]).done().says("Usage:");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let post = Post::configured();
    for arguments in [
        &["frobnicate"][..],
        &[],
        &["domain"],
        &["domain", "add"],
        &["queue", "show", "seven"],
        &["dns", "show", "example.test", "--format", "xml"],
        &["account", "add", "a@example.test", "--password", "secret"],
        &["quickstart", "no-address"],
    ] {
        post.run(arguments).exits(2);
    }
}

#[test]
fn failures_as_json() {
    let post = Post::configured();
    let ran = post.run(&["--json", "domain", "show", "x.test"]).exits(1);
    let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("x.test"));
}

#[test]
fn commands_at_the_same_time_wait_for_one_another() {
    let post = Post::configured();
    let names: Vec<String> = (0..4).map(|number| format!("d{number}.test")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| post.run(&["domain", "add", name]).done());
        }
    });
    assert_eq!(post.json(&["domain", "list"]).as_array().unwrap().len(), 4);
}
