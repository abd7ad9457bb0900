//! DMARC records as they stand in the DNS (RFC 9989 §4.7, §4.8). Forgiving, as the RFC demands:
//! unknown tags are ignored, and a tag with an error counts as not there; but `v` comes first.

use super::limits::{RECORD_BYTES_MAX, REPORT_URIS_MAX, TAGS_MAX};

/// What a domain wishes for messages that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    None,
    Quarantine,
    Reject,
}

/// How alike two domains must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alignment {
    /// The same organisational domain.
    Relaxed,
    /// The same name.
    Strict,
}

/// Whether names below the domain belong to others (RFC 9989 §4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Psd {
    /// A public suffix: each name below is an organisation of its own.
    Yes,
    /// Not a public suffix, and the top of its organisation.
    No,
    Unknown,
}

/// When the domain wants failure reports (`fo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailureOptions {
    /// `0`: all mechanisms failed to give an aligned pass.
    pub all_failed: bool,
    /// `1`: any of them did.
    pub any_failed: bool,
    /// `d`: a signature failed, aligned or not.
    pub dkim_failed: bool,
    /// `s`: SPF failed, aligned or not.
    pub spf_failed: bool,
}

/// Where reports shall go: one URI of `rua` or `ruf`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportUri {
    /// As it stands in the record, without the obsolete `!size`.
    pub uri: String,
    /// The address of a `mailto:` URI, if it is one with a single valid address.
    pub address: Option<mail::Address>,
}

/// A DMARC record with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// As it was found.
    pub text: String,
    /// Missing means `none`, if the rest is valid.
    pub p: Policy,
    pub sp: Option<Policy>,
    pub np: Option<Policy>,
    pub adkim: Alignment,
    pub aspf: Alignment,
    pub psd: Psd,
    /// `t=y`: the owner is testing and wishes for one level less.
    pub testing: bool,
    pub fo: FailureOptions,
    pub rua: Vec<ReportUri>,
    pub ruf: Vec<ReportUri>,
    /// `p`, `sp` or `np` has a value that is none; then the record counts only if it has a usable
    /// `rua`, and as `p=none` (RFC 9989 §4.10.1).
    pub bad_policy: bool,
}

/// Why a text is no DMARC record at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("it does not begin with v=DMARC1")]
    NoVersion,
    #[error("it is not readable text")]
    NotText,
    #[error("it is longer than {RECORD_BYTES_MAX} bytes")]
    TooLong,
}

impl Policy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// What `t=y` makes of it.
    pub(super) fn one_less(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }

    fn read(value: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(value))
    }
}

impl Alignment {
    /// As the record writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relaxed => "r",
            Self::Strict => "s",
        }
    }

    fn read(value: &str) -> Self {
        if value.eq_ignore_ascii_case("s") {
            Self::Strict
        } else {
            Self::Relaxed
        }
    }
}

impl FailureOptions {
    /// Without a valid `fo`.
    const DEFAULT: Self = Self {
        all_failed: true,
        any_failed: false,
        dkim_failed: false,
        spf_failed: false,
    };

    fn read(value: &str) -> Self {
        let mut options = Self {
            all_failed: false,
            ..Self::DEFAULT
        };
        for option in value.split(':') {
            match option.trim() {
                "0" => options.all_failed = true,
                "1" => options.any_failed = true,
                "d" | "D" => options.dkim_failed = true,
                "s" | "S" => options.spf_failed = true,
                _ => return Self::DEFAULT,
            }
        }
        options
    }

    /// As the record writes it.
    pub fn as_text(self) -> String {
        let all = [
            (self.all_failed, "0"),
            (self.any_failed, "1"),
            (self.dkim_failed, "d"),
            (self.spf_failed, "s"),
        ];
        let set: Vec<_> = all
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, name)| *name)
            .collect();
        set.join(":")
    }
}

