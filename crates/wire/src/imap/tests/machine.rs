//! The server machine: whole conversations, fed whole, byte by byte and cut at each offset.

use super::super::write::{self, Status};
use super::super::*;
use crate::sasl::server::Question;
use crate::{Machine, Step, TlsFacts};

pub(super) fn settings(clear_text_login: ClearTextLogin) -> ServerSettings {
    ServerSettings {
        hostname: "mail.example".into(),
        offer: Offer {
            starttls: true,
            clear_text_login,
            append_bytes_max: 1_000,
        },
        nonce: "abcdefghijklmnopqrstuvwx".into(),
    }
}

pub(super) fn server() -> Server {
    Server::new(settings(ClearTextLogin::Allowed))
}

/// Steps until the machine wants something; answers events as a friendly caller: the password is
/// "secret", every command is completed.
pub(super) fn talk(server: &mut Server) -> (String, bool) {
    let mut said = String::new();
    for _ in 0..10_000 {
        match server.step() {
            Step::Send(bytes) => said.push_str(&String::from_utf8_lossy(&bytes)),
            Step::Event(Event::Ask(Question::Password { password, .. })) => {
                server.password_was(password.expose() == "secret")
            }
            Step::Event(Event::Ask(Question::Scram { .. })) => {
                server.login_unavailable("[UNAVAILABLE] No.")
            }
            Step::Event(Event::Verified { .. }) => server.logged_in(),
            Step::Event(Event::Command(Tagged {
                tag,
                command: Command::Idle,
            })) => server.idle(tag),
            Step::Event(Event::Command(Tagged { tag, command })) => {
                said.push_str(&format!("<{command:?}>"));
                done(server, &mut said, &tag, command.name());
            }
            Step::Event(Event::Room { .. }) => server.room_granted(),
            Step::Event(Event::RoomFree) => server.done(),
            Step::Event(Event::IdleDone { tag }) => done(server, &mut said, &tag, "IDLE"),
            Step::StartTls => said.push_str("<handshake>"),
            Step::NeedInput { .. } => return (said, false),
            Step::Close => return (said, true),
        }
    }
    panic!("the machine does not come to rest");
}

fn done(server: &mut Server, said: &mut String, tag: &str, name: &str) {
    let mut out = Vec::new();
    write::tagged(&mut out, tag, Status::Ok, &format!("{name} completed."));
    said.push_str(&String::from_utf8_lossy(&out));
    server.done();
}

/// What the server says to these bytes after its greeting.
fn conversation(bytes: &[u8], cuts: &[usize]) -> (String, bool) {
    let mut server = server();
    talk(&mut server);
    let (mut said, mut closed, mut at) = (String::new(), false, 0);
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        server.receive(&bytes[at..cut]);
        at = cut;
        let (more, now_closed) = talk(&mut server);
        said.push_str(&more);
        closed = now_closed;
        if closed {
            break;
        }
    }
    (said, closed)
}

#[track_caller]
fn check(bytes: &str, want: &[&str]) {
    let bytes = bytes.as_bytes();
    let whole = conversation(bytes, &[]);
    let mut rest = whole.0.as_str();
    for part in want {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part:?} is not in {rest:?} of {:?}", whole.0));
        rest = &rest[at + part.len()..];
    }
    let each: Vec<usize> = (1..bytes.len()).collect();
    assert_eq!(conversation(bytes, &each), whole, "byte by byte");
    for cut in 1..bytes.len() {
        assert_eq!(conversation(bytes, &[cut]), whole, "cut at {cut}");
    }
}

#[test]
fn greeting_names_capabilities() {
    let mut server = Server::new(settings(ClearTextLogin::Refused));
    let (greeting, _) = talk(&mut server);
    assert!(
        greeting.starts_with("* OK [CAPABILITY IMAP4rev2 IMAP4rev1 "),
        "{greeting}"
    );
    assert!(greeting.contains(" STARTTLS LOGINDISABLED]"), "{greeting}");
    let mut server = Server::new(settings(ClearTextLogin::Refused));
    server.tls_started(TlsFacts::default());
    let (greeting, _) = talk(&mut server);
    assert!(
        greeting.contains("AUTH=PLAIN") && !greeting.contains("STARTTLS"),
        "{greeting}"
    );
}

