//! Address lists of header fields, read forgivingly: groups, comments, quotes, routes, encoded words.
//! Addresses of commands are strict and live in `address.rs`.

use std::borrow::Cow;

mod read;

/// One entry of an address list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    Mailbox(Mailbox<'a>),
    /// `name: a@b, c@d;`
    Group {
        name: Cow<'a, [u8]>,
        members: Vec<Mailbox<'a>>,
    },
}

/// One mailbox of a header field, in raw bytes: encoded words are still encoded, quotes are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox<'a> {
    pub name: Option<Cow<'a, [u8]>>,
    /// The obsolete source route, `@a,@b`.
    pub route: Option<Cow<'a, [u8]>>,
    /// Without quotes.
    pub local: Cow<'a, [u8]>,
    /// Empty if there is none.
    pub domain: Cow<'a, [u8]>,
}

/// What stands in an address field, and whether all of it made sense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List<'a> {
    pub entries: Vec<Entry<'a>>,
    /// Nothing had to be left out or guessed: other programs will read the same addresses.
    pub is_clean: bool,
}

/// Reads the value of From, To and the like. Never fails; what makes no sense is left out.
pub fn parse(value: &[u8]) -> Vec<Entry<'_>> {
    parse_list(value).entries
}

/// As [`parse`], and tells whether the list was well-formed.
pub fn parse_list(value: &[u8]) -> List<'_> {
    read::list(value)
}

/// The mailboxes of a list, those in groups included.
pub fn flatten<'a>(entries: Vec<Entry<'a>>) -> impl Iterator<Item = Mailbox<'a>> {
    entries.into_iter().flat_map(|entry| match entry {
        Entry::Mailbox(mailbox) => vec![mailbox],
        Entry::Group { members, .. } => members,
    })
}

impl Mailbox<'_> {
    /// The display name for people: encoded words decoded.
    pub fn display_name(&self) -> Option<String> {
        self.name.as_deref().map(crate::words::decode)
    }

    /// The address, if it would also do in a command.
    pub fn address(&self) -> Option<crate::Address> {
        let local = std::str::from_utf8(&self.local)
            .ok()
            .filter(|local| !local.is_empty())?;
        let domain = std::str::from_utf8(&self.domain).ok()?;
        crate::Address::new(local, crate::Domain::parse_with_literal(domain).ok()?).ok()
    }
}

#[cfg(test)]
mod tests;
