//! The reaction a refusal asks for: silence, then how much at once, and how far it reaches.

use serde::{Deserialize, Serialize};

use super::class::Subject;

/// A named reaction of the knowledge file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    pub id: String,
    /// Seconds of silence towards the scope; 0: only the message's own retry curve.
    pub pause: u32,
    /// After the silence: at most so many connections,
    pub connections: Option<u16>,
    /// so many messages a minute,
    pub per_minute: Option<u16>,
    /// for so many seconds (none: until success by success lifts it).
    pub during: Option<u32>,
    /// Connections added after each success; each failure costs another pause.
    pub grow: Option<u16>,
    /// One message goes first and must be accepted.
    #[serde(default)]
    pub probe: bool,
    /// In a sentence, without a verb of ours.
    pub words: String,
}

/// What a pause keeps still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All mail from this address to the provider.
    Provider,
    /// Mail of this sender's domain to the provider.
    SenderDomain,
    /// Mail to this recipient.
    Recipient,
    /// This message.
    Message,
}

impl From<Subject> for Scope {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Ip | Subject::Range => Self::Provider,
            Subject::Domain => Self::SenderDomain,
            Subject::Recipient => Self::Recipient,
            Subject::Message => Self::Message,
        }
    }
}
