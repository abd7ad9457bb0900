//! What the DNS of the pocket internet says: one table of names, made and changed by tests.
//! Answered in-process (`dns::Simulated`) or over sockets (`dns::Server`).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use world::{AnswerStatus, Kind, Record, reverse_name};

use crate::limits;

/// A shared handle; clones are the same table. Everything below the root is ours, so that names
/// nobody made do not exist.
#[derive(Clone, Default)]
pub struct Zones {
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    names: BTreeMap<String, Vec<Record>>,
    faults: BTreeMap<String, DnsFault>,
    /// For a name with a fault that wears off: how many questions it still spoils.
    left: BTreeMap<String, u32>,
    /// What DNSSEC says of a name and everything below it.
    signing: BTreeMap<String, Proof>,
    /// What a man in the middle says instead of the name's own records.
    spoofed: BTreeMap<String, Vec<Record>>,
    checks_nothing: bool,
    drops_signatures: bool,
}

/// What somebody who checks signatures finds out about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Signed, from the root down.
    Secure,
    /// There is a proof that there are no signatures.
    Insecure,
    /// There should be signatures, and they are missing or wrong.
    Bogus,
}

/// What the server of a name does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsFault {
    ServFail,
    Refused,
    /// No answer at all.
    Silent,
    /// Over UDP only a truncated, empty answer; TCP has it all.
    Truncated,
}

/// What the table says to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneAnswer {
    pub status: AnswerStatus,
    /// The CNAMEs on the way, with the names that own them.
    pub aliases: Vec<(String, Record)>,
    /// The name that owns the records.
    pub owner: String,
    pub records: Vec<Record>,
    pub proof: Proof,
}

/// See [`Zones::layout`].
pub(crate) struct Layout {
    pub(crate) marks: BTreeMap<String, Proof>,
    pub(crate) names: BTreeMap<String, BTreeSet<Kind>>,
}

impl Zones {
    pub fn new() -> Self {
        Self::default()
    }

    /// The records of a name are made by chaining calls.
    pub fn name(&self, name: &str) -> NameRecords {
        NameRecords {
            zones: self.clone(),
            name: fold(name),
        }
    }

    pub fn add(&self, name: &str, record: Record) {
        self.lock()
            .names
            .entry(fold(name))
            .or_default()
            .push(record);
    }

    /// Forgets all records of a name.
    pub fn clear(&self, name: &str) {
        self.lock().names.remove(&fold(name));
    }

    /// Forward and reverse records of a host.
    pub fn host(&self, name: &str, address: IpAddr) {
        self.name(name).address(address);
        self.add(&reverse_name(address), Record::Ptr(fold(name)));
    }

    /// Spoils a name and everything below it, until mended. The root spoils all.
    pub fn fault(&self, name: &str, fault: DnsFault) {
        let mut table = self.lock();
        table.left.remove(&fold(name));
        table.faults.insert(fold(name), fault);
    }

    /// As [`Zones::fault`] for the next `times` questions.
    pub fn fault_times(&self, name: &str, fault: DnsFault, times: u32) {
        let mut table = self.lock();
        table.left.insert(fold(name), times);
        table.faults.insert(fold(name), fault);
    }

    pub fn mend(&self, name: &str) {
        let mut table = self.lock();
        table.faults.remove(&fold(name));
        table.left.remove(&fold(name));
    }

    /// The fault that meets a question for this name, counted as asked.
    pub fn meet_fault(&self, name: &str) -> Option<DnsFault> {
        let mut table = self.lock();
        let spoiled = ancestors(&fold(name)).find(|name| table.faults.contains_key(name))?;
        let fault = *table.faults.get(&spoiled)?;
        if let Some(left) = table.left.get_mut(&spoiled) {
            if *left == 0 {
                table.left.remove(&spoiled);
                table.faults.remove(&spoiled);
                return None;
            }
            *left -= 1;
        }
        Some(fault)
    }

    /// Signs a name and everything below it, up to other marks below. Until a name is marked,
    /// nothing is signed.
    pub fn signed(&self, name: &str) {
        self.lock().signing.insert(fold(name), Proof::Secure);
    }

    /// Below a signed name: from here down nothing is signed, and the parent proves it.
    pub fn unsigned(&self, name: &str) {
        self.lock().signing.insert(fold(name), Proof::Insecure);
    }

    /// From here down the signatures are wrong.
    pub fn bogus(&self, name: &str) {
        self.lock().signing.insert(fold(name), Proof::Bogus);
    }

    /// The name server no longer says what is secure, and answers what is forged: it hands on signatures
    /// to those who want them, and checks none.
    pub fn check_nothing(&self) {
        self.lock().checks_nothing = true;
    }

    /// The name server no longer hands on signatures, as old home routers do not.
    pub fn drop_signatures(&self) {
        self.lock().drops_signatures = true;
    }

    pub(crate) fn drops_signatures(&self) -> bool {
        self.lock().drops_signatures
    }

    pub(crate) fn checks_nothing(&self) -> bool {
        self.lock().checks_nothing
    }

