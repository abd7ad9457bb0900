//! Whatever comes, in whatever cut: no panic, no endless loop, no buffer without bound.

use proptest::prelude::*;
use wire::smtp::client::Client;
use wire::smtp::command::Command;
use wire::smtp::server::{AuthRule, Role, Server, Settings};
use wire::stuffing::{Progress, Stuffer, Unstuffer};
use wire::{Machine, Step, pop3};

use crate::chat::{self, Subject, Trace};
use crate::{pop3_server, smtp_client, smtp_server};

/// Half words, half noise: noise alone never comes past the first command.
fn talk() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let word = prop::sample::select(vec![
        "EHLO a\r\n",
        "HELO a\r\n",
        "MAIL FROM:<a@b.c>\r\n",
        "MAIL FROM:<> SIZE=9 BODY=BINARYMIME\r\n",
        "RCPT TO:<a@b.c>\r\n",
        "RCPT TO:<nobody@b.c>\r\n",
        "DATA\r\n",
        ".\r\n",
        "\r\n.\r\n",
        "..x\r\n",
        "BDAT 5\r\n",
        "BDAT 3 LAST\r\n",
        "BDAT 0 LAST\r\n",
        "RSET\r\n",
        "AUTH PLAIN\r\n",
        "AUTH LOGIN\r\n",
        "AUTH SCRAM-SHA-256 biwsbj11LHI9YWJj\r\n",
        "AGEAYg==\r\n",
        "*\r\n",
        "STARTTLS\r\n",
        "NOOP\r\n",
        "QUIT\r\n",
        "USER a\r\n",
        "PASS correct horse\r\n",
        "STAT\r\n",
        "LIST\r\n",
        "UIDL 1\r\n",
        "RETR 2\r\n",
        "TOP 1 1\r\n",
        "DELE 1\r\n",
        "DELE 9\r\n",
        "CAPA\r\n",
        "STLS\r\n",
        "220 x\r\n",
        "250-x\r\n",
        "250 STARTTLS\r\n",
        "250 PIPELINING\r\n",
        "354 go\r\n",
        "550 5.1.1 no\r\n",
        "421 x\r\n",
        "334 \r\n",
        "235 ok\r\n",
    ]);
    let piece = prop_oneof![
        4 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => "[ -~]{0,600}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..60)
}

