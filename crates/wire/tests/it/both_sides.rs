//! Our client against our server, byte by byte and whole: every body arrives, once, whatever it holds.

use bytes::Bytes;
use proptest::prelude::*;
use wire::sasl::Secret;
use wire::sasl::client::{ClearText, Credentials};
use wire::smtp::Body;
use wire::smtp::client::{Client, Connection, Event, Fate, Outcome, Patience, Settings, TlsRule};
use wire::smtp::server::{Role, Server};
use wire::{Machine, Step};

use crate::chat::Trace;
use crate::smtp_client::transaction;
use crate::smtp_server::{self, PASSWORD, tls_facts};

/// Both, and what lies between them.
struct Pair {
    client: Client,
    server: Server,
    trace: Trace,
    /// Bytes that cross at once.
    cut: usize,
}

impl Pair {
    fn new(role: Role, login: Option<Credentials>, cut: usize) -> Pair {
        let settings = Settings {
            hello_name: "out.example.test".to_owned(),
            tls: TlsRule::Required,
            login,
            clear_text: ClearText::Never,
            patience: Patience::RFC5321,
        };
        Pair {
            client: Client::new(settings, [5; 32]),
            server: Server::new(smtp_server::settings(role), [6; 32]),
            trace: Trace::default(),
            cut,
        }
    }

    /// Carries bytes until the client has something to tell, or both wait for each other.
    fn event(&mut self) -> Option<Event> {
        for _ in 0..100_000 {
            let before = self.trace.sent.len();
            crate::chat::settle(&mut self.server, &mut self.trace);
            let said = self.trace.sent.split_off(before);
            for piece in said.chunks(self.cut) {
                self.client.receive(piece);
            }
            match self.client.step() {
                Step::Send(bytes) => {
                    for piece in bytes.chunks(self.cut) {
                        self.server.receive(piece);
                        crate::chat::settle(&mut self.server, &mut self.trace);
                        let replies = std::mem::take(&mut self.trace.sent);
                        self.client.receive(&replies);
                    }
                }
                Step::Event(event) => return Some(event),
                Step::StartTls => {
                    self.client.tls_started(tls_facts());
                    self.server.tls_started(tls_facts());
                }
                Step::NeedInput { .. } if said.is_empty() => return None,
                Step::NeedInput { .. } => {}
                Step::Close => return None,
            }
        }
        panic!("they talk for ever");
    }

    fn carry(&mut self, body: &[u8], body_kind: Body, to: &[&str]) -> Outcome {
        let mut message = transaction(to, "");
        message.body = Bytes::copy_from_slice(body);
        message.body_kind = body_kind;
        self.client.send(message).expect("sendable");
        match self.event() {
            Some(Event::Finished(outcome)) => outcome,
            other => panic!("{other:?}\n{}", self.client.transcript()),
        }
    }
}

#[test]
fn many_messages_over_one_connection() {
    for cut in [1, 7, 64 * 1024] {
        let mut pair = Pair::new(Role::Mx, None, cut);
        assert_eq!(pair.event(), Some(Event::Ready));
        assert!(pair.client.tls().is_some() && pair.server.tls().is_some());
        for round in 0..3 {
            let body = format!("round {round}\r\n.\r\n..\r\n");
            let outcome = pair.carry(
                body.as_bytes(),
                Body::EightBitMime,
                &["a@b.test", "nobody@b.test", "c@b.test"],
            );
            assert!(matches!(outcome.recipients[0], Fate::Delivered(_)));
            assert!(matches!(outcome.recipients[1], Fate::Refused { .. }));
            assert!(matches!(outcome.recipients[2], Fate::Delivered(_)));
            // Nobody takes it: the next one still goes.
            let outcome = pair.carry(b"x", Body::SevenBit, &["nobody@b.test"]);
            assert!(matches!(outcome.recipients[0], Fate::Refused { .. }));
            assert_eq!(outcome.connection, Connection::Open);
            assert_eq!(pair.trace.messages.pop(), Some(body.into_bytes()));
        }
        assert!(pair.trace.messages.is_empty());
        pair.client.quit();
        assert_eq!(pair.event(), None);
        assert!(pair.trace.closed);
    }
}

#[test]
fn a_login_bound_to_the_channel() {
    let login = Credentials {
        login: "alice@example.test".to_owned(),
        password: Secret::new(PASSWORD),
    };
    let mut pair = Pair::new(Role::Submission, Some(login), 1);
    assert_eq!(
        pair.event(),
        Some(Event::Ready),
        "{}",
        pair.client.transcript()
    );
    assert!(pair.client.transcript().contains("AUTH SCRAM-SHA-256-PLUS"));
    assert_eq!(pair.server.login(), Some("alice@example.test"));
    let wrong = Credentials {
        login: "alice@example.test".to_owned(),
        password: Secret::new("guess"),
    };
    let mut pair = Pair::new(Role::Submission, Some(wrong), 64);
    assert!(matches!(pair.event(), Some(Event::Failed(_))));
    assert_eq!(pair.server.login(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn binary_arrives_to_the_byte(body in prop::collection::vec(any::<u8>(), 0..400), cut in 1usize..500) {
        let mut pair = Pair::new(Role::Mx, None, cut);
        prop_assert_eq!(pair.event(), Some(Event::Ready));
        let outcome = pair.carry(&body, Body::BinaryMime, &["a@b.test"]);
        prop_assert!(matches!(outcome.recipients[0], Fate::Delivered(_)));
        prop_assert_eq!(&pair.trace.messages, &[body]);
    }

    #[test]
    fn text_arrives_with_its_lines_made_whole(body in "[a.\r\n\u{e9}]{0,200}", cut in 1usize..300) {
        let mut pair = Pair::new(Role::Mx, None, cut);
        prop_assert_eq!(pair.event(), Some(Event::Ready));
        let outcome = pair.carry(body.as_bytes(), Body::EightBitMime, &["a@b.test"]);
        prop_assert!(matches!(outcome.recipients[0], Fate::Delivered(_)));
        let mut want = body.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        if !want.is_empty() && !want.ends_with("\r\n") {
            want.push_str("\r\n");
        }
        prop_assert_eq!(&pair.trace.messages, &[want.into_bytes()]);
    }
}
