//! Whose policy applies: the one domain of the addresses in From (RFC 9989 §5.3.1).

use std::collections::BTreeSet;

use mail::{Domain, header, mailboxes};

use super::limits::AUTHORS_MAX;

/// Why a message has no single author domain. Such a message is no valid one for most readers, and
/// DMARC says nothing of it; what is done with it is for local rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum NoAuthor {
    #[error("there is no From field")]
    NoFrom,
    /// Readers may show any of them.
    #[error("there is more than one From field")]
    SeveralFroms,
    #[error("From has no address with a domain name that can exist")]
    NoAddress,
    /// Or one that can exist and one that cannot. RFC 9989 §5.3.1: exempt from DMARC.
    #[error("From has addresses of different domains")]
    SeveralDomains,
}

/// The author domain of a message, lower-case A-labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    read: Result<String, NoAuthor>,
    /// All whose name the message bears, where there are several; in order, each once.
    several: Vec<String>,
}

impl Author {
    /// Reads the From field of a message.
    pub fn of(message: &[u8]) -> Self {
        let mut froms = header::fields(message).filter(|field| field.is("From"));
        let Some(from) = froms.next() else {
            return Self {
                read: Err(NoAuthor::NoFrom),
                several: Vec::new(),
            };
        };
        let first = Self::of_from(from.value);
        let others: Vec<Self> = froms
            .take(AUTHORS_MAX)
            .map(|from| Self::of_from(from.value))
            .collect();
        if others.is_empty() {
            return first;
        }
        let all = others.into_iter().chain([first]);
        let several: BTreeSet<String> = all
            .flat_map(|one| one.read.into_iter().chain(one.several))
            .collect();
        Self {
            read: Err(NoAuthor::SeveralFroms),
            several: several.into_iter().collect(),
        }
    }

    /// Reads the value of a From field.
    pub fn of_from(value: &[u8]) -> Self {
        author(value)
    }

    pub fn domain(&self) -> Option<String> {
        self.read.clone().ok()
    }

    pub(super) fn read(self) -> Result<String, (NoAuthor, Vec<String>)> {
        self.read.map_err(|problem| (problem, self.several))
    }
}

fn author(value: &[u8]) -> Author {
    let mut domains = BTreeSet::new();
    let mut impossible = false;
    // Addresses inside groups are authors too: readers show them. A name alone (`Doe, Ann <ann@…>`
    // without quotes) is no author beside an address.
    let authors = mailboxes::flatten(mailboxes::parse(value)).take(AUTHORS_MAX);
    for mailbox in authors.filter(|mailbox| !mailbox.domain.trim_ascii().is_empty()) {
        let name = std::str::from_utf8(&mailbox.domain).unwrap_or_default();
        match Domain::parse(name.trim().trim_end_matches('.')) {
            Ok(domain) => drop(domains.insert(domain.as_str().to_owned())),
            Err(_) => impossible = true,
        }
    }
    // Of two addresses in brackets where one may stand, some readers show the other one.
    for address in bracketed(value).take(AUTHORS_MAX) {
        let name = address.rsplit(|byte| *byte == b'@').next();
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let name = name.unwrap_or_default().trim().trim_end_matches('.');
        if let (true, Ok(domain)) = (address.contains(&b'@'), Domain::parse(name)) {
            domains.insert(domain.as_str().to_owned());
        }
    }
    let read = match (domains.first(), domains.len(), impossible) {
        (None, ..) => Err(NoAuthor::NoAddress),
        (Some(domain), 1, false) => Ok(domain.clone()),
        _ => Err(NoAuthor::SeveralDomains),
    };
    let several = match read {
        Err(NoAuthor::SeveralDomains) => domains.into_iter().collect(),
        _ => Vec::new(),
    };
    Author { read, several }
}

/// What stands between `<` and `>`, outside of quotes and comments.
fn bracketed(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut at, mut quoted, mut comments) = (0, false, 0_u32);
    std::iter::from_fn(move || {
        while let Some(&byte) = value.get(at) {
            at += 1;
            match byte {
                b'\\' if quoted || comments != 0 => at += 1,
                b'"' if comments == 0 => quoted = !quoted,
                b'(' if !quoted => comments += 1,
                b')' if !quoted => comments = comments.saturating_sub(1),
                b'<' if !quoted && comments == 0 => {
                    let rest = value.get(at..).unwrap_or_default();
                    let end = memchr::memchr2(b'>', b'<', rest).unwrap_or(rest.len());
                    at += end;
                    return rest.get(..end);
                }
                _ => {}
            }
        }
        None
    })
}
