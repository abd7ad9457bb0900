//! What is given to a filter, and what comes back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use super::flags::{Actions, Steps};
use super::reply::{BadReply, Change};
use crate::limits::{
    MILTER_CHANGES_MAX, MILTER_PATIENCE, MILTER_PATIENCE_AT_END, MILTER_PATIENCE_AT_FIRST,
};
use crate::smtp;

/// Bounds and offers of one conversation.
#[derive(Clone, Debug)]
pub struct Settings {
    pub actions: Actions,
    pub steps: Steps,
    /// For the first answer, for one to a step, and for one to the end of the message. What says that it works on it
    /// has the same again.
    pub patience_at_first: Duration,
    pub patience: Duration,
    pub patience_at_end: Duration,
    /// Largest body that may take the place of the one that came.
    pub body_bytes_max: usize,
    pub changes_max: usize,
}

impl Settings {
    pub fn new(body_bytes_max: usize) -> Self {
        Self {
            actions: Actions::ALL,
            steps: Steps::ALL,
            patience_at_first: MILTER_PATIENCE_AT_FIRST,
            patience: MILTER_PATIENCE,
            patience_at_end: MILTER_PATIENCE_AT_END,
            body_bytes_max,
            changes_max: MILTER_CHANGES_MAX,
        }
    }
}

/// Who speaks to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The peer's name, or its address in brackets.
    pub name: String,
    pub origin: Origin,
    /// What it said in EHLO.
    pub hello: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Internet {
        address: IpAddr,
        port: u16,
    },
    /// A socket in the file system.
    Local(String),
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// With angle brackets.
    pub address: String,
    /// As in RCPT.
    pub parameters: Vec<String>,
    pub macros: Vec<(&'static str, String)>,
}

/// What is known, by the name of its macro, such as `i` or `{client_addr}`.
pub type Macros = BTreeMap<&'static str, String>;

/// One message.
#[derive(Clone, Debug)]
pub struct Work {
    pub connection: Connection,
    /// With angle brackets.
    pub sender: String,
    /// As in MAIL.
    pub parameters: Vec<String>,
    pub recipients: Vec<Recipient>,
    pub message: Bytes,
    pub macros: Macros,
}

/// What a filter says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub said: Said,
    /// By their number in [`Work::recipients`]: those that it does not let have it. The reply is a 4xx or 5xx.
    pub refused: Vec<(usize, smtp::Reply)>,
    /// Only where it lets the message pass.
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Pass,
    /// Say yes and throw it away.
    Discard,
    /// A 4xx or 5xx.
    Refuse(smtp::Reply),
}

/// Why a filter gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("it closed the connection")]
    Closed,
    #[error("it did not answer in time")]
    TimedOut,
    #[error("it speaks version {0} of the protocol, which is not known here")]
    Version(u32),
    #[error("it wants what was not offered (steps {0:#x}, actions {1:#x})")]
    Wants(u32, u32),
    #[error("it sent {0}")]
    Bad(#[from] BadReply),
    #[error("it sent a packet without end")]
    Packet,
    #[error("it said {0} where that has no meaning")]
    Unexpected(&'static str),
    #[error("it wants more changes than are made for one message")]
    TooManyChanges,
    #[error("the body that it wants in place of the message's is too large")]
    BodyTooLarge,
    #[error("it changes what it said that it would not")]
    NotAgreed,
}
