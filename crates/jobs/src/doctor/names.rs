//! Asks the DNS what the checks want to know, until they want no more.

use std::fmt::Write;

use doctor::Kind;
use doctor::checks::{Answer, Facts, ROUNDS_MAX, questions};
use futures_util::future::join_all;
use world::{AnswerStatus, DnsError, Record, World};

use super::limits;

/// True if some answer is missing: the servers failed, or there was no time.
pub(super) async fn ask(world: &World, facts: &mut Facts) -> bool {
    let mut failed = false;
    for _ in 0..ROUNDS_MAX {
        let wanted = questions(facts);
        if wanted.is_empty() {
            break;
        }
        for some in wanted.chunks(limits::QUESTIONS_AT_ONCE) {
            let asked = some.iter().map(|(name, kind)| one(world, name, *kind));
            for ((name, kind), answer) in some.iter().zip(join_all(asked).await) {
                failed |= answer == Answer::Failed;
                facts.dns.put(name, *kind, answer);
            }
        }
    }
    failed
}

async fn one(world: &World, name: &str, kind: Kind) -> Answer {
    match world.dns.ask(name, to_world(kind)).await {
        Ok(answer) => read(answer),
        Err(DnsError::Bogus) => Answer::Bogus,
        Err(error) => {
            tracing::debug!(name, %kind, %error, "the DNS does not say");
            Answer::Failed
        }
    }
}

pub(super) fn read(answer: world::Answer) -> Answer {
    let secure = answer.secure;
    match answer.status {
        AnswerStatus::NoSuchName => Answer::NoName { secure },
        AnswerStatus::NoData => Answer::Empty { secure },
        AnswerStatus::Found => Answer::Values {
            values: answer.records.iter().map(text).collect(),
            ttl: u32::try_from(answer.ttl.as_secs()).unwrap_or(u32::MAX),
            secure,
        },
    }
}

/// In presentation form, names without the last dot, TXT as one text.
pub(super) fn text(record: &Record) -> String {
    match record {
        Record::A(address) => address.to_string(),
        Record::Aaaa(address) => address.to_string(),
        Record::Mx {
            preference,
            exchange,
        } => format!("{preference} {exchange}"),
        Record::Txt(strings) => String::from_utf8_lossy(&strings.concat()).into_owned(),
        Record::Ptr(name) | Record::Cname(name) | Record::Ns(name) => name.clone(),
        Record::Tlsa {
            usage,
            selector,
            matching,
            data,
        } => {
            let mut text = format!("{usage} {selector} {matching} ");
            for byte in data {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
            }
            text
        }
        Record::Soa {
            primary,
            contact,
            serial,
            minimum: _,
        } => format!("{primary} {contact} {serial}"),
        Record::Srv {
            priority,
            weight,
            port,
            target,
        } => format!("{priority} {weight} {port} {target}"),
        Record::Caa {
            critical,
            tag,
            value,
        } => {
            let value = String::from_utf8_lossy(value);
            format!("{} {tag} \"{value}\"", if *critical { 128 } else { 0 })
        }
    }
}

pub(super) fn to_world(kind: Kind) -> world::Kind {
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
