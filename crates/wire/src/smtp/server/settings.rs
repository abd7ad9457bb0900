//! What one SMTP server conversation is told beforehand. No defaults but [`Settings::new`]'s, which
//! names them.

use std::time::Duration;

use crate::limits;

/// Which door this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// From other servers, port 25.
    Mx,
    /// From our users, ports 587 and 465: MAIL needs a login first. RFC 6409 §4.3.
    Submission,
}

/// Is STARTTLS offered while the connection is in clear text?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTlsRule {
    NotOffered,
    Offered,
}

/// When is AUTH offered?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthRule {
    Never,
    OverTls,
    /// Also in clear text: for loopback, tests and those who ask for it.
    Always,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub role: Role,
    /// In the greeting and the EHLO answer.
    pub hostname: String,
    /// Largest body, in bytes. Offered as SIZE.
    pub size_max: u64,
    /// Per message; more are refused with 452 4.5.3 (RFC 5321 §4.5.3.1.10). Offered as RCPTMAX.
    pub recipients_max: usize,
    /// Messages per connection, then 421. Offered as MAILMAX (RFC 9422).
    pub messages_max: u32,
    pub starttls: StartTlsRule,
    pub auth: AuthRule,
    /// Silence before the greeting; who talks into it is refused. `None` greets at once.
    pub greeting_delay: Option<Duration>,
    /// Whether the flow hears of the peer's mistakes.
    pub tell_mistakes: bool,
    pub command_patience: Duration,
    pub body_patience: Duration,
}

impl Settings {
    /// 50 MB, 100 recipients, 1,000 messages, STARTTLS, AUTH over TLS on submission only, the
    /// patience of RFC 5321 §4.5.3.2.
    pub fn new(role: Role, hostname: impl Into<String>) -> Settings {
        Settings {
            role,
            hostname: hostname.into(),
            size_max: 50 * 1024 * 1024,
            recipients_max: 100,
            messages_max: 1_000,
            starttls: StartTlsRule::Offered,
            auth: match role {
                Role::Mx => AuthRule::Never,
                Role::Submission => AuthRule::OverTls,
            },
            greeting_delay: None,
            tell_mistakes: false,
            command_patience: limits::SERVER_COMMAND_PATIENCE,
            body_patience: limits::SERVER_BODY_PATIENCE,
        }
    }
}
