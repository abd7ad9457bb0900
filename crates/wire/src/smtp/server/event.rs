//! What a server conversation asks its flow, where it stands, and why it ended.

use mail::ReversePath;

#[cfg(doc)]
use super::Server;
use crate::sasl::server::Question;
use crate::smtp::{ForwardPath, MailParams, RcptParams};

/// What the flow must decide or may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// EHLO or HELO, already answered. Nothing to answer: call `step` again.
    Hello { name: String, extended: bool },
    /// The peer did something wrong, and its reply is made but not sent. Only where
    /// [`Settings::tell_mistakes`](super::Settings::tell_mistakes) asks for it. Nothing to answer: call `step`
    /// again, at once or after as long as the peer is to wait.
    Mistake(Mistake),
    /// A login needs a look at the store. Answer by [`Server::password_was`], [`Server::scram_keys`],
    /// or [`Server::refuse`] if the store cannot say now.
    Auth(Question),
    /// The peer has proved who it is, with this one of the keys (0 for a password). Answer by [`Server::accept`] or
    /// [`Server::refuse`].
    Verified { login: String, key: usize },
    /// A new transaction. Answer by [`Server::accept`] or [`Server::refuse`].
    Mail {
        from: ReversePath,
        params: MailParams,
    },
    /// Answer by [`Server::accept`] or [`Server::refuse`].
    Rcpt { to: ForwardPath, params: RcptParams },
    /// DATA, or the first BDAT, with at least one accepted recipient. Answer by [`Server::accept`] or
    /// [`Server::refuse`].
    Data,
    /// The whole body, dots undone. Answer by [`Server::finish`].
    Message(Vec<u8>),
}

/// What a peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A command that is unknown, out of order or badly written.
    Command,
    /// VRFY or EXPN: asks who is here.
    Probe,
}

/// Where the conversation stands, for patience and for graceful stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of a transaction.
    Idle,
    /// Between MAIL and the body.
    Envelope,
    /// Inside DATA or BDAT, or between two BDATs.
    Body,
    Closed,
}

/// Why the conversation ended, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Quit,
    /// The peer closed or cut the line.
    Gone,
    TimedOut,
    /// Too slow, by the flow's judgement.
    TooSlow,
    TooManyErrors,
    /// More messages than one connection may carry.
    TooManyMessages,
    /// Spoke before the greeting.
    EarlyTalk,
    /// Speaks another protocol.
    Foreign,
    /// Line ends, bytes or counts that another server could read differently.
    BadFraming,
    /// A body far beyond the size limit.
    TooBig,
    /// Something stood behind STARTTLS in clear text.
    InjectedBeforeTls,
    /// We are stopping.
    Stopping,
    /// The flow refused the connection or asked to close it.
    TurnedAway,
}
