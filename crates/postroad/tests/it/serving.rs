//! Starting, stopping and what happens to sessions on the way.

use nix::sys::signal::Signal;

use crate::rig::{Lines, Post, deliver};

#[test]
fn a_session_finishes_its_message_when_the_server_is_told_to_stop() {
    let post = Post::with_alice();
    let serving = post.serve();
    let mut smtp = Lines::connect(serving.address("smtp"));
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.example", "250");
    smtp.smtp("MAIL FROM:<bob@elsewhere.example>", "250");
    smtp.smtp("RCPT TO:<alice@example.test>", "250");
    smtp.smtp("DATA", "354");
    smtp.send("Subject: in flight\r\n\r\nhalf of it\r\n");
    serving.signal(Signal::SIGTERM);
    // The port closes first: then the signal has been seen.
    let port = serving.address("smtp");
    while std::net::TcpStream::connect(port).is_ok() {}
    smtp.send("the other half\r\n");
    smtp.smtp(".", "250");
    let rest = smtp.rest();
    assert!(rest.is_empty() || rest.starts_with("421"), "{rest}");
    assert_eq!(serving.wait(), 0);
    assert_eq!(
        post.json(&["account", "show", "alice@example.test"])["messages"],
        1
    );
}

#[test]
fn idle_sessions_hear_that_the_server_goes() {
    let post = Post::with_alice();
    let serving = post.serve();
    let mut smtp = Lines::connect(serving.address("smtp"));
    smtp.smtp("", "220");
    let mut imap = Lines::connect(serving.address("imap"));
    assert!(imap.line().starts_with("* OK"));
    serving.signal(Signal::SIGTERM);
    assert!(smtp.rest().starts_with("421"));
    assert!(imap.rest().starts_with("* BYE"));
    assert_eq!(serving.wait(), 0);
}

#[test]
fn a_second_signal_does_not_wait() {
    let post = Post::with_alice();
    let serving = post.serve();
    let mut smtp = Lines::connect(serving.address("smtp"));
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.example", "250");
    smtp.smtp("MAIL FROM:<bob@elsewhere.example>", "250");
    smtp.smtp("RCPT TO:<alice@example.test>", "250");
    smtp.smtp("DATA", "354");
    serving.signal(Signal::SIGINT);
    let port = serving.address("smtp");
    while std::net::TcpStream::connect(port).is_ok() {}
    serving.signal(Signal::SIGINT);
    assert_eq!(serving.wait(), 0);
}

#[test]
fn hangup_loads_the_certificate_again() {
    let post = Post::with_alice();
    let serving = post.serve();
    let certificate = post.data().join("self-signed.pem");
    let sound = std::fs::read(&certificate).unwrap();
    std::fs::write(&certificate, "broken").unwrap();
    serving.signal(Signal::SIGHUP);
    while !serving.log().contains("the old certificate stays") {
        std::thread::yield_now();
    }
    std::fs::write(&certificate, sound).unwrap();
    serving.signal(Signal::SIGHUP);
    while !serving.log().contains("the certificate is loaded again") {
        std::thread::yield_now();
    }
    deliver(&serving, "alice@example.test", "still here");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn the_log_is_json_lines_when_nobody_watches() {
    let post = Post::with_alice();
    let serving = post.serve();
    deliver(&serving, "alice@example.test", "to be logged");
    let log = serving.log.clone();
    assert_eq!(serving.stop(), 0);
    let log = std::fs::read_to_string(log).unwrap();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let fates: Vec<&serde_json::Value> = lines
        .iter()
        .filter(|line| line["target"] == "message")
        .collect();
    assert!(!fates.is_empty(), "{log}");
    // One id from first byte to last delivery.
    let id = fates[0]["id"].as_str().unwrap();
    assert!(fates.iter().all(|fate| fate["id"] == id), "{fates:?}");
    assert!(
        fates.iter().any(|fate| fate["event"] == "delivered"),
        "{fates:?}"
    );
}

#[test]
fn nothing_but_results_on_standard_output() {
    let post = Post::with_alice();
    let serving = post.serve();
    assert_eq!(serving.told, "");
    assert!(serving.ready.starts_with("ready smtp=127.0.0.1:"));
    assert_eq!(serving.stop(), 0);
}
