//! When the program must not work on the data, and says why.

use std::os::unix::fs::PermissionsExt;

use crate::rig::Post;

#[test]
fn a_second_server_on_the_same_data() {
    let post = Post::with_alice();
    let serving = post.serve();
    post.run(&["serve"])
        .exits(1)
        .complains("works on the data directory");
    post.run(&["quickstart", "alice@example.test"])
        .exits(1)
        .complains("postroad serve (process");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_data_directory_open_to_others() {
    let post = Post::with_alice();
    for mode in [0o777, 0o701, 0o770] {
        std::fs::set_permissions(post.data(), std::fs::Permissions::from_mode(mode)).unwrap();
        post.run(&["serve"]).exits(1).complains("chmod 700");
        post.run(&["account", "list"])
            .exits(1)
            .complains("chmod 700");
        post.run(&["config", "check"]).exits(3).says("chmod 700");
    }
    std::fs::set_permissions(post.data(), std::fs::Permissions::from_mode(0o750)).unwrap();
    post.run(&["account", "list"]).done();
}

#[test]
fn a_file_in_place_of_the_directory() {
    let post = Post::empty();
    let file = post.data().join("file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    post.run(&["--data", file, "quickstart", "a@example.test"])
        .exits(1)
        .complains("not a directory");
}

#[test]
fn data_of_a_newer_version() {
    let post = Post::with_alice();
    let database = std::fs::read_dir(post.data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")))
        .expect("the embedded database lies in the data directory");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection
        .execute(
            "UPDATE meta SET value = '999999' WHERE name = 'schema_version'",
            [],
        )
        .unwrap();
    drop(connection);
    for arguments in [&["serve"][..], &["account", "list"]] {
        post.run(arguments)
            .exits(1)
            .complains("newer version of postroad");
    }
}

#[test]
fn a_killed_server_leaves_nothing_in_the_way() {
    let post = Post::with_alice();
    let serving = post.serve();
    serving.signal(nix::sys::signal::Signal::SIGKILL);
    serving.wait();
    assert!(post.data().join("admin.sock").exists(), "left over");
    assert_eq!(post.json(&["account", "list"]).as_array().unwrap().len(), 1);
    let serving = post.serve();
    assert_eq!(post.json(&["account", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(serving.stop(), 0);
    assert!(!post.data().join("admin.sock").exists(), "taken away");
}

#[test]
fn a_deep_data_directory() {
    let post = Post::empty();
    let deep = post.data().join("x".repeat(60)).join("y".repeat(60));
    let deep = deep.to_str().unwrap();
    let config = "hostname = \"mail.example.test\"\n[listen]\naddress = \"127.0.0.1\"\nsmtp = 0\n\
        submission = false\nsubmissions = false\nimap = 0\nimaps = false\npop3 = false\npop3s = false\nhttp = false\nhttps = false\n";
    let parent = std::path::Path::new(deep);
    std::fs::create_dir_all(parent).unwrap();
    std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(parent.join("postroad.toml"), config).unwrap();
    let serving = post.start(&["--data", deep, "serve"], "");
    post.run(&["--data", deep, "domain", "add", "example.test"])
        .done();
    assert_eq!(serving.stop(), 0);
    post.run(&["--data", deep, "domain", "list"])
        .done()
        .says("example.test");
}
