//! Logging in: LOGIN and AUTHENTICATE, from the command to the answer (RFC 9051 §6.2.2, §6.2.3).
//! Who is right is the caller's answer to [`Event::Ask`]; nothing here knows a password.

use super::super::command::Phase;
use super::super::limits::LOGIN_FAILURES_MAX;
use super::super::write::{self, Status};
use super::{Event, Server, State};
use crate::sasl::server::{Exchange, Failure, Question, Turn};
use crate::sasl::{self, Mechanism, ScramKeys, Secret};

#[derive(Debug)]
pub(super) struct Authenticating {
    tag: String,
    login: Login,
    pub(super) turn: Waiting,
}

#[derive(Debug)]
enum Login {
    /// LOGIN: the caller's yes is all.
    Plain {
        login: String,
    },
    Sasl(Exchange),
}

#[derive(Debug)]
pub(super) enum Waiting {
    ForPeer,
    ForCaller,
    /// The next step hands this out.
    Event(Event),
}

impl Server {
    /// The answer to [`Question::Password`].
    pub fn password_was(&mut self, right: bool) {
        let State::Authenticating(auth) = &mut self.state else {
            return;
        };
        match &mut auth.login {
            Login::Plain { login } if right => {
                let login = std::mem::take(login);
                auth.turn = Waiting::Event(Event::Verified { login, key: 0 });
            }
            Login::Plain { .. } => self.login_failed(Failure::WrongCredentials),
            Login::Sasl(exchange) => {
                let turn = exchange.password_was(right);
                self.sasl_turn(turn);
            }
        }
    }

    /// The answer to [`Question::Scram`].
    pub fn scram_keys(&mut self, keys: ScramKeys) {
        let State::Authenticating(auth) = &mut self.state else {
            return;
        };
        if let Login::Sasl(exchange) = &mut auth.login {
            let turn = exchange.scram_keys(keys);
            self.sasl_turn(turn);
        }
    }

    /// The verified user has come in.
    pub fn logged_in(&mut self) {
        let Some(tag) = self.end_login() else { return };
        self.phase = Phase::Authenticated;
        self.bad_commands = 0;
        self.out.extend_from_slice(tag.as_bytes());
        self.out.extend_from_slice(b" OK [CAPABILITY ");
        self.settings
            .offer
            .write(self.phase, self.tls.as_ref(), &mut self.out);
        self.out.extend_from_slice(b"] Logged in.\r\n");
    }

    /// The login cannot be judged now, or must wait; no failure of the peer.
    pub fn login_unavailable(&mut self, text: &str) {
        let Some(tag) = self.end_login() else { return };
        write::tagged(&mut self.out, &tag, Status::No, text);
    }

    fn end_login(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.state, State::Reading) {
            State::Authenticating(auth) => Some(auth.tag),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn login_failed(&mut self, failure: Failure) {
        let Some(tag) = self.end_login() else { return };
        let text = match failure {
            Failure::Malformed => {
                write::tagged(
                    &mut self.out,
                    &tag,
                    Status::Bad,
                    "The answer does not fit the mechanism.",
                );
                self.count_bad_command();
                return;
            }
            Failure::WrongCredentials => "[AUTHENTICATIONFAILED] Login name or password is wrong.",
            Failure::OnBehalf => {
                "[AUTHORIZATIONFAILED] Logging in on behalf of another user is not possible."
            }
            Failure::ChannelBinding => {
                "[AUTHENTICATIONFAILED] The channel binding does not match this connection."
            }
        };
        write::tagged(&mut self.out, &tag, Status::No, text);
        self.logins_failed += 1;
        if self.logins_failed >= LOGIN_FAILURES_MAX {
            self.bye("Too many failed logins.");
        }
    }

    fn sasl_turn(&mut self, turn: Turn) {
        let State::Authenticating(auth) = &mut self.state else {
            return;
        };
        match turn {
            Turn::Challenge(challenge) => {
                auth.turn = Waiting::ForPeer;
                self.out.extend_from_slice(b"+ ");
                self.out
                    .extend_from_slice(sasl::encode(&challenge).as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
            Turn::Ask(question) => auth.turn = Waiting::Event(Event::Ask(question)),
            Turn::Verified { login, key } => {
                auth.turn = Waiting::Event(Event::Verified { login, key });
            }
            Turn::Failed(failure) => self.login_failed(failure),
        }
    }

    pub(super) fn sasl_line(&mut self, mut auth: Box<Authenticating>, text: &[u8]) {
        // RFC 9051 §6.2.2: "*" cancels.
        let message = if text == b"*" {
            None
        } else {
            sasl::decode(text)
        };
        match (&mut auth.login, message) {
            (Login::Sasl(exchange), Some(message)) => {
                let turn = exchange.respond(&message);
                self.state = State::Authenticating(auth);
                self.sasl_turn(turn);
            }
            _ => {
                write::tagged(
                    &mut self.out,
                    &auth.tag,
                    Status::Bad,
                    "Authentication is cancelled.",
                );
                self.count_bad_command();
            }
        }
    }

    fn may_log_in(&mut self, tag: &str) -> bool {
        let allowed = self.settings.offer.login_allowed(self.tls.as_ref());
        if !allowed {
            write::tagged(
                &mut self.out,
                tag,
                Status::No,
                "[PRIVACYREQUIRED] Log in after STARTTLS.",
            );
            self.count_bad_command();
        }
        allowed
    }

    pub(super) fn login(&mut self, tag: String, login: String, password: String) {
        if !self.may_log_in(&tag) {
            return;
        }
        let question = Question::Password {
            login: login.clone(),
            password: Secret::new(password),
        };
        self.state = State::Authenticating(Box::new(Authenticating {
            tag,
            login: Login::Plain { login },
            turn: Waiting::Event(Event::Ask(question)),
        }));
    }

    pub(super) fn authenticate(&mut self, tag: String, mechanism: &str, initial: Option<&[u8]>) {
        if !self.may_log_in(&tag) {
            return;
        }
        let offered = Mechanism::from_name(mechanism).filter(|wanted| {
            Mechanism::offered(self.tls.as_ref()).any(|mechanism| mechanism == *wanted)
        });
        let Some(mechanism) = offered else {
            write::tagged(
                &mut self.out,
                &tag,
                Status::No,
                "[CANNOT] The mechanism is not on offer.",
            );
            self.count_bad_command();
            return;
        };
        // One nonce for the connection, another for each attempt.
        self.logins_begun += 1;
        let nonce = format!("{}.{}", self.settings.nonce, self.logins_begun);
        let mut exchange = Exchange::new(mechanism, self.tls.as_ref(), nonce);
        let turn = exchange.start(initial);
        self.state = State::Authenticating(Box::new(Authenticating {
            tag,
            login: Login::Sasl(exchange),
            turn: Waiting::ForPeer,
        }));
        self.sasl_turn(turn);
    }
}
