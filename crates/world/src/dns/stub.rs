//! A small DNS client: asks recursive servers over UDP and TCP, follows CNAMEs, caches.
//! Checks no signatures; it may trust the AD bit of servers on the same host.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::window::Window;
use super::{Answer, AnswerStatus, DnsError, Kind, convert};
use crate::{OsRandom, Random, limits};

pub(super) struct Stub {
    servers: Vec<SocketAddr>,
    trust_ad: bool,
    cache: Mutex<HashMap<(String, Kind), Cached>>,
    window: Window,
}

struct Cached {
    until: Instant,
    answer: Answer,
}

/// How long each round of asking all servers waits for each.
/// The first is short: what a burst made the server drop is asked again at once, and what it is still looking for
/// is found by then or later.
const ROUNDS: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(2),
    Duration::from_secs(4),
    limits::DNS_TIMEOUT,
];
/// RFC 9715 §3: answers of this size are not fragmented on today's networks.
const UDP_PAYLOAD_BYTES: u16 = 1232;
/// CNAMEs followed in one answer and by new questions.
const CNAMES_MAX: usize = 10;
/// The EDNS option of extended errors. RFC 8914 §2
const EXTENDED_ERROR: u16 = 15;

impl Stub {
    pub(super) fn new(servers: Vec<SocketAddr>, trust_ad: bool) -> Self {
        Self {
            servers,
            trust_ad,
            cache: Mutex::default(),
            window: Window::new(),
        }
    }

    pub(super) fn cached(&self, name: &str, kind: Kind) -> Option<Answer> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = cache.get(&(name.to_ascii_lowercase(), kind))?;
        let left = cached.until.checked_duration_since(Instant::now())?;
        Some(Answer {
            ttl: left,
            ..cached.answer.clone()
        })
    }

    pub(super) fn remember(&self, name: &str, kind: Kind, answer: &Answer) {
        if answer.ttl.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if limits::DNS_CACHE_ANSWERS_MAX <= cache.len() as u64 {
            cache.retain(|_, cached| now < cached.until);
            if limits::DNS_CACHE_ANSWERS_MAX <= cache.len() as u64 {
                cache.clear();
            }
        }
        let cached = Cached {
            until: now + answer.ttl,
            answer: answer.clone(),
        };
        cache.insert((name.to_ascii_lowercase(), kind), cached);
    }

    pub(super) async fn ask(&self, name: Name, kind: Kind) -> Result<Answer, DnsError> {
        let record_type = convert::record_type(kind);
        let mut name = name;
        let mut secure = self.trust_ad;
        let mut ttl = limits::DNS_POSITIVE_TTL_MAX;
        for _ in 0..CNAMES_MAX {
            let response = self.ask_servers(&name, record_type).await?;
            secure &= response.metadata.authentic_data;
            let reading = read(&response, &name, record_type)?;
            ttl = ttl.min(reading.ttl);
            match reading.result {
                Reading::Answer(status, records) => {
                    return Ok(Answer {
                        status,
                        records,
                        secure,
                        ttl,
                    });
                }
                Reading::AskFor(target) => name = target,
            }
        }
        Err(DnsError::Network("the CNAME chain is too long".to_owned()))
    }

    /// Whether a server hands on signatures to who asks for them: those of the root, which is signed.
    /// Whether they are right is another question. `None` when none of them answers.
    pub(super) async fn hands_on_signatures(&self) -> Option<bool> {
        let response = self.unchecked(&Name::root(), RecordType::SOA).await?;
        let mut records = response.answers.iter();
        Some(records.any(|record| record.record_type() == RecordType::RRSIG))
    }

    /// An answer with its signatures, checked by nobody.
    pub(super) async fn unchecked(&self, name: &Name, kind: RecordType) -> Option<Message> {
        let mut question = question(name, kind, Some(UDP_PAYLOAD_BYTES));
        question.metadata.checking_disabled = true;
        question.edns.as_mut()?.set_dnssec_ok(true);
        let mut empty = None;
        for server in &self.servers {
            let exchange = async {
                let response = exchange_udp(*server, &question).await?;
                match response.metadata.truncation {
                    true => exchange_tcp(*server, &question).await,
                    false => Ok(response),
                }
            };
            let response = tokio::time::timeout(limits::DNS_TIMEOUT, exchange).await;
            let Ok(Ok(response)) = response else { continue };
            if !response.answers.is_empty() {
                return Some(response);
            }
            // A server that fails says nothing of what it would do; one that knows nothing has said it.
            if response.metadata.response_code != ResponseCode::ServFail {
                empty = Some(response);
            }
        }
        empty
    }

    async fn ask_servers(&self, name: &Name, kind: RecordType) -> Result<Message, DnsError> {
        let mut last = DnsError::TimedOut;
        for (round, timeout) in ROUNDS.into_iter().enumerate() {
            for server in &self.servers {
                // Who waits for a slow name takes no place from others.
                let _place = match round {
                    0 => self.window.place().await,
                    _ => None,
                };
                let asked = exchange(*server, name, kind);
                match tokio::time::timeout(timeout, asked).await {
                    Ok(Ok(response)) => {
                        self.window.answered();
                        match failure(&response) {
                            None => return Ok(response),
                            Some(error) => last = error,
                        }
                    }
                    Ok(Err(error)) => last = DnsError::Network(error.to_string()),
                    Err(_) => {
                        if round == 0 {
                            self.window.silent();
                        }
                        last = DnsError::TimedOut;
                    }
                }
            }
            // A failure that was answered is not repeated at once; only silence is.
            if last != DnsError::TimedOut {
                break;
            }
        }
        Err(last)
    }
}

enum Reading {
    Answer(AnswerStatus, Vec<super::Record>),
    AskFor(Name),
}