/// Feeds it all, shaking hands when asked; bounds the steps and what is said.
fn feed<S: Subject>(machine: &mut S, pieces: &[Vec<u8>]) {
    let mut trace = Trace::default();
    for piece in pieces {
        machine.receive(piece);
        chat::settle(machine, &mut trace);
        if matches!(machine.step(), Step::StartTls) {
            machine.handshake();
        }
        if trace.closed {
            return;
        }
    }
    machine.end_of_input();
    chat::settle(machine, &mut trace);
    assert!(trace.closed || matches!(machine.step(), Step::StartTls));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn smtp_server(pieces in talk()) {
        let settings = Settings { auth: AuthRule::Always, size_max: 50, ..smtp_server::settings(Role::Mx) };
        feed(&mut Server::new(settings, [1; 32]), &pieces);
    }

    #[test]
    fn pop3_server_takes_anything(pieces in talk()) {
        let login = pop3::server::LoginRule::Always;
        let settings = pop3::server::Settings { login, ..pop3_server::settings() };
        feed(&mut pop3::server::Server::new(settings, [1; 32]), &pieces);
    }

    #[test]
    fn smtp_client(pieces in talk()) {
        let mut client = Client::new(smtp_client::settings(), [1; 32]);
        let mut closed = false;
        for piece in pieces {
            client.receive(&piece);
            for _ in 0..1000 {
                match client.step() {
                    Step::Send(_) => {}
                    Step::Event(_) => {
                        if client.send(smtp_client::transaction(&["a@b.c", "b@b.c"], ".x\ny")).is_err() {
                            client.quit();
                        }
                    }
                    Step::NeedInput { .. } => break,
                    Step::StartTls => client.tls_started(smtp_server::tls_facts()),
                    Step::Close => {
                        closed = true;
                        break;
                    }
                }
            }
        }
        let _ = closed;
    }

    #[test]
    fn commands_parse_or_not(line in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Command::parse(&line);
        let _ = pop3::command::Command::parse(&line);
    }

    #[test]
    fn commands_with_a_true_beginning(rest in "\\PC{0,80}") {
        for verb in ["MAIL FROM:<", "RCPT TO:<a@b.c> ", "MAIL FROM:<a@b.c> ENVID=", "BDAT ", "AUTH ", "EHLO "] {
            let _ = Command::parse(format!("{verb}{rest}").as_bytes());
        }
    }

    #[test]
    fn xtext_round_trip(text in "\\PC{0,80}") {
        use wire::smtp::{decode_xtext, encode_xtext};
        let wrapped = encode_xtext(&text);
        prop_assert!(wrapped.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(decode_xtext(&wrapped), Some(text));
    }

    /// What a server writes, a client reads: codes, lines and text.
    #[test]
    fn reply_round_trip(code in 400u16..600, lines in prop::collection::vec("[ -~]{0,300}", 1..9)) {
        use wire::smtp::client::{Event, Failure};
        use wire::smtp::{EnhancedCode, Reply};
        let class = u8::try_from(code / 100).expect("a digit");
        let reply = Reply::new(code, EnhancedCode(class, 1, 23), lines.join("\n"));
        let mut wire = Vec::new();
        reply.write_to(&mut wire);
        let mut client = Client::new(smtp_client::settings(), [1; 32]);
        client.receive(&wire);
        let read = client.step();
        let Step::Event(Event::Failed(Failure::Refused { reply: read, .. })) = read else { panic!("{read:?}") };
        prop_assert_eq!(read, reply);
    }

    #[test]
    fn no_reply_line_is_too_long(text in "\\PC{0,2000}") {
        let reply = wire::smtp::Reply::new(550, wire::smtp::EnhancedCode(5, 999, 999), text);
        let mut wire = Vec::new();
        reply.write_to(&mut wire);
        prop_assert!(wire.split(|byte| *byte == b'\n').all(|line| line.len() <= 511));
        prop_assert!(std::str::from_utf8(&wire).is_ok());
    }

    /// What is stuffed in any pieces is read back in any pieces.
    #[test]
    fn stuffing_round_trip(lines in prop::collection::vec("[.a\r\n]{0,8}", 0..20), cut in 0usize..60, other in 0usize..60) {
        let body = lines.join("\r\n").into_bytes();
        let mut stuffer = Stuffer::default();
        let mut wire = Vec::new();
        let (head, tail) = body.split_at(cut.min(body.len()));
        stuffer.push(head, &mut wire);
        stuffer.push(tail, &mut wire);
        stuffer.finish(&mut wire);
        let ends = wire.windows(5).filter(|window| window == b"\r\n.\r\n").count();
        prop_assert!(ends == 1 || wire == b".\r\n");
        let mut read = Vec::new();
        let mut unstuffer = Unstuffer::default();
        let (head, tail) = wire.split_at(other.min(wire.len()));
        let progress = match unstuffer.push(head, &mut read) {
            Progress::More => unstuffer.push(tail, &mut read),
            other => other,
        };
        prop_assert!(matches!(progress, Progress::End { .. }), "{progress:?}");
        let mut want = String::from_utf8(body).expect("text").replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        if !want.is_empty() && !want.ends_with("\r\n") {
            want.push_str("\r\n");
        }
        prop_assert_eq!(String::from_utf8(read).expect("text"), want);
    }
}

#[test]
fn endless_input_is_not_held() {
    let mut server = Server::new(smtp_server::settings(Role::Mx), [1; 32]);
    let mut trace = Trace::default();
    for _ in 0..10_000 {
        server.receive(&[b'x'; 1024]);
        chat::settle(&mut server, &mut trace);
    }
    assert!(trace.closed);
    assert!(trace.sent.len() < 1000);
}
