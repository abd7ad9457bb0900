//! From the DNS library's records to ours.
//! Names become lower case without the last dot; the root is `.`.

use hickory_proto::rr::{Name, RData, RecordType, rdata};

use super::{Kind, Record};

pub(super) fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Mx => RecordType::MX,
        Kind::Txt => RecordType::TXT,
        Kind::Ptr => RecordType::PTR,
        Kind::Tlsa => RecordType::TLSA,
        Kind::Cname => RecordType::CNAME,
        Kind::Ns => RecordType::NS,
        Kind::Soa => RecordType::SOA,
        Kind::Srv => RecordType::SRV,
        Kind::Caa => RecordType::CAA,
    }
}

pub(super) fn record(data: &RData) -> Option<Record> {
    Some(match data {
        RData::A(address) => Record::A(address.0),
        RData::AAAA(address) => Record::Aaaa(address.0),
        RData::MX(mx) => Record::Mx {
            preference: mx.preference,
            exchange: text(&mx.exchange),
        },
        RData::TXT(txt) => Record::Txt(txt.txt_data.iter().map(|text| text.to_vec()).collect()),
        RData::PTR(name) => Record::Ptr(text(&name.0)),
        RData::TLSA(tlsa) => Record::Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        },
        RData::CNAME(name) => Record::Cname(text(&name.0)),
        RData::NS(name) => Record::Ns(text(&name.0)),
        RData::SOA(soa) => Record::Soa {
            primary: text(&soa.mname),
            contact: text(&soa.rname),
            serial: soa.serial,
            minimum: soa.minimum,
        },
        RData::SRV(srv) => Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: text(&srv.target),
        },
        RData::CAA(caa) => Record::Caa {
            critical: caa.issuer_critical,
            tag: caa.tag.clone(),
            value: caa.value.clone(),
        },
        _ => return None,
    })
}

/// The other way: for what we publish. `None` for what has no form on the wire.
pub(super) fn data(record: &Record) -> Option<RData> {
    let name = |text: &str| {
        let mut name = Name::from_ascii(text).ok()?;
        name.set_fqdn(true);
        Some(name)
    };
    Some(match record {
        Record::A(address) => RData::A((*address).into()),
        Record::Aaaa(address) => RData::AAAA((*address).into()),
        Record::Mx {
            preference,
            exchange,
        } => RData::MX(rdata::MX::new(*preference, name(exchange)?)),
        Record::Txt(strings) => {
            let strings = strings.iter().map(Vec::as_slice).collect();
            RData::TXT(rdata::TXT::from_bytes(strings))
        }
        Record::Ptr(target) => RData::PTR(rdata::PTR(name(target)?)),
        Record::Tlsa {
            usage,
            selector,
            matching,
            data,
        } => RData::TLSA(rdata::TLSA::new(
            (*usage).into(),
            (*selector).into(),
            (*matching).into(),
            data.clone(),
        )),
        Record::Cname(target) => RData::CNAME(rdata::CNAME(name(target)?)),
        Record::Ns(target) => RData::NS(rdata::NS(name(target)?)),
        Record::Srv {
            priority,
            weight,
            port,
            target,
        } => RData::SRV(rdata::SRV::new(*priority, *weight, *port, name(target)?)),
        Record::Caa {
            critical,
            tag,
            value,
        } => {
            let mut caa = rdata::CAA::new_issue(*critical, None, Vec::new());
            caa.tag = tag.clone();
            caa.value = value.clone();
            RData::CAA(caa)
        }
        Record::Soa { .. } => return None,
    })
}

pub(super) fn text(name: &Name) -> String {
    let mut text = name.to_ascii();
    text.make_ascii_lowercase();
    if 1 < text.len() && text.ends_with('.') {
        text.pop();
    }
    text
}
