//! What one SMTP client conversation is told beforehand.

use std::time::Duration;

use crate::sasl::client::{ClearText, Credentials};

/// What we ask of TLS. Whose certificate is good enough is the carrier's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsRule {
    /// Not even if offered.
    Never,
    /// If offered; else, and if the server refuses when asked, in clear text.
    Opportunistic,
    /// Without it nothing is sent.
    Required,
    /// The connection began with TLS (port 465).
    FromTheStart,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Our name in EHLO.
    pub hello_name: String,
    pub tls: TlsRule,
    pub login: Option<Credentials>,
    /// May a password go without TLS?
    pub clear_text: ClearText,
    pub patience: Patience,
}

/// How long we wait for the server in each phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub greeting: Duration,
    pub hello: Duration,
    pub mail: Duration,
    pub rcpt: Duration,
    /// For the 354.
    pub data: Duration,
    /// For the last reply. Short patience here makes duplicates (RFC 5321 §4.5.3.2.6).
    pub end_of_data: Duration,
    pub quit: Duration,
}

impl Patience {
    /// The least a client should have. RFC 5321 §4.5.3.2.
    pub const RFC5321: Patience = Patience {
        greeting: Duration::from_secs(300),
        hello: Duration::from_secs(300),
        mail: Duration::from_secs(300),
        rcpt: Duration::from_secs(300),
        data: Duration::from_secs(120),
        end_of_data: Duration::from_secs(600),
        quit: Duration::from_secs(10),
    };
}
