//! The facts about one mail host that DANE needs: its TLSA records, where the DNSSEC chain leads to them.

use world::{AnswerStatus, DnsError, Kind, Record, World};

/// CNAMEs in a row that are followed: as many as resolvers do.
const CNAMES_MAX: usize = 8;

/// What the DNS says of the TLSA records of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tlsa {
    /// Nobody looked: the names of the mail hosts are not secure to begin with.
    NotAsked,
    /// The chain of signatures does not reach so far: DANE has no say. RFC 7672 §2.2.
    NotSecure,
    /// It is proven that there are none.
    Absent,
    Found {
        records: Vec<Record>,
        /// Where they stand: the name that is asked for in TLS (RFC 7672 §8.1).
        base: String,
    },
    /// It is not known now, so nothing may be sent there (RFC 7672 §2.1.2): this is how an attacker
    /// would make the records vanish.
    Unknown(DnsError),
}

/// Asks only where it can matter: the mail host's name and its addresses must be secure. RFC 7672 §2.2.2.
pub(crate) async fn of_host(world: &World, host: &str, port: u16, addresses_secure: bool) -> Tlsa {
    if !addresses_secure {
        return Tlsa::NotSecure;
    }
    let canonical = match canonical(world, host).await {
        Ok(name) => name,
        Err(error) => return Tlsa::Unknown(error),
    };
    let found = at(world, &canonical, port).await;
    if found == Tlsa::Absent && canonical != host {
        // The name before its CNAMEs may have records of its own.
        return at(world, host, port).await;
    }
    found
}

async fn at(world: &World, base: &str, port: u16) -> Tlsa {
    let name = mailauth::dane::record_name(base, port);
    match world.dns.ask(&name, Kind::Tlsa).await {
        Err(error) => Tlsa::Unknown(error),
        Ok(answer) if !answer.secure => Tlsa::NotSecure,
        Ok(answer) if answer.status == AnswerStatus::Found => Tlsa::Found {
            records: answer.records,
            base: base.to_owned(),
        },
        Ok(_) => Tlsa::Absent,
    }
}

/// The name at the end of the CNAMEs, as far as they are secure.
async fn canonical(world: &World, host: &str) -> Result<String, DnsError> {
    let mut name = host.to_owned();
    for _ in 0..CNAMES_MAX {
        let answer = world.dns.ask(&name, Kind::Cname).await?;
        let target = answer.records.iter().find_map(|record| match record {
            Record::Cname(target) => Some(target.trim_end_matches('.').to_ascii_lowercase()),
            _ => None,
        });
        match target {
            Some(target) if answer.secure && target != name => name = target,
            _ => break,
        }
    }
    Ok(name)
}