impl ReportUri {
    fn read_list(value: &str) -> Vec<Self> {
        value
            .split(',')
            .filter_map(|uri| Self::read(uri.trim()))
            .take(REPORT_URIS_MAX)
            .collect()
    }

    fn read(text: &str) -> Option<Self> {
        // RFC 7489's "!10m" is gone; whoever still writes it means the address before it.
        let uri = text.split('!').next().unwrap_or(text).trim_end();
        let (scheme, rest) = uri.split_once(':')?;
        let mut letters = scheme.chars();
        let named = letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !named || rest.is_empty() || uri.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return None;
        }
        let address = scheme
            .eq_ignore_ascii_case("mailto")
            .then(|| mailto_address(rest))
            .flatten();
        Some(Self {
            uri: uri.to_owned(),
            address,
        })
    }
}

/// The address of `mailto:` (RFC 6068) without its header fields.
fn mailto_address(rest: &str) -> Option<mail::Address> {
    let address = rest.split('?').next().unwrap_or(rest);
    let mut bytes = Vec::with_capacity(address.len());
    let mut left = address.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(left.next()?).to_digit(16)?;
        let low = char::from(left.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    mail::Address::parse(std::str::from_utf8(&bytes).ok()?).ok()
}

impl Record {
    /// Reads the joined strings of one TXT record.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if !begins_with_version(bytes) {
            return Err(RecordError::NoVersion);
        }
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(RecordError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RecordError::NotText)?;
        let mut record = Self::empty(text);
        let mut seen = Vec::new();
        for tag in text.split(';').skip(1).take(TAGS_MAX) {
            let Some((name, value)) = tag.split_once('=') else {
                continue;
            };
            let name = name.trim().to_ascii_lowercase();
            // A tag that stands twice would mean different things to different readers: the first
            // one counts, as it does for most of them.
            if !seen.contains(&name) {
                record.take(&name, value.trim());
                seen.push(name);
            }
        }
        Ok(record)
    }

    /// Whether the record can be applied at all (RFC 9989 §4.10.1).
    pub fn is_usable(&self) -> bool {
        !self.bad_policy || !self.rua.is_empty()
    }

    fn empty(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            p: Policy::None,
            sp: None,
            np: None,
            adkim: Alignment::Relaxed,
            aspf: Alignment::Relaxed,
            psd: Psd::Unknown,
            testing: false,
            fo: FailureOptions::DEFAULT,
            rua: Vec::new(),
            ruf: Vec::new(),
            bad_policy: false,
        }
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "p" => match Policy::read(value) {
                Some(policy) => self.p = policy,
                None => self.bad_policy = true,
            },
            "sp" | "np" => {
                let policy = Policy::read(value);
                self.bad_policy |= policy.is_none();
                if name == "sp" {
                    self.sp = policy;
                } else {
                    self.np = policy;
                }
            }
            "adkim" => self.adkim = Alignment::read(value),
            "aspf" => self.aspf = Alignment::read(value),
            "psd" => {
                self.psd = match value {
                    "y" | "Y" => Psd::Yes,
                    "n" | "N" => Psd::No,
                    _ => Psd::Unknown,
                }
            }
            "t" => self.testing = value.eq_ignore_ascii_case("y"),
            "fo" => self.fo = FailureOptions::read(value),
            "rua" => self.rua = ReportUri::read_list(value),
            "ruf" => self.ruf = ReportUri::read_list(value),
            // `pct`, `rf` and `ri` of RFC 7489 are among the unknown ones now.
            _ => {}
        }
    }
}

/// `v=DMARC1` comes first, in exactly this case; white space may stand around the sign.
fn begins_with_version(bytes: &[u8]) -> bool {
    let first = bytes.split(|&byte| byte == b';').next().unwrap_or_default();
    let mut halves = first.splitn(2, |&byte| byte == b'=');
    let (name, value) = (halves.next(), halves.next());
    name.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(b"v"))
        && value.is_some_and(|value| value.trim_ascii() == b"DMARC1")
}
