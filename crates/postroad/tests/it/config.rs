//! `config check` and `config show`, and what a broken file does to other commands.

use crate::rig::Post;

#[test]
fn a_sound_file() {
    let post = Post::configured();
    post.run(&["config", "check"]).done().says("is fine");
    assert_eq!(post.json(&["config", "check"])["ok"], true);
    post.run(&["config", "show"])
        .done()
        .says("hostname = \"mail.example.test\"");
    let shown = post.json(&["config", "show"]);
    assert_eq!(shown["outbound"]["port"], 25);
    assert_eq!(shown["tls"]["cleartext_login"], true);
}

#[test]
fn an_unknown_key_is_a_finding_with_a_guess() {
    let post = Post::configured();
    post.write_config("[outbond]\nport = 1\n");
    let ran = post.run(&["config", "check"]).exits(3);
    assert!(
        ran.stdout
            .contains("postroad.toml:15: unknown key `outbond`; did you mean `outbound`?"),
        "{}",
        ran.stdout
    );
    let ran = post.run(&["--json", "config", "check"]).exits(3);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["ok"], false);
    assert_eq!(value["findings"][0]["line"], 15);
    // Nothing else works with such a file, and says why.
    for arguments in [
        &["serve"][..],
        &["domain", "list"],
        &["quickstart", "a@example.test"],
    ] {
        post.run(arguments)
            .exits(1)
            .complains("did you mean `outbound`?");
    }
}

#[test]
fn findings_beyond_the_file_itself() {
    let post = Post::configured();
    let text = std::fs::read_to_string(post.data().join("postroad.toml")).unwrap();
    let text = text.replace("[tls]", "[tls]\ncertificate = \"no.pem\"\nkey = \"no.key\"");
    std::fs::write(post.data().join("postroad.toml"), text).unwrap();
    post.run(&["config", "check"]).exits(3).says("no.pem");
    post.run(&["serve"]).exits(1).complains("no.pem");
}

#[test]
fn without_a_file() {
    let post = Post::empty();
    for arguments in [&["config", "check"][..], &["serve"], &["account", "list"]] {
        post.run(arguments)
            .exits(1)
            .complains("postroad quickstart you@example.org");
    }
}
