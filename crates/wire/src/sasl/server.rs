//! The server's side of one login, neutral of the protocol around it.
//!
//! Make an [`Exchange`], feed it the peer's (already base64-decoded) messages and the caller's
//! answers; each call yields the next [`Turn`]. Cancelling (`*`) is dropping the exchange. Logging in
//! as somebody else (an authorization identity that differs) is refused: nobody may.

use super::keys::{self, ScramKeys};
use super::prep::prepared;
use super::scram::{self, ClientFinal, ClientFirst, Gs2};
use super::{Mechanism, Secret};
use crate::TlsFacts;

/// What the exchange wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Send this challenge (`334 `, `+ `), then give the peer's line to [`Exchange::respond`].
    Challenge(Vec<u8>),
    /// Somebody must look this up: answer by [`Exchange::password_was`] or [`Exchange::scram_keys`].
    Ask(Question),
    /// The peer has proved to be this user, with this one of the keys that were given (0 for a password).
    Verified {
        login: String,
        key: usize,
    },
    Failed(Failure),
}

/// What only the store can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is this the password? Answer by [`Exchange::password_was`].
    Password { login: String, password: Secret },
    /// The keys of this user, or made-up but stable ones if there is no such user. Answer by
    /// [`Exchange::scram_keys`].
    Scram { login: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the SASL message does not fit the mechanism")]
    Malformed,
    #[error("authentication failed")]
    WrongCredentials,
    #[error("logging in on behalf of another user is not possible")]
    OnBehalf,
    #[error("the channel binding does not match this connection")]
    ChannelBinding,
}

/// One login attempt.
#[derive(Debug)]
pub struct Exchange {
    mechanism: Mechanism,
    channel: Channel,
    nonce: String,
    state: State,
}

impl Exchange {
    /// `tls` says what there is to bind to (and so whether -PLUS was on offer); `nonce` is fresh
    /// printable randomness of at least 18 bytes' worth without commas.
    pub fn new(mechanism: Mechanism, tls: Option<&TlsFacts>, nonce: String) -> Exchange {
        Exchange {
            mechanism,
            channel: Channel::of(tls),
            nonce,
            state: State::Start,
        }
    }

    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The first call: with the decoded initial response if the peer sent one.
    pub fn start(&mut self, initial: Option<&[u8]>) -> Turn {
        match (self.mechanism, initial) {
            (Mechanism::Login, None) => {
                self.state = State::LoginName;
                Turn::Challenge(b"Username:".to_vec())
            }
            // Some clients send the name at once; the mechanism's draft is silent, everybody takes it.
            (Mechanism::Login, Some(name)) => self.login_name(name),
            (_, None) => {
                self.state = State::First;
                Turn::Challenge(Vec::new())
            }
            (_, Some(message)) => self.first(message),
        }
    }

    /// The peer's next decoded message.
    pub fn respond(&mut self, message: &[u8]) -> Turn {
        match std::mem::replace(&mut self.state, State::Done) {
            State::First => self.first(message),
            State::LoginName => self.login_name(message),
            State::LoginPassword { login } => match text(message) {
                Some(password) => self.ask_password(login, password),
                None => Turn::Failed(Failure::Malformed),
            },
            State::ScramProof(proof) => self.scram_proof(*proof, message),
            State::ScramSaid { login, key } if message.is_empty() => Turn::Verified { login, key },
            State::ScramSaid { .. }
            | State::Start
            | State::Asked { .. }
            | State::AskedKeys(_)
            | State::Done => Turn::Failed(Failure::Malformed),
        }
    }

