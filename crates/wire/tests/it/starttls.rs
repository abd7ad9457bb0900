//! What is sent in clear text behind STARTTLS must not count inside TLS: the rows for SMTP and POP3,
//! both roles. IMAP's are run beside its machine.

use wire::smtp::client::{Event, Failure, Loss, Phase, TlsRule};
use wire::smtp::server::{AuthRule, Ending, Role, Server, StartTlsRule};
use wire::{Step, pop3};

use crate::chat::{self, Subject, Trace};
use crate::pop3_server;
use crate::shared::{corpus, pieces, rows};
use crate::smtp_client::{self, Talk};
use crate::smtp_server::settings;

/// A server, what it said, and where it stands.
struct Seen<S: Subject> {
    server: S,
    trace: Trace,
}

impl<S: Subject> Seen<S> {
    fn new(server: S) -> Self {
        let mut seen = Seen {
            server,
            trace: Trace::default(),
        };
        chat::settle(&mut seen.server, &mut seen.trace);
        seen
    }

    /// Says it in one piece; returns the new lines.
    fn say(&mut self, text: &[u8]) -> String {
        let before = self.trace.sent.len();
        self.server.receive(text);
        chat::settle(&mut self.server, &mut self.trace);
        String::from_utf8_lossy(&self.trace.sent[before..]).into_owned()
    }

    fn wants_tls(&mut self) -> bool {
        matches!(self.server.step(), Step::StartTls)
    }

    fn handshake(&mut self) {
        assert!(self.wants_tls());
        self.server.handshake();
    }
}

fn smtp() -> Seen<Server> {
    Seen::new(Server::new(settings(Role::Mx), [1; 32]))
}

#[test]
fn smtp_server_rows() {
    let Some(dir) = corpus("smtp-smuggling") else {
        return;
    };
    let mut count = 0;
    for row in rows(&dir.join("starttls-injection.tsv")) {
        if (row[1].as_str(), row[2].as_str()) == ("SMTP", "server") {
            smtp_server_row(&row[0], &pieces(&row[4]).concat());
            count += 1;
        }
    }
    assert!(count >= 15, "{count}");
    println!("skipped: LMTP and ManageSieve rows of smtp-smuggling, which are not spoken here");
}

fn smtp_server_row(id: &str, injected: &[u8]) {
    let mut seen = smtp();
    match id {
        "smtp-noop"
        | "smtp-ehlo"
        | "smtp-rset"
        | "smtp-mail"
        | "smtp-auth-plain"
        | "smtp-partial"
        | "smtp-clienthello-glued" => {
            seen.say(b"EHLO c.test\r\n");
            let said = seen.say(injected);
            assert!(
                said.starts_with("503 5.5.1 Nothing may follow"),
                "{id}: {said}"
            );
            assert_eq!(said.lines().count(), 1, "{id}: {said}");
            assert!(seen.trace.closed, "{id}");
            assert_eq!(
                seen.server.ending(),
                Some(Ending::InjectedBeforeTls),
                "{id}"
            );
            // The same in two packets: the second arrives before the handshake.
            let mut seen = smtp();
            seen.say(b"EHLO c.test\r\nSTARTTLS\r\n");
            assert!(seen.wants_tls());
            assert_eq!(seen.say(b"NOOP\r\n"), "", "{id}");
            assert!(seen.trace.closed, "{id}");
        }
        "smtp-lf-only" => {
            seen.say(b"EHLO c.test\r\n");
            assert!(seen.say(injected).starts_with("500 5.5.2 Bare LF"), "{id}");
            assert!(seen.trace.closed);
        }
        "smtp-argument" => {
            seen.say(b"EHLO c.test\r\n");
            assert!(seen.say(injected).starts_with("501 5.5.4"));
            assert!(!seen.wants_tls());
        }
        "smtp-before-ehlo" => assert!(seen.say(injected).starts_with("503")),
        "smtp-twice" | "smtp-state-ehlo" | "smtp-in-mail" | "smtp-state-auth" => {
            smtp_inside_tls(id, injected)
        }
        "smtp-data-word" => {
            seen.say(
                b"EHLO c.test\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<b@rcpt.test>\r\nDATA\r\n",
            );
            seen.say(injected);
            assert_eq!(seen.trace.messages, [b"STARTTLS\r\n".to_vec()]);
        }
        // The carrier's: a failed handshake ends the talk, the machine is never asked again.
        "smtp-handshake-fails" => {}
        other => panic!("a new row: {other}"),
    }
}

