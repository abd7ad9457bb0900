//! Writing messages and trace header fields. What is written here is ASCII with CRLF wherever it can be.
//! Who may send, and whether, is decided elsewhere.

mod alternative;
mod fold;
mod report;
mod text;
mod trace_fields;

pub use alternative::AlternativeMessage;
pub use fold::push_field;
pub use report::{Action, DeliveryReport, Original, RecipientReport};
pub use text::TextMessage;
pub use trace_fields::{Received, ReceivedFrom, return_path};

use crate::{Address, words};

/// A display name with its address, for From and To.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: Option<String>,
    pub address: Address,
}

impl Person {
    /// As a header field's value. Only an address with a non-ASCII local part makes it non-ASCII.
    pub fn header_value(&self) -> String {
        let Some(name) = self.name.as_deref().filter(|name| !name.is_empty()) else {
            return self.address.to_string();
        };
        format!("{} <{}>", phrase(name), self.address)
    }
}

/// Atoms as they are, other ASCII quoted, the rest as encoded words. RFC 5322 §3.2.5.
fn phrase(name: &str) -> String {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/^_`{|}~".contains(c);
    if name.chars().all(is_atom) && name.trim() == name && !name.contains("  ") {
        return name.to_owned();
    }
    if name.chars().all(|c| c == ' ' || c.is_ascii_graphic()) && !name.contains("=?") {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    words::encode(name)
}

fn people(people: &[Person]) -> String {
    people
        .iter()
        .map(Person::header_value)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
