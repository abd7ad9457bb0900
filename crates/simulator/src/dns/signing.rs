//! Signs what the zones say, as it is asked for: ECDSA P-256, NSEC, one key for all zones.
//! The root is always signed; marks in [`Zones`] say what is below, and what nobody marked is an unsigned
//! delegation of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG};
use hickory_proto::dnssec::{Algorithm, DigestType, DnssecSigner, PublicKey, SigningKey};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordSet, RecordType};
use world::{AnswerStatus, RootKey};

use super::server::{data_of, kind_of, name_of, type_of};
use crate::limits;
use crate::zones::{Layout, Proof, ZoneAnswer, Zones, ancestors, fold};

pub(crate) struct Signer {
    /// PKCS #8.
    key: Vec<u8>,
    dnskey: DNSKEY,
}

/// One zone in the chain from the root to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cut {
    apex: String,
    proof: Proof,
    /// Signed only so that there is a chain to what is marked below it.
    on_the_way: bool,
}

/// One question and what is known for it.
struct Asking<'a> {
    signer: &'a Signer,
    layout: Layout,
    response: &'a mut Message,
}

const ALGORITHM: Algorithm = Algorithm::ECDSAP256SHA256;
/// From 2020 on: both the simulated day and today are in it.
const SIGNED_FOR: Duration = Duration::from_secs(30 * 365 * 86_400);

impl Signer {
    pub(crate) fn new() -> Self {
        let key = EcdsaSigningKey::generate_pkcs8(ALGORITHM).expect("a key can be made");
        let key = key.secret_pkcs8_der().to_vec();
        let public = load(&key).to_public_key().expect("a key has a public half");
        let dnskey = DNSKEY::from_key(&public);
        Self { key, dnskey }
    }

    pub(super) fn root_key(&self) -> RootKey {
        let public = self.dnskey.public_key();
        RootKey {
            algorithm: public.algorithm().into(),
            public_key: public.public_bytes().to_vec(),
        }
    }

    /// The answer with everything that proves it.
    pub(super) fn answer(&self, zones: &Zones, query: &Query, response: &mut Message) {
        let mut asking = Asking {
            signer: self,
            layout: zones.layout(),
            response,
        };
        let name = fold(&query.name().to_ascii());
        let chain = asking.chain(&name);
        let apex = chain.last().is_some_and(|cut| cut.apex == name);
        match query.query_type() {
            RecordType::DS if apex && 1 < chain.len() => asking.delegation(&name, &chain),
            RecordType::DNSKEY if apex => asking.dnskey(&name, &chain),
            of @ (RecordType::NS | RecordType::SOA) if apex => asking.at_apex(&name, of, &chain),
            of => match kind_of(of) {
                Some(kind) => asking.found_or_not(zones.answer(&name, kind), of),
                None => {
                    let status = zones.answer(&name, world::Kind::Soa).status;
                    asking.deny(&name, status);
                }
            },
        }
    }

    fn sign(&self, records: &RecordSet, zone: &Cut) -> Option<Record> {
        let apex = name_of(&zone.apex)?;
        let signer = DnssecSigner::new(
            self.dnskey.clone(),
            Box::new(load(&self.key)),
            apex,
            SIGNED_FOR,
        );
        let since = rcgen::date_time_ymd(2020, 1, 1);
        let made = RRSIG::from_rrset(records, DNSClass::IN, since, &signer).ok()?;
        let made = match zone.proof {
            // The key itself stays believable: what is forged are the zone's records.
            Proof::Bogus if records.record_type() != RecordType::DNSKEY => {
                let mut bytes = made.sig().to_vec();
                if let Some(byte) = bytes.first_mut() {
                    *byte ^= 1;
                }
                RRSIG::from_sig(made.input().clone(), bytes)
            }
            _ => made,
        };
        let data = RData::DNSSEC(DNSSECRData::RRSIG(made));
        Some(Record::from_rdata(
            records.name().clone(),
            limits::TTL_SECS,
            data,
        ))
    }
}

fn load(key: &[u8]) -> EcdsaSigningKey {
    EcdsaSigningKey::from_pkcs8(&key.into(), ALGORITHM).expect("a key just made can be loaded")
}

