//! The SMTP server machine in conversations.

use wire::sasl::ScramKeys;
use wire::sasl::server::Question;
use wire::smtp::server::{AuthRule, Event, Phase, Role, Server, Settings, StartTlsRule};
use wire::smtp::{EnhancedCode, ForwardPath, Reply};
use wire::{Machine, TlsFacts};

use crate::chat::{self, Subject, Trace};

pub const PASSWORD: &str = "correct horse";

pub fn tls_facts() -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        server_name: None,
        exporter: Some(vec![7; 32]),
        server_end_point: Some(vec![8; 32]),
        ..TlsFacts::default()
    }
}

/// Takes all mail for everybody but `nobody@` (550) and `later@` (451); knows one password.
impl Subject for Server {
    fn answer(&mut self, event: Event, trace: &mut Trace) {
        match event {
            Event::Hello { .. } | Event::Mistake(_) => {}
            Event::Auth(Question::Password { login, password }) => {
                self.password_was(login == "alice@example.test" && password.expose() == PASSWORD);
            }
            Event::Auth(Question::Scram { .. }) => {
                self.scram_keys(ScramKeys::derive(PASSWORD, b"salt", 4096))
            }
            Event::Verified { .. } | Event::Data | Event::Mail { .. } => self.accept(),
            Event::Rcpt {
                to: ForwardPath::Address(to),
                ..
            } if to.local() == "nobody" => {
                self.refuse(Reply::fixed(550, EnhancedCode(5, 1, 1), "No such user"));
            }
            Event::Rcpt {
                to: ForwardPath::Address(to),
                ..
            } if to.local() == "later" => {
                self.refuse(Reply::fixed(451, EnhancedCode(4, 3, 0), "Not now"));
            }
            Event::Rcpt { .. } => self.accept(),
            Event::Message(body) => {
                trace.messages.push(body);
                self.finish(Reply::fixed(250, EnhancedCode(2, 0, 0), "Kept"));
            }
        }
    }

    fn handshake(&mut self) {
        self.tls_started(tls_facts());
    }
}

pub fn settings(role: Role) -> Settings {
    Settings::new(role, "mx.example.test")
}

fn made(settings: &[(String, String)]) -> Settings {
    let mut made = self::settings(Role::Mx);
    for (name, value) in settings {
        match (name.as_str(), value.as_str()) {
            ("role", "submission") => made = self::settings(Role::Submission),
            ("size_max", value) => made.size_max = value.parse().expect("a number"),
            ("recipients_max", value) => made.recipients_max = value.parse().expect("a number"),
            ("messages_max", value) => made.messages_max = value.parse().expect("a number"),
            ("auth", "always") => made.auth = AuthRule::Always,
            ("starttls", "no") => made.starttls = StartTlsRule::NotOffered,
            ("greeting_delay", "1") => {
                made.greeting_delay = Some(std::time::Duration::from_secs(1))
            }
            other => panic!("no such setting: {other:?}"),
        }
    }
    made
}

#[test]
fn conversations() {
    for path in chat::files("smtp") {
        let script = chat::read(&path);
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let trace = chat::run_all(&name, &script.acts, || {
            Server::new(made(&script.settings), [3; 32])
        });
        chat::check(&name, &script, &trace);
    }
}

#[test]
fn graceful_stop_waits_for_the_message_under_way() {
    let mut server = Server::new(settings(Role::Mx), [3; 32]);
    let mut trace = Trace::default();
    chat::settle(&mut server, &mut trace);
    server.receive(
        b"EHLO a.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nhel",
    );
    chat::settle(&mut server, &mut trace);
    assert_eq!(server.bytes_received(), 3);
    server.stop();
    chat::settle(&mut server, &mut trace);
    assert!(!trace.closed);
    server.receive(b"lo\r\n.\r\nMAIL FROM:<c@a.example>\r\n");
    chat::settle(&mut server, &mut trace);
    assert_eq!(trace.messages, [b"hello\r\n".to_vec()]);
    let replies = chat::replies(&trace.sent);
    assert!(replies[replies.len() - 2].starts_with("250 2.0.0 Kept"));
    assert!(replies[replies.len() - 1].starts_with("421 4.3.2"));
    assert!(trace.closed);
}

