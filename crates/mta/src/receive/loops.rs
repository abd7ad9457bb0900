//! Loop detection by the Received fields (RFC 5321 §6.3): how many hosts a message has passed, and
//! how often this one.

use mail::{Address, Domain};

use crate::limits;
use crate::refusal::Refusal;

/// Whom a message has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) hosts: usize,
    pub(crate) ours: usize,
}

impl Passed {
    pub(crate) fn of(message: &[u8], own: &Domain) -> Self {
        let mut passed = Self::default();
        for field in mail::header::fields(message).filter(|field| field.is("Received")) {
            passed.hosts += 1;
            if is_by(field.value, own.as_str()) {
                passed.ours += 1;
            }
        }
        passed
    }
}

pub(crate) fn check_loop(passed: Passed) -> Result<(), Refusal> {
    if passed.ours > limits::OWN_RECEIVED_FIELDS_MAX {
        return Err(Refusal::OwnLoop { times: passed.ours });
    }
    if passed.hosts > limits::RECEIVED_FIELDS_MAX {
        return Err(Refusal::Loop {
            hosts: passed.hosts,
        });
    }
    Ok(())
}

/// Whether we have passed this message on for this address before: what we pass on says so.
pub(crate) fn is_passed_on_before(message: &[u8], address: &Address) -> bool {
    let address = address.to_string();
    let mut fields = mail::header::fields(message).take(limits::FIELDS_LOOKED_AT_MAX);
    fields.any(|field| {
        field.is("Delivered-To")
            && mail::header::unfold(field.value).eq_ignore_ascii_case(address.as_bytes())
    })
}

/// Whether the word after `by` is this host.
fn is_by(value: &[u8], own: &str) -> bool {
    let mut words = value
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"by") {
            return words.next().is_some_and(|host| {
                let host = host.strip_suffix(b";").unwrap_or(host);
                host.eq_ignore_ascii_case(own.as_bytes())
            });
        }
    }
    false
}

#[cfg(test)]
mod tests;
