//! Records between the form in which the DNS gives them and the text in which they are wished for and compared.
//! TXT is the bare text; names end with a dot.

use doctor::Kind;
use world::Record;

/// A TXT record is a row of strings of at most this many bytes (RFC 1035 §3.3).
const TXT_STRING_BYTES_MAX: usize = 255;

pub(super) fn of_record(record: &Record) -> String {
    match record {
        Record::A(address) => address.to_string(),
        Record::Aaaa(address) => address.to_string(),
        Record::Mx {
            preference,
            exchange,
        } => format!("{preference} {}", dotted(exchange)),
        Record::Txt(strings) => String::from_utf8_lossy(&strings.concat()).into_owned(),
        Record::Ptr(name) | Record::Cname(name) | Record::Ns(name) => dotted(name),
        Record::Tlsa {
            usage,
            selector,
            matching,
            data,
        } => {
            let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{usage} {selector} {matching} {hex}")
        }
        Record::Soa {
            primary,
            contact,
            serial,
            minimum,
        } => format!("{} {} {serial} {minimum}", dotted(primary), dotted(contact)),
        Record::Srv {
            priority,
            weight,
            port,
            target,
        } => format!("{priority} {weight} {port} {}", dotted(target)),
        Record::Caa {
            critical,
            tag,
            value,
        } => format!(
            "{} {tag} \"{}\"",
            if *critical { 128 } else { 0 },
            String::from_utf8_lossy(value)
        ),
    }
}

/// `None` for a text that is no record of this kind, or of a kind that is never published from here.
pub(super) fn to_record(kind: Kind, text: &str) -> Option<Record> {
    let mut words = text.split_ascii_whitespace();
    let mut next = || words.next();
    Some(match kind {
        Kind::A => Record::A(text.parse().ok()?),
        Kind::Aaaa => Record::Aaaa(text.parse().ok()?),
        Kind::Mx => Record::Mx {
            preference: next()?.parse().ok()?,
            exchange: bare(next()?),
        },
        Kind::Txt => Record::Txt(match text {
            "" => vec![Vec::new()],
            text => text
                .as_bytes()
                .chunks(TXT_STRING_BYTES_MAX)
                .map(<[u8]>::to_vec)
                .collect(),
        }),
        Kind::Ptr => Record::Ptr(bare(text)),
        Kind::Cname => Record::Cname(bare(text)),
        Kind::Tlsa => Record::Tlsa {
            usage: next()?.parse().ok()?,
            selector: next()?.parse().ok()?,
            matching: next()?.parse().ok()?,
            data: bytes(next()?)?,
        },
        Kind::Srv => Record::Srv {
            priority: next()?.parse().ok()?,
            weight: next()?.parse().ok()?,
            port: next()?.parse().ok()?,
            target: bare(next()?),
        },
        Kind::Caa => {
            let flags: u8 = next()?.parse().ok()?;
            let tag = next()?.to_owned();
            let value = text.split_once('"')?.1.strip_suffix('"')?;
            Record::Caa {
                critical: flags & 128 != 0,
                tag,
                value: value.as_bytes().to_vec(),
            }
        }
        Kind::Ns | Kind::Soa => return None,
    })
}

pub(super) fn kind(kind: Kind) -> world::Kind {
    match kind {
        Kind::Mx => world::Kind::Mx,
        Kind::A => world::Kind::A,
        Kind::Aaaa => world::Kind::Aaaa,
        Kind::Txt => world::Kind::Txt,
        Kind::Srv => world::Kind::Srv,
        Kind::Ptr => world::Kind::Ptr,
        Kind::Cname => world::Kind::Cname,
        Kind::Tlsa => world::Kind::Tlsa,
        Kind::Ns => world::Kind::Ns,
        Kind::Soa => world::Kind::Soa,
        Kind::Caa => world::Kind::Caa,
    }
}

fn dotted(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// The root stays a dot.
fn bare(name: &str) -> String {
    match name.trim_end_matches('.') {
        "" => ".".to_owned(),
        name => name.to_ascii_lowercase(),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
