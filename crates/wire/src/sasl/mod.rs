//! Logging in: PLAIN, LOGIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, for every protocol.
//! Knows no protocol: messages are raw bytes here, and [`encode`]/[`decode`] are the base64 that
//! SMTP, IMAP and POP3 put around them. Answers to "is this right" come from the caller.

pub mod client;
mod keys;
mod prep;
mod scram;
pub mod server;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use keys::{KeyPair, ScramKeys};
pub use prep::prepared;

/// The mechanisms we speak, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    Login,
    Plain,
    ScramSha256,
    ScramSha256Plus,
}

impl Mechanism {
    /// Strongest first, as we offer them.
    pub const ALL: [Mechanism; 4] = [
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha256,
        Mechanism::Plain,
        Mechanism::Login,
    ];

    /// The registered name.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Login => "LOGIN",
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
        }
    }

    /// By its registered name, in any case.
    pub fn from_name(name: &str) -> Option<Mechanism> {
        Mechanism::ALL
            .into_iter()
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// What a server offers on a connection with these facts. -PLUS needs a channel to bind to, and
    /// is offered over TLS 1.3 only: before it, clients bind by `tls-unique` unasked (RFC 5802 §6.1),
    /// which we do not have (it was broken, RFC 9266 §1), and would fail instead of choosing another.
    pub fn offered(tls: Option<&crate::TlsFacts>) -> impl Iterator<Item = Mechanism> + use<> {
        let bindable = tls.is_some_and(|facts| facts.exporter.is_some());
        Mechanism::ALL
            .into_iter()
            .filter(move |mechanism| bindable || *mechanism != Mechanism::ScramSha256Plus)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A password on its way to the check. Does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Base64 as the protocols put it on the wire.
pub fn encode(message: &[u8]) -> String {
    STANDARD.encode(message)
}

/// Base64 from the wire; strict, as RFC 4954 §4 and RFC 9051 ask.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// An initial response: `=` stands for an empty one (RFC 4954 §4, RFC 4959, RFC 5034).
pub fn decode_initial(text: &[u8]) -> Option<Vec<u8>> {
    if text == b"=" {
        Some(Vec::new())
    } else {
        decode(text)
    }
}

/// A fresh server or client nonce for the `count`th login of one connection, from that connection's
/// own random `secret`.
pub fn nonce(secret: &[u8; 32], count: u32) -> String {
    encode(&keys::hmac_sha256(secret, &count.to_be_bytes()))
}