struct ReadResponse {
    result: Reading,
    ttl: Duration,
}

fn read(response: &Message, asked: &Name, kind: RecordType) -> Result<ReadResponse, DnsError> {
    let mut at = asked.clone();
    let mut ttl = limits::DNS_POSITIVE_TTL_MAX;
    let bounded = |ttl: Duration, seconds: u32| ttl.min(Duration::from_secs(u64::from(seconds)));
    for _ in 0..CNAMES_MAX {
        let here = response.answers.iter().filter(|record| record.name == at);
        let wanted = here.clone().filter(|record| record.record_type() == kind);
        let wanted: Vec<_> = wanted.take(limits::DNS_RECORDS_MAX).collect();
        if !wanted.is_empty() {
            let ttl = wanted
                .iter()
                .fold(ttl, |ttl, record| bounded(ttl, record.ttl));
            let records = wanted
                .iter()
                .filter_map(|record| convert::record(&record.data));
            let result = Reading::Answer(AnswerStatus::Found, records.collect());
            return Ok(ReadResponse { result, ttl });
        }
        let alias = here.clone().find_map(|record| match &record.data {
            RData::CNAME(target) => Some((target.0.clone(), record.ttl)),
            _ => None,
        });
        let Some((target, seconds)) = alias else {
            break;
        };
        ttl = bounded(ttl, seconds);
        at = target;
    }
    let soa = response
        .authorities
        .iter()
        .find_map(|record| match &record.data {
            RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
            _ => None,
        });
    // RFC 2308 §5: without a SOA a negative answer is not kept.
    let negative_ttl = bounded(ttl.min(limits::DNS_NEGATIVE_TTL_MAX), soa.unwrap_or(0));
    if response.metadata.response_code == ResponseCode::NXDomain {
        let result = Reading::Answer(AnswerStatus::NoSuchName, Vec::new());
        return Ok(ReadResponse {
            result,
            ttl: negative_ttl,
        });
    }
    if at != *asked && soa.is_none() {
        return Ok(ReadResponse {
            result: Reading::AskFor(at),
            ttl,
        });
    }
    let referral = soa.is_none()
        && !response.metadata.authoritative
        && !response.metadata.recursion_available
        && response
            .authorities
            .iter()
            .any(|record| record.record_type() == RecordType::NS);
    if referral {
        return Err(DnsError::Refused("it does not resolve for us".to_owned()));
    }
    let result = Reading::Answer(AnswerStatus::NoData, Vec::new());
    Ok(ReadResponse {
        result,
        ttl: negative_ttl,
    })
}

fn failure(response: &Message) -> Option<DnsError> {
    match response.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => None,
        ResponseCode::ServFail if says_bogus(response) => Some(DnsError::Bogus),
        ResponseCode::ServFail => Some(DnsError::ServerFailure),
        other => Some(DnsError::Refused(other.to_string())),
    }
}

/// A validating resolver says by an extended error that signatures are wrong, expired or missing.
/// RFC 8914 §4.7 to §4.13
fn says_bogus(response: &Message) -> bool {
    let options = response.edns.as_ref().map(Edns::options);
    let code = options.and_then(|options| options.get(EdnsCode::Unknown(EXTENDED_ERROR)));
    match code {
        Some(EdnsOption::Unknown(_, data)) => {
            matches!(data.first_chunk(), Some([0, 6..=12]))
        }
        _ => false,
    }
}

async fn exchange(server: SocketAddr, name: &Name, kind: RecordType) -> io::Result<Message> {
    let response = exchange_udp(server, &question(name, kind, Some(UDP_PAYLOAD_BYTES))).await?;
    let response = match response.metadata.response_code {
        // RFC 6891 §7: a server that does not know EDNS says so.
        ResponseCode::FormErr | ResponseCode::NotImp => {
            exchange_udp(server, &question(name, kind, None)).await?
        }
        _ => response,
    };
    if response.metadata.truncation {
        return exchange_tcp(server, &question(name, kind, Some(UDP_PAYLOAD_BYTES))).await;
    }
    Ok(response)
}

fn question(name: &Name, kind: RecordType, payload: Option<u16>) -> Message {
    let mut id = [0; 2];
    OsRandom.fill(&mut id);
    let mut message = Message::new(u16::from_le_bytes(id), MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    // RFC 6840 §5.7: AD in the question asks for AD in the answer, without all the signatures.
    message.metadata.authentic_data = true;
    message.add_query(Query::query(name.clone(), kind));
    if let Some(payload) = payload {
        let mut edns = Edns::new();
        edns.set_max_payload(payload);
        message.set_edns(edns);
    }
    message
}

async fn exchange_udp(server: SocketAddr, question: &Message) -> io::Result<Message> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    // A fresh port for each question: together with the id it is what a forger must guess.
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket
        .send(&question.to_vec().map_err(io::Error::other)?)
        .await?;
    let mut buffer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let bytes = buffer.get(..length).unwrap_or_default();
        // Whatever does not answer the question is noise or forgery: go on waiting.
        if let Ok(response) = Message::from_vec(bytes)
            && answers(&response, question)
        {
            return Ok(response);
        }
    }
}

async fn exchange_tcp(server: SocketAddr, question: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let bytes = question.to_vec().map_err(io::Error::other)?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(&bytes);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await?;
    match Message::from_vec(&buffer) {
        Ok(response) if answers(&response, question) => Ok(response),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn answers(response: &Message, question: &Message) -> bool {
    response.metadata.id == question.metadata.id
        && response.metadata.message_type == MessageType::Response
        && (response.queries == question.queries
            || (response.queries.is_empty()
                && response.metadata.response_code == ResponseCode::FormErr))
}
