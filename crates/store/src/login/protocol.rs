//! The ways in that a password opens, and sets of them.

use std::fmt;

/// What is spoken by somebody who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Sending mail: SMTP on the ports 465 and 587 (RFC 6409).
    Submission,
    Imap,
    Pop3,
}

/// Some of the protocols.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Protocols(i64);

impl Protocol {
    pub const ALL: [Self; 3] = [Self::Submission, Self::Imap, Self::Pop3];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submission => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
        }
    }

    /// `submission` is understood as well.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "smtp" | "submission" => Some(Self::Submission),
            "imap" => Some(Self::Imap),
            "pop3" | "pop" => Some(Self::Pop3),
            _ => None,
        }
    }

    pub(super) fn code(self) -> i64 {
        match self {
            Self::Submission => 1,
            Self::Imap => 2,
            Self::Pop3 => 4,
        }
    }

    pub(super) fn of_code(code: i64) -> Self {
        match code {
            2 => Self::Imap,
            4 => Self::Pop3,
            _ => Self::Submission,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Protocols {
    #[must_use]
    pub fn none() -> Self {
        Self(0)
    }

    /// Those there are and those there will be.
    #[must_use]
    pub fn all() -> Self {
        Self(ALL_CODES)
    }

    #[must_use]
    pub fn has(self, protocol: Protocol) -> bool {
        self.0 & protocol.code() != 0
    }

    #[must_use]
    pub fn with(self, protocol: Protocol) -> Self {
        Self(self.0 | protocol.code())
    }

    #[must_use]
    pub fn without(self, protocol: Protocol) -> Self {
        Self(self.0 & !protocol.code())
    }

    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        Protocol::ALL
            .into_iter()
            .filter(move |protocol| self.has(*protocol))
    }

    pub(super) fn code(self) -> i64 {
        self.0
    }

    pub(super) fn of_code(code: i64) -> Self {
        Self(code & ALL_CODES)
    }
}

/// Room for doors to come: whoever may use all protocols may use those too.
const ALL_CODES: i64 = 0xffff;

impl FromIterator<Protocol> for Protocols {
    fn from_iter<T: IntoIterator<Item = Protocol>>(protocols: T) -> Self {
        protocols.into_iter().fold(Self::none(), Self::with)
    }
}

/// `smtp, imap`.
impl fmt::Display for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Protocol::name).collect();
        f.pad(&names.join(", "))
    }
}

impl fmt::Debug for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protocols({self})")
    }
}
