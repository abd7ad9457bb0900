//! Addresses of commands, strict as RFC 5321 writes `Mailbox`.
//! What header fields hold is read in `mailboxes.rs`, and forgivingly.

use std::fmt;
use std::str::FromStr;

use crate::domain::{Domain, DomainError};
use crate::limits::{ADDRESS_BYTES_MAX, LOCAL_PART_BYTES_MAX};

/// A mailbox of RFC 5321 §4.1.2, with the characters RFC 6531 adds. Equal addresses compare equal: the
/// local part is kept without needless quotes (but in its own case), the domain as lower-case A-labels.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local: Box<str>,
    domain: Domain,
}

/// The sender of an envelope: nobody (for bounces), or an address. RFC 5321 §4.1.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReversePath {
    Null,
    Address(Address),
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the address has no @")]
    NoDomain,
    #[error("the address has nothing before the @")]
    NoLocalPart,
    #[error("the part before the @ is too long")]
    LocalPartTooLong,
    #[error("the part before the @ has a character that must be quoted")]
    LocalPartCharacter,
    #[error("the quoted part before the @ is malformed")]
    Quoting,
    #[error(transparent)]
    Domain(#[from] DomainError),
}

impl Address {
    /// Reads `local@domain`, without angle brackets, route or white space.
    ///
    /// What RFC 5321 allows is taken, comments, folding and obsolete forms are not. Three things are taken beyond it,
    /// because refusing them would lose real mail: local parts of 65 to 255 octets (variable return paths), underscores
    /// in domains, and IPv6 literals whose `::` stands for a single group. Local parts beyond ASCII are those of RFC 6531.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::LocalPartTooLong);
        }
        let (local, rest) = match text.strip_prefix('"') {
            Some(quoted) => quoted_local(quoted)?,
            None => {
                let at = text.find('@').ok_or(AddressError::NoDomain)?;
                let (local, rest) = text.split_at(at);
                check_dot_string(local)?;
                (local.to_owned(), rest)
            }
        };
        if local.len() > LOCAL_PART_BYTES_MAX {
            return Err(AddressError::LocalPartTooLong);
        }
        let domain = rest.strip_prefix('@').ok_or(AddressError::NoDomain)?;
        Ok(Self {
            local: local.into(),
            domain: Domain::parse_with_literal(domain)?,
        })
    }

    /// From a local part without quotes, and a domain.
    pub fn new(local: &str, domain: Domain) -> Result<Self, AddressError> {
        if local.len() > LOCAL_PART_BYTES_MAX {
            return Err(AddressError::LocalPartTooLong);
        }
        if local.chars().any(char::is_control) {
            return Err(AddressError::LocalPartCharacter);
        }
        Ok(Self {
            local: local.into(),
            domain,
        })
    }

    /// The local part, without quotes, in the case it was given.
    pub fn local(&self) -> &str {
        &self.local
    }

    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// As a command or header carries it without SMTPUTF8; `None` if the local part is not ASCII.
    pub fn ascii(&self) -> Option<String> {
        (!self.needs_smtputf8()).then(|| self.to_string())
    }

    /// Whether only a SMTPUTF8 server can take it: the domain always has an ASCII form, the local part may not.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local.is_ascii()
    }

    /// For people: the domain with its own letters.
    pub fn unicode(&self) -> String {
        format!("{}@{}", self.quoted_local(), self.domain.unicode())
    }

    /// The local part, quoted if it has to be.
    pub fn quoted_local(&self) -> String {
        if check_dot_string(&self.local).is_ok() {
            return self.local.to_string();
        }
        let mut out = String::with_capacity(self.local.len() + 2);
        out.push('"');
        for c in self.local.chars() {
            if c == '"' || c == '\\' {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
        out
    }
}

impl ReversePath {
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Reads what stands in `MAIL FROM:<…>`, without the angle brackets.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            Ok(Self::Null)
        } else {
            Address::parse(text).map(Self::Address)
        }
    }
}

impl From<Address> for ReversePath {
    fn from(address: Address) -> Self {
        Self::Address(address)
    }
}

/// `local@domain`, quoted where needed; without angle brackets.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if check_dot_string(&self.local).is_ok() {
            write!(f, "{}@{}", self.local, self.domain)
        } else {
            write!(f, "{}@{}", self.quoted_local(), self.domain)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// The address, or nothing; without angle brackets.
impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl FromStr for ReversePath {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

/// `Dot-string = Atom *("." Atom)`, with RFC 6531's UTF8-non-ascii.
fn check_dot_string(local: &str) -> Result<(), AddressError> {
    if local.is_empty() {
        return Err(AddressError::NoLocalPart);
    }
    if !local.chars().all(|c| c == '.' || is_atext(c)) {
        return Err(AddressError::LocalPartCharacter);
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(AddressError::LocalPartCharacter);
    }
    Ok(())
}

/// RFC 5322 §3.2.3, and everything beyond ASCII but its control characters and odd spaces.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}

/// What follows an opening quote: gives the text without quotes, and what follows the closing one.
fn quoted_local(text: &str) -> Result<(String, &str), AddressError> {
    let mut local = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                return Ok((local, text.get(at + 1..).unwrap_or_default()));
            }
            '\\' => match chars.next() {
                Some((_, c @ ' '..='~')) => local.push(c),
                _ => return Err(AddressError::Quoting),
            },
            c if c.is_control() => return Err(AddressError::Quoting),
            c => local.push(c),
        }
    }
    Err(AddressError::Quoting)
}

#[cfg(test)]
mod tests;
