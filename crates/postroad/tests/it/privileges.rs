//! Started as root with a `user` set, the server becomes that user, and commands of root leave nothing behind that
//! it cannot open. Runs only as root.

use std::os::unix::fs::MetadataExt;

use nix::unistd::{User, chown, geteuid};

use crate::rig::{Post, deliver};

#[test]
fn the_server_becomes_the_user_of_the_config() {
    let Some(nobody) = User::from_name("nobody")
        .unwrap()
        .filter(|_| geteuid().is_root())
    else {
        println!("skipped: needs root and the user `nobody`");
        return;
    };
    let post = Post::configured();
    let text = std::fs::read_to_string(post.data().join("postroad.toml")).unwrap();
    std::fs::write(
        post.data().join("postroad.toml"),
        format!("user = \"nobody\"\n{text}"),
    )
    .unwrap();
    for path in [post.data().parent().unwrap().to_path_buf(), post.data()] {
        chown(&path, Some(nobody.uid), Some(nobody.gid)).unwrap();
    }
    // On the stopped store, by root.
    post.run(&["domain", "add", "example.test"]).done();
    post.add_account("alice@example.test");
    let serving = post.serve();
    assert_eq!(
        std::fs::metadata(format!("/proc/{}", serving.id()))
            .unwrap()
            .uid(),
        nobody.uid.as_raw()
    );
    deliver(&serving, "alice@example.test", "to nobody's server");
    // Through the socket, by root.
    assert_eq!(
        post.json(&["account", "show", "alice@example.test"])["messages"],
        1
    );
    assert_eq!(serving.stop(), 0);
    for entry in std::fs::read_dir(post.data()).unwrap().map(Result::unwrap) {
        if entry.file_name() != "postroad.toml" {
            assert_eq!(
                entry.metadata().unwrap().uid(),
                nobody.uid.as_raw(),
                "{:?}",
                entry.path()
            );
        }
    }
}

#[test]
fn somebody_elses_data_are_not_missing_but_closed() {
    let Some(nobody) = User::from_name("nobody")
        .unwrap()
        .filter(|_| geteuid().is_root())
    else {
        println!("skipped: needs root and the user `nobody`");
        return;
    };
    let post = Post::with_alice();
    // The directory around is open, the data are not.
    let around = post.data().parent().unwrap().to_path_buf();
    std::fs::set_permissions(&around, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for arguments in [&["account", "list"][..], &["serve"], &["config", "check"]] {
        post.run_as(nobody.uid.as_raw(), arguments)
            .exits(1)
            .complains("as the owner of the data");
    }
}