impl Asking<'_> {
    /// The zones from the root to the one that holds the name.
    fn chain(&self, name: &str) -> Vec<Cut> {
        let marks = &self.layout.marks;
        let root = marks.get(".").copied();
        let mut chain = vec![Cut {
            apex: ".".to_owned(),
            proof: root.unwrap_or(Proof::Secure),
            on_the_way: root.is_none(),
        }];
        let mut names: Vec<_> = ancestors(name).filter(|name| name != ".").collect();
        names.reverse();
        for apex in names {
            let above = chain.last().expect("the root is always there");
            let below = format!(".{apex}");
            let leads_on = || {
                let mut marked = marks.iter();
                marked.any(|(name, proof)| *proof != Proof::Insecure && name.ends_with(&below))
            };
            let (proof, on_the_way) = match marks.get(&apex) {
                // Without a chain from above signatures prove nothing.
                Some(_) if above.proof == Proof::Insecure => (Proof::Insecure, false),
                Some(proof) => (*proof, false),
                None if above.on_the_way && leads_on() => (Proof::Secure, true),
                None if above.on_the_way => (Proof::Insecure, false),
                None => continue,
            };
            chain.push(Cut {
                apex,
                proof,
                on_the_way,
            });
        }
        chain
    }

    fn zone(&self, name: &str) -> Cut {
        let mut chain = self.chain(name);
        chain.pop().expect("the root is always there")
    }

    fn delegation(&mut self, name: &str, chain: &[Cut]) {
        let Some([parent, child]) = chain.last_chunk() else {
            return;
        };
        if child.proof == Proof::Insecure {
            self.deny_in(parent, name, AnswerStatus::NoData);
            return;
        }
        let public = self.signer.dnskey.public_key();
        let owner = name_of(name);
        let ds = owner.and_then(|owner| DS::from_key(public, &owner, DigestType::SHA256).ok());
        if let Some(ds) = ds {
            self.add(
                name,
                vec![RData::DNSSEC(DNSSECRData::DS(ds))],
                parent,
                Section::Answer,
            );
        }
    }

    fn dnskey(&mut self, name: &str, chain: &[Cut]) {
        let zone = chain.last().expect("the root is always there");
        if zone.proof == Proof::Insecure {
            self.deny_in(zone, name, AnswerStatus::NoData);
            return;
        }
        let key = RData::DNSSEC(DNSSECRData::DNSKEY(self.signer.dnskey.clone()));
        self.add(name, vec![key], zone, Section::Answer);
    }

    fn at_apex(&mut self, name: &str, of: RecordType, chain: &[Cut]) {
        let zone = chain.last().expect("the root is always there");
        let data = match of {
            RecordType::NS => RData::NS(NS(Name::from_ascii("ns.invalid.").unwrap_or_default())),
            _ => soa(),
        };
        self.add(name, vec![data], zone, Section::Answer);
    }

    fn found_or_not(&mut self, answer: ZoneAnswer, of: RecordType) {
        // A man in the middle has no key.
        let forged = |zone: Cut| match answer.proof {
            Proof::Bogus if zone.proof == Proof::Secure => Cut {
                proof: Proof::Insecure,
                ..zone
            },
            _ => zone,
        };
        for (owner, record) in &answer.aliases {
            let zone = self.zone(owner);
            self.add(
                owner,
                data_of(record).into_iter().collect(),
                &zone,
                Section::Answer,
            );
        }
        let zone = forged(self.zone(&answer.owner));
        match answer.status {
            AnswerStatus::Found => {
                let data = answer.records.iter().filter_map(data_of);
                let data = data.filter(|data| data.record_type() == of).collect();
                self.add(&answer.owner, data, &zone, Section::Answer);
            }
            status => self.deny_in(&zone, &answer.owner, status),
        }
    }

    fn deny(&mut self, name: &str, status: AnswerStatus) {
        let zone = self.zone(name);
        self.deny_in(&zone, name, status);
    }

    /// RFC 4035 §3.1.3: what proves that there is nothing.
    fn deny_in(&mut self, zone: &Cut, name: &str, status: AnswerStatus) {
        if status == AnswerStatus::NoSuchName {
            self.response.metadata.response_code = ResponseCode::NXDomain;
        }
        self.add(&zone.apex, vec![soa()], zone, Section::Authority);
        if zone.proof == Proof::Insecure {
            return;
        }
        let (Some(denied), Some(apex)) = (name_of(name), name_of(&zone.apex)) else {
            return;
        };
        let names = self.names(zone, name);
        let mut owners = BTreeSet::from([before(&names, &denied)]);
        if status == AnswerStatus::NoSuchName {
            let mut encloser = denied.base_name();
            while encloser != apex && !names.iter().any(|known| encloser.zone_of(known)) {
                encloser = encloser.base_name();
            }
            if let Ok(wildcard) = encloser.prepend_label("*") {
                owners.insert(before(&names, &wildcard));
            }
        }
        for owner in owners {
            let next = names.range((
                std::ops::Bound::Excluded(owner.clone()),
                std::ops::Bound::Unbounded,
            ));
            let next = next.min().or(names.first()).unwrap_or(&apex).clone();
            let text = fold(&owner.to_ascii());
            let nsec = NSEC::new_cover_self(next, self.types(zone, &text));
            let nsec = RData::DNSSEC(DNSSECRData::NSEC(nsec));
            self.add(&text, vec![nsec], zone, Section::Authority);
        }
    }

    /// The names that have records in a zone, its own and those of zones below it; and where the name in
    /// question would be a zone below it, that.
    fn names(&self, zone: &Cut, asked: &str) -> BTreeSet<Name> {
        let known = self.layout.names.keys().chain(self.layout.marks.keys());
        let known = known.map(String::as_str).chain([zone.apex.as_str()]);
        let mut names = BTreeSet::new();
        for name in known {
            let chain = self.chain(name);
            let here = chain.iter().position(|cut| cut.apex == zone.apex);
            let Some(here) = here else { continue };
            let owner = chain
                .get(here + 1)
                .map_or(name, |child| child.apex.as_str());
            let exists = self.layout.names.contains_key(owner);
            if here + 1 < chain.len() || owner == zone.apex || exists {
                names.extend(name_of(owner));
            }
        }
        let chain = self.chain(asked);
        if let Some([parent, child]) = chain.last_chunk()
            && parent.apex == zone.apex
            && child.apex == asked
        {
            names.extend(name_of(asked));
        }
        names
    }

    fn types(&self, zone: &Cut, name: &str) -> Vec<RecordType> {
        let kinds = self.layout.names.get(name).into_iter().flatten();
        let mut types: Vec<_> = kinds.map(|kind| type_of(*kind)).collect();
        if name == zone.apex {
            types.extend([RecordType::SOA, RecordType::NS, RecordType::DNSKEY]);
        } else if let Some(child) = self.chain(name).last()
            && child.apex == name
        {
            // Only the delegation is the parent's.
            types = vec![RecordType::NS];
            if child.proof != Proof::Insecure {
                types.push(RecordType::DS);
            }
        }
        types
    }

    fn add(&mut self, owner: &str, data: Vec<RData>, zone: &Cut, section: Section) {
        let (Some(owner), Some(first)) = (name_of(owner), data.first()) else {
            return;
        };
        let mut set = RecordSet::with_ttl(owner, first.record_type(), limits::TTL_SECS);
        for data in data {
            set.add_rdata(data);
        }
        let signature = match zone.proof {
            Proof::Insecure => None,
            Proof::Secure | Proof::Bogus => self.signer.sign(&set, zone),
        };
        for record in set.records_without_rrsigs().cloned().chain(signature) {
            match section {
                Section::Answer => self.response.add_answer(record),
                Section::Authority => self.response.add_authority(record),
            };
        }
    }
}

#[derive(Clone, Copy)]
enum Section {
    Answer,
    Authority,
}

/// The last name not after this one; the first of all stands before everything.
fn before(names: &BTreeSet<Name>, name: &Name) -> Name {
    let owner = names.range(..=name.clone()).next_back().or(names.first());
    owner.cloned().unwrap_or_default()
}

fn soa() -> RData {
    RData::SOA(SOA::new(
        Name::root(),
        Name::root(),
        1,
        3600,
        600,
        86_400,
        1,
    ))
}
