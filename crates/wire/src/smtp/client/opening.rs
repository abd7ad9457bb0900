//! From the greeting to readiness: EHLO or HELO, STARTTLS, AUTH.

use super::{Capabilities, Client, Event, Failure, Login, Loss, Phase, State, TlsRule};
use crate::sasl;
use crate::sasl::client::Exchange;
use crate::smtp::Reply;

/// A first message that makes the AUTH line longer waits for the server's challenge. RFC 4954 §4.
const AUTH_COMMAND_BYTES_MAX: usize = 500;

impl Client {
    pub(super) fn opening_reply(&mut self, reply: Reply) {
        match &self.state {
            State::Greeting if reply.code() == 220 => self.say_ehlo(),
            State::Greeting => self.refused(reply),
            State::Ehlo if reply.is_positive() => {
                self.capabilities = Capabilities::of_ehlo(&reply);
                self.known();
            }
            // A server of before 1995, or one that fears extensions.
            State::Ehlo if reply.is_permanent() => {
                let line = format!("HELO {}", self.clean_name());
                self.say(&line);
                self.state = State::Helo;
            }
            State::Helo if reply.is_positive() => {
                self.capabilities = Capabilities::of_helo(&reply);
                self.known();
            }
            State::StartTls => self.starttls_reply(reply),
            State::Auth(_) => self.auth_reply(reply),
            _ => self.refused(reply),
        }
    }

    pub(super) fn say_ehlo(&mut self) {
        let line = format!("EHLO {}", self.clean_name());
        self.say(&line);
        self.state = State::Ehlo;
    }

    /// Our own name can hold nothing that would end the line.
    fn clean_name(&self) -> String {
        let name: String = self
            .settings
            .hello_name
            .chars()
            .filter(|c| !c.is_control() && !c.is_whitespace())
            .collect();
        if name.is_empty() {
            "localhost".to_owned()
        } else {
            name
        }
    }

    /// The server knows us and we know what it can.
    fn known(&mut self) {
        let encrypted = self.tls.is_some();
        match self.settings.tls {
            TlsRule::Opportunistic | TlsRule::Required
                if !encrypted && self.capabilities.starttls =>
            {
                self.say("STARTTLS");
                self.state = State::StartTls;
            }
            TlsRule::Required | TlsRule::FromTheStart if !encrypted => {
                self.fail(Failure::Lost {
                    phase: Phase::StartTls,
                    loss: Loss::TlsNotOffered,
                });
            }
            _ => self.log_in(),
        }
    }

    fn starttls_reply(&mut self, reply: Reply) {
        if reply.code() == 220 {
            if self.replies.is_empty() {
                self.state = State::Handshake;
            } else {
                // Put there by somebody who hopes that we take it for the server's, inside TLS.
                self.lost(Loss::InjectedBeforeTls);
            }
        } else if self.settings.tls == TlsRule::Opportunistic && reply.code() != 421 {
            self.log_in();
        } else {
            self.refused(reply);
        }
    }

    fn log_in(&mut self) {
        let Some(credentials) = self.settings.login.clone() else {
            return self.ready();
        };
        let chosen = Exchange::choose(
            &self.capabilities.auth,
            credentials,
            self.tls.as_ref(),
            self.settings.clear_text,
            sasl::nonce(&self.secret, 0),
        );
        let mut exchange = match chosen {
            Ok(exchange) => exchange,
            Err(failure) => {
                return self.fail(Failure::Lost {
                    phase: Phase::Auth,
                    loss: Loss::Auth(failure),
                });
            }
        };
        let name = exchange.mechanism().name();
        let initial = exchange.initial();
        let encoded = initial
            .as_deref()
            .map(sasl::encode)
            .filter(|text| text.len() <= AUTH_COMMAND_BYTES_MAX);
        let held = if encoded.is_some() { None } else { initial };
        match encoded {
            Some(text) => self.say_secret(&format!("AUTH {name} "), &text),
            None => self.say(&format!("AUTH {name}")),
        }
        self.state = State::Auth(Box::new(Login { exchange, held }));
    }

    fn auth_reply(&mut self, reply: Reply) {
        let State::Auth(login) = &mut self.state else {
            return;
        };
        let answer = if reply.code() == 334 {
            match (
                login.held.take(),
                sasl::decode(reply.text().trim().as_bytes()),
            ) {
                (Some(held), Some(challenge)) if challenge.is_empty() => Ok(held),
                (None, Some(challenge)) => login.exchange.respond(&challenge),
                _ => Err(sasl::client::Failure::Malformed),
            }
        } else if reply.is_positive() {
            match login.exchange.succeeded(None) {
                Ok(()) => return self.ready(),
                Err(failure) => Err(failure),
            }
        } else {
            return self.refused(reply);
        };
        match answer {
            Ok(message) => self.say_secret("", &sasl::encode(&message)),
            Err(failure) => self.lost(Loss::Auth(failure)),
        }
    }

    fn say_secret(&mut self, head: &str, secret: &str) {
        self.transcript.sent(&format!("{head}(hidden)"));
        self.out.extend_from_slice(head.as_bytes());
        self.out.extend_from_slice(secret.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    fn ready(&mut self) {
        if self.replies.is_empty() {
            self.state = State::Idle;
            self.pending = Some(Event::Ready);
        } else {
            self.lost(Loss::NotSmtp);
        }
    }
}
