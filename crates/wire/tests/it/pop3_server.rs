//! The POP3 server machine in conversations.

use wire::Machine;
use wire::pop3::server::{Event, LoginRule, Server, Settings, Trouble};
use wire::pop3::{Entry, Maildrop};
use wire::sasl::ScramKeys;
use wire::sasl::server::Question;
use wire::smtp::server::StartTlsRule;
use wire::stuffing::Stuffer;

use crate::chat::{self, Subject, Trace};
use crate::smtp_server::{PASSWORD, tls_facts};

const BODIES: [&str; 3] = [
    "Subject: one\r\n\r\n.dot\r\n",
    "Subject: two\n\nbare\n",
    "Subject: three\r\n\r\nx",
];

/// Alice has three messages. What QUIT removes is shown as a message of the trace.
impl Subject for Server {
    fn answer(&mut self, event: Event, trace: &mut Trace) {
        match event {
            Event::Auth(Question::Password { login, password }) => {
                if login == "late@example.test" {
                    return self.refuse(Trouble::LoginDelay);
                }
                self.password_was(password.expose() == PASSWORD);
            }
            Event::Auth(Question::Scram { .. }) => {
                self.scram_keys(ScramKeys::derive(PASSWORD, b"salt", 4096))
            }
            Event::Verified { login, .. } if login == "busy@example.test" => {
                self.refuse(Trouble::InUse)
            }
            Event::Verified { .. } => self.open(Maildrop {
                uid_validity: 0x11,
                entries: (1..)
                    .zip(BODIES)
                    .map(|(uid, body)| Entry {
                        octets: body.len() as u64,
                        uid,
                    })
                    .collect(),
            }),
            Event::Retrieve { index, lines } => {
                self.begin_message();
                trace.sent.extend(self.take_out());
                let body = match lines {
                    None => BODIES[index],
                    Some(_) => "(top)\r\n",
                };
                let mut stuffer = Stuffer::default();
                stuffer.push(body.as_bytes(), &mut trace.sent);
                stuffer.finish(&mut trace.sent);
            }
            Event::Update { delete } => {
                trace.messages.push(format!("{delete:?}").into_bytes());
                self.updated();
            }
        }
    }

    fn handshake(&mut self) {
        self.tls_started(tls_facts());
    }
}

pub fn settings() -> Settings {
    Settings {
        hostname: "pop.example.test".to_owned(),
        version: "0".to_owned(),
        stls: StartTlsRule::Offered,
        login: LoginRule::OverTls,
        patience: std::time::Duration::from_secs(600),
    }
}

/// Every line of an answer counts as a reply here.
#[test]
fn conversations() {
    for path in chat::files("pop3") {
        let script = chat::read(&path);
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let always = script
            .settings
            .contains(&("login".to_owned(), "always".to_owned()));
        let make = || {
            let login = if always {
                LoginRule::Always
            } else {
                LoginRule::OverTls
            };
            Server::new(
                Settings {
                    login,
                    ..settings()
                },
                [3; 32],
            )
        };
        let trace = chat::run_all(&name, &script.acts, make);
        chat::check(&name, &script, &trace);
    }
}

#[test]
fn a_stop_deletes_nothing() {
    let mut server = Server::new(
        Settings {
            login: LoginRule::Always,
            ..settings()
        },
        [3; 32],
    );
    let mut trace = Trace::default();
    server.receive(b"USER alice\r\nPASS correct horse\r\nDELE 1\r\n");
    chat::settle(&mut server, &mut trace);
    server.stop();
    chat::settle(&mut server, &mut trace);
    assert!(trace.closed && trace.messages.is_empty());
}
