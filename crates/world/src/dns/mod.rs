//! Questions to the DNS and their answers, without the types of any DNS library.
//! Names are A-labels without the last dot; the root is `.`. An error is always temporary.

mod convert;
mod direct;
mod island;
mod resolver;
mod stub;
mod update;
mod validator;
mod wildcard;
mod window;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use direct::{ask_name_server, ask_name_server_at};
pub use resolver::{DnsSettings, Resolver, RootKey, Validation};
pub use update::{TsigHash, TsigKey, UpdateError, UpdateServer, ZoneEdit, update_zone};

pub trait Dns: Send + Sync {
    /// Asks for the records of one kind at one name, following CNAMEs. That nothing is there is
    /// an answer; an error says that the answer is not known now.
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    A,
    Aaaa,
    Mx,
    Txt,
    Ptr,
    Tlsa,
    Cname,
    Ns,
    Soa,
    Srv,
    Caa,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: AnswerStatus,
    /// Of the kind that was asked for only; empty unless `Found`. In the order of the server.
    pub records: Vec<Record>,
    /// DNSSEC proves the answer (also a negative one).
    pub secure: bool,
    /// How long the answer may be used.
    pub ttl: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerStatus {
    Found,
    /// The name exists, without records of this kind.
    NoData,
    /// The name does not exist.
    NoSuchName,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Mx {
        preference: u16,
        exchange: String,
    },
    /// The strings of one record, not joined.
    Txt(Vec<Vec<u8>>),
    Ptr(String),
    Tlsa {
        usage: u8,
        selector: u8,
        matching: u8,
        data: Vec<u8>,
    },
    Cname(String),
    Ns(String),
    Soa {
        primary: String,
        contact: String,
        serial: u32,
        minimum: u32,
    },
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    Caa {
        critical: bool,
        tag: String,
        value: Vec<u8>,
    },
}

/// Why the answer is not known. Ask again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    #[error("the DNS servers did not answer in time")]
    TimedOut,
    #[error("the DNS server failed (SERVFAIL)")]
    ServerFailure,
    #[error("the DNS server refused to answer ({0})")]
    Refused(String),
    #[error("the DNSSEC signatures are wrong")]
    Bogus,
    #[error("the DNS server could not be asked: {0}")]
    Network(String),
}

impl Answer {
    pub fn found(records: Vec<Record>, ttl: Duration) -> Self {
        Self {
            status: AnswerStatus::Found,
            records,
            secure: false,
            ttl,
        }
    }

    pub fn no_data(ttl: Duration) -> Self {
        Self {
            status: AnswerStatus::NoData,
            records: Vec::new(),
            secure: false,
            ttl,
        }
    }

    pub fn no_such_name(ttl: Duration) -> Self {
        Self {
            status: AnswerStatus::NoSuchName,
            records: Vec::new(),
            secure: false,
            ttl,
        }
    }

    /// The addresses among the records.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::A(address) => Some(IpAddr::V4(*address)),
            Record::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        })
    }

    /// The texts among the records, the strings of each joined (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
    pub fn texts(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::Txt(strings) => Some(strings.concat()),
            _ => None,
        })
    }
}

/// The name to ask for the PTR record of an address (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::with_capacity(72);
            for octet in address.octets().iter().rev() {
                name.push_str(&format!("{:x}.{:x}.", octet & 15, octet >> 4));
            }
            name.push_str("ip6.arpa");
            name
        }
    }
}