#[test]
fn a_session() {
    check(
        "a LOGIN alice secret\r\nb NOOP\r\nc SELECT {5}\r\nINBOXd IDLE\r\n",
        &[
            "a OK [CAPABILITY ",
            "IDLE",
            "<Noop>b OK NOOP completed.\r\n",
            "+ Ok\r\n",
        ],
    );
    check(
        "a LOGIN {5+}\r\nalice {6}\r\nsecret\r\nb IDLE\r\nDONE\r\nc LOGOUT\r\nd NOOP\r\n",
        &[
            "+ Ok\r\n",
            "a OK",
            "+ idling\r\n",
            "b OK IDLE completed.\r\n",
            "* BYE",
            "c OK LOGOUT completed.\r\n",
        ],
    );
}

#[test]
fn sasl_by_lines_and_at_once() {
    check(
        "a AUTHENTICATE PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n",
        &["+ \r\n", "a OK [CAPABILITY"],
    );
    check(
        "a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        &["a OK [CAPABILITY"],
    );
    check(
        "a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n",
        &["+ \r\n", "a BAD", "b OK NOOP completed."],
    );
    check("a AUTHENTICATE KERBEROS_V4\r\n", &["a NO"]);
    check(
        "a AUTHENTICATE PLAIN AGFsaWNlAHdyb25n\r\n",
        &["a NO [AUTHENTICATIONFAILED]"],
    );
}

#[test]
fn the_third_wrong_password_ends_it() {
    check(
        "a LOGIN x 1\r\nb LOGIN x 2\r\nc LOGIN x 3\r\nd NOOP\r\n",
        &["a NO", "b NO", "c NO", "* BYE"],
    );
}

#[test]
fn states_are_kept() {
    check("a SELECT INBOX\r\n", &["a BAD Log in first."]);
    check(
        "a LOGIN x secret\r\nb LOGIN x secret\r\nc FETCH 1 FLAGS\r\n",
        &[
            "b BAD You are logged in already.",
            "c BAD Select a mailbox first.",
        ],
    );
}

#[test]
fn strangers_who_speak_nonsense_are_sent_away() {
    check(
        "GET / HTTP/1.1\r\nHost: x\r\nAccept: y\r\nA: b\r\nB: c\r\nC: d\r\n",
        &["GET BAD", "BAD", "* BYE"],
    );
    check("\r\n", &["* BAD A tag is missing."]);
    check("a NOOP\nb NOOP\r\n", &["a BAD"]);
}

#[test]
fn what_is_too_large_is_refused() {
    let (said, closed) = conversation(&[b'x'; 20_000], &[]);
    assert!(said.contains("[TOOBIG]") && closed);
    check(
        "a LOGIN x secret\r\nb APPEND INBOX {1001}\r\nc NOOP\r\n",
        &["b NO [TOOBIG]", "c OK NOOP"],
    );
    check(
        "a LOGIN x secret\r\nb APPEND INBOX {1001+}\r\n",
        &["b NO [TOOBIG]", "* BYE [TOOBIG]"],
    );
    check(
        "a LOGIN x secret\r\nb APPEND INBOX {99999999999999999999}\r\n",
        &["b NO [TOOBIG]"],
    );
    check("a LOGIN {13000}\r\n", &["a BAD [TOOBIG]"]);
    let many = format!(
        "a LOGIN x secret\r\nb SEARCH{}\r\n",
        " TEXT {1+}\r\nx".repeat(600)
    );
    let (said, closed) = conversation(many.as_bytes(), &[]);
    assert!(said.contains("b BAD [TOOBIG]") && closed);
}

#[test]
fn a_message_arrives_whole() {
    let body = "x".repeat(900);
    let (said, _) = conversation(
        format!("a LOGIN x secret\r\nb APPEND INBOX {{900}}\r\n{body}\r\n").as_bytes(),
        &[30, 500],
    );
    assert!(
        said.contains("+ Ok\r\n") && said.contains("b OK APPEND completed."),
        "{said}"
    );
}

#[test]
fn pipelined_commands_wait_their_turn() {
    let mut server = server();
    talk(&mut server);
    server.receive(b"a LOGIN x secret\r\nb NOOP\r\nc NOOP\r\n");
    let (said, _) = talk(&mut server);
    assert_eq!(said.matches("NOOP completed.").count(), 2);
    assert!(server.is_between_commands());
    server.receive(b"d NO");
    assert!(!server.is_between_commands());
}

#[test]
fn the_end_of_input_closes() {
    let mut server = server();
    talk(&mut server);
    server.receive(b"a NOOP\r\nb NO");
    server.end_of_input();
    let (said, closed) = talk(&mut server);
    assert!(said.contains("a OK") && !said.contains("b ") && closed);
    server.timed_out();
    assert!(talk(&mut server).1);
}
