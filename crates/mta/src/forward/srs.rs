//! The Sender Rewriting Scheme: return addresses for mail that we forward, so that SPF passes for us and
//! reports of failure find their way to the original sender. Pure: knows no store and no clock.
//!
//! `SRS0=hash=day=domain=local` stands for `local@domain`. A sender that is such an address already
//! becomes `SRS1=hash=first==…`, which leads straight to the first forwarder. What would be longer
//! than the 64 octets of RFC 5321 §4.5.3.1.1, or needs quotes, becomes `SRS0=hash=day==token`; whom the
//! token stands for lies in the store. Letters may change their case on the way.

use mail::{Address, Domain, UnixMillis};
use store::SrsSecret;

use crate::limits;

/// A return address of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rewritten {
    Whole(Address),
    /// The store must remember whom the token stands for.
    Token {
        address: Address,
        token: String,
    },
}

/// Whom a return address of ours stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Sender(Address),
    Token(String),
}

/// Why mail to an address that looks like one of ours is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrsProblem {
    #[error("it is not complete")]
    Malformed,
    #[error("it was not made by this server")]
    Forged,
    #[error("it is no longer valid: the mail that it was made for is too old")]
    Expired,
    #[error("its sender is no longer known here")]
    Forgotten,
    #[error("only reports of delivery are taken for it, and those have an empty sender")]
    NotAReport,
}

/// Makes the return address at `domain` for mail of `sender`.
pub(crate) fn rewrite(
    sender: &Address,
    domain: &Domain,
    secret: &SrsSecret,
    now: UnixMillis,
) -> Rewritten {
    let whole = match shape(sender.local()) {
        Some(Shape::First { rest }) => second(sender.domain().as_str(), rest, domain, secret, now),
        // Ours is the way to the first forwarder as well: the ones between are left out.
        Some(Shape::Second { first, rest, .. }) => second(first, rest, domain, secret, now),
        None => first(sender, domain, secret, now),
    };
    match whole {
        Some(address) => Rewritten::Whole(address),
        None => token(sender, domain, secret, now),
    }
}

/// Whether a local part claims to be a return address of forwarded mail.
pub(crate) fn is_srs(local: &str) -> bool {
    tail(local, "SRS0").is_some() || tail(local, "SRS1").is_some()
}

/// Reads a return address of ours.
pub(crate) fn origin(
    local: &str,
    secrets: &[SrsSecret],
    now: UnixMillis,
) -> Result<Origin, SrsProblem> {
    if let Some(Shape::Second { mac, first, rest }) = shape(local) {
        let (mac, day) = mac
            .split_at_checked(MAC_CHARS)
            .ok_or(SrsProblem::Malformed)?;
        check(secrets, &[day, first, rest], mac)?;
        check_day(day, now)?;
        return Domain::parse(first)
            .ok()
            .and_then(|first| Address::new(&format!("SRS0{rest}"), first).ok())
            .map(Origin::Sender)
            .ok_or(SrsProblem::Malformed);
    }
    let rest = tail(local, "SRS0").ok_or(SrsProblem::Malformed)?;
    let mut parts = rest.get(1..).unwrap_or_default().splitn(4, '=');
    let mut part = || parts.next().ok_or(SrsProblem::Malformed);
    let (mac, day, domain, local) = (part()?, part()?, part()?, part()?);
    check(secrets, &[day, domain, local], mac)?;
    check_day(day, now)?;
    if domain.is_empty() {
        return Ok(Origin::Token(local.to_ascii_uppercase()));
    }
    Domain::parse(domain)
        .ok()
        .and_then(|domain| Address::new(local, domain).ok())
        .map(Origin::Sender)
        .ok_or(SrsProblem::Malformed)
}

/// What stands in a local part that others, or we, have rewritten.
enum Shape<'a> {
    /// `SRS0` and the rest with the separator before it.
    First { rest: &'a str },
    Second {
        mac: &'a str,
        first: &'a str,
        rest: &'a str,
    },
}

fn shape(local: &str) -> Option<Shape<'_>> {
    if let Some(rest) = tail(local, "SRS0") {
        // With nothing behind the separator it is somebody's odd name.
        return (1 < rest.len()).then_some(Shape::First { rest });
    }
    let rest = tail(local, "SRS1")?.get(1..)?;
    let (mac, rest) = rest.split_once('=')?;
    let (first, rest) = rest.split_once('=')?;
    // The separator of the first forwarder stands before what is its own.
    let is_rest = rest.starts_with(SEPARATORS) && 1 < rest.len();
    (is_rest && Domain::parse(first).is_ok()).then_some(Shape::Second { mac, first, rest })
}

/// What follows the tag, if a separator does. All three are in use.
fn tail<'a>(local: &'a str, tag: &str) -> Option<&'a str> {
    let (head, rest) = local.split_at_checked(tag.len())?;
    (head.eq_ignore_ascii_case(tag) && rest.starts_with(SEPARATORS)).then_some(rest)
}

