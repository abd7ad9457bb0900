//! Signing keys and the records that a domain needs, by command, with a server and without one.

use serde_json::Value;

use crate::rig::Post;

fn both(test: impl Fn(&Post)) {
    // Stopped, but with the certificate that the first start makes.
    let post = Post::with_alice();
    assert_eq!(post.serve().stop(), 0);
    test(&post);
    let post = Post::with_alice();
    let serving = post.serve();
    test(&post);
    assert_eq!(serving.stop(), 0);
}

fn states(post: &Post) -> Vec<(String, String)> {
    let keys = post.json(&["dkim", "list", "example.test"]);
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let keys = keys.as_array().unwrap();
    keys.iter()
        .map(|key| (text(key, "selector"), text(key, "state")))
        .collect()
}

fn record<'a>(records: &'a Value, name: &str) -> &'a Value {
    let all = records.as_array().unwrap();
    all.iter()
        .find(|record| record["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {records:#}"))
}

#[test]
fn a_rotation_is_begun_and_shown() {
    both(|post| {
        let before = states(post);
        assert_eq!(before.len(), 2);
        assert!(before.iter().all(|(_, state)| state == "active"));
        post.run(&["dkim", "list"])
            .done()
            .says("New keys of example.test will be made at ");
        post.run(&["dkim", "rotate", "example.test"])
            .done()
            .says("Made ")
            .says("dns show example.test");
        // A second time nothing new is made.
        post.run(&["dkim", "rotate", "example.test"])
            .done()
            .says("are coming already");
        let mut coming = Vec::new();
        for (selector, state) in states(post) {
            if state == "coming" {
                coming.push(selector);
            }
        }
        assert_eq!(coming.len(), 2);
        let records = post.json(&["dns", "show", "example.test"]);
        for selector in &coming {
            let name = format!("{selector}._domainkey.example.test");
            let record = record(&records, &name);
            assert_eq!(record["action"], "publish");
            assert!(record["why"].as_str().unwrap().contains("new key"));
        }
        post.run(&["dkim", "list"])
            .done()
            .says("publish its record");
    });
}

#[test]
fn keys_in_wrong_hands_are_replaced_at_once() {
    both(|post| {
        let old: Vec<String> = states(post).into_iter().map(|(name, _)| name).collect();
        post.run(&["dkim", "rotate", "example.test", "--now"])
            .done()
            .says("sign from now on");
        let now = states(post);
        assert_eq!(now.len(), 4);
        for (selector, state) in &now {
            let want = if old.contains(selector) {
                "kept"
            } else {
                "active"
            };
            assert_eq!(state, want, "{selector}");
        }
        let active = &now.iter().find(|(_, state)| state == "active").unwrap().0;
        post.run(&["dkim", "remove", "example.test", active])
            .exits(1)
            .complains("signs; change the keys first");
        post.run(&["dkim", "remove", "example.test", &old[0]])
            .done()
            .says(&format!("{}._domainkey.example.test", old[0]));
        assert_eq!(states(post).len(), 3);
        post.run(&["dkim", "remove", "example.test", "nonsense"])
            .exits(1)
            .complains("nonsense");
    });
}

#[test]
fn schedules_are_set_and_taken_back() {
    both(|post| {
        let days = |arguments: &[&str]| post.json(arguments)["every_days"].clone();
        assert_eq!(days(&["dkim", "schedule"]), 182);
        assert_eq!(days(&["dkim", "schedule", "--every", "90"]), 90);
        assert_eq!(days(&["dkim", "schedule", "example.test"]), 90);
        let never = days(&["dkim", "schedule", "example.test", "--every", "never"]);
        assert_eq!(never, Value::Null);
        let list = post.run(&["dkim", "list"]).done();
        assert!(!list.stdout.contains("will be made"), "{}", list.stdout);
        let back = days(&["dkim", "schedule", "example.test", "--every", "default"]);
        assert_eq!(back, 90);
        for wrong in ["7", "x", "-1", "4000"] {
            let every = format!("--every={wrong}");
            post.run(&["dkim", "schedule", &every]).exits(2);
        }
        post.run(&["dkim", "schedule", "elsewhere.test"]).exits(1);
    });
}

#[test]
fn records_for_reports_and_for_tls() {
    both(|post| {
        let records = post.json(&["dns", "show", "example.test"]);
        for (name, kind, words) in [
            (
                "_dmarc.example.test",
                "TXT",
                "rua=mailto:dmarc-reports@example.test",
            ),
            (
                "_smtp._tls.example.test",
                "TXT",
                "rua=mailto:tls-reports@example.test",
            ),
            ("mta-sts.example.test", "CNAME", "mail.example.test."),
            ("_mta-sts.example.test", "TXT", "v=STSv1; id="),
            ("_25._tcp.mail.example.test", "TLSA", "3 1 1 "),
        ] {
            let record = record(&records, name);
            assert_eq!(record["type"], kind, "{name}");
            let value = record["value"].as_str().unwrap();
            assert!(value.contains(words), "{name}: {value}");
        }
        let id = |records: &Value| record(records, "_mta-sts.example.test")["value"].clone();
        post.run(&["domain", "mta-sts", "example.test", "enforce"])
            .done()
            .says("enforce");
        let enforced = post.json(&["dns", "show", "example.test"]);
        assert_ne!(id(&records), id(&enforced), "the policy is another one");
        post.run(&["domain", "mta-sts", "example.test", "testing"])
            .done();
        let again = post.json(&["dns", "show", "example.test"]);
        assert_eq!(id(&records), id(&again));
        post.run(&["domain", "mta-sts", "example.test", "maybe"])
            .exits(2);
        post.run(&["domain", "mta-sts", "elsewhere.test", "none"])
            .exits(1);
    });
}

#[test]
fn no_web_server_no_policy() {
    let post = Post::with_alice();
    let path = post.data().join("postroad.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("https = 0", "https = false")).unwrap();
    let records = post.run(&["dns", "show", "example.test"]).done().stdout;
    assert!(!records.contains("mta-sts"), "{records}");
}