#[test]
fn graceful_stop_of_a_silent_peer_is_at_once() {
    let mut server = Server::new(settings(Role::Mx), [3; 32]);
    let mut trace = Trace::default();
    chat::settle(&mut server, &mut trace);
    server.stop();
    chat::settle(&mut server, &mut trace);
    assert!(trace.closed);
    assert!(chat::replies(&trace.sent)[1].starts_with("421 4.3.2"));
}

#[test]
fn a_connection_may_be_turned_away_in_the_greeting() {
    let mut server = Server::new(settings(Role::Mx), [3; 32]);
    server.turn_away(Reply::fixed(554, EnhancedCode(5, 7, 1), "Not you"));
    let trace = chat::run(&mut server, &[], &|bytes| vec![bytes.to_vec()]);
    assert_eq!(trace.sent, b"554 5.7.1 Not you\r\n");
    assert!(trace.closed);
}

#[test]
fn a_slow_body_is_ended_by_the_flow() {
    let mut server = Server::new(settings(Role::Mx), [3; 32]);
    let mut trace = Trace::default();
    server.receive(b"EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx");
    chat::settle(&mut server, &mut trace);
    server.too_slow();
    chat::settle(&mut server, &mut trace);
    assert!(
        chat::replies(&trace.sent)
            .last()
            .expect("a reply")
            .starts_with("421 4.4.2")
    );
    assert!(trace.closed && trace.messages.is_empty());
}

#[test]
fn chunks_are_held_between_two_of_them() {
    let mut server = Server::new(settings(Role::Mx), [3; 32]);
    let mut trace = Trace::default();
    server.receive(b"EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\n");
    chat::settle(&mut server, &mut trace);
    assert_eq!(server.phase(), Phase::Envelope);
    server.receive(b"BDAT 7\r\nhello\r\n");
    chat::settle(&mut server, &mut trace);
    assert_eq!((server.phase(), server.bytes_received()), (Phase::Body, 7));
    server.receive(b"BDAT 7\r\nhel");
    chat::settle(&mut server, &mut trace);
    assert_eq!((server.phase(), server.bytes_received()), (Phase::Body, 10));
    server.receive(b"lo\r\nRSET\r\n");
    chat::settle(&mut server, &mut trace);
    assert_eq!((server.phase(), server.bytes_received()), (Phase::Idle, 0));
}

#[test]
fn the_with_word_says_how_it_came() {
    let mut server = Server::new(settings(Role::Mx), [3; 32]);
    let mut trace = Trace::default();
    let mut say = |server: &mut Server, text: &str| {
        server.receive(text.as_bytes());
        chat::settle(server, &mut trace);
    };
    say(&mut server, "HELO a.example\r\n");
    assert_eq!(server.protocol(), "SMTP");
    say(
        &mut server,
        "EHLO a.example\r\nMAIL FROM:<a@a.example> SMTPUTF8\r\n",
    );
    assert_eq!(server.protocol(), "UTF8SMTP");
    say(&mut server, "STARTTLS\r\n");
    server.handshake();
    say(&mut server, "EHLO a.example\r\n");
    assert_eq!(server.protocol(), "ESMTPS");
}

#[test]
fn replies_of_a_group_leave_together() {
    let mut server = Server::new(settings(Role::Mx), [3; 32]);
    let mut trace = Trace::default();
    server.receive(b"EHLO a.example\r\n");
    chat::settle(&mut server, &mut trace);
    server.receive(
        b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n",
    );
    let mut sends = Vec::new();
    loop {
        match server.step() {
            wire::Step::Send(bytes) => sends.push(bytes),
            wire::Step::Event(event) => server.answer(event, &mut trace),
            _ => break,
        }
    }
    assert_eq!(sends.len(), 1, "one write for four replies");
    assert_eq!(chat::replies(&sends[0]).len(), 4);
}