fn first(
    sender: &Address,
    domain: &Domain,
    secret: &SrsSecret,
    now: UnixMillis,
) -> Option<Address> {
    if sender.needs_smtputf8()
        || sender.quoted_local() != sender.local()
        || sender.domain().literal().is_some()
    {
        return None;
    }
    let day = day_text(now);
    let mac = mac(secret, &[&day, sender.domain().as_str(), sender.local()]);
    let local = format!("SRS0={mac}={day}={}={}", sender.domain(), sender.local());
    fitting(&local, domain)
}

fn second(
    first: &str,
    rest: &str,
    domain: &Domain,
    secret: &SrsSecret,
    now: UnixMillis,
) -> Option<Address> {
    if !rest.is_ascii() || !first.is_ascii() || first.starts_with('[') {
        return None;
    }
    let day = day_text(now);
    let mac = mac(secret, &[&day, first, rest]);
    fitting(&format!("SRS1={mac}{day}={first}={rest}"), domain)
}

fn token(sender: &Address, domain: &Domain, secret: &SrsSecret, now: UnixMillis) -> Rewritten {
    let day = day_text(now);
    let hash = blake3::hash(sender.to_string().as_bytes());
    let token = base32(hash.as_bytes(), TOKEN_CHARS);
    let mac = mac(secret, &[&day, "", &token]);
    let local = format!("SRS0={mac}={day}=={token}");
    match Address::new(&local, domain.clone()) {
        Ok(address) => Rewritten::Token { address, token },
        // Not to be met: the local part is short and plain.
        Err(_) => Rewritten::Whole(sender.clone()),
    }
}

fn fitting(local: &str, domain: &Domain) -> Option<Address> {
    if LOCAL_PART_MAX < local.len() {
        return None;
    }
    let address = Address::new(local, domain.clone()).ok()?;
    (address.quoted_local() == local).then_some(address)
}

fn check(secrets: &[SrsSecret], parts: &[&str], claimed: &str) -> Result<(), SrsProblem> {
    let fits = |secret: &SrsSecret| is_equal(&mac(secret, parts), claimed);
    match secrets.iter().any(fits) {
        true => Ok(()),
        false => Err(SrsProblem::Forged),
    }
}

/// Days are counted around a ring of 1,024.
fn check_day(text: &str, now: UnixMillis) -> Result<(), SrsProblem> {
    let day = text
        .bytes()
        .try_fold(0, |day, byte| {
            let byte = byte.to_ascii_uppercase();
            let value = ALPHABET.iter().position(|&symbol| symbol == byte)?;
            Some((day << 5 | value as i64) & (DAYS - 1))
        })
        .ok_or(SrsProblem::Malformed)?;
    let age = (day_of(now) - day).rem_euclid(DAYS);
    let valid = limits::SRS_VALID.as_secs() / 86_400;
    match u64::try_from(age).is_ok_and(|age| age <= valid) {
        true => Ok(()),
        false => Err(SrsProblem::Expired),
    }
}

fn day_text(now: UnixMillis) -> String {
    let day = day_of(now);
    [day >> 5, day]
        .into_iter()
        .filter_map(|part| ALPHABET.get((part & 31) as usize))
        .map(|symbol| char::from(*symbol))
        .collect()
}

fn day_of(now: UnixMillis) -> i64 {
    now.secs().div_euclid(86_400).rem_euclid(DAYS)
}

fn mac(secret: &SrsSecret, parts: &[&str]) -> String {
    let key = blake3::derive_key("postroad srs return address", &secret.secret);
    let mut hasher = blake3::Hasher::new_keyed(&key);
    for part in parts {
        hasher.update(part.to_ascii_lowercase().as_bytes());
        hasher.update(b"\0");
    }
    base32(hasher.finalize().as_bytes(), MAC_CHARS)
}

fn base32(bytes: &[u8], chars: usize) -> String {
    let symbol = |bit: usize| {
        let at = |index: usize| u16::from(bytes.get(index).copied().unwrap_or(0));
        let pair = at(bit / 8) << 8 | at(bit / 8 + 1);
        ALPHABET
            .get(usize::from(pair >> (11 - bit % 8) & 31))
            .map(|symbol| char::from(*symbol))
    };
    (0..chars).filter_map(|index| symbol(5 * index)).collect()
}

/// In the same time whatever the difference is.
fn is_equal(ours: &str, claimed: &str) -> bool {
    let claimed = claimed.to_ascii_uppercase();
    let differences = ours.bytes().zip(claimed.bytes());
    ours.len() == claimed.len() && differences.fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

const SEPARATORS: [char; 3] = ['=', '+', '-'];
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A ring of days long enough that what is valid cannot be mistaken for what was.
const DAYS: i64 = 1_024;

/// 40 bits: far beyond guessing over SMTP, and room is left for the sender.
const MAC_CHARS: usize = 8;

/// 80 bits: no two senders share one.
const TOKEN_CHARS: usize = 16;

/// RFC 5321 §4.5.3.1.1. We take longer ones, others may not.
const LOCAL_PART_MAX: usize = 64;

#[cfg(test)]
mod tests;
