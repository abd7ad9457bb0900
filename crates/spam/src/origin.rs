//! Where a stored message came from, read back from the fields that this server put on top of it: for what is learnt when a
//! person moves it later. Only those above the first field of somebody else are believed, and only if they name this host.

use std::net::IpAddr;

use mail::header::{self, Field};

use crate::limits;

/// What the fields on top say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredOrigin {
    /// The host that handed it over to this server.
    pub ip: Option<IpAddr>,
    /// The address in From.
    pub author: Option<String>,
    /// Whether it proved to be from the author's domain.
    pub confirmed: bool,
    /// The author's domain, if it proved to be from there.
    pub domain: Option<String>,
}

/// Reads a message as it lies in the store of this host. Nothing is known of one that did not come in over SMTP here.
pub fn of_stored(message: &[u8], host: &str) -> StoredOrigin {
    let mut origin = StoredOrigin::default();
    let mut results = None;
    for field in header::fields(message).take(limits::ORIGIN_FIELDS_MAX) {
        if field.is("Authentication-Results") && results.is_none() {
            results = own_results(&field, host);
            if results.is_none() {
                break;
            }
        } else if field.is("Received") {
            origin.ip = peer(&field.text(), host);
            break;
        } else if !is_on_top(&field) {
            break;
        }
    }
    // Only what came in from outside has the Received field of a peer with an address.
    if origin.ip.is_none() {
        return StoredOrigin::default();
    }
    origin.author = author(message);
    let domain = origin.author.as_deref().and_then(domain_of);
    if let (Some(results), Some(domain)) = (results, domain) {
        origin.confirmed = results.confirm(domain);
        origin.domain = origin.confirmed.then(|| domain.to_owned());
    }
    origin
}

/// Whether a domain that passed stands for the author's: the same, or one above the other. Where no DMARC record says how
/// strict to be.
pub fn is_aligned(author: &str, passed: &str) -> bool {
    let below = |one: &str, other: &str| {
        one.strip_suffix(other)
            .is_some_and(|rest| rest.ends_with('.'))
            && other.contains('.')
    };
    author == passed || below(author, passed) || below(passed, author)
}

/// The author's address as correspondents are kept: `local@domain`, the domain in lower case. Nobody where several are named.
pub fn author(message: &[u8]) -> Option<String> {
    let mut fields = header::fields(message).filter(|field| field.is("From"));
    let field = fields.next()?;
    if fields.next().is_some() {
        return None;
    }
    let mut mailboxes = mail::mailboxes::flatten(mail::mailboxes::parse(field.value));
    let (first, second) = (mailboxes.next()?, mailboxes.next());
    if second.is_some() {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let domain = mail::Domain::parse(&text(&first.domain)?).ok()?;
    let address = mail::Address::new(&text(&first.local)?, domain).ok()?;
    Some(address.to_string())
}

fn domain_of(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain)
}

fn is_on_top(field: &Field<'_>) -> bool {
    field.is("Return-Path")
        || ["X-Postroad-Spam", "X-Spam-Flag"]
            .iter()
            .any(|name| field.is(name))
}

/// What our own Authentication-Results say, as far as it concerns the author.
#[derive(Default)]
struct Results {
    dmarc: String,
    passed: Vec<String>,
}

impl Results {
    fn confirm(&self, author: &str) -> bool {
        match self.dmarc.as_str() {
            "pass" => true,
            "none" => self.passed.iter().any(|passed| is_aligned(author, passed)),
            _ => false,
        }
    }
}

fn own_results(field: &Field<'_>, host: &str) -> Option<Results> {
    let text = field.text();
    let mut results = without_comments(&text);
    results.make_ascii_lowercase();
    let mut parts = results.split(';').map(str::trim);
    let id = parts.next()?.split_whitespace().next()?;
    if !id.eq_ignore_ascii_case(host) {
        return None;
    }
    let mut found = Results::default();
    for part in parts.take(limits::ORIGIN_RESULTS_MAX) {
        let mut words = part.split_whitespace();
        let Some((method, result)) = words.next().and_then(|word| word.split_once('=')) else {
            continue;
        };
        let wanted = match method {
            "dmarc" => {
                found.dmarc = result.to_owned();
                continue;
            }
            "dkim" => "header.d",
            "spf" => "smtp.mailfrom",
            _ => continue,
        };
        if result != "pass" {
            continue;
        }
        let named = words.filter_map(|word| word.split_once('='));
        let values = named
            .filter(|(name, _)| *name == wanted)
            .map(|(_, value)| value);
        let domains = values.map(|value| {
            domain_of(value)
                .unwrap_or(value)
                .trim_matches('"')
                .to_owned()
        });
        found.passed.extend(domains);
    }
    Some(found)
}

/// Comments may hold anything; so may quoted strings, which hold no result of ours.
fn without_comments(text: &str) -> String {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 && !quoted => out.push(c),
            _ => {}
        }
    }
    out
}

/// `from hello (name [192.0.2.1]) by host with …`: the address that this server saw. What the peer itself called can hold no
/// brackets with parentheses.
fn peer(received: &str, host: &str) -> Option<IpAddr> {
    let mut words = received.split_whitespace();
    if words.next() != Some("from") {
        return None;
    }
    let seen = words
        .by_ref()
        .skip(1)
        .take(2)
        .find(|word| word.ends_with("])"))?;
    let (by, name) = (words.next()?, words.next()?);
    if by != "by" || !name.eq_ignore_ascii_case(host) {
        return None;
    }
    let literal = seen
        .trim_start_matches('(')
        .strip_prefix('[')?
        .strip_suffix("])")?;
    literal
        .strip_prefix("IPv6:")
        .unwrap_or(literal)
        .parse()
        .ok()
}

#[cfg(test)]
mod tests;
