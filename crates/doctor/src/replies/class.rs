//! The names of the answer: kinds of refusal, whom they are about, what to do with the message.

use serde::{Deserialize, Serialize};

/// Kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// They distrust our address, its range or our domain.
    Reputation,
    /// Too much, too fast.
    Rate,
    /// SPF, DKIM, DMARC.
    Authentication,
    /// This message: text, link, attachment.
    Content,
    /// The mailbox is full.
    Full,
    /// The address, or its domain, does not exist or takes no mail.
    NoSuchUser,
    /// A rule of theirs: relaying, size, geography, members only, the recipient's wish.
    Policy,
    /// Encryption demanded and not achieved.
    Tls,
    /// Our names in DNS: reverse name, host name, sender's domain.
    Dns,
    /// First contact is put off.
    Greylisting,
    /// Their own trouble.
    Theirs,
    /// Form of the message or of the dialogue.
    Protocol,
}

impl Class {
    pub const ALL: [Self; 12] = [
        Self::Reputation,
        Self::Rate,
        Self::Authentication,
        Self::Content,
        Self::Full,
        Self::NoSuchUser,
        Self::Policy,
        Self::Tls,
        Self::Dns,
        Self::Greylisting,
        Self::Theirs,
        Self::Protocol,
    ];

    /// Name in files and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reputation => "reputation",
            Self::Rate => "rate",
            Self::Authentication => "authentication",
            Self::Content => "content",
            Self::Full => "full",
            Self::NoSuchUser => "no-such-user",
            Self::Policy => "policy",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Greylisting => "greylisting",
            Self::Theirs => "theirs",
            Self::Protocol => "protocol",
        }
    }

    /// Only what is said of the address itself may ever put it on a list of dead addresses.
    pub fn is_about_recipient(self) -> bool {
        matches!(self, Self::NoSuchUser | Self::Full)
    }
}

/// What the refusal is about: says how far a pause reaches, and what another address would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The address we send from.
    Ip,
    /// The address range around it.
    Range,
    /// The sender's domain, or one linked in the message.
    Domain,
    /// This one message.
    Message,
    /// The recipient's address or domain.
    Recipient,
}

/// What to do with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// Stays in the queue and is tried again.
    Retry,
    /// A 5xx that is about our address, not the message: where the operator allows it, the message
    /// stays in the queue, the destination is paused and probed; else it bounces.
    Hold,
    /// Goes back to its author.
    Bounce,
    /// Is tried at once over IPv4; bounces when that was IPv4.
    Ipv4,
}

/// Whether waiting alone can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Helps {
    Yes,
    Perhaps,
    No,
}
