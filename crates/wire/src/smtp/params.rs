//! The parameters of MAIL and RCPT as values. They exist only well-formed; parsing is in `command/`,
//! writing in `client/`.

use mail::Address;

/// Where RCPT points. `<Postmaster>` without a domain is legal and means this host's own.
/// RFC 5321 §4.5.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardPath {
    Postmaster,
    Address(Address),
}

impl std::fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ForwardPath::Postmaster => f.write_str("Postmaster"),
            ForwardPath::Address(address) => address.fmt(f),
        }
    }
}

/// `BODY=`. RFC 6152, RFC 3030.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Body {
    #[default]
    SevenBit,
    EightBitMime,
    /// Lines may end anyhow and NUL may occur; only BDAT can carry it.
    BinaryMime,
}

/// `RET=`: how much of the message a DSN returns. RFC 3461 §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    Full,
    Headers,
}

/// `NOTIFY=`. RFC 3461 §4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    Never,
    /// At least one of these is true.
    On {
        success: bool,
        failure: bool,
        delay: bool,
    },
}

/// `ORCPT=`: the recipient as the sender first wrote it. RFC 3461 §4.2, RFC 6533 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRecipient {
    /// `rfc822` or `utf-8`, as a rule; lower case.
    pub address_type: String,
    /// Decoded.
    pub address: String,
}

/// The parameters of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParams {
    /// `SIZE=`. RFC 1870.
    pub size: Option<u64>,
    pub body: Body,
    /// RFC 6531 §3.4.
    pub smtputf8: bool,
    pub ret: Option<Ret>,
    /// `ENVID=`, decoded. RFC 3461 §4.4.
    pub envid: Option<String>,
    /// `AUTH=`, decoded; `<>` is `Some("<>")`. RFC 4954 §5. Read, trusted by nobody.
    pub auth: Option<String>,
    /// `REQUIRETLS`: from here on only over authenticated TLS. RFC 8689 §3.
    pub require_tls: bool,
}

/// The parameters of RCPT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RcptParams {
    pub notify: Option<Notify>,
    pub orcpt: Option<OriginalRecipient>,
}
