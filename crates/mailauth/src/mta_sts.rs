//! MTA-STS (RFC 8461): the TXT record that announces a policy, and the policy file. Parsing and matching
//! only; fetching, keeping and enforcing is the business of `mta`.

use std::fmt;

/// Longest policy file: the limit that RFC 8461 §3.3 suggests.
pub const POLICY_BYTES_MAX: usize = 64 * 1024;

/// Longest time a policy may ask to be kept, in seconds: about a year. RFC 8461 §3.2.
pub const MAX_AGE_SECS_MAX: u64 = 31_557_600;

/// Lines and mail hosts of a policy that are looked at: far more than any mail system has.
const LINES_MAX: usize = 1_000;
const MX_PATTERNS_MAX: usize = 100;

/// RFC 8461 §3.1: an id has 32 letters and digits at most.
const ID_BYTES_MAX: usize = 32;

/// The `id` of a valid `_mta-sts` TXT record. A new one means: fetch the policy anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("there are several MTA-STS records")]
    Several,
    #[error("the MTA-STS record has no valid id")]
    NoId,
    #[error("the MTA-STS record is malformed")]
    Malformed,
}

/// A policy as its domain wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub mode: Mode,
    /// How long it binds, in seconds; no more than [`MAX_AGE_SECS_MAX`].
    pub max_age_secs: u64,
    /// The mail hosts; empty only for [`Mode::None`].
    pub mx: Vec<MxPattern>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Enforce,
    /// Deliver all the same, and report.
    Testing,
    /// There is no policy any more.
    None,
}

/// A mail host, or `*.` and a domain for the hosts one label below it. Lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MxPattern(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("the policy file is larger than {POLICY_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the policy file is not text")]
    NotText,
    #[error("the line `{0}` of the policy is malformed")]
    Line(String),
    #[error("the policy does not begin with `version: STSv1`")]
    Version,
    #[error("the policy has no mode, or one that does not exist")]
    Mode,
    #[error("the policy has no max_age, or a malformed one")]
    MaxAge,
    #[error("the policy names no mail host")]
    NoMx,
    #[error("`{0}` in the policy is no mail host")]
    Mx(String),
    #[error("the policy says `{0}` twice")]
    Twice(&'static str),
}

/// Where the record of a domain stands.
pub fn record_name(domain: &str) -> String {
    format!("_mta-sts.{domain}")
}

/// The host that serves the policy of a domain.
pub fn policy_host(domain: &str) -> String {
    format!("mta-sts.{domain}")
}

/// Where the policy of a domain lies on it. RFC 8461 §3.3.
pub const POLICY_PATH: &str = "/.well-known/mta-sts.txt";

impl Record {
    /// From the TXT records of the name, the strings of each joined. Those that do not begin as MTA-STS
    /// records do are somebody else's. RFC 8461 §3.1.
    pub fn of_texts(
        texts: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Option<Self>, RecordError> {
        let mut found = None;
        for text in texts {
            let text = text.as_ref();
            let Some(rest) = text.strip_prefix(b"v=STSv1") else {
                continue;
            };
            let after = rest.trim_ascii_start();
            if !after.starts_with(b";") {
                continue;
            }
            if found.replace(after.to_vec()).is_some() {
                return Err(RecordError::Several);
            }
        }
        found.map(|fields| Self::parse(&fields)).transpose()
    }

    fn parse(fields: &[u8]) -> Result<Self, RecordError> {
        let text = std::str::from_utf8(fields).map_err(|_| RecordError::Malformed)?;
        let mut id = None;
        for field in text
            .split(';')
            .map(str::trim)
            .filter(|field| !field.is_empty())
        {
            let (name, value) = field.split_once('=').ok_or(RecordError::Malformed)?;
            // Unknown fields are for versions to come. Of two ids none can be meant.
            if name.trim() == "id" && id.replace(value.trim()).is_some() {
                return Err(RecordError::NoId);
            }
        }
        let sound = |id: &&str| {
            (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let id = id.filter(sound).ok_or(RecordError::NoId)?;
        Ok(Self { id: id.to_owned() })
    }
}

impl Policy {
    /// RFC 8461 §3.2. Unknown keys are for versions to come; of known ones each counts once, but `mx`.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if POLICY_BYTES_MAX < bytes.len() {
            return Err(PolicyError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PolicyError::NotText)?;
        let (mut version, mut mode, mut max_age) = (None, None, None);
        let mut mx: Vec<MxPattern> = Vec::new();
        let lines = text.lines().take(LINES_MAX);
        for line in lines.map(str::trim_end).filter(|line| !line.is_empty()) {
            let malformed = || PolicyError::Line(line.chars().take(100).collect());
            let (key, value) = line.split_once(':').ok_or_else(malformed)?;
            let value = value.trim();
            let twice = |key| PolicyError::Twice(key);
            match key {
                "version" => once(&mut version, value).ok_or(twice("version"))?,
                "mode" => once(&mut mode, value).ok_or(twice("mode"))?,
                "max_age" => once(&mut max_age, value).ok_or(twice("max_age"))?,
                "mx" if mx.len() < MX_PATTERNS_MAX => {
                    let pattern = MxPattern::parse(value);
                    mx.push(
                        pattern
                            .ok_or_else(|| PolicyError::Mx(value.chars().take(100).collect()))?,
                    );
                }
                "mx" => {}
                key if is_key(key) => {}
                _ => return Err(malformed()),
            }
        }
        if version != Some("STSv1") {
            return Err(PolicyError::Version);
        }
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            _ => return Err(PolicyError::Mode),
        };
        let max_age = max_age.and_then(seconds).ok_or(PolicyError::MaxAge)?;
        if mx.is_empty() && mode != Mode::None {
            return Err(PolicyError::NoMx);
        }
        Ok(Self {
            mode,
            max_age_secs: max_age.min(MAX_AGE_SECS_MAX),
            mx,
        })
    }

    /// Whether a mail host is one that the policy names. RFC 8461 §4.1.
    pub fn names(&self, host: &str) -> bool {
        self.mx.iter().any(|pattern| pattern.matches(host))
    }

    /// The patterns as they are told in reports.
    pub fn mx_texts(&self) -> Vec<String> {
        self.mx.iter().map(ToString::to_string).collect()
    }
}

impl MxPattern {
    /// `None` for what no host can be called.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('.').to_ascii_lowercase();
        let name = text.strip_prefix("*.").unwrap_or(&text);
        let sound = mail::Domain::parse(name).is_ok() && name.is_ascii();
        sound.then_some(Self(text))
    }

    /// A wildcard stands for exactly one label. RFC 8461 §4.1.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        match self.0.strip_prefix("*.") {
            None => host.eq_ignore_ascii_case(&self.0),
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| {
                !label.is_empty() && rest.eq_ignore_ascii_case(parent)
            }),
        }
    }
}

impl fmt::Display for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        })
    }
}

fn once<'t>(place: &mut Option<&'t str>, value: &'t str) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// RFC 8461 §3.2: `sts-policy-ext-name`.
fn is_key(key: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric();
    (1..=32).contains(&key.len())
        && key.bytes().next().is_some_and(letter)
        && key
            .bytes()
            .all(|b| letter(b) || matches!(b, b'_' | b'-' | b'.'))
}

/// One to ten digits.
fn seconds(text: &str) -> Option<u64> {
    let sound = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
