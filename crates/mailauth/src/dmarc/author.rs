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
pub struct Author(Result<String, NoAuthor>);

impl Author {
    /// Reads the From field of a message.
    pub fn of(message: &[u8]) -> Self {
        let mut froms = header::fields(message).filter(|field| field.is("From"));
        let Some(from) = froms.next() else {
            return Self(Err(NoAuthor::NoFrom));
        };
        if froms.next().is_some() {
            return Self(Err(NoAuthor::SeveralFroms));
        }
        Self::of_from(from.value)
    }

    /// Reads the value of a From field.
    pub fn of_from(value: &[u8]) -> Self {
        Self(author(value))
    }

    pub fn domain(&self) -> Option<String> {
        self.0.clone().ok()
    }

    pub(super) fn read(self) -> Result<String, NoAuthor> {
        self.0
    }
}

fn author(value: &[u8]) -> Result<String, NoAuthor> {
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
    let domain = domains.pop_first().ok_or(NoAuthor::NoAddress)?;
    if domains.is_empty() && !impossible {
        Ok(domain)
    } else {
        Err(NoAuthor::SeveralDomains)
    }
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
