//! Literals that go beyond what is free: the caller is asked for room, grants or denies it, and hears
//! when it is not needed any longer.

use super::super::*;
use super::machine::settings;
use crate::sasl::server::Question;
use crate::{Machine, Step};

/// Grants room up to `room_max`; notes what it was asked and what came of it.
fn conversation(bytes: &[u8], cut: usize, room_max: usize) -> (String, bool) {
    let mut settings = settings(ClearTextLogin::Allowed);
    settings.offer.append_bytes_max = 200_000;
    let mut server = Server::new(settings);
    let mut said = String::new();
    let mut closed = step(&mut server, room_max, &mut said);
    said.clear();
    for piece in bytes.chunks(cut) {
        if closed {
            break;
        }
        server.receive(piece);
        closed = step(&mut server, room_max, &mut said);
    }
    (said, closed)
}

fn step(server: &mut Server, room_max: usize, said: &mut String) -> bool {
    loop {
        match server.step() {
            Step::Send(bytes) => said.push_str(&String::from_utf8_lossy(&bytes)),
            Step::Event(Event::Ask(Question::Password { .. })) => server.password_was(true),
            Step::Event(Event::Verified { .. }) => server.logged_in(),
            Step::Event(Event::Room { bytes }) => {
                said.push_str(&format!("<room {bytes}>"));
                match bytes <= room_max {
                    true => server.room_granted(),
                    false => server.room_denied(),
                }
            }
            Step::Event(Event::RoomFree) => {
                said.push_str("<free>");
                server.done();
            }
            Step::Event(Event::Command(Tagged { tag, command })) => {
                let what = match &command {
                    Command::Append { messages, .. } => {
                        let sizes = messages.iter().map(|message| message.bytes.len());
                        format!("{:?}", sizes.collect::<Vec<_>>())
                    }
                    command => command.name().to_owned(),
                };
                said.push_str(&format!("<{tag} {what}>"));
                server.done();
            }
            Step::NeedInput { .. } => return false,
            Step::Close => return true,
            other => panic!("{other:?}"),
        }
    }
}

const NO: &str = "NO [LIMIT] The server has no memory for this now; try again soon.\r\n";

/// Bytes after a login and before a NOOP, cut in several ways; what was said between them.
#[track_caller]
fn check(bytes: &str, room_max: usize, want: &str) {
    let bytes = format!("l LOGIN a b\r\n{bytes}n NOOP\r\n");
    let whole = conversation(bytes.as_bytes(), bytes.len(), room_max);
    let between = whole.0.split_once("\r\n").map_or("", |(_, rest)| rest);
    assert_eq!(between, format!("{want}<n NOOP>"));
    for cut in [1, 7, 1_000, 65_536] {
        let cut_up = conversation(bytes.as_bytes(), cut, room_max);
        assert_eq!(cut_up, whole, "cut every {cut}");
    }
}

fn literal(size: usize, plus: &str) -> String {
    format!("{{{size}{plus}}}\r\n{}", "x".repeat(size))
}

#[test]
fn small_literals_are_not_asked_for() {
    let small = literal(30_000, "+");
    check(
        &format!("a APPEND x {small} {small}\r\n"),
        0,
        "<a [30000, 30000]>",
    );
}

#[test]
fn large_ones_are_and_the_sum_counts() {
    let (small, large) = (literal(60_000, "+"), literal(100_000, "+"));
    check(
        &format!("a APPEND x {small} {large}\r\n"),
        200_000,
        "<room 160000><a [60000, 100000]>",
    );
    check(
        &format!("a APPEND x {large} {large}\r\n"),
        200_000,
        "<room 100000><room 200000><a [100000, 100000]>",
    );
    let waiting = literal(100_000, "");
    check(
        &format!("a APPEND x {waiting}\r\n"),
        200_000,
        "<room 100000>+ Ok\r\n<a [100000]>",
    );
}

#[test]
fn who_asks_is_refused_before_it_sends() {
    check(
        "a APPEND x {100000}\r\n",
        0,
        &format!("<room 100000>a {NO}"),
    );
    let large = literal(100_000, "+");
    check(
        &format!("a APPEND x {large} {{100000}}\r\n"),
        150_000,
        &format!("<room 100000><room 200000>a {NO}<free>"),
    );
}

#[test]
fn what_comes_unasked_is_thrown_away() {
    let large = literal(100_000, "+");
    check(
        &format!("a APPEND x {large}\r\n"),
        0,
        &format!("<room 100000>a {NO}"),
    );
    check(
        &format!("a APPEND x {large} (\\Seen) {large} {large}\r\n"),
        150_000,
        &format!("<room 100000><room 200000><free>a {NO}"),
    );
    check(
        &format!("a APPEND x {large} {{100000}}\r\n"),
        0,
        &format!("<room 100000>a {NO}"),
    );
}

#[test]
fn room_is_given_back_when_the_command_comes_to_nothing() {
    let large = literal(100_000, "+");
    check(
        &format!("a APPEND x {large} {{200001}}\r\n"),
        200_000,
        "<room 100000>a NO [TOOBIG] The literal is too large.\r\n<free>",
    );
    let (said, closed) = conversation(
        format!("l LOGIN a b\r\na APPEND x {large} nonsense\r\nn NOOP\r\n").as_bytes(),
        1_000,
        200_000,
    );
    assert!(!closed && said.contains("<room 100000>a BAD "), "{said}");
    assert!(said.ends_with("<free><n NOOP>"), "{said}");
}
