//! One message to hand over: envelope, body, and what must be told about them.

use bytes::Bytes;
use mail::{Address, ReversePath};

use crate::smtp::{Body, Notify, OriginalRecipient, Ret};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub to: Address,
    /// Told to the server only if it offers DSN.
    pub notify: Option<Notify>,
    pub orcpt: Option<OriginalRecipient>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub from: ReversePath,
    pub recipients: Vec<Recipient>,
    /// Sent as it is, its line ends made CR LF and its dots doubled; with [`Body::BinaryMime`] sent
    /// by BDAT, untouched.
    pub body: Bytes,
    pub body_kind: Body,
    /// The message needs SMTPUTF8: in its headers, or in an address.
    pub smtputf8: bool,
    pub ret: Option<Ret>,
    pub envid: Option<String>,
}

/// Why this server cannot take this message at all. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    #[error("the server does not take internationalised mail (SMTPUTF8)")]
    NeedsSmtpUtf8,
    #[error("the server does not take binary mail (BINARYMIME)")]
    NeedsBinaryMime,
    #[error("the server takes {max} bytes at most")]
    TooBig { max: u64 },
    #[error("the message holds NUL bytes")]
    Nul,
    #[error("the message has no recipients")]
    NoRecipients,
    #[error("the connection is not ready for a message")]
    NotReady,
}
