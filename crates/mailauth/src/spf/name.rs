//! Names as SPF takes them: from records and clients, with any characters, and too long now and then.

use std::borrow::Cow;
use std::net::IpAddr;

use mail::Domain;

use super::limits::{LABEL_CHARS_MAX, NAME_CHARS_MAX};

/// A name whose SPF record can be asked for: several labels, none empty or too long, and no IP address.
/// rfc7208#4.3
pub(super) fn checkable(domain: &str) -> Option<String> {
    let name = askable(&to_ascii(domain)?)?;
    let address = name.starts_with('[') || name.parse::<IpAddr>().is_ok();
    (name.contains('.') && !address).then_some(name)
}

/// A name that can be asked for, in the DNS's terms. One that is too long loses labels at its
/// left end (rfc7208#7.3); one with impossible labels does not exist.
pub(super) fn askable(name: &str) -> Option<String> {
    let mut name = name.strip_suffix('.').unwrap_or(name);
    if !name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        // Also how RFC 8616 §4 wants it: macros with letters beyond ASCII never match.
        return None;
    }
    while NAME_CHARS_MAX < name.len() {
        name = name.split_once('.')?.1;
    }
    let legal = |label: &str| (1..=LABEL_CHARS_MAX).contains(&label.len());
    name.split('.')
        .all(legal)
        .then(|| name.to_ascii_lowercase())
}

/// Equal, or a subdomain. In any case, and with a last dot or without.
pub(super) fn is_below(name: &str, domain: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
    let domain = domain.strip_suffix('.').unwrap_or(domain).as_bytes();
    let Some(start) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (before, end) = name.split_at(start);
    end.eq_ignore_ascii_case(domain) && (before.is_empty() || before.ends_with(b"."))
}

/// A client may say its name with U-labels (RFC 8616 §4).
pub(super) fn to_ascii(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() {
        return Some(Cow::Borrowed(domain));
    }
    let domain = Domain::parse(domain).ok()?;
    Some(Cow::Owned(domain.as_str().to_owned()))
}
