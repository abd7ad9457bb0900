//! Domains: names in lower-case A-label form, and the address literals that may stand in their place.
//! Says nothing of whether a domain exists.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The right side of an address: a domain name (lower-case A-labels, no trailing dot), or an address
/// literal (`[192.0.2.1]`, `[IPv6:2001:db8::1]`), which only [`crate::Address::parse`] and
/// [`Domain::parse_with_literal`] make.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Box<str>);

/// Why a text is no domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    #[error("the domain is empty")]
    Empty,
    #[error("the domain is longer than 255 characters")]
    TooLong,
    #[error("a label of the domain is empty or longer than 63 characters")]
    Label,
    #[error("the domain has a character that domains cannot have")]
    Character,
    #[error("the domain is not a valid internationalised name")]
    Idna,
    #[error("the address literal is malformed")]
    Literal,
}

impl Domain {
    /// A domain name, with Unicode or A-labels, in any case. A trailing dot is refused; underscores are
    /// allowed, since some hosts that send mail have them.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        if text.is_empty() {
            return Err(DomainError::Empty);
        }
        // A-labels are taken as they are: what a host calls itself is not ours to correct.
        if text.is_ascii() {
            check_ascii(text)?;
            return Ok(Self(text.to_ascii_lowercase().into()));
        }
        // Far beyond what can be valid: do not hand it to the IDNA tables.
        if text.len() > 4 * crate::limits::DOMAIN_BYTES_MAX {
            return Err(DomainError::TooLong);
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
            .map_err(|_| DomainError::Idna)?;
        check_ascii(&ascii)?;
        Ok(Self(ascii.into_owned().into()))
    }

    /// A domain name or an address literal. RFC 5321 §4.1.3.
    pub fn parse_with_literal(text: &str) -> Result<Self, DomainError> {
        match text.strip_prefix('[') {
            Some(rest) => {
                let inner = rest.strip_suffix(']').ok_or(DomainError::Literal)?;
                let ip = parse_literal(inner).ok_or(DomainError::Literal)?;
                Ok(Self::of_ip(ip))
            }
            None => Self::parse(text),
        }
    }

    /// The address literal of an IP address.
    pub fn of_ip(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self(format!("[{ip}]").into()),
            IpAddr::V6(ip) => Self(format!("[IPv6:{ip}]").into()),
        }
    }

    /// Lower-case A-labels, or the literal with its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The IP address, if this is an address literal. Such a domain has no MX.
    pub fn literal(&self) -> Option<IpAddr> {
        parse_literal(self.0.strip_prefix('[')?.strip_suffix(']')?)
    }

    /// For people: with U-labels where they are valid.
    pub fn unicode(&self) -> String {
        if !has_ace_label(&self.0) {
            return self.0.to_string();
        }
        idna::domain_to_unicode(&self.0).0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        Self::parse(text)
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn has_ace_label(text: &str) -> bool {
    text.split('.').any(|label| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    })
}

fn check_ascii(text: &str) -> Result<(), DomainError> {
    if text.is_empty() {
        return Err(DomainError::Empty);
    }
    if text.len() > crate::limits::DOMAIN_BYTES_MAX {
        return Err(DomainError::TooLong);
    }
    for label in text.split('.') {
        if label.is_empty() || label.len() > crate::limits::LABEL_BYTES_MAX {
            return Err(DomainError::Label);
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !label.bytes().all(legal) || label.starts_with('-') || label.ends_with('-') {
            return Err(DomainError::Character);
        }
    }
    Ok(())
}

fn parse_literal(inner: &str) -> Option<IpAddr> {
    let tag = inner
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    match tag {
        Some(_) => inner.get(5..)?.parse().ok().map(IpAddr::V6),
        None => inner.parse().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests;
