//! What the SMTP server machine tells its flow of a peer that does not behave as mail servers do.

use std::time::Duration;

use wire::smtp::server::{Ending, Event, Mistake, Role, Server, Settings};
use wire::{Machine, Step};

fn machine(change: impl FnOnce(&mut Settings)) -> Server {
    let mut settings = Settings::new(Role::Mx, "mx.example.test");
    change(&mut settings);
    Server::new(settings, [3; 32])
}

/// What it says and asks until it wants input or closes.
fn steps(server: &mut Server) -> (String, Vec<Event>) {
    let (mut said, mut events) = (Vec::new(), Vec::new());
    loop {
        match server.step() {
            Step::Send(bytes) => said.extend(bytes),
            Step::Event(event) => events.push(event),
            _ => return (String::from_utf8_lossy(&said).into_owned(), events),
        }
    }
}

#[test]
fn the_silence_before_the_greeting_may_end_early() {
    let delayed = |settings: &mut Settings| settings.greeting_delay = Some(Duration::from_secs(1));
    let mut server = machine(delayed);
    assert_eq!(steps(&mut server).0, "");
    server.greet_now();
    assert!(steps(&mut server).0.starts_with("220 "));
    server.greet_now();
    assert_eq!(steps(&mut server).0, "");

    let mut server = machine(delayed);
    steps(&mut server);
    server.receive(b"EHLO early.example\r\n");
    server.greet_now();
    assert!(steps(&mut server).0.starts_with("554 5.5.1"));
    assert_eq!(server.ending(), Some(Ending::EarlyTalk));
}

#[test]
fn mistakes_are_told_before_their_replies_leave() {
    let mut server = machine(|settings| settings.tell_mistakes = true);
    steps(&mut server);
    let cases: [(&[u8], Option<Mistake>); 6] = [
        (b"EHLO a.example\r\n", None),
        (b"NOOP\r\n", None),
        (b"BLAH\r\n", Some(Mistake::Command)),
        (b"RCPT TO:<b@b.example>\r\n", Some(Mistake::Command)),
        (b"VRFY bob\r\n", Some(Mistake::Probe)),
        (b"EXPN all\r\n", Some(Mistake::Probe)),
    ];
    for (line, expected) in cases {
        server.receive(line);
        let first = server.step();
        match (expected, first) {
            (Some(mistake), Step::Event(event)) => assert_eq!(event, Event::Mistake(mistake)),
            (None, Step::Event(Event::Hello { .. }) | Step::Send(_)) => {}
            (expected, other) => panic!("{line:?}: {expected:?}, {other:?}"),
        }
        steps(&mut server);
    }
    // Where nobody asks, nobody is told.
    let mut server = machine(|_| {});
    server.receive(b"BLAH\r\n");
    assert_eq!(steps(&mut server).1, []);
}

#[test]
fn who_does_not_wait_for_the_answer_to_ehlo_is_noticed() {
    let cases: [(&[&[u8]], bool); 4] = [
        (&[b"EHLO a.example\r\n", b"MAIL FROM:<>\r\nNOOP\r\n"], false),
        (&[b"EHLO a.example\r\nMAIL FROM:<>\r\n"], true),
        (&[b"HELO a.example\r\nNOOP\r\n"], true),
        (
            &[b"EHLO a.example\r\n", b"EHLO a.example\r\nNOOP\r\n"],
            false,
        ),
    ];
    for (pieces, expected) in cases {
        let mut server = machine(|_| {});
        steps(&mut server);
        for piece in pieces {
            server.receive(piece);
            while let Step::Event(_) | Step::Send(_) = server.step() {
                server.accept();
            }
        }
        assert_eq!(server.spoke_ahead(), expected, "{pieces:?}");
    }
}
