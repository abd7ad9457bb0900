//! What the two sides agree on at first: versions, what the filter may change, which steps it wants to see.

use std::ops::BitOr;

/// The version that is offered, and the oldest that is understood.
pub(crate) const VERSION: u32 = 6;
pub(crate) const VERSION_MIN: u32 = 2;

/// From this version on filters know DATA.
pub(crate) const VERSION_WITH_DATA: u32 = 4;

/// From this version on filters know that one connection of ours may stand for several peers after one another.
pub(crate) const VERSION_WITH_REUSE: u32 = 6;

/// What a filter may do to a message (`SMFIF_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions(pub u32);

impl Actions {
    pub const ADD_HEADERS: Self = Self(0x001);
    pub const REPLACE_BODY: Self = Self(0x002);
    pub const ADD_RECIPIENTS: Self = Self(0x004);
    pub const DELETE_RECIPIENTS: Self = Self(0x008);
    pub const CHANGE_HEADERS: Self = Self(0x010);
    pub const QUARANTINE: Self = Self(0x020);
    pub const CHANGE_SENDER: Self = Self(0x040);
    pub const ADD_RECIPIENTS_WITH_PARAMETERS: Self = Self(0x080);
    pub const NAME_MACROS: Self = Self(0x100);
    /// All that there are in version 6.
    pub const ALL: Self = Self(0x1ff);

    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Actions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which steps a filter does not want to see, or sees without an answer (`SMFIP_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub u32);

impl Steps {
    pub const NO_CONNECT: Self = Self(0x1);
    pub const NO_HELLO: Self = Self(0x2);
    pub const NO_MAIL: Self = Self(0x4);
    pub const NO_RECIPIENT: Self = Self(0x8);
    pub const NO_BODY: Self = Self(0x10);
    pub const NO_HEADERS: Self = Self(0x20);
    pub const NO_END_OF_HEADER: Self = Self(0x40);
    pub const SILENT_HEADER: Self = Self(0x80);
    pub const NO_UNKNOWN: Self = Self(0x100);
    pub const NO_DATA: Self = Self(0x200);
    /// The filter may say that it has seen enough of the body.
    pub const SKIP: Self = Self(0x400);
    /// The filter also wants recipients that were refused. None of them comes so far as here, so the promise is cheap.
    pub const REFUSED_RECIPIENTS: Self = Self(0x800);
    pub const SILENT_CONNECT: Self = Self(0x1000);
    pub const SILENT_HELLO: Self = Self(0x2000);
    pub const SILENT_MAIL: Self = Self(0x4000);
    pub const SILENT_RECIPIENT: Self = Self(0x8000);
    pub const SILENT_DATA: Self = Self(0x1_0000);
    pub const SILENT_UNKNOWN: Self = Self(0x2_0000);
    pub const SILENT_END_OF_HEADER: Self = Self(0x4_0000);
    pub const SILENT_BODY: Self = Self(0x8_0000);
    /// Values of header fields with the space after the colon, both ways: signatures depend on it.
    pub const LEADING_SPACE: Self = Self(0x10_0000);
    /// All of these. Larger packets (`SMFIP_MDS_*`) are not offered: they save nothing.
    pub const ALL: Self = Self(0x1f_ffff);

    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Steps {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// For which command macros are meant. The numbers are those by which filters name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Connect,
    Hello,
    Mail,
    Recipient,
    Data,
    EndOfMessage,
    EndOfHeader,
}

impl Stage {
    pub(crate) fn of_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::Connect,
            1 => Self::Hello,
            2 => Self::Mail,
            3 => Self::Recipient,
            4 => Self::Data,
            5 => Self::EndOfMessage,
            6 => Self::EndOfHeader,
            _ => return None,
        })
    }

    /// The command's letter.
    pub(crate) fn command(self) -> u8 {
        match self {
            Self::Connect => b'C',
            Self::Hello => b'H',
            Self::Mail => b'M',
            Self::Recipient => b'R',
            Self::Data => b'T',
            Self::EndOfMessage => b'E',
            Self::EndOfHeader => b'N',
        }
    }

    /// What a filter is told that does not say what it wants: the lists of Postfix, with what sendmail adds, since
    /// spamass-milter and others rely on that.
    pub(crate) fn macros(self) -> &'static [&'static str] {
        match self {
            Self::Connect => &[
                "j",
                "_",
                "{daemon_name}",
                "{daemon_addr}",
                "{daemon_port}",
                "{if_name}",
                "{if_addr}",
                "v",
                "{client_addr}",
                "{client_name}",
                "{client_port}",
                "{client_ptr}",
            ],
            Self::Hello => &[
                "{tls_version}",
                "{cipher}",
                "{cipher_bits}",
                "{cert_subject}",
                "{cert_issuer}",
            ],
            Self::Mail => &[
                "i",
                "b",
                "{auth_type}",
                "{auth_authen}",
                "{auth_author}",
                "{mail_addr}",
                "{mail_host}",
                "{mail_mailer}",
                "{tls_version}",
            ],
            Self::Recipient => &["i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"],
            Self::Data | Self::EndOfHeader | Self::EndOfMessage => &["i"],
        }
    }
}