    /// A man in the middle gives these records for a name instead of its own; none means that there
    /// is nothing. Who checks signatures notices it where the name is signed.
    pub fn spoof(&self, name: &str, records: Vec<Record>) {
        self.lock().spoofed.insert(fold(name), records);
    }

    /// The man in the middle goes away.
    pub fn unspoof(&self, name: &str) {
        self.lock().spoofed.remove(&fold(name));
    }

    pub fn answer(&self, name: &str, kind: Kind) -> ZoneAnswer {
        let table = self.lock();
        let mut owner = fold(name);
        let mut aliases = Vec::new();
        let mut proof = Proof::Secure;
        for _ in 0..limits::CNAMES_MAX {
            // A chain is worth what its weakest link is.
            proof = proof.max(table.proof(&owner));
            let here = table.records(&owner);
            let records: Vec<_> = here
                .iter()
                .filter(|r| kind_of(r) == kind)
                .cloned()
                .collect();
            if !records.is_empty() {
                return ZoneAnswer {
                    status: AnswerStatus::Found,
                    aliases,
                    owner,
                    records,
                    proof,
                };
            }
            let alias = here.iter().find_map(|record| match record {
                Record::Cname(target) => Some((record.clone(), target.clone())),
                _ => None,
            });
            let Some((record, target)) = alias else { break };
            aliases.push((owner, record));
            owner = target;
        }
        let status = match table.exists(&owner) {
            true => AnswerStatus::NoData,
            false => AnswerStatus::NoSuchName,
        };
        ZoneAnswer {
            status,
            aliases,
            owner,
            records: Vec::new(),
            proof,
        }
    }

    /// What is marked as signed, unsigned or forged, and which kinds each name has: what a signer needs
    /// to know.
    pub(crate) fn layout(&self) -> Layout {
        let table = self.lock();
        let kinds = |records: &Vec<Record>| records.iter().map(kind_of).collect();
        Layout {
            marks: table.signing.clone(),
            names: table
                .names
                .iter()
                .map(|(name, records)| (name.clone(), kinds(records)))
                .collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn records(&self, name: &str) -> &[Record] {
        let records = self.spoofed.get(name).or_else(|| self.names.get(name));
        records.map(Vec::as_slice).unwrap_or_default()
    }

    fn proof(&self, name: &str) -> Proof {
        let marked = ancestors(name).find_map(|name| self.signing.get(&name));
        match marked.copied().unwrap_or(Proof::Insecure) {
            Proof::Secure if self.spoofed.contains_key(name) => Proof::Bogus,
            proof => proof,
        }
    }

    /// Names above existing names exist as well (RFC 8020).
    fn exists(&self, name: &str) -> bool {
        let below = format!(".{name}");
        name == "."
            || self
                .names
                .keys()
                .chain(self.spoofed.keys())
                .any(|known| known == name || known.ends_with(&below))
    }
}

/// The records of one name, in the making.
pub struct NameRecords {
    zones: Zones,
    name: String,
}

impl NameRecords {
    pub fn record(self, record: Record) -> Self {
        self.zones.add(&self.name, record);
        self
    }

    pub fn address(self, address: IpAddr) -> Self {
        self.record(match address {
            IpAddr::V4(address) => Record::A(address),
            IpAddr::V6(address) => Record::Aaaa(address),
        })
    }

    /// An MX of preference 10.
    pub fn mx(self, exchange: &str) -> Self {
        self.mx_at(10, exchange)
    }

    pub fn mx_at(self, preference: u16, exchange: &str) -> Self {
        self.record(Record::Mx {
            preference,
            exchange: fold(exchange),
        })
    }

    /// RFC 7505: takes no mail at all.
    pub fn null_mx(self) -> Self {
        self.record(Record::Mx {
            preference: 0,
            exchange: ".".to_owned(),
        })
    }

    pub fn cname(self, target: &str) -> Self {
        self.record(Record::Cname(fold(target)))
    }

    /// RFC 6698 §2.1; the name is `_25._tcp.` and the server's.
    pub fn tlsa(self, usage: u8, selector: u8, matching: u8, data: Vec<u8>) -> Self {
        self.record(Record::Tlsa {
            usage,
            selector,
            matching,
            data,
        })
    }

    /// One string; longer ones are cut into strings of 255 bytes.
    pub fn txt(self, text: &str) -> Self {
        let strings = text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect();
        self.record(Record::Txt(strings))
    }
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

pub(crate) fn fold(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_suffix('.') {
        Some("") | None => name,
        Some(rest) => rest.to_owned(),
    }
}

/// The name itself, the names above it, and the root.
pub(crate) fn ancestors(name: &str) -> impl Iterator<Item = String> {
    let mut next = Some(name.to_owned());
    std::iter::from_fn(move || {
        let current = next.take()?;
        next = match current.split_once('.') {
            Some((_, "")) | None => (current != ".").then(|| ".".to_owned()),
            Some((_, parent)) => Some(parent.to_owned()),
        };
        Some(current)
    })
}

#[cfg(test)]
mod tests;