fn smtp_inside_tls(id: &str, injected: &[u8]) {
    let mut seen = smtp();
    if id == "smtp-state-auth" {
        let mut settings = settings(Role::Submission);
        settings.auth = AuthRule::Always;
        seen = Seen::new(Server::new(settings, [1; 32]));
        seen.say(b"EHLO c.test\r\nAUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABjb3JyZWN0IGhvcnNl\r\n");
        assert!(seen.server.login().is_some());
    } else {
        seen.say(b"EHLO c.test\r\n");
    }
    if id == "smtp-in-mail" {
        seen.say(b"MAIL FROM:<a@sender.test>\r\n");
        seen.say(injected);
        seen.handshake();
        assert!(seen.say(b"RCPT TO:<b@rcpt.test>\r\n").starts_with("503"));
        return;
    }
    seen.say(b"STARTTLS\r\n");
    seen.handshake();
    match id {
        "smtp-twice" => {
            assert!(!seen.say(b"EHLO c.test\r\n").contains("STARTTLS"));
            assert!(seen.say(injected).starts_with("503 5.5.1"));
        }
        "smtp-state-ehlo" => assert!(seen.say(injected).starts_with("503")),
        _ => {
            seen.say(injected);
            assert_eq!(seen.server.login(), None);
            assert!(
                seen.say(b"MAIL FROM:<a@sender.test>\r\n")
                    .starts_with("530")
            );
        }
    }
}

#[test]
fn smtp_client_rows() {
    let Some(dir) = corpus("smtp-smuggling") else {
        return;
    };
    let mut count = 0;
    for row in rows(&dir.join("starttls-injection.tsv")) {
        if (row[1].as_str(), row[2].as_str()) == ("SMTP", "client") {
            let mut settings = smtp_client::settings();
            settings.tls = TlsRule::Required;
            let mut talk = Talk::new(settings);
            talk.hear("220 mx.test\r\n");
            smtp_client_row(&row[0], &pieces(&row[4]).concat(), &mut talk);
            count += 1;
        }
    }
    assert_eq!(count, 3);
}

fn smtp_client_row(id: &str, injected: &[u8], talk: &mut Talk) {
    let failed = |loss| {
        Some(Event::Failed(Failure::Lost {
            phase: Phase::StartTls,
            loss,
        }))
    };
    match id {
        "smtp-client-response" => {
            talk.hear("250-mx.test\r\n250 STARTTLS\r\n");
            let text = String::from_utf8_lossy(injected);
            assert_eq!(talk.hear(&text), failed(Loss::InjectedBeforeTls));
            assert!(!talk.tls_wanted);
        }
        "smtp-client-strip" => {
            assert_eq!(talk.hear("250 mx.test\r\n"), failed(Loss::TlsNotOffered))
        }
        "smtp-client-454" => {
            talk.hear("250-mx.test\r\n250 STARTTLS\r\n");
            let event = talk.hear("454 4.7.0 no certificate\r\n");
            assert!(matches!(
                event,
                Some(Event::Failed(Failure::Refused {
                    phase: Phase::StartTls,
                    ..
                }))
            ));
            // Where TLS is only preferred, the mail still goes.
            let mut talk = Talk::new(smtp_client::settings());
            talk.hear("220 mx.test\r\n");
            talk.hear("250-mx.test\r\n250 STARTTLS\r\n");
            assert_eq!(
                talk.hear("454 4.7.0 no certificate\r\n"),
                Some(Event::Ready)
            );
        }
        other => panic!("a new row: {other}"),
    }
}

#[test]
fn pop3_rows() {
    let Some(dir) = corpus("smtp-smuggling") else {
        return;
    };
    let mut count = 0;
    for row in rows(&dir.join("starttls-injection.tsv")) {
        if row[1] == "POP3" {
            pop3_row(&row[0], &pieces(&row[4]).concat());
            count += 1;
        }
    }
    assert!(count >= 7, "{count}");
}

fn pop3_row(id: &str, injected: &[u8]) {
    let mut settings = pop3_server::settings();
    settings.stls = StartTlsRule::Offered;
    settings.login = pop3::server::LoginRule::Always;
    let mut seen = Seen::new(pop3::server::Server::new(settings, [1; 32]));
    match id {
        "pop3-noop" | "pop3-capa" | "pop3-user" | "pop3-userpass" => {
            let said = seen.say(injected);
            assert!(
                said.starts_with("-ERR") && said.lines().count() == 1,
                "{id}: {said}"
            );
            assert!(seen.trace.closed);
        }
        "pop3-after-user" => {
            seen.say(b"USER alice@example.test\r\n");
            assert!(seen.say(injected).starts_with("+OK"));
            seen.handshake();
            assert!(seen.say(b"PASS correct horse\r\n").starts_with("-ERR"));
        }
        "pop3-after-login" => {
            assert!(
                seen.say(b"USER alice@example.test\r\nPASS correct horse\r\n")
                    .contains("+OK 3 messages")
            );
            assert!(seen.say(injected).starts_with("-ERR"));
        }
        "pop3-twice" => {
            seen.say(b"STLS\r\n");
            seen.handshake();
            assert!(seen.say(injected).starts_with("-ERR"));
        }
        other => panic!("a new row: {other}"),
    }
}
