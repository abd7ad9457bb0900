//! A DNS server for the zones, on real UDP and TCP sockets of a free port: as a validating resolver on the
//! same host it says what is secure (AD), and fails where
//! signatures are wrong. Those who check themselves (DO) get the signatures.
//! Ends when it is dropped.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TLSA, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use world::{AnswerStatus, Kind, Record, RootKey};

use super::signing::Signer;
use crate::limits;
use crate::zones::{DnsFault, Proof, ZoneAnswer, Zones};

pub struct DnsServer {
    address: SocketAddr,
    root_key: RootKey,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// RFC 8914 §2 and §4.7.
const EXTENDED_ERROR: u16 = 15;
const BOGUS: u8 = 6;

/// RFC 9715 §3
const UDP_PAYLOAD_BYTES: u16 = 1232;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

impl DnsServer {
    /// Serves on a free port that is the same for UDP and TCP.
    pub async fn start(zones: Zones, address: IpAddr) -> io::Result<Self> {
        let (udp, tcp) = bind(address).await?;
        let address = tcp.local_addr()?;
        let source = Source {
            zones,
            signer: Arc::new(Signer::new()),
        };
        let root_key = source.signer.root_key();
        let tasks = vec![
            tokio::spawn(serve_udp(source.clone(), udp)),
            tokio::spawn(serve_tcp(source, tcp)),
        ];
        Ok(Self {
            address,
            root_key,
            tasks,
        })
    }

    /// For those who check signatures themselves.
    pub fn root_key(&self) -> &RootKey {
        &self.root_key
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Where answers come from.
#[derive(Clone)]
struct Source {
    zones: Zones,
    signer: Arc<Signer>,
}

/// The port that is free for UDP may be taken for TCP.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the outside, not a user of it"
)]
async fn bind(address: IpAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = None;
    for _ in 0..20 {
        let udp = UdpSocket::bind((address, 0)).await?;
        match TcpListener::bind((address, udp.local_addr()?.port())).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

async fn serve_udp(source: Source, socket: UdpSocket) {
    let socket = Arc::new(socket);
    let mut buffer = vec![0; 4096];
    loop {
        // ICMP errors of earlier answers come up here; they concern nobody.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let question = buffer.get(..length).unwrap_or_default();
        if let Some(response) = respond(&source, question, Transport::Udp) {
            let _ = socket.send_to(&response, peer).await;
        }
    }
}

async fn serve_tcp(source: Source, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        tokio::spawn(serve_connection(source.clone(), stream));
    }
}

async fn serve_connection(source: Source, mut stream: TcpStream) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        let Some(response) = respond(&source, &question, Transport::Tcp) else {
            continue;
        };
        let Ok(length) = u16::try_from(response.len()) else {
            return;
        };
        let framed = [&length.to_be_bytes()[..], &response].concat();
        if stream.write_all(&framed).await.is_err() {
            return;
        }
    }
}

/// Answers on one connection of the pocket internet, as an authoritative server.
pub(crate) async fn serve_line(zones: Zones, signer: Arc<Signer>, mut stream: world::Stream) {
    let source = Source { zones, signer };
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        let Some(response) = respond(&source, &question, Transport::Tcp) else {
            continue;
        };
        let Ok(length) = u16::try_from(response.len()) else {
            return;
        };
        let framed = [&length.to_be_bytes()[..], &response].concat();
        if stream.write_all(&framed).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// Nothing for garbage and for names that are to be silent.
fn respond(source: &Source, question: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).ok()?;
    if question.metadata.message_type != MessageType::Query {
        return None;
    }
    let query = question.queries.first()?.clone();
    let name = query.name().to_ascii();
    let mut response = Message::response(question.metadata.id, OpCode::Query);
    response.metadata.recursion_desired = question.metadata.recursion_desired;
    response.metadata.authoritative = true;
    response.add_query(query.clone());
    let edns_bytes = question
        .edns
        .as_ref()
        .map(|edns| usize::from(edns.max_payload()));
    if edns_bytes.is_some() {
        response.set_edns(Edns::new());
    }
    let asks_for_proofs = question
        .edns
        .as_ref()
        .is_some_and(|edns| edns.flags().dnssec_ok);
    let wants_proofs = asks_for_proofs && !source.zones.drops_signatures();
    if wants_proofs && let Some(edns) = &mut response.edns {
        edns.set_dnssec_ok(true);
        edns.set_max_payload(UDP_PAYLOAD_BYTES);
    }
    match source.zones.meet_fault(&name) {
        Some(DnsFault::Silent) => return None,
        Some(DnsFault::ServFail) => response.metadata.response_code = ResponseCode::ServFail,
        Some(DnsFault::Refused) => response.metadata.response_code = ResponseCode::Refused,
        Some(DnsFault::Truncated) if transport == Transport::Udp => {
            response.metadata.truncation = true;
        }
        Some(DnsFault::Truncated) | None if wants_proofs => {
            source.signer.answer(&source.zones, &query, &mut response);
        }
        Some(DnsFault::Truncated) | None => answer(&source.zones, &query, &mut response),
    }
    let bytes = response.to_vec().ok()?;
    let bytes_max = edns_bytes.unwrap_or(0).max(limits::UDP_BYTES_DEFAULT);
    if transport == Transport::Udp && bytes_max < bytes.len() {
        return response.truncate().to_vec().ok();
    }
    Some(bytes)
}

