//! AUTH inside the conversation: base64, order, counting. RFC 4954.

use super::{Asked, Ending, Event, Server, State, replies};
use crate::sasl::server::{Exchange, Failure, Turn};
use crate::sasl::{self, Mechanism};
use crate::smtp::Reply;

impl Server {
    pub(super) fn auth(&mut self, mechanism: &str, initial: Option<&str>) {
        let mechanism = match self.auth_in_order(mechanism) {
            Ok(mechanism) => mechanism,
            Err(reply) => return self.error(&reply),
        };
        let initial = match initial.map(|text| sasl::decode_initial(text.as_bytes())) {
            Some(None) => return self.error(&replies::AUTH_MALFORMED),
            Some(Some(message)) => Some(message),
            None => None,
        };
        let nonce = sasl::nonce(&self.secret, self.nonces);
        self.nonces = self.nonces.wrapping_add(1);
        let mut exchange = Exchange::new(mechanism, self.tls.as_ref(), nonce);
        let turn = exchange.start(initial.as_deref());
        self.turn(exchange, turn);
    }

    fn auth_in_order(&self, mechanism: &str) -> Result<Mechanism, Reply> {
        if self.hello.is_none() {
            return Err(replies::HELLO_FIRST);
        }
        if self.login.is_some() {
            return Err(replies::AUTH_TWICE);
        }
        if self.transaction.is_some() {
            return Err(replies::AUTH_IN_MAIL);
        }
        if self.settings.auth == super::AuthRule::Never {
            return Err(replies::AUTH_NOT_HERE);
        }
        if !self.may_log_in() {
            return Err(replies::AUTH_NEEDS_TLS);
        }
        let offered = |mechanism: &Mechanism| {
            Mechanism::offered(self.tls.as_ref()).any(|other| other == *mechanism)
        };
        Mechanism::from_name(mechanism)
            .filter(offered)
            .ok_or(replies::AUTH_UNKNOWN)
    }

    /// The peer's line within a login.
    pub(super) fn auth_line(&mut self, line: &[u8]) {
        let State::Auth(mut exchange) = std::mem::replace(&mut self.state, State::Command) else {
            return;
        };
        if line == b"*" {
            return self.error(&replies::AUTH_CANCELLED);
        }
        let Some(message) = sasl::decode(line) else {
            return self.error(&replies::AUTH_MALFORMED);
        };
        let turn = exchange.respond(&message);
        self.turn(*exchange, turn);
    }

    /// The flow's answer within a login.
    pub(super) fn auth_answer(&mut self, answer: impl FnOnce(&mut Exchange) -> Turn) {
        match self.take_asked() {
            Some(Asked::Auth(mut exchange)) => {
                let turn = answer(&mut exchange);
                self.turn(*exchange, turn);
            }
            Some(asked) => self.state = State::Asked(asked),
            None => {}
        }
    }

    fn turn(&mut self, exchange: Exchange, turn: Turn) {
        match turn {
            Turn::Challenge(challenge) => {
                self.say(&Reply::plain(334, sasl::encode(&challenge)));
                self.state = State::Auth(Box::new(exchange));
            }
            Turn::Ask(question) => {
                self.state = State::Asked(Asked::Auth(Box::new(exchange)));
                self.pending = Some(Event::Auth(question));
            }
            Turn::Verified { login, key } => {
                self.state = State::Asked(Asked::Verified {
                    login: login.clone(),
                });
                self.pending = Some(Event::Verified { login, key });
            }
            Turn::Failed(Failure::Malformed) => self.error(&replies::AUTH_MALFORMED),
            Turn::Failed(_) => {
                self.say(&replies::AUTH_FAILED);
                if self.tally.auth_failure() {
                    self.close(&replies::TOO_MANY_ERRORS, Ending::TooManyErrors);
                }
            }
        }
    }
}
