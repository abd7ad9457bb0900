//! DANE for SMTP (RFC 7672): where the TLSA records of a mail host stand, which of them can be used,
//! and how they are written down. Matching them against a certificate is the business of `world`.

use world::Record;

/// What the TLSA records of a host are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// There are none.
    Nothing,
    /// None can be used: TLS is still a must, with any certificate. RFC 7672 §2.2.
    Encryption,
    /// The server must match one of them.
    Authentication,
}

/// Where the records of a server stand. RFC 6698 §3.
pub fn record_name(host: &str, port: u16) -> String {
    format!("_{port}._tcp.{host}")
}

/// The records must come from a secure answer.
pub fn worth(records: &[Record]) -> Worth {
    let tlsa = |record: &&Record| matches!(record, Record::Tlsa { .. });
    match records.iter().filter(tlsa).count() {
        0 => Worth::Nothing,
        _ if records.iter().any(is_usable) => Worth::Authentication,
        _ => Worth::Encryption,
    }
}

/// RFC 7672 §3.1: only DANE-TA(2) and DANE-EE(3); the PKIX usages are unusable (§3.1.3). The selector and
/// the matching type must be known, and digests be as long as they are.
pub fn is_usable(record: &Record) -> bool {
    let Record::Tlsa {
        usage,
        selector,
        matching,
        data,
    } = record
    else {
        return false;
    };
    let length = match matching {
        0 => !data.is_empty(),
        1 => data.len() == 32,
        2 => data.len() == 64,
        _ => false,
    };
    matches!(usage, 2 | 3) && matches!(selector, 0 | 1) && length
}

/// In presentation form (RFC 6698 §2.2), in a fixed order: `3 1 1 AB12…`.
pub fn texts(records: &[Record]) -> Vec<String> {
    let mut texts: Vec<String> = records.iter().filter_map(text).collect();
    texts.sort();
    texts.dedup();
    texts
}

fn text(record: &Record) -> Option<String> {
    let Record::Tlsa {
        usage,
        selector,
        matching,
        data,
    } = record
    else {
        return None;
    };
    let hex: String = data.iter().map(|byte| format!("{byte:02X}")).collect();
    Some(format!("{usage} {selector} {matching} {hex}"))
}

#[cfg(test)]
mod tests;
