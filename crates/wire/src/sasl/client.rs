//! The client's side of one login, for relays that want to know who we are.

use super::keys;
use super::scram::{self, ServerFirst};
use super::{Mechanism, Secret, prep::prepared};
use crate::TlsFacts;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How we log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub login: String,
    pub password: Secret,
}

/// May the password itself cross a connection without TLS?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearText {
    Never,
    Allowed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the server offers no login mechanism we may use")]
    NoMechanism,
    #[error("the server's SASL message does not fit the mechanism")]
    Malformed,
    #[error("the server does not know the password either: it may be an impostor")]
    ServerNotProven,
}

/// One login attempt.
#[derive(Debug)]
pub struct Exchange {
    mechanism: Mechanism,
    credentials: Credentials,
    nonce: String,
    /// GS2 header, and what is bound.
    header: String,
    binding: Vec<u8>,
    state: State,
}

impl Exchange {
    /// Takes the strongest mechanism both sides can; a password goes in clear only over TLS unless
    /// `clear` allows it. `nonce` as for the server side.
    pub fn choose(
        offered: &[Mechanism],
        credentials: Credentials,
        tls: Option<&TlsFacts>,
        clear: ClearText,
        nonce: String,
    ) -> Result<Exchange, Failure> {
        let binding = bindable(tls);
        let usable = |mechanism: &Mechanism| match mechanism {
            Mechanism::ScramSha256Plus => binding.is_some(),
            Mechanism::ScramSha256 => true,
            Mechanism::Plain | Mechanism::Login => tls.is_some() || clear == ClearText::Allowed,
        };
        let mechanism = offered
            .iter()
            .copied()
            .filter(usable)
            .max()
            .ok_or(Failure::NoMechanism)?;
        let (header, binding) = match (mechanism, binding) {
            (Mechanism::ScramSha256Plus, Some((name, data))) => (format!("p={name},,"), data),
            // We could have bound; if the server could too, it notices that somebody hid its offer.
            (_, Some(_)) => ("y,,".to_owned(), Vec::new()),
            (_, None) => ("n,,".to_owned(), Vec::new()),
        };
        Ok(Exchange {
            mechanism,
            credentials,
            nonce,
            header,
            binding,
            state: State::Start,
        })
    }

    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The message to send along with the mechanism's name, if it has one.
    pub fn initial(&mut self) -> Option<Vec<u8>> {
        match self.mechanism {
            Mechanism::Login => {
                self.state = State::Name;
                None
            }
            _ => Some(self.first()),
        }
    }

    /// The server's decoded challenge; yields what to answer.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Start if challenge.is_empty() => Ok(self.first()),
            State::Name => {
                self.state = State::Password;
                Ok(self.credentials.login.clone().into_bytes())
            }
            State::Password => {
                self.state = State::Said;
                Ok(self.credentials.password.expose().as_bytes().to_vec())
            }
            State::ScramFirst { bare } => self.prove(&bare, challenge),
            State::ScramFinal { verifier } => {
                let said = scram::parse_server_final(challenge).ok_or(Failure::Malformed)?;
                if !keys::equal(&said, &verifier) {
                    return Err(Failure::ServerNotProven);
                }
                self.state = State::Proven;
                Ok(Vec::new())
            }
            _ => Err(Failure::Malformed),
        }
    }

    /// The server said yes; `extra` is what came with the success, if the protocol carries that.
    /// A SCRAM server that has not shown its signature has not proved anything.
    pub fn succeeded(&mut self, extra: Option<&[u8]>) -> Result<(), Failure> {
        if let (State::ScramFinal { .. }, Some(message)) = (&self.state, extra) {
            self.respond(message)?;
        }
        match self.state {
            State::Said | State::Proven => Ok(()),
            _ => Err(Failure::ServerNotProven),
        }
    }

    fn first(&mut self) -> Vec<u8> {
        let login = &self.credentials.login;
        if self.mechanism == Mechanism::Plain {
            self.state = State::Said;
            return format!("\0{login}\0{}", self.credentials.password.expose()).into_bytes();
        }
        let bare = format!("n={},r={}", scram::escape(&prepared(login)), self.nonce);
        let message = format!("{}{bare}", self.header).into_bytes();
        self.state = State::ScramFirst { bare };
        message
    }

    fn prove(&mut self, bare: &str, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        let first = ServerFirst::parse(challenge, &self.nonce).ok_or(Failure::Malformed)?;
        let salted = keys::salted_password(
            self.credentials.password.expose(),
            &first.salt,
            first.iterations,
        );
        let mut bound = self.header.clone().into_bytes();
        bound.extend_from_slice(&self.binding);
        let without_proof = format!("c={},r={}", STANDARD.encode(bound), first.nonce);
        let server_first = String::from_utf8_lossy(challenge);
        let signed = format!("{bare},{server_first},{without_proof}");
        let client_key = keys::client_key(&salted);
        let signature = keys::hmac_sha256(&keys::sha256(&client_key), signed.as_bytes());
        let proof = keys::xor(&client_key, &signature);
        let server_key = keys::hmac_sha256(&salted, b"Server Key");
        self.state = State::ScramFinal {
            verifier: keys::hmac_sha256(&server_key, signed.as_bytes()),
        };
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes())
    }
}

#[derive(Debug)]
enum State {
    Start,
    Name,
    Password,
    /// All is said; the server decides.
    Said,
    ScramFirst {
        bare: String,
    },
    ScramFinal {
        verifier: [u8; 32],
    },
    Proven,
    Done,
}

/// The best binding this connection has. RFC 9266 §4: the exporter needs TLS 1.3.
fn bindable(tls: Option<&TlsFacts>) -> Option<(&'static str, Vec<u8>)> {
    let facts = tls?;
    let exporter = facts.exporter.clone().map(|data| ("tls-exporter", data));
    exporter.or_else(|| {
        facts
            .server_end_point
            .clone()
            .map(|data| ("tls-server-end-point", data))
    })
}
