//! SPF records (RFC 7208 §4.5, §4.6, §5, §6, §12): chosen from the texts of a name, and read whole before
//! anything is evaluated, since an error anywhere spoils the record.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::limits::{RECORD_BYTES_MAX, RECORD_TERMS_MAX};
use super::macros::{MacroString, Place};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub directives: Vec<Directive>,
    pub redirect: Option<MacroString>,
    pub explanation: Option<MacroString>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub qualifier: Qualifier,
    pub mechanism: Mechanism,
    /// As it stands in the record.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// A missing domain is that of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(MacroString),
    A(Option<MacroString>, Masks),
    Mx(Option<MacroString>, Masks),
    Ptr(Option<MacroString>),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(MacroString),
}

/// How many bits of an address count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masks {
    pub v4: u8,
    pub v6: u8,
}

/// Why there is no record to evaluate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RecordError {
    NoRecord,
    Several,
    NotAscii,
    Term(String),
}

/// The SPF record among the texts of a name. rfc7208#4.5
pub(super) fn choose(texts: impl Iterator<Item = Vec<u8>>) -> Result<String, RecordError> {
    let mut found: Option<Vec<u8>> = None;
    for text in texts {
        if !is_spf(&text) {
            continue;
        }
        if found.is_some() {
            return Err(RecordError::Several);
        }
        found = Some(text);
    }
    let found = found.ok_or(RecordError::NoRecord)?;
    if RECORD_BYTES_MAX < found.len() {
        return Err(RecordError::Term("its length".to_owned()));
    }
    match String::from_utf8(found) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(RecordError::NotAscii),
    }
}

/// The version, and then a space or nothing.
fn is_spf(text: &[u8]) -> bool {
    match text.split_at_checked(VERSION.len()) {
        Some((version, rest)) => {
            version.eq_ignore_ascii_case(VERSION) && matches!(rest.first(), None | Some(b' '))
        }
        None => false,
    }
}

const VERSION: &[u8] = b"v=spf1";

impl Record {
    /// Reads a text that [`choose`] gave.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        let mut record = Self {
            directives: Vec::new(),
            redirect: None,
            explanation: None,
        };
        let terms = text.get(VERSION.len()..).unwrap_or_default();
        for (index, term) in terms.split(' ').filter(|term| !term.is_empty()).enumerate() {
            if RECORD_TERMS_MAX <= index || record.read(term).is_none() {
                return Err(RecordError::Term(term.to_owned()));
            }
        }
        Ok(record)
    }

    /// `None`: a syntax error.
    fn read(&mut self, term: &str) -> Option<()> {
        match term.find([':', '/', '=']).map(|at| term.split_at(at)) {
            Some((name, value)) if value.starts_with('=') => {
                self.read_modifier(name, value.strip_prefix('=')?)
            }
            Some((name, rest)) => self.read_directive(name, rest, term),
            None => self.read_directive(term, "", term),
        }
    }

    /// A modifier known here may stand there once. rfc7208#6
    fn read_modifier(&mut self, name: &str, value: &str) -> Option<()> {
        let slot = if name.eq_ignore_ascii_case("redirect") {
            &mut self.redirect
        } else if name.eq_ignore_ascii_case("exp") {
            &mut self.explanation
        } else {
            let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let named = name.starts_with(|c: char| c.is_ascii_alphabetic());
            let legal = named && name.chars().all(legal);
            let value = MacroString::parse(value, Place::UnknownModifier);
            return (legal && value.is_some()).then_some(());
        };
        if slot.is_some() {
            return None;
        }
        *slot = Some(MacroString::parse_domain_spec(value)?);
        Some(())
    }

    fn read_directive(&mut self, name: &str, rest: &str, text: &str) -> Option<()> {
        let (qualifier, name) = match name.split_at_checked(1)? {
            ("+", name) => (Qualifier::Pass, name),
            ("-", name) => (Qualifier::Fail, name),
            ("~", name) => (Qualifier::SoftFail, name),
            ("?", name) => (Qualifier::Neutral, name),
            _ => (Qualifier::Pass, name),
        };
        let mechanism = parse_mechanism(&name.to_ascii_lowercase(), rest)?;
        self.directives.push(Directive {
            qualifier,
            mechanism,
            text: text.to_owned(),
        });
        Some(())
    }
}

/// `rest` is what follows the name: nothing, or something that begins with a colon or a slash.
fn parse_mechanism(name: &str, rest: &str) -> Option<Mechanism> {
    let argument = rest.strip_prefix(':');
    Some(match name {
        "all" if rest.is_empty() => Mechanism::All,
        "include" => Mechanism::Include(MacroString::parse_domain_spec(argument?)?),
        "exists" => Mechanism::Exists(MacroString::parse_domain_spec(argument?)?),
        "ptr" if rest.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(MacroString::parse_domain_spec(argument?)?)),
        "a" => {
            let (domain, masks) = domain_and_masks(rest)?;
            Mechanism::A(domain, masks)
        }
        "mx" => {
            let (domain, masks) = domain_and_masks(rest)?;
            Mechanism::Mx(domain, masks)
        }
        "ip4" => {
            let (address, bits) = split_mask(argument?, "/");
            Mechanism::Ip4(address.parse().ok()?, mask(bits, 32)?)
        }
        "ip6" => {
            let (address, bits) = split_mask(argument?, "/");
            Mechanism::Ip6(address.parse().ok()?, mask(bits, 128)?)
        }
        _ => return None,
    })
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]`. A domain may have slashes inside, so the masks are read from
/// the end.
fn domain_and_masks(rest: &str) -> Option<(Option<MacroString>, Masks)> {
    let (rest, v6) = split_mask(rest, "//");
    let (rest, v4) = split_mask(rest, "/");
    let masks = Masks {
        v4: mask(v4, 32)?,
        v6: mask(v6, 128)?,
    };
    let domain = match rest.strip_prefix(':') {
        Some(domain) => Some(MacroString::parse_domain_spec(domain)?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some((domain, masks))
}

/// What stands before the mark and the digits at the end, and the digits.
fn split_mask<'a>(text: &'a str, mark: &str) -> (&'a str, Option<&'a str>) {
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(before.len()..).unwrap_or_default();
    match before.strip_suffix(mark) {
        Some(before) if !digits.is_empty() => (before, Some(digits)),
        _ => (text, None),
    }
}

/// No leading zeros, as in addresses. rfc7208#5.6
fn mask(digits: Option<&str>, bits_max: u8) -> Option<u8> {
    let Some(digits) = digits else {
        return Some(bits_max);
    };
    if 1 < digits.len() && digits.starts_with('0') {
        return None;
    }
    digits.parse().ok().filter(|bits| *bits <= bits_max)
}

/// Whether the first bits of two addresses are the same; addresses of two families never match.
pub(super) fn same_network(one: IpAddr, two: IpAddr, masks: Masks) -> bool {
    match (one, two) {
        (IpAddr::V4(one), IpAddr::V4(two)) => {
            let shift = 32u32.saturating_sub(u32::from(masks.v4));
            let differ = u32::from(one) ^ u32::from(two);
            differ.checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(two)) => {
            let shift = 128u32.saturating_sub(u32::from(masks.v6));
            let differ = u128::from(one) ^ u128::from(two);
            differ.checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}
