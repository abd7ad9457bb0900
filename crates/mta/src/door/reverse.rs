//! What the reverse name of a peer's address says about it: whether there is one that leads back, and whether it
//! looks like the name of a mail server or like one that a provider gives to each address. Pure.

use std::net::IpAddr;

use mailauth::iprev::{Iprev, IprevReason, IprevResult};

/// The name of the peer's address, as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reverse {
    /// Confirmed, and speaks of mail.
    MailServer,
    /// Confirmed, and somebody chose it.
    Named,
    /// Confirmed, but made from the address, or of a dial-up pool.
    Generic,
    /// There is none.
    Nameless,
    /// It does not lead back.
    Unconfirmed,
    /// The DNS did not say: no reason for doubt.
    Unknown,
}

impl Reverse {
    pub(crate) fn of(found: &Iprev) -> Self {
        match (found.result, found.reason, &found.name) {
            (IprevResult::Pass, _, Some(name)) => Self::of_name(name, found.ip),
            (IprevResult::Fail, Some(IprevReason::NoName), _) => Self::Nameless,
            (IprevResult::Fail, _, _) => Self::Unconfirmed,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn of_name(name: &str, ip: IpAddr) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        // The registered domain says who it is; what stands before it, what it is.
        let own: Vec<&str> = match name.rsplitn(3, '.').nth(2) {
            Some(own) => own.split('.').collect(),
            None => vec![name.as_str()],
        };
        let words = || own.iter().flat_map(|label| words_of(label));
        let mail = words().any(is_mail_word);
        let pool = words().any(|word| POOL_WORDS.contains(&word));
        match (mail, pool || has_address(&name, ip)) {
            (true, false) => Self::MailServer,
            // `mail-192-0-2-1.example`: somebody says that it is one.
            (true, true) | (false, false) => Self::Named,
            (false, true) => Self::Generic,
        }
    }
}

/// Of names that providers give to lines of customers.
const POOL_WORDS: [&str; 26] = [
    "adsl",
    "vdsl",
    "dsl",
    "xdsl",
    "dyn",
    "dynamic",
    "dynip",
    "dhcp",
    "dial",
    "dialup",
    "dialin",
    "ppp",
    "pppoe",
    "pool",
    "pools",
    "cable",
    "catv",
    "broadband",
    "bband",
    "ftth",
    "fttx",
    "residential",
    "wifi",
    "wlan",
    "mobile",
    "unassigned",
];

/// Of names of mail servers; digits may follow.
const MAIL_WORDS: [&str; 19] = [
    "mail",
    "mx",
    "smtp",
    "mta",
    "mout",
    "mailout",
    "outmail",
    "email",
    "relay",
    "mailer",
    "postfix",
    "exchange",
    "newsletter",
    "bounce",
    "mailgw",
    "smtpout",
    "mxout",
    "outbound",
    "sender",
];

fn words_of(label: &str) -> impl Iterator<Item = &str> {
    label.split(['-', '_'])
}

fn is_mail_word(word: &str) -> bool {
    let stem = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    MAIL_WORDS.contains(&stem)
}

/// Whether the address stands in the name: its numbers in either order, or its digits in one.
fn has_address(name: &str, ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(four) => {
            let octets = four.octets();
            let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let decimal: String = octets.iter().map(|octet| format!("{octet:03}")).collect();
            name.contains(&hex) || name.contains(&decimal) || has_numbers(name, octets)
        }
        IpAddr::V6(six) => {
            let bare: String = name.chars().filter(char::is_ascii_hexdigit).collect();
            let low = u128::from(six) as u64;
            let hex = format!("{low:016x}");
            let reversed: String = hex.chars().rev().collect();
            bare.contains(&hex) || bare.contains(&reversed)
        }
    }
}

/// Whether three of the four numbers stand in a row in the name, forwards or backwards.
fn has_numbers(name: &str, octets: [u8; 4]) -> bool {
    let numbers: Vec<Option<u8>> = name
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect();
    let mut backwards = octets;
    backwards.reverse();
    [octets, backwards].iter().any(|order| {
        order.windows(3).any(|wanted| {
            let mut rows = numbers.windows(3);
            rows.any(|row| {
                row.iter()
                    .zip(wanted)
                    .all(|(have, want)| *have == Some(*want))
            })
        })
    })
}

#[cfg(test)]
mod tests;
