//! What is done with mail that comes in, said on the command line: aliases that lead elsewhere, failing
//! mail, and trust. On a stopped store and through a running server.

use serde_json::json;

use crate::commands::in_both_modes;

#[test]
fn aliases_lead_elsewhere() {
    in_both_modes(|post| {
        post.run(&["domain", "add", "example.test"]).done();
        let add = ["alias", "add", "Team@example.test", "bob@there.example"];
        post.run(&add)
            .done()
            .says("Mail for Team@example.test goes to bob@there.example.")
            .says("there.example is another server's");
        post.run(&add).exits(1).complains("already exists");
        post.run(&["alias", "add", "@example.test", "al@there.example"])
            .done();
        post.run(&["alias", "add", "x@example.test", "nobody@example.test"])
            .exits(1)
            .complains("no account nobody@example.test");
        let list = post.json(&["alias", "list", "example.test"]);
        assert_eq!(
            list,
            json!([
                { "alias": "@example.test", "catch_all": true, "forward": "al@there.example" },
                { "alias": "team@example.test", "catch_all": false, "forward": "bob@there.example" },
            ])
        );
        post.run(&["alias", "list"]).done().says("another server");
        let remove = ["alias", "remove", "team@example.test", "bob@there.example"];
        post.run(&remove).done();
        post.run(&remove).exits(1).complains("no alias");
        post.run(&["alias", "remove", "@example.test"]).done();
        assert_eq!(post.json(&["alias", "list"]), json!([]));
    });
}

#[test]
fn failing_mail_goes_where_the_domain_says() {
    in_both_modes(|post| {
        post.run(&["domain", "dmarc", "example.test", "mark"])
            .exits(1)
            .complains("not a domain of this server");
        post.run(&["domain", "add", "example.test"]).done();
        assert_eq!(
            post.json(&["domain", "show", "example.test"])["dmarc"],
            "junk"
        );
        for (choice, words) in [
            ("reject", "refused"),
            ("mark", "marked"),
            ("junk", "junk folder"),
        ] {
            post.run(&["domain", "dmarc", "example.test", choice])
                .done()
                .says(words);
            assert_eq!(
                post.json(&["domain", "show", "example.test"])["dmarc"],
                choice
            );
        }
        post.run(&["domain", "dmarc", "example.test", "ignore"])
            .exits(2);
    });
}

#[test]
fn trust_is_given_and_taken() {
    in_both_modes(|post| {
        let state = |domain: &str, kind: &str| {
            let list = post.json(&["auth", "trust", "list"]);
            let list = list.as_array().unwrap().clone();
            let found = list
                .iter()
                .find(|row| row["domain"] == domain && row["kind"] == kind);
            found.map(|row| row["trusted"].as_bool().unwrap())
        };
        assert_eq!(state("google.com", "arc"), Some(true));
        post.run(&["auth", "trust", "list"])
            .done()
            .says("built in 20");
        post.run(&["auth", "trust", "add", "lists.example", "--list"])
            .done()
            .says("lists.example is trusted as mailing list.");
        assert_eq!(state("lists.example", "list"), Some(true));
        assert_eq!(state("lists.example", "arc"), None);
        post.run(&["auth", "trust", "remove", "google.com", "--arc"])
            .done();
        assert_eq!(state("google.com", "arc"), Some(false));
        post.run(&["auth", "trust", "add", "google.com", "--arc"])
            .done();
        assert_eq!(state("google.com", "arc"), Some(true));
        post.run(&["auth", "trust", "remove", "lists.example", "--list"])
            .done()
            .says("no longer trusted");
        post.run(&["auth", "trust", "remove", "lists.example", "--list"])
            .exits(1)
            .complains("is not trusted");
        post.run(&["auth", "trust", "add", "lists.example"])
            .exits(2);
        post.run(&["auth", "trust", "add", "lists.example", "--arc", "--list"])
            .exits(2);
    });
}
