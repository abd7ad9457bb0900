//! The SMTP client machine against servers that behave, and servers that do not.

use bytes::Bytes;
use mail::{Address, ReversePath};
use wire::sasl::Secret;
use wire::sasl::client::{ClearText, Credentials};
use wire::smtp::client::{
    Client, Connection, Event, Failure, Fate, Loss, Outcome, Patience, Phase, Recipient, Settings,
    TlsRule, Transaction, Unsendable,
};
use wire::smtp::{Body, Notify, OriginalRecipient, Ret};
use wire::{Machine, Step};

use crate::shared::{corpus, pieces, rows};
use crate::smtp_server::tls_facts;

pub struct Talk {
    pub client: Client,
    pub said: Vec<u8>,
    pub closed: bool,
    pub tls_wanted: bool,
}

pub fn settings() -> Settings {
    Settings {
        hello_name: "out.example.test".to_owned(),
        tls: TlsRule::Opportunistic,
        login: None,
        clear_text: ClearText::Never,
        patience: Patience::RFC5321,
    }
}

pub fn transaction(to: &[&str], body: &str) -> Transaction {
    let recipient = |to: &&str| Recipient {
        to: Address::parse(to).expect("an address"),
        notify: None,
        orcpt: None,
    };
    Transaction {
        from: ReversePath::Address(Address::parse("a@sender.test").expect("an address")),
        recipients: to.iter().map(recipient).collect(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        body_kind: Body::SevenBit,
        smtputf8: false,
        require_tls: false,
        ret: None,
        envid: None,
    }
}

impl Talk {
    pub fn new(settings: Settings) -> Talk {
        Talk {
            client: Client::new(settings, [5; 32]),
            said: Vec::new(),
            closed: false,
            tls_wanted: false,
        }
    }

    /// Greeted, EHLO answered with these lines.
    pub fn ready(offers: &str) -> Talk {
        let mut talk = Talk::new(settings());
        assert_eq!(talk.hear("220 mx.test hello\r\n"), None);
        assert_eq!(talk.said(), "EHLO out.example.test\r\n");
        assert_eq!(talk.hear(offers), Some(Event::Ready));
        talk
    }

    pub fn hear(&mut self, text: &str) -> Option<Event> {
        self.client.receive(text.as_bytes());
        self.go_on()
    }

    pub fn go_on(&mut self) -> Option<Event> {
        loop {
            match self.client.step() {
                Step::Send(bytes) => self.said.extend(bytes),
                Step::Event(event) => return Some(event),
                Step::NeedInput { .. } => return None,
                Step::StartTls => {
                    self.tls_wanted = true;
                    return None;
                }
                Step::Close => {
                    self.closed = true;
                    return None;
                }
            }
        }
    }

    pub fn said(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.said)).expect("UTF-8")
    }

    fn send(&mut self, transaction: Transaction) -> String {
        self.client.send(transaction).expect("sendable");
        assert_eq!(self.go_on(), None);
        self.said()
    }

    fn finish(&mut self, text: &str) -> Outcome {
        match self.hear(text) {
            Some(Event::Finished(outcome)) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

const PIPELINING: &str =
    "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 DSN\r\n";
const PLAIN: &str = "250 mx.test\r\n";

fn codes(outcome: &Outcome) -> Vec<(Option<Phase>, u16)> {
    let code = |fate: &Fate| match fate {
        Fate::Delivered(reply) => (None, reply.code()),
        Fate::Refused { phase, reply } => (Some(*phase), reply.code()),
        Fate::NotDelivered { phase, .. } => (Some(*phase), 0),
        Fate::InDoubt { .. } => (Some(Phase::EndOfData), 1),
    };
    outcome.recipients.iter().map(code).collect()
}

#[test]
fn a_group_is_pipelined_and_each_recipient_has_its_fate() {
    let mut talk = Talk::ready(PIPELINING);
    let said = talk.send(transaction(&["b@x.test", "c@x.test", "d@x.test"], "hi\r\n"));
    assert_eq!(
        said,
        "MAIL FROM:<a@sender.test> SIZE=4\r\nRCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nRCPT TO:<d@x.test>\r\nDATA\r\n"
    );
    assert_eq!(
        talk.hear("250 2.1.0 ok\r\n250 2.1.5 ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n"),
        None
    );
    assert_eq!(talk.hear("451 4.7.1 greylisted\r\n354 go\r\n"), None);
    assert_eq!(talk.said(), "hi\r\n.\r\n");
    let outcome = talk.finish("250 2.0.0 queued as 7\r\n");
    assert_eq!(
        codes(&outcome),
        [
            (None, 250),
            (Some(Phase::Rcpt), 550),
            (Some(Phase::Rcpt), 451)
        ]
    );
    let Fate::Refused { reply, .. } = &outcome.recipients[1] else {
        panic!()
    };
    assert_eq!(reply.to_string(), "550 5.1.1 no such user");
    assert_eq!(outcome.connection, Connection::Open);
    assert!(outcome.first && outcome.dsn_passed_on);
    // The next message goes without RSET.
    assert!(
        talk.send(transaction(&["b@x.test"], "hi\r\n"))
            .starts_with("MAIL FROM")
    );
    talk.hear("250 ok\r\n250 ok\r\n354 go\r\n");
    assert!(!talk.finish("250 ok\r\n").first);
    talk.client.quit();
    talk.go_on();
    assert!(talk.said().ends_with("QUIT\r\n"));
    assert_eq!(talk.hear("221 bye\r\n"), None);
    assert!(talk.closed);
    let transcript = talk.client.transcript();
    assert!(
        transcript.contains("> RCPT TO:<c@x.test>\n")
            && transcript.contains("< 550 5.1.1 such user\n")
    );
    assert!(!transcript.contains("hi\n"));
}

#[test]
fn without_pipelining_each_command_waits() {
    let mut talk = Talk::ready(PLAIN);
    assert_eq!(
        talk.send(transaction(&["b@x.test", "c@x.test"], "hi")),
        "MAIL FROM:<a@sender.test>\r\n"
    );
    for (reply, next) in [
        ("250 ok\r\n", "RCPT TO:<b@x.test>\r\n"),
        ("250 ok\r\n", "RCPT TO:<c@x.test>\r\n"),
        ("550 no\r\n", "DATA\r\n"),
        ("354 go\r\n", "hi\r\n.\r\n"),
    ] {
        assert_eq!(talk.hear(reply), None);
        assert_eq!(talk.said(), next);
    }
    assert_eq!(
        codes(&talk.finish("250 ok\r\n")),
        [(None, 250), (Some(Phase::Rcpt), 550)]
    );
}

#[test]
fn nobody_accepted_means_no_data_and_a_reset_before_the_next() {
    let mut talk = Talk::ready(PLAIN);
    talk.send(transaction(&["b@x.test"], "hi"));
    talk.hear("250 ok\r\n");
    let outcome = talk.finish("550 no\r\n");
    assert_eq!(codes(&outcome), [(Some(Phase::Rcpt), 550)]);
    assert_eq!(outcome.connection, Connection::Open);
    talk.said();
    assert_eq!(talk.send(transaction(&["c@x.test"], "hi")), "RSET\r\n");
    talk.hear("250 ok\r\n");
    assert_eq!(talk.said(), "MAIL FROM:<a@sender.test>\r\n");
}

#[test]
fn a_group_that_said_data_for_nobody_sends_nothing() {
    let mut talk = Talk::ready(PIPELINING);
    talk.send(transaction(&["b@x.test"], "secret\r\n"));
    assert_eq!(talk.hear("250 ok\r\n550 no\r\n354 go\r\n"), None);
    assert_eq!(talk.said(), ".\r\n");
    let outcome = talk.finish("554 no valid recipients\r\n");
    assert_eq!(codes(&outcome), [(Some(Phase::Rcpt), 550)]);
    assert!(
        talk.send(transaction(&["c@x.test"], "hi"))
            .starts_with("RSET\r\nMAIL")
    );
}

#[test]
fn a_refused_sender_is_a_refusal_for_all() {
    let mut talk = Talk::ready(PIPELINING);
    talk.send(transaction(&["b@x.test", "c@x.test"], "hi\r\n"));
    let outcome = talk.finish("553 5.1.8 no\r\n503 5.5.1 no\r\n503 5.5.1 no\r\n503 5.5.1 no\r\n");
    assert_eq!(
        codes(&outcome),
        [(Some(Phase::Mail), 553), (Some(Phase::Mail), 553)]
    );
}

#[test]
fn data_refused_and_body_refused() {
    let mut talk = Talk::ready(PIPELINING);
    talk.send(transaction(&["b@x.test", "c@x.test"], "hi\r\n"));
    let outcome = talk.finish("250 ok\r\n250 ok\r\n550 no\r\n451 4.3.0 try later\r\n");
    assert_eq!(
        codes(&outcome),
        [(Some(Phase::Data), 451), (Some(Phase::Rcpt), 550)]
    );
    assert!(
        talk.send(transaction(&["b@x.test"], "hi\r\n"))
            .starts_with("RSET\r\n")
    );
    talk.hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    let outcome = talk.finish("554 5.7.1 spam\r\n");
    assert_eq!(codes(&outcome), [(Some(Phase::EndOfData), 554)]);
    assert_eq!(outcome.connection, Connection::Open);
    assert!(
        talk.send(transaction(&["b@x.test"], "hi\r\n"))
            .ends_with("DATA\r\n")
    );
}

#[test]
fn a_cut_is_told_by_where_it_fell() {
    for (replies, want) in [
        ("", (Some(Phase::Mail), 0)),
        ("250 ok\r\n", (Some(Phase::Rcpt), 0)),
        ("250 ok\r\n250 ok\r\n", (Some(Phase::Data), 0)),
        // All is sent: perhaps it was taken.
        (
            "250 ok\r\n250 ok\r\n354 go\r\n",
            (Some(Phase::EndOfData), 1),
        ),
        (
            "250 ok\r\n250 ok\r\n354 go\r\n250 o",
            (Some(Phase::EndOfData), 1),
        ),
    ] {
        for how in [Client::end_of_input as fn(&mut Client), Client::timed_out] {
            let mut talk = Talk::ready(PIPELINING);
            talk.send(transaction(&["b@x.test"], "hi\r\n"));
            for piece in replies.split_inclusive("go\r\n") {
                assert_eq!(talk.hear(piece), None);
            }
            how(&mut talk.client);
            let Some(Event::Finished(outcome)) = talk.go_on() else {
                panic!()
            };
            assert_eq!(codes(&outcome), [want], "{replies}");
            assert_eq!(outcome.connection, Connection::Lost);
            assert_eq!(talk.go_on(), None);
            assert!(talk.closed);
        }
    }
}

#[test]
fn the_server_may_leave_at_any_time() {
    let mut talk = Talk::new(settings());
    let Some(Event::Failed(failure)) = talk.hear("421 4.3.2 busy\r\n") else {
        panic!()
    };
    assert!(matches!(
        failure,
        Failure::Refused {
            phase: Phase::Greeting,
            ..
        }
    ));
    assert_eq!(talk.go_on(), None);
    assert!(talk.closed);

    let mut talk = Talk::ready(PIPELINING);
    talk.send(transaction(&["b@x.test", "c@x.test"], "hi\r\n"));
    let outcome = talk.finish("250 ok\r\n550 5.1.1 no\r\n421 4.7.0 enough\r\n");
    assert_eq!(
        codes(&outcome),
        [(Some(Phase::Rcpt), 550), (Some(Phase::Rcpt), 421)]
    );
    assert_eq!(outcome.connection, Connection::Lost);
}

#[test]
fn a_reply_too_many_is_not_trusted() {
    // A reply to the body before there is one.
    let mut talk = Talk::ready(PIPELINING);
    talk.send(transaction(&["b@x.test"], "hi\r\n"));
    let outcome = talk.finish("250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n");
    assert_eq!(codes(&outcome), [(Some(Phase::Data), 0)]);
    assert_eq!(outcome.connection, Connection::Lost);
    // One shifted by one: DATA cannot be answered by 250.
    let mut talk = Talk::ready(PIPELINING);
    talk.send(transaction(&["b@x.test"], "hi\r\n"));
    let outcome = talk.finish("250 extra\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    assert_eq!(codes(&outcome), [(Some(Phase::Data), 0)]);
    // After the end: delivered, and no more on this connection.
    let mut talk = Talk::ready(PIPELINING);
    talk.send(transaction(&["b@x.test"], "hi\r\n"));
    talk.hear("250 ok\r\n250 ok\r\n354 go\r\n");
    let outcome = talk.finish("250 ok\r\n250 what?\r\n");
    assert_eq!(codes(&outcome), [(None, 250)]);
    assert_eq!(outcome.connection, Connection::Lost);
}

#[test]
fn garbage_and_floods_end_the_conversation() {
    let mut talk = Talk::new(settings());
    let lost = |loss| {
        Some(Event::Failed(Failure::Lost {
            phase: Phase::Greeting,
            loss,
        }))
    };
    assert_eq!(talk.hear("SSH-2.0-OpenSSH_9.6\r\n"), lost(Loss::NotSmtp));
    let mut talk = Talk::new(settings());
    assert_eq!(talk.hear(&"220-x\r\n".repeat(1000)), lost(Loss::TooMuch));
    let mut talk = Talk::new(settings());
    assert_eq!(talk.hear(&"x".repeat(10_000)), lost(Loss::TooMuch));
}

#[test]
fn helo_for_those_who_know_no_ehlo() {
    let mut talk = Talk::new(settings());
    talk.hear("220 old.test\r\n");
    assert_eq!(talk.hear("502 5.5.1 what?\r\n"), None);
    assert_eq!(
        talk.said(),
        "EHLO out.example.test\r\nHELO out.example.test\r\n"
    );
    assert_eq!(talk.hear("250 old.test\r\n"), Some(Event::Ready));
    assert!(!talk.client.capabilities().extended);
}

#[test]
fn parameters_go_to_those_who_offer_them() {
    let mut message = transaction(&["b@x.test"], "hi\r\n");
    message.ret = Some(Ret::Headers);
    message.envid = Some("QQ 314+1".to_owned());
    message.body_kind = Body::EightBitMime;
    message.recipients[0].notify = Some(Notify::On {
        success: true,
        failure: true,
        delay: false,
    });
    message.recipients[0].orcpt = Some(OriginalRecipient {
        address_type: "rfc822".to_owned(),
        address: "B+x@y.test".to_owned(),
    });
    let said = Talk::ready(PIPELINING).send(message.clone());
    assert_eq!(
        said,
        "MAIL FROM:<a@sender.test> SIZE=4 BODY=8BITMIME RET=HDRS ENVID=QQ+20314+2B1\r\n\
         RCPT TO:<b@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B+2Bx@y.test\r\nDATA\r\n"
    );
    assert_eq!(
        Talk::ready(PLAIN).send(message),
        "MAIL FROM:<a@sender.test>\r\n"
    );
}

#[test]
fn what_cannot_be_sent_is_not_begun() {
    let mut talk = Talk::ready(PIPELINING);
    let mut refuse = |message: Transaction| talk.client.send(message).expect_err("unsendable");
    assert_eq!(
        refuse(transaction(&["b@x.test"], &"x".repeat(1001))),
        Unsendable::TooBig { max: 1000 }
    );
    assert_eq!(refuse(transaction(&["b@x.test"], "a\0b")), Unsendable::Nul);
    assert_eq!(refuse(transaction(&[], "a")), Unsendable::NoRecipients);
    assert_eq!(
        refuse(transaction(&["bé@x.test"], "a")),
        Unsendable::NeedsSmtpUtf8
    );
    let binary = Transaction {
        body_kind: Body::BinaryMime,
        ..transaction(&["b@x.test"], "a\0b")
    };
    assert_eq!(refuse(binary), Unsendable::NeedsBinaryMime);
    assert_eq!(talk.client.messages(), 0);
    assert!(
        talk.send(transaction(&["b@x.test"], "a"))
            .starts_with("MAIL")
    );
}

#[test]
fn binary_goes_by_count() {
    let mut talk =
        Talk::ready("250-mx.test\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 BINARYMIME\r\n");
    let mut message = transaction(&["b@x.test"], "a\0b\n.\nc");
    message.body_kind = Body::BinaryMime;
    assert_eq!(
        talk.send(message),
        "MAIL FROM:<a@sender.test> BODY=BINARYMIME\r\nRCPT TO:<b@x.test>\r\n"
    );
    talk.hear("250 ok\r\n250 ok\r\n");
    assert_eq!(talk.said(), "BDAT 7 LAST\r\na\0b\n.\nc");
    assert_eq!(codes(&talk.finish("250 ok\r\n")), [(None, 250)]);
}

#[test]
fn many_recipients_go_in_groups_that_fit_socket_buffers() {
    let mut talk = Talk::ready(PIPELINING);
    let names: Vec<String> = (0..250).map(|n| format!("u{n}@x.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let said = talk.send(transaction(&names, "hi\r\n"));
    assert_eq!(said.lines().count(), 100);
    talk.hear(&"250 ok\r\n".repeat(100));
    assert_eq!(talk.said().lines().count(), 100);
    talk.hear(&"250 ok\r\n".repeat(100));
    assert!(talk.said().ends_with("DATA\r\n"));
    talk.hear(&"250 ok\r\n".repeat(51));
    talk.hear("354 go\r\n");
    assert_eq!(talk.finish("250 ok\r\n").recipients.len(), 250);
}

#[test]
fn relays_know_us_by_login() {
    let login = Credentials {
        login: "me".to_owned(),
        password: Secret::new("pw"),
    };
    let mut settings = settings();
    settings.login = Some(login);
    let mut talk = Talk::new(settings.clone());
    talk.hear("220 relay.test\r\n");
    // Nothing offered that we may use without TLS.
    let failed = talk.hear("250-relay.test\r\n250 AUTH PLAIN LOGIN\r\n");
    assert!(matches!(
        failed,
        Some(Event::Failed(Failure::Lost {
            phase: Phase::Auth,
            loss: Loss::Auth(_)
        }))
    ));

    settings.clear_text = ClearText::Allowed;
    let mut talk = Talk::new(settings.clone());
    talk.hear("220 relay.test\r\n");
    assert_eq!(
        talk.hear("250-relay.test\r\n250 AUTH PLAIN LOGIN\r\n"),
        None
    );
    assert!(talk.said().ends_with("AUTH PLAIN AG1lAHB3\r\n"));
    assert_eq!(talk.hear("235 2.7.0 ok\r\n"), Some(Event::Ready));
    assert!(!talk.client.transcript().contains("AG1lAHB3"));

    let mut talk = Talk::new(settings);
    talk.hear("220 relay.test\r\n");
    talk.hear("250-relay.test\r\n250 AUTH LOGIN\r\n");
    assert!(talk.said().ends_with("AUTH LOGIN\r\n"));
    talk.hear("334 VXNlcm5hbWU6\r\n");
    assert_eq!(talk.said(), "bWU=\r\n");
    talk.hear("334 UGFzc3dvcmQ6\r\n");
    assert_eq!(talk.said(), "cHc=\r\n");
    let failed = talk.hear("535 5.7.8 no\r\n");
    assert!(matches!(
        failed,
        Some(Event::Failed(Failure::Refused {
            phase: Phase::Auth,
            ..
        }))
    ));
}

#[test]
fn tls_when_offered_and_everything_anew_inside() {
    let mut talk = Talk::new(settings());
    talk.hear("220 mx.test\r\n");
    talk.hear("250-mx.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
    assert!(talk.said().ends_with("STARTTLS\r\n"));
    assert_eq!(talk.hear("220 go\r\n"), None);
    assert!(talk.tls_wanted);
    talk.client.tls_started(tls_facts());
    assert_eq!(talk.go_on(), None);
    assert_eq!(talk.said(), "EHLO out.example.test\r\n");
    assert_eq!(
        talk.hear("250-mx.test\r\n250 STARTTLS\r\n"),
        Some(Event::Ready)
    );
    assert!(!talk.client.capabilities().pipelining);
}

/// The third column of the table: whatever the body holds, the wire has one end, the last.
/// RFC 8689 §4.2.1: only inside TLS, only where it is offered there.
#[test]
fn tls_is_required_of_the_next_server_too() {
    let required = || Transaction {
        require_tls: true,
        ..transaction(&["b@x.test"], "hi\r\n")
    };
    let mut talk = Talk::ready("250-mx.test\r\n250 REQUIRETLS\r\n");
    let refused = talk.client.send(required());
    assert_eq!(refused, Err(Unsendable::NeedsRequireTls), "in clear text");
    for (offers, wanted) in [("REQUIRETLS", true), ("8BITMIME", false)] {
        let mut talk = Talk::new(settings());
        talk.hear("220 mx.test hello\r\n");
        talk.hear("250-mx.test\r\n250 STARTTLS\r\n");
        talk.hear("220 go\r\n");
        talk.client.tls_started(tls_facts());
        assert_eq!(talk.go_on(), None);
        talk.said();
        let ready = talk.hear(&format!("250-mx.test\r\n250 {offers}\r\n"));
        assert_eq!(ready, Some(Event::Ready));
        if wanted {
            assert_eq!(
                talk.send(required()),
                "MAIL FROM:<a@sender.test> REQUIRETLS\r\n"
            );
        } else {
            let refused = talk.client.send(required());
            assert_eq!(refused, Err(Unsendable::NeedsRequireTls));
        }
    }
}

#[test]
fn one_end_of_data_on_the_wire() {
    let Some(dir) = corpus("smtp-smuggling") else {
        return;
    };
    for row in rows(&dir.join("end-of-data.tsv")) {
        let (id, bytes, wanted) = (&row[0], pieces(&row[1]).concat(), &row[3]);
        let body = [b"Subject: x\r\n\r\nline".as_slice(), &bytes, b"more\r\n"].concat();
        let mut message = transaction(&["b@x.test"], "");
        message.body = Bytes::from(body.clone());
        message.body_kind = Body::EightBitMime;
        let mut talk = Talk::ready("250-mx.test\r\n250-8BITMIME\r\n250 PIPELINING\r\n");
        if body.contains(&0) {
            assert_eq!(
                talk.client.send(message),
                Err(Unsendable::Nul),
                "{id}: {wanted}"
            );
            continue;
        }
        talk.client.send(message).expect("sendable");
        talk.go_on();
        talk.said.clear();
        talk.hear("250 ok\r\n250 ok\r\n354 go\r\n");
        let wire = std::mem::take(&mut talk.said);
        let ends = wire
            .windows(5)
            .filter(|window| window == b"\r\n.\r\n")
            .count();
        assert!(
            ends == 1 && wire.ends_with(b"\r\n.\r\n"),
            "{id}: {}",
            wire.escape_ascii()
        );
        let bare_lf = wire
            .iter()
            .enumerate()
            .any(|(at, byte)| *byte == b'\n' && (at == 0 || wire[at - 1] != b'\r'));
        let bare_cr = wire
            .iter()
            .enumerate()
            .any(|(at, byte)| *byte == b'\r' && wire.get(at + 1) != Some(&b'\n'));
        assert!(!bare_lf && !bare_cr, "{id}: {}", wire.escape_ascii());
        // Ours read it back as one message.
        let mut read = Vec::new();
        let progress = wire::stuffing::Unstuffer::default().push(&wire, &mut read);
        assert_eq!(
            progress,
            wire::stuffing::Progress::End {
                consumed: wire.len()
            },
            "{id}"
        );
        if wanted.contains("unchanged") || wanted.contains("dot line stuffed") {
            assert_eq!(read, body, "{id}");
        }
    }
}
