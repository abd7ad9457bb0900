//! Several certificates by name, exchanged under a running server, seen with openssl as a client sees them.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use nix::sys::signal::Signal;

use crate::rig::{Lines, Post, Serving};

/// The names in the certificate that a client gets who asks for `name`; `None` where openssl is not installed.
fn shown(to: SocketAddr, name: &str) -> Option<String> {
    let connected = Command::new("openssl")
        .args(["s_client", "-connect", &to.to_string(), "-servername", name])
        .stdin(Stdio::null())
        .output();
    let Ok(connected) = connected else {
        eprintln!("skipped: openssl is not installed");
        return None;
    };
    let mut reading = Command::new("openssl")
        .args(["x509", "-noout", "-ext", "subjectAltName"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = reading.stdin.take().unwrap();
    stdin.write_all(&connected.stdout).unwrap();
    drop(stdin);
    let read = reading.wait_with_output().unwrap();
    Some(String::from_utf8(read.stdout).unwrap())
}

fn put(post: &Post, file: &str, name: &str) {
    let pair = world::self_signed(&[name.to_owned()], SystemTime::now()).unwrap();
    let folder = post.data().join("tls");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{file}.key")), pair.key).unwrap();
    std::fs::write(folder.join(format!("{file}.crt")), pair.certificate).unwrap();
}

fn serve() -> (Post, Serving) {
    let post = Post::configured();
    post.write_config("certificates = \"tls\"\n");
    put(&post, "mail", "mail.example.test");
    put(&post, "policy", "mta-sts.example.test");
    let serving = post.serve();
    (post, serving)
}

#[track_caller]
fn wait_for(serving: &Serving, words: &str) {
    while !serving.log().contains(words) {
        std::thread::yield_now();
    }
}

#[test]
fn each_name_gets_its_certificate_at_every_door() {
    let (_post, serving) = serve();
    for service in ["https", "imaps", "submissions", "pop3s"] {
        for (asked, got) in [
            ("mail.example.test", "mail.example.test"),
            ("mta-sts.example.test", "mta-sts.example.test"),
            ("other.example.test", "mail.example.test"),
        ] {
            let Some(names) = shown(serving.address(service), asked) else {
                return;
            };
            assert!(
                names.contains(&format!("DNS:{got}")),
                "{service} {asked}: {names}"
            );
        }
    }
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_certificate_is_exchanged_while_serving() {
    let (post, serving) = serve();
    // A session from before goes on.
    let mut session = Lines::connect(serving.address("imap"));
    session.line();
    put(&post, "new", "new.example.test");
    serving.signal(Signal::SIGHUP);
    wait_for(&serving, "SIGHUP: the certificate is loaded again");
    if let Some(names) = shown(serving.address("imaps"), "new.example.test") {
        assert!(names.contains("DNS:new.example.test"), "{names}");
    }
    let bad = post.data().join("tls").join("mail.crt");
    std::fs::write(&bad, "nonsense").unwrap();
    serving.signal(Signal::SIGHUP);
    wait_for(&serving, "the old certificate stays");
    assert!(serving.log().contains("tls/mail.crt"), "{}", serving.log());
    if let Some(names) = shown(serving.address("imaps"), "mail.example.test") {
        assert!(names.contains("DNS:mail.example.test"), "{names}");
    }
    session.imap("NOOP");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn the_policy_is_served_over_https_only() {
    let post = Post::with_alice();
    let serving = post.serve();
    let ask = |service: &str| {
        let mut http = Lines::connect(serving.address(service));
        http.send("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test\r\nConnection: close\r\n\r\n");
        http.rest()
    };
    let clear = ask("http");
    assert!(clear.starts_with("HTTP/1.1 "), "{clear}");
    assert!(!clear.contains("STSv1"), "{clear}");
    assert_eq!(serving.stop(), 0);
}