    /// The answer to [`Question::Password`].
    pub fn password_was(&mut self, right: bool) -> Turn {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Asked { login } if right => Turn::Verified { login, key: 0 },
            _ => Turn::Failed(Failure::WrongCredentials),
        }
    }

    /// The answer to [`Question::Scram`].
    pub fn scram_keys(&mut self, keys: ScramKeys) -> Turn {
        let State::AskedKeys(first) = std::mem::replace(&mut self.state, State::Done) else {
            return Turn::Failed(Failure::WrongCredentials);
        };
        let nonce = format!("{}{}", first.nonce, self.nonce);
        let server_first = scram::server_first(&nonce, &keys.salt, keys.iterations);
        let challenge = server_first.clone().into_bytes();
        self.state = State::ScramProof(Box::new(Proof {
            first: *first,
            nonce,
            server_first,
            keys,
        }));
        Turn::Challenge(challenge)
    }

    fn first(&mut self, message: &[u8]) -> Turn {
        match self.mechanism {
            Mechanism::Plain => self.plain(message),
            Mechanism::Login => self.login_name(message),
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => self.scram_first(message),
        }
    }

    /// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`.
    fn plain(&mut self, message: &[u8]) -> Turn {
        let mut parts = message.split(|byte| *byte == 0);
        let (Some(authzid), Some(login), Some(password), None) = (
            parts.next().and_then(text),
            parts.next().and_then(text),
            parts.next().and_then(text),
            parts.next(),
        ) else {
            return Turn::Failed(Failure::Malformed);
        };
        if !may_act_as(&authzid, &login) {
            return Turn::Failed(Failure::OnBehalf);
        }
        self.ask_password(login, password)
    }

    fn login_name(&mut self, message: &[u8]) -> Turn {
        let Some(login) = text(message) else {
            return Turn::Failed(Failure::Malformed);
        };
        self.state = State::LoginPassword { login };
        Turn::Challenge(b"Password:".to_vec())
    }

    fn ask_password(&mut self, login: String, password: String) -> Turn {
        if login.is_empty() || password.is_empty() {
            return Turn::Failed(Failure::Malformed);
        }
        self.state = State::Asked {
            login: login.clone(),
        };
        Turn::Ask(Question::Password {
            login,
            password: Secret::new(password),
        })
    }

    fn scram_first(&mut self, message: &[u8]) -> Turn {
        let Some(first) = ClientFirst::parse(message) else {
            return Turn::Failed(Failure::Malformed);
        };
        if let Err(failure) = self.channel.check(self.mechanism, &first.gs2) {
            return Turn::Failed(failure);
        }
        if first
            .authzid
            .as_deref()
            .is_some_and(|authzid| !may_act_as(authzid, &first.login))
        {
            return Turn::Failed(Failure::OnBehalf);
        }
        let login = first.login.clone();
        self.state = State::AskedKeys(Box::new(first));
        Turn::Ask(Question::Scram { login })
    }

    /// RFC 5802 §3: `ClientKey := ClientProof XOR ClientSignature`, `H(ClientKey)` must be the stored key.
    fn scram_proof(&mut self, proof: Proof, message: &[u8]) -> Turn {
        let Some(last) = ClientFinal::parse(message) else {
            return Turn::Failed(Failure::Malformed);
        };
        if last.channel != self.channel.expected(&proof.first) {
            return Turn::Failed(Failure::ChannelBinding);
        }
        if !keys::equal(last.nonce.as_bytes(), proof.nonce.as_bytes()) {
            return Turn::Failed(Failure::WrongCredentials);
        }
        let signed = format!(
            "{},{},{}",
            proof.first.bare, proof.server_first, last.without_proof
        );
        let fits = |stored_key: &[u8; 32]| {
            let signature = keys::hmac_sha256(stored_key, signed.as_bytes());
            let client_key = keys::xor(&last.proof, &signature);
            keys::equal(&keys::sha256(&client_key), stored_key)
        };
        let mut pairs = proof.keys.pairs().enumerate();
        let Some((key, (_, server_key))) = pairs.find(|(_, (stored_key, _))| fits(stored_key))
        else {
            return Turn::Failed(Failure::WrongCredentials);
        };
        let verifier = keys::hmac_sha256(&server_key, signed.as_bytes());
        self.state = State::ScramSaid {
            login: proof.first.login.clone(),
            key,
        };
        Turn::Challenge(scram::server_final(&verifier).into_bytes())
    }
}

#[derive(Debug)]
enum State {
    Start,
    /// The empty challenge is out.
    First,
    LoginName,
    LoginPassword {
        login: String,
    },
    Asked {
        login: String,
    },
    AskedKeys(Box<ClientFirst>),
    ScramProof(Box<Proof>),
    /// The server's signature is out; the peer confirms with an empty message.
    ScramSaid {
        login: String,
        key: usize,
    },
    Done,
}

#[derive(Debug)]
struct Proof {
    first: ClientFirst,
    nonce: String,
    server_first: String,
    keys: ScramKeys,
}

/// What a login can be bound to on this connection.
#[derive(Clone, Debug, Default)]
struct Channel {
    exporter: Option<Vec<u8>>,
    server_end_point: Option<Vec<u8>>,
}

impl Channel {
    fn of(tls: Option<&TlsFacts>) -> Channel {
        tls.map_or_else(Channel::default, |facts| Channel {
            exporter: facts.exporter.clone(),
            server_end_point: facts.server_end_point.clone(),
        })
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        match name {
            "tls-exporter" => self.exporter.as_deref(),
            "tls-server-end-point" => self.server_end_point.as_deref(),
            _ => None,
        }
    }

    /// RFC 5802 §6: the flag must fit the mechanism, and a client that believes we cannot bind
    /// although we offered it has been lied to on the way.
    fn check(&self, mechanism: Mechanism, gs2: &Gs2) -> Result<(), Failure> {
        // As [`Mechanism::offered`] says it.
        let offered = self.exporter.is_some();
        match (mechanism, gs2) {
            (Mechanism::ScramSha256Plus, Gs2::Bound(name)) if self.get(name).is_some() => Ok(()),
            (Mechanism::ScramSha256, Gs2::NotSupported) => Ok(()),
            (Mechanism::ScramSha256, Gs2::NotOffered) if !offered => Ok(()),
            _ => Err(Failure::ChannelBinding),
        }
    }

    /// What `c=` must hold, decoded: the GS2 header and the binding data.
    fn expected(&self, first: &ClientFirst) -> Vec<u8> {
        let mut expected = first.gs2_header.clone().into_bytes();
        if let Gs2::Bound(name) = &first.gs2 {
            expected.extend_from_slice(self.get(name).unwrap_or_default());
        }
        expected
    }
}

fn may_act_as(authzid: &str, login: &str) -> bool {
    authzid.is_empty() || prepared(authzid) == prepared(login)
}

/// UTF-8 without NUL.
fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then(|| text.to_owned())
}
