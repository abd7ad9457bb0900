//! Delivery status notifications: multipart/report of RFC 3462 and RFC 3464, internationalised by RFC 6533.
//! When one is due, and to whom, is decided elsewhere.

use super::Person;
use crate::{Address, UnixMillis};

/// What happened to one recipient. RFC 3464 §2.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Failed,
    Delayed,
    Delivered,
    Relayed,
    Expanded,
}

/// How much of the original message comes back. RFC 3461 §4.3 (RET).
#[derive(Clone, Copy, Debug)]
pub enum Original<'a> {
    /// Given the whole message or its header: only the header is returned.
    Headers(&'a [u8]),
    Full(&'a [u8]),
}

/// One recipient's part of the report.
#[derive(Clone, Debug)]
pub struct RecipientReport<'a> {
    pub recipient: &'a Address,
    /// ORCPT as it was given: `rfc822;ann@example.org`.
    pub original_recipient: Option<&'a str>,
    pub action: Action,
    /// `5.1.1`
    pub status: &'a str,
    /// The host that said it.
    pub remote_host: Option<&'a str>,
    /// Its reply, word for word: `550 5.1.1 no such user`.
    pub reply: Option<&'a str>,
    pub last_attempt: Option<UnixMillis>,
    /// For delays: when we give up.
    pub retry_until: Option<UnixMillis>,
}

/// A delivery status notification, to be written.
#[derive(Clone, Debug)]
pub struct DeliveryReport<'a> {
    pub from: Person,
    /// The reverse-path of the message in question.
    pub to: &'a Address,
    pub subject: &'a str,
    /// What happened, in plain words, for a person.
    pub words: &'a str,
    pub date: UnixMillis,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// Unique text for the boundary, such as a trace id.
    pub unique: &'a str,
    /// Our host name.
    pub reporting_host: &'a str,
    /// When the message came to us.
    pub arrival: Option<UnixMillis>,
    /// ENVID as it was given. RFC 3461 §4.4.
    pub envelope_id: Option<&'a str>,
    pub recipients: Vec<RecipientReport<'a>>,
    pub original: Original<'a>,
}

impl DeliveryReport<'_> {
    /// The whole message. ASCII unless [`DeliveryReport::needs_smtputf8`].
    pub fn write(&self) -> Vec<u8> {
        todo!()
    }
}
