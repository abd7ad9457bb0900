//! From nothing to a serving server, and what is told on the way.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use crate::rig::{Lines, PASSWORD, Post};

/// The standard ports that a trial uses.
const PORTS: [u16; 9] = [25, 465, 587, 143, 993, 110, 995, 80, 443];

/// An offset at which all ports are free now, and listeners that keep it so until dropped.
fn free_offset() -> (u16, Vec<TcpListener>) {
    loop {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let offset = probe.local_addr().unwrap().port();
        let Some(offset) = offset.checked_sub(1_000).filter(|offset| *offset < 64_000) else {
            continue;
        };
        drop(probe);
        let held: Result<Vec<TcpListener>, _> = PORTS
            .iter()
            .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port + offset)))
            .collect();
        if let Ok(held) = held {
            return (offset, held);
        }
    }
}

#[test]
fn from_nothing_to_ready_and_again() {
    let post = Post::empty();
    let (offset, held) = free_offset();
    drop(held);
    let offset_text = offset.to_string();
    let arguments = [
        "quickstart",
        "alice@example.test",
        "--port-offset",
        &offset_text,
    ];
    let serving = post.start(&arguments, "");
    for port in PORTS {
        let address = format!("127.0.0.1:{}", port + offset);
        assert!(
            serving.ready.contains(&address),
            "{} has no {address}",
            serving.ready
        );
    }
    for words in [
        "alice@example.test",
        "swaks --server",
        "v=DKIM1",
        "v=DMARC1",
        "Data ",
        "IMAP",
    ] {
        assert!(
            serving.told.contains(words),
            "{words:?} is not in {}",
            serving.told
        );
    }
    let password = serving
        .told
        .lines()
        .find_map(|line| line.trim().strip_prefix("Password  "));
    let password = password.unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(password.len(), 19, "{password}");
    for entry in std::fs::read_dir(post.data()).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} is open to others", entry.path());
    }
    for (name, mode) in [
        ("", 0o700),
        ("self-signed.key", 0o600),
        ("admin.sock", 0o600),
        ("lock", 0o600),
    ] {
        let meta = std::fs::metadata(post.data().join(name)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{name}");
    }
    let text = std::fs::read_to_string(post.data().join("postroad.toml")).unwrap();
    assert!(text.lines().count() <= 20 && text.contains('#'), "{text}");
    assert_eq!(serving.stop(), 0);

    // Again: it just starts, and the password is not shown any more.
    let serving = post.start(&arguments, "");
    assert!(!serving.told.contains(&password));
    assert!(
        serving.told.contains("account passwd alice@example.test"),
        "{}",
        serving.told
    );
    assert_eq!(post.json(&["account", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_given_password_logs_in() {
    let post = Post::configured();
    let serving = post.start(
        &["quickstart", "alice@example.test", "--password-stdin"],
        PASSWORD,
    );
    assert!(!serving.told.contains(PASSWORD));
    let mut imap = Lines::connect(serving.address("imap"));
    imap.line();
    imap.imap(&format!("LOGIN alice@example.test \"{PASSWORD}\""));
}

#[test]
fn a_second_address_joins_the_first() {
    let post = Post::configured();
    let serving = post.start(
        &["quickstart", "alice@example.test", "--password-stdin"],
        PASSWORD,
    );
    assert_eq!(serving.stop(), 0);
    let serving = post.start(
        &["quickstart", "bob@example.test", "--password-stdin"],
        PASSWORD,
    );
    assert_eq!(serving.stop(), 0);
    assert_eq!(post.json(&["account", "list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let post = Post::empty();
    let (offset, held) = free_offset();
    let offset_text = offset.to_string();
    let taken = offset + 25;
    let arguments = [
        "quickstart",
        "alice@example.test",
        "--port-offset",
        &offset_text,
    ];
    let ran = post.run(&arguments).exits(1);
    let ran = ran
        .complains(&format!("port {taken} "))
        .complains("port_offset");
    assert!(!ran.stdout.contains("Password"), "{}", ran.stdout);
    drop(held);
    // The failed start has not used up the password.
    let serving = post.start(&arguments, "");
    assert!(serving.told.contains("shown only now"), "{}", serving.told);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn an_offset_that_does_not_fit() {
    let post = Post::empty();
    post.run(&["quickstart", "a@example.test", "--port-offset", "65000"])
        .exits(2);
    post.run(&["quickstart", "a@example.test", "--listen", "nowhere"])
        .exits(2);
    let other = IpAddr::from([192, 0, 2, 1]).to_string();
    post.run(&["quickstart", "a@example.test", "--listen", &other])
        .exits(1)
        .complains("is not an address of this machine");
}

#[test]
fn programs_get_json() {
    let post = Post::configured();
    let serving = post.start(&["--json", "quickstart", "alice@example.test"], "");
    let told: serde_json::Value = serde_json::from_str(&serving.told).unwrap();
    assert_eq!(told["login"], "alice@example.test");
    assert_eq!(
        told["services"]["imap"],
        serving.address("imap").to_string()
    );
    assert!(told["records"].as_array().unwrap().len() > 5);
    let password = told["password"].as_str().unwrap();
    let mut imap = Lines::connect(serving.address("imap"));
    imap.line();
    imap.imap(&format!("LOGIN alice@example.test {password}"));
    assert_eq!(serving.stop(), 0);
}
