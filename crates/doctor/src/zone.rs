//! Records as lines of a BIND zone file (RFC 1035 §5).
//! What lies outside the domain's own zone is written as a comment, because a name server would refuse it; so is
//! what should go.

use crate::records::{Action, Kind, RecordWish};

/// A TXT record is a row of strings of at most this many bytes (RFC 1035 §3.3).
const TXT_STRING_BYTES_MAX: usize = 255;

/// The whole text, ready to be included in the zone file of `domain`.
pub fn text(domain: &str, records: &[RecordWish]) -> String {
    let mut out = format!("; Mail records of {domain}\n");
    for record in records {
        out.push_str(&format!("\n; {}\n", record.why));
        if record.action == Action::Remove {
            out.push_str("; (to be removed) ");
        } else if !is_in_zone(&record.name, domain) {
            out.push_str("; (in another zone) ");
        }
        out.push_str(&line(record));
        out.push('\n');
    }
    out
}

/// One record as one line.
pub fn line(record: &RecordWish) -> String {
    let value = match record.kind {
        Kind::Txt => txt_strings(&record.value),
        Kind::Mx
        | Kind::A
        | Kind::Aaaa
        | Kind::Srv
        | Kind::Ptr
        | Kind::Cname
        | Kind::Tlsa
        | Kind::Ns
        | Kind::Soa
        | Kind::Caa => record.value.clone(),
    };
    format!(
        "{}. {} IN {} {}",
        record.name, record.ttl, record.kind, value
    )
}

fn is_in_zone(name: &str, domain: &str) -> bool {
    name == domain
        || name
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

/// Quoted strings, cut by bytes; what is not printable ASCII is written as `\DDD`.
fn txt_strings(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 8);
    for (index, chunk) in value.as_bytes().chunks(TXT_STRING_BYTES_MAX).enumerate() {
        if 0 < index {
            out.push(' ');
        }
        out.push('"');
        for &byte in chunk {
            match byte {
                b'"' | b'\\' => {
                    out.push('\\');
                    out.push(char::from(byte));
                }
                b' '..=b'~' => out.push(char::from(byte)),
                _ => out.push_str(&format!("\\{byte:03}")),
            }
        }
        out.push('"');
    }
    if out.is_empty() {
        out.push_str("\"\"");
    }
    out
}
