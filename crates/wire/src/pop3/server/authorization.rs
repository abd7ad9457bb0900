//! Before the login: USER and PASS, AUTH, STLS, CAPA. RFC 1939 §4, RFC 2595, RFC 5034.

use super::{Event, Login, LoginRule, Server, StartTlsRule, State, Trouble};
use crate::limits;
use crate::pop3::command::Command;
use crate::sasl::server::{Exchange, Failure, Question, Turn};
use crate::sasl::{self, Mechanism, Secret};

impl Server {
    pub(super) fn authorization(&mut self, user: Option<String>, command: Command) {
        self.state = State::Authorization { user: None };
        match (command, user) {
            (Command::Quit, _) => {
                self.ok("Bye");
                self.hang_up();
            }
            (Command::Capa, user) => {
                self.state = State::Authorization { user };
                self.capa();
            }
            // RFC 6856 §2: before the login only. Headers are given as they lie in the store.
            (Command::Utf8, user) => {
                self.state = State::Authorization { user };
                self.ok("UTF-8 it is");
            }
            (Command::Stls, _) => self.stls(),
            (
                Command::Auth {
                    mechanism: None, ..
                },
                _,
            ) => self.mechanisms(),
            (Command::User(_) | Command::Pass(_) | Command::Auth { .. }, _)
                if !self.may_log_in() =>
            {
                self.error("[AUTH] Say STLS first");
            }
            (Command::User(name), _) => {
                self.state = State::Authorization { user: Some(name) };
                self.ok("Now the password");
            }
            (Command::Pass(_), None) => self.error("Say USER first"),
            (Command::Pass(password), Some(user)) => {
                let question = Question::Password {
                    login: user.clone(),
                    password: Secret::new(password),
                };
                self.state = State::AskedAuth(Login::UserPass { user });
                self.pending = Some(Event::Auth(question));
            }
            (
                Command::Auth {
                    mechanism: Some(mechanism),
                    initial,
                },
                _,
            ) => {
                self.auth(&mechanism, initial.as_deref());
            }
            _ => self.error("Log in first"),
        }
    }

    /// RFC 2449 §6: what is true in this state.
    pub(super) fn capa(&mut self) {
        let mut lines = vec![
            "TOP",
            "UIDL",
            "RESP-CODES",
            "AUTH-RESP-CODE",
            "PIPELINING",
            "EXPIRE NEVER",
            "UTF8 USER",
        ]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
        let before_login = matches!(self.state, State::Authorization { .. });
        if before_login && self.may_log_in() {
            lines.push("USER".to_owned());
            let names: Vec<_> = Mechanism::offered(self.tls.as_ref())
                .map(Mechanism::name)
                .collect();
            lines.push(format!("SASL {}", names.join(" ")));
        }
        if before_login && self.tls.is_none() && self.settings.stls == StartTlsRule::Offered {
            lines.push("STLS".to_owned());
        }
        if !before_login {
            lines.push(format!("IMPLEMENTATION Postroad-{}", self.settings.version));
        }
        self.ok("What this server can:");
        self.list(lines.into_iter());
    }

    /// A multi-line answer of our own lines, none of which begins with a dot.
    pub(super) fn list(&mut self, lines: impl Iterator<Item = String>) {
        for line in lines {
            self.line("", &line);
        }
        self.line("", ".");
    }

    fn mechanisms(&mut self) {
        let names: Vec<_> = match self.may_log_in() {
            true => Mechanism::offered(self.tls.as_ref())
                .map(|mechanism| mechanism.name().to_owned())
                .collect(),
            false => Vec::new(),
        };
        self.ok("Mechanisms:");
        self.list(names.into_iter());
    }

    fn may_log_in(&self) -> bool {
        self.tls.is_some() || self.settings.login == LoginRule::Always
    }

    fn stls(&mut self) {
        if self.tls.is_some() || self.settings.stls == StartTlsRule::NotOffered {
            return self.error("STLS is not possible here");
        }
        if !self.input.is_empty() {
            return self.farewell("[SYS/PERM] Nothing may follow STLS before the handshake");
        }
        self.ok("Begin TLS");
        self.state = State::StartTls;
    }

    fn auth(&mut self, mechanism: &str, initial: Option<&str>) {
        let offered = |mechanism: &Mechanism| {
            Mechanism::offered(self.tls.as_ref()).any(|other| other == *mechanism)
        };
        let Some(mechanism) = Mechanism::from_name(mechanism).filter(offered) else {
            return self.error("This mechanism is not offered");
        };
        let initial = match initial.map(|text| sasl::decode_initial(text.as_bytes())) {
            Some(None) => return self.error("The response is not base64"),
            Some(Some(message)) => Some(message),
            None => None,
        };
        let nonce = sasl::nonce(&self.secret, self.nonces);
        self.nonces = self.nonces.wrapping_add(1);
        let mut exchange = Box::new(Exchange::new(mechanism, self.tls.as_ref(), nonce));
        let turn = exchange.start(initial.as_deref());
        self.turn(exchange, turn);
    }

    pub(super) fn auth_line(&mut self, line: &[u8]) {
        let State::Auth(mut exchange) =
            std::mem::replace(&mut self.state, State::Authorization { user: None })
        else {
            return;
        };
        if line == b"*" {
            return self.error("Authentication cancelled");
        }
        match sasl::decode(line) {
            Some(message) => {
                let turn = exchange.respond(&message);
                self.turn(exchange, turn);
            }
            None => self.error("The response is not base64"),
        }
    }

    pub(super) fn turn(&mut self, exchange: Box<Exchange>, turn: Turn) {
        self.state = State::Authorization { user: None };
        match turn {
            Turn::Challenge(challenge) => {
                self.line("+ ", &sasl::encode(&challenge));
                self.state = State::Auth(exchange);
            }
            Turn::Ask(question) => {
                self.state = State::AskedAuth(Login::Sasl(exchange));
                self.pending = Some(Event::Auth(question));
            }
            Turn::Verified { login, key } => {
                self.state = State::AskedOpen;
                self.pending = Some(Event::Verified { login, key });
            }
            Turn::Failed(Failure::Malformed) => {
                self.error("The response does not fit the mechanism")
            }
            Turn::Failed(_) => self.login_failed(Trouble::Auth),
        }
    }

    /// Back to before the login; only wrong passwords count against the peer.
    pub(super) fn login_failed(&mut self, trouble: Trouble) {
        self.state = State::Authorization { user: None };
        self.err(trouble.text());
        if trouble == Trouble::Auth {
            self.auth_failures += 1;
            if self.auth_failures >= limits::AUTH_FAILURES_MAX {
                self.hang_up();
            }
        }
    }
}