fn answer(zones: &Zones, query: &Query, response: &mut Message) {
    let Some(kind) = kind_of(query.query_type()) else {
        // A kind nobody made records of: the name may exist.
        let exists = zones.answer(&query.name().to_ascii(), Kind::Soa).status;
        return negative(exists, response);
    };
    // The root has this one record, marked or not.
    if query.name().is_root() && kind == Kind::Soa {
        response.metadata.authentic_data = !zones.checks_nothing();
        response.add_answer(soa());
        return;
    }
    let ZoneAnswer {
        status,
        aliases,
        owner,
        records,
        proof,
    } = zones.answer(&query.name().to_ascii(), kind);
    let proof = match zones.checks_nothing() {
        true => None,
        false => Some(proof),
    };
    if proof == Some(Proof::Bogus) {
        response.metadata.response_code = ResponseCode::ServFail;
        // RFC 8914 §4.7: a validating resolver says why.
        if let Some(edns) = &mut response.edns {
            let options = edns.options_mut();
            options.insert(EdnsOption::Unknown(EXTENDED_ERROR, vec![0, BOGUS]));
        }
        return;
    }
    // As a validating resolver tells those who trust it. RFC 6840 §5.8
    response.metadata.authentic_data =
        proof.is_some_and(|proof| proof == Proof::Secure || query.name().is_root());
    let owned = records.into_iter().map(|record| (owner.clone(), record));
    for (owner, record) in aliases.into_iter().chain(owned) {
        if let (Some(owner), Some(data)) = (name_of(&owner), data_of(&record)) {
            let record = hickory_proto::rr::Record::from_rdata(owner, limits::TTL_SECS, data);
            response.add_answer(record);
        }
    }
    negative(status, response);
}

fn negative(status: AnswerStatus, response: &mut Message) {
    match status {
        AnswerStatus::Found => return,
        AnswerStatus::NoData => {}
        AnswerStatus::NoSuchName => response.metadata.response_code = ResponseCode::NXDomain,
    }
    response.add_authority(soa());
}

fn soa() -> hickory_proto::rr::Record {
    let soa = SOA::new(Name::root(), Name::root(), 1, 3600, 600, 86_400, 1);
    hickory_proto::rr::Record::from_rdata(Name::root(), 1, RData::SOA(soa))
}

pub(super) fn name_of(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

pub(super) fn kind_of(kind: RecordType) -> Option<Kind> {
    Some(match kind {
        RecordType::A => Kind::A,
        RecordType::AAAA => Kind::Aaaa,
        RecordType::MX => Kind::Mx,
        RecordType::TXT => Kind::Txt,
        RecordType::PTR => Kind::Ptr,
        RecordType::TLSA => Kind::Tlsa,
        RecordType::CNAME => Kind::Cname,
        RecordType::NS => Kind::Ns,
        RecordType::SOA => Kind::Soa,
        RecordType::SRV => Kind::Srv,
        _ => return None,
    })
}

pub(super) fn type_of(kind: Kind) -> RecordType {
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

pub(super) fn data_of(record: &Record) -> Option<RData> {
    Some(match record {
        Record::A(address) => RData::A(A(*address)),
        Record::Aaaa(address) => RData::AAAA(AAAA(*address)),
        Record::Mx {
            preference,
            exchange,
        } => RData::MX(MX::new(*preference, name_of(exchange)?)),
        Record::Txt(strings) => {
            RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
        }
        Record::Ptr(name) => RData::PTR(PTR(name_of(name)?)),
        Record::Tlsa {
            usage,
            selector,
            matching,
            data,
        } => RData::TLSA(TLSA::new(
            CertUsage::from(*usage),
            Selector::from(*selector),
            Matching::from(*matching),
            data.clone(),
        )),
        Record::Cname(name) => RData::CNAME(CNAME(name_of(name)?)),
        Record::Ns(name) => RData::NS(NS(name_of(name)?)),
        Record::Soa {
            primary,
            contact,
            serial,
            minimum,
        } => RData::SOA(SOA::new(
            name_of(primary)?,
            name_of(contact)?,
            *serial,
            3600,
            600,
            86_400,
            *minimum,
        )),
        Record::Srv {
            priority,
            weight,
            port,
            target,
        } => RData::SRV(SRV::new(*priority, *weight, *port, name_of(target)?)),
        Record::Caa { .. } => return None,
    })
}
