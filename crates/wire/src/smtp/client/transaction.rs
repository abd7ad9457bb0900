//! One message to hand over: envelope, body, and what must be told about them.

use bytes::Bytes;
use mail::{Address, ReversePath};

use super::Capabilities;
use crate::smtp::{Body, Notify, OriginalRecipient, Ret, encode_xtext};

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
    /// REQUIRETLS: the server must offer it, over TLS. That it was authenticated is the caller's
    /// business. RFC 8689 §4.2.1.
    pub require_tls: bool,
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
    #[error("the server does not promise to pass the message on over TLS only (REQUIRETLS)")]
    NeedsRequireTls,
    #[error("the server takes {max} bytes at most")]
    TooBig { max: u64 },
    #[error("the message holds NUL bytes")]
    Nul,
    #[error("the message has no recipients")]
    NoRecipients,
    #[error("the connection is not ready for a message")]
    NotReady,
}

impl Transaction {
    /// Can a server with these capabilities take it?
    pub fn check(&self, capabilities: &Capabilities) -> Result<(), Unsendable> {
        if self.recipients.is_empty() {
            return Err(Unsendable::NoRecipients);
        }
        if self.needs_smtputf8() && !capabilities.smtputf8 {
            return Err(Unsendable::NeedsSmtpUtf8);
        }
        if self.require_tls && !capabilities.require_tls {
            return Err(Unsendable::NeedsRequireTls);
        }
        let binary = capabilities.binary_mime && capabilities.chunking;
        if self.body_kind == Body::BinaryMime && !binary {
            return Err(Unsendable::NeedsBinaryMime);
        }
        if self.body_kind != Body::BinaryMime && memchr::memchr(0, &self.body).is_some() {
            return Err(Unsendable::Nul);
        }
        match capabilities.size {
            Some(max) if max > 0 && self.body.len() as u64 > max => Err(Unsendable::TooBig { max }),
            _ => Ok(()),
        }
    }

    pub fn needs_smtputf8(&self) -> bool {
        let sender =
            matches!(&self.from, ReversePath::Address(address) if address.needs_smtputf8());
        self.smtputf8
            || sender
            || self
                .recipients
                .iter()
                .any(|recipient| recipient.to.needs_smtputf8())
    }

    pub(super) fn mail_command(&self, capabilities: &Capabilities) -> String {
        let mut line = format!("MAIL FROM:<{}>", self.from);
        if capabilities.size.is_some() {
            line.push_str(&format!(" SIZE={}", self.body.len()));
        }
        match self.body_kind {
            Body::EightBitMime if capabilities.eight_bit_mime => line.push_str(" BODY=8BITMIME"),
            Body::BinaryMime => line.push_str(" BODY=BINARYMIME"),
            Body::SevenBit | Body::EightBitMime => {}
        }
        if self.needs_smtputf8() {
            line.push_str(" SMTPUTF8");
        }
        if self.require_tls {
            line.push_str(" REQUIRETLS");
        }
        if capabilities.dsn {
            match self.ret {
                Some(Ret::Full) => line.push_str(" RET=FULL"),
                Some(Ret::Headers) => line.push_str(" RET=HDRS"),
                None => {}
            }
            if let Some(envid) = &self.envid {
                line.push_str(&format!(" ENVID={}", encode_xtext(envid)));
            }
        }
        line
    }
}

impl Recipient {
    pub(super) fn rcpt_command(&self, capabilities: &Capabilities) -> String {
        let mut line = format!("RCPT TO:<{}>", self.to);
        if !capabilities.dsn {
            return line;
        }
        match self.notify {
            Some(Notify::Never) => line.push_str(" NOTIFY=NEVER"),
            Some(Notify::On {
                success,
                failure,
                delay,
            }) => {
                let words = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
                let words: Vec<_> = words
                    .into_iter()
                    .filter_map(|(on, word)| on.then_some(word))
                    .collect();
                if !words.is_empty() {
                    line.push_str(&format!(" NOTIFY={}", words.join(",")));
                }
            }
            None => {}
        }
        if let Some(orcpt) = &self.orcpt {
            line.push_str(&format!(
                " ORCPT={};{}",
                orcpt.address_type,
                encode_xtext(&orcpt.address)
            ));
        }
        line
    }
}
