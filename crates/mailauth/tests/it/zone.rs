//! A DNS that answers from a table, at once, and remembers what it was asked.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use world::{Answer, BoxFuture, Dns, DnsError, Kind, Record};

const TTL: Duration = Duration::from_secs(300);

/// Names without their last dot, in any case.
#[derive(Debug, Default)]
pub struct Zone {
    names: BTreeMap<String, Vec<Entry>>,
    asked: Mutex<Vec<(String, Kind)>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Record(Record),
    /// Every question for a kind that is not answered by an entry before fails so.
    Error(DnsError),
}

impl Zone {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(&mut self, name: &str, entry: Entry) {
        self.entries(name).push(entry);
    }

    /// The name exists, whatever it has.
    pub fn entries(&mut self, name: &str) -> &mut Vec<Entry> {
        self.names.entry(plain(name)).or_default()
    }

    pub fn with(mut self, name: &str, record: Record) -> Self {
        self.put(name, Entry::Record(record));
        self
    }

    pub fn txt(self, name: &str, text: &str) -> Self {
        self.txt_bytes(name, text.as_bytes())
    }

    /// Cut into strings as a zone file has to.
    pub fn txt_bytes(self, name: &str, text: &[u8]) -> Self {
        let strings = text.chunks(255).map(<[u8]>::to_vec).collect();
        self.with(name, Record::Txt(strings))
    }

    pub fn address(self, name: &str, address: &str) -> Self {
        let record = match address.parse().unwrap() {
            IpAddr::V4(address) => Record::A(address),
            IpAddr::V6(address) => Record::Aaaa(address),
        };
        self.with(name, record)
    }

    pub fn mx(self, name: &str, exchange: &str) -> Self {
        let exchange = exchange.to_owned();
        let record = Record::Mx {
            preference: 10,
            exchange,
        };
        self.with(name, record)
    }

    pub fn ptr(self, ip: &str, name: &str) -> Self {
        let reverse = world::reverse_name(ip.parse().unwrap());
        self.with(&reverse, Record::Ptr(name.to_owned()))
    }

    pub fn error(mut self, name: &str, error: DnsError) -> Self {
        self.put(name, Entry::Error(error));
        self
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<(String, Kind)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn answer(&self, name: &str, kind: Kind) -> Result<Answer, DnsError> {
        let mut name = plain(name);
        for _ in 0..10 {
            let Some(entries) = self.names.get(&name) else {
                return Ok(Answer::no_such_name(TTL));
            };
            let mut found = Vec::new();
            for entry in entries {
                match entry {
                    Entry::Record(record) if kind_of(record) == kind => found.push(record.clone()),
                    Entry::Record(_) => {}
                    Entry::Error(error) if found.is_empty() => return Err(error.clone()),
                    Entry::Error(_) => break,
                }
            }
            if !found.is_empty() {
                return Ok(Answer::found(found, TTL));
            }
            let alias = entries.iter().find_map(|entry| match entry {
                Entry::Record(Record::Cname(target)) => Some(plain(target)),
                _ => None,
            });
            match alias {
                Some(target) => name = target,
                None => return Ok(Answer::no_data(TTL)),
            }
        }
        Err(DnsError::ServerFailure)
    }
}

impl Dns for Zone {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> BoxFuture<'a, Result<Answer, DnsError>> {
        self.asked.lock().unwrap().push((name.to_owned(), kind));
        let answer = self.answer(name, kind);
        Box::pin(std::future::ready(answer))
    }
}

/// A check over a zone waits for nothing.
pub fn now<T>(check: impl Future<Output = T>) -> T {
    check
        .now_or_never()
        .expect("a table answers without waiting")
}

fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn kind_of(record: &Record) -> Kind {
    match record {
        Record::A(_) => Kind::A,
        Record::Aaaa(_) => Kind::Aaaa,
        Record::Mx { .. } => Kind::Mx,
        Record::Txt(_) => Kind::Txt,
        Record::Ptr(_) => Kind::Ptr,
        Record::Tlsa { .. } => Kind::Tlsa,
        Record::Cname(_) => Kind::Cname,
        Record::Ns(_) => Kind::Ns,
        Record::Soa { .. } => Kind::Soa,
        Record::Srv { .. } => Kind::Srv,
        Record::Caa { .. } => Kind::Caa,
    }
}
