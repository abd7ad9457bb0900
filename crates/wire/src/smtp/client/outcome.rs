//! How far a message came, for each recipient, in the server's own words.

use std::fmt;

use crate::sasl;
use crate::smtp::Reply;

/// What we were waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    Greeting,
    Hello,
    StartTls,
    Auth,
    /// Between two messages.
    Idle,
    Mail,
    Rcpt,
    /// DATA or BDAT was said, the body not all sent.
    Data,
    /// Everything was sent, the last reply was awaited.
    EndOfData,
    Quit,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Greeting => "greeting",
            Phase::Hello => "EHLO",
            Phase::StartTls => "STARTTLS",
            Phase::Auth => "AUTH",
            Phase::Idle => "idle",
            Phase::Mail => "MAIL",
            Phase::Rcpt => "RCPT",
            Phase::Data => "DATA",
            Phase::EndOfData => "end of data",
            Phase::Quit => "QUIT",
        })
    }
}

/// How a conversation broke without the server saying no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    #[error("the server closed the connection")]
    Closed,
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the server's reply is no SMTP reply")]
    NotSmtp,
    #[error("the server's replies are out of bounds")]
    TooMuch,
    #[error("the server does not offer STARTTLS")]
    TlsNotOffered,
    #[error("something in clear text followed the reply to STARTTLS")]
    InjectedBeforeTls,
    #[error("login failed: {0}")]
    Auth(sasl::client::Failure),
}

/// Why there is no message to speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server said no.
    Refused {
        phase: Phase,
        reply: Reply,
    },
    Lost {
        phase: Phase,
        loss: Loss,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused { phase, reply } => write!(f, "{phase}: {reply}"),
            Failure::Lost { phase, loss } => write!(f, "{phase}: {loss}"),
        }
    }
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has taken the responsibility; its last reply.
    Delivered(Reply),
    /// The server said no, in this phase.
    Refused { phase: Phase, reply: Reply },
    /// The line broke before the whole message was sent: surely not delivered.
    NotDelivered { phase: Phase, loss: Loss },
    /// Everything was sent, the reply never came: perhaps delivered, to be tried again.
    InDoubt { loss: Loss },
}

/// What is left of the connection after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Good for another message.
    Open,
    /// Only [`Step::Close`](crate::Step::Close) follows.
    Lost,
}

/// A message is dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One for each recipient, in the order given.
    pub recipients: Vec<Fate>,
    pub connection: Connection,
    /// Was this the first message on the connection? If not, a loss or a 421 at [`Phase::Mail`] may
    /// only mean that the server was tired of waiting: try again on a fresh connection at once.
    pub first: bool,
    /// The server offered DSN: whether and when to report success is its duty now. RFC 3461 §5.2.
    pub dsn_passed_on: bool,
}
