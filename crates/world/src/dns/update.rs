//! Changing a zone at its primary server: dynamic update (RFC 2136), signed with a shared secret (TSIG,
//! RFC 8945). Over TCP through the world's network, and without the types of any DNS library.

use std::net::SocketAddr;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode, UpdateMessage as _};
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::{DNSClass, Name, RData, Record as WireRecord, RecordType, TSigner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::convert::{data, record_type};
use super::{Kind, Record};
use crate::{World, limits};

/// Where a zone can be changed, and the secret that allows it.
#[derive(Clone)]
pub struct UpdateServer {
    pub at: SocketAddr,
    /// The zone's name: what has the SOA record.
    pub zone: String,
    pub key: Option<TsigKey>,
}

/// A secret shared with the server, as `tsig-keygen` makes it.
#[derive(Clone, PartialEq, Eq)]
pub struct TsigKey {
    pub name: String,
    pub algorithm: TsigHash,
    pub secret: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TsigHash {
    Sha256,
    Sha384,
    Sha512,
}

/// One step of a change. All steps of one update happen together or not at all (RFC 2136 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneEdit {
    Add {
        name: String,
        ttl_secs: u32,
        record: Record,
    },
    /// Just this one of a name's records.
    Remove { name: String, record: Record },
    /// All records of this kind.
    RemoveAll { name: String, kind: Kind },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    #[error("{0} is not a name or record that can be published")]
    BadEdit(String),
    #[error("the key cannot be used: {0}")]
    BadKey(String),
    #[error("the name server {at} cannot be reached: {problem}")]
    Network { at: SocketAddr, problem: String },
    #[error(
        "the name server does not accept the key ({0}); compare its name, algorithm and secret, and both clocks"
    )]
    KeyRefused(String),
    #[error("the name server does not let this key change the zone (REFUSED)")]
    NotAllowed,
    #[error("the name server is not the primary of the zone {0} (NOTAUTH, NOTZONE)")]
    WrongZone(String),
    #[error("the name server refused the change ({0})")]
    Refused(String),
    #[error("the name server's answer is not signed with the key: somebody else may have given it")]
    NotSigned,
}

impl TsigHash {
    /// As configuration files write it; `None` for what is unknown or too weak (RFC 8945 §6).
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().trim_end_matches('.') {
            "hmac-sha256" => Some(Self::Sha256),
            "hmac-sha384" => Some(Self::Sha384),
            "hmac-sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn of_wire(self) -> TsigAlgorithm {
        match self {
            Self::Sha256 => TsigAlgorithm::HmacSha256,
            Self::Sha384 => TsigAlgorithm::HmacSha384,
            Self::Sha512 => TsigAlgorithm::HmacSha512,
        }
    }
}

/// Makes the change. An edit that is already so is no error.
pub async fn update_zone(
    world: &World,
    server: &UpdateServer,
    edits: &[ZoneEdit],
) -> Result<(), UpdateError> {
    let mut id = [0; 2];
    world.random.fill(&mut id);
    let mut message = message(server, edits, u16::from_be_bytes(id))?;
    let now = world
        .wall()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut verifier = match &server.key {
        Some(key) => message
            .finalize(&signer(key)?, now)
            .map_err(|error| UpdateError::BadKey(error.to_string()))?,
        None => None,
    };
    let question = message
        .to_vec()
        .map_err(|error| UpdateError::BadEdit(error.to_string()))?;
    let deadline = world.now() + limits::DNS_UPDATE_PATIENCE;
    let exchanged = world
        .tasks
        .deadline(deadline, exchange(world, server.at, &question))
        .await;
    let network = |problem: String| UpdateError::Network {
        at: server.at,
        problem,
    };
    let answer = exchanged
        .map_err(|_| network("no answer in time".to_owned()))?
        .map_err(|error| network(error.to_string()))?;
    let reply = Message::from_vec(&answer).map_err(|error| network(error.to_string()))?;
    judge(&reply, server)?;
    match &mut verifier {
        Some(verifier) => verifier
            .verify(&answer)
            .map(drop)
            .map_err(|_| UpdateError::NotSigned),
        None => Ok(()),
    }
}

fn judge(reply: &Message, server: &UpdateServer) -> Result<(), UpdateError> {
    match reply.metadata.response_code {
        ResponseCode::NoError => Ok(()),
        ResponseCode::Refused => Err(UpdateError::NotAllowed),
        // What TSIG has to say stands in its own record, with NOTAUTH around it. RFC 8945 §5.2
        ResponseCode::NotAuth if server.key.is_some() => {
            let tsig = reply
                .signature()
                .and_then(|record| record.data.error.as_ref().map(|error| format!("{error:?}")));
            Err(match tsig {
                Some(problem) => UpdateError::KeyRefused(problem),
                None => UpdateError::WrongZone(server.zone.clone()),
            })
        }
        ResponseCode::NotAuth | ResponseCode::NotZone => {
            Err(UpdateError::WrongZone(server.zone.clone()))
        }
        other => Err(UpdateError::Refused(other.to_string())),
    }
}

/// One message there and one back, with their lengths before them. RFC 7766 §8
pub(super) async fn exchange(
    world: &World,
    at: SocketAddr,
    question: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut stream = world.net.connect(None, at).await?;
    let length = u16::try_from(question.len()).map_err(std::io::Error::other)?;
    stream
        .write_all(&[&length.to_be_bytes(), question].concat())
        .await?;
    stream.flush().await?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).await?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn message(server: &UpdateServer, edits: &[ZoneEdit], id: u16) -> Result<Message, UpdateError> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Update);
    let mut zone = Query::new();
    zone.set_name(name_of(&server.zone)?)
        .set_query_type(RecordType::SOA);
    message.add_zone(zone);
    for edit in edits {
        message.add_update(wire(edit)?);
    }
    Ok(message)
}

/// RFC 2136 §2.5
fn wire(edit: &ZoneEdit) -> Result<WireRecord, UpdateError> {
    let bad = |record: &Record| UpdateError::BadEdit(format!("{record:?}"));
    Ok(match edit {
        ZoneEdit::Add {
            name,
            ttl_secs,
            record,
        } => WireRecord::from_rdata(
            name_of(name)?,
            *ttl_secs,
            data(record).ok_or_else(|| bad(record))?,
        ),
        ZoneEdit::Remove { name, record } => {
            let mut gone =
                WireRecord::from_rdata(name_of(name)?, 0, data(record).ok_or_else(|| bad(record))?);
            gone.dns_class = DNSClass::NONE;
            gone
        }
        ZoneEdit::RemoveAll { name, kind } => {
            let mut gone =
                WireRecord::from_rdata(name_of(name)?, 0, RData::Update0(record_type(*kind)));
            gone.dns_class = DNSClass::ANY;
            gone
        }
    })
}

fn name_of(text: &str) -> Result<Name, UpdateError> {
    let mut name = Name::from_ascii(text).map_err(|_| UpdateError::BadEdit(text.to_owned()))?;
    name.set_fqdn(true);
    Ok(name)
}

fn signer(key: &TsigKey) -> Result<TSigner, UpdateError> {
    let bad = |error: String| UpdateError::BadKey(error);
    let name = Name::from_ascii(&key.name).map_err(|error| bad(error.to_string()))?;
    TSigner::new(
        key.secret.clone(),
        key.algorithm.of_wire(),
        name,
        limits::TSIG_FUDGE_SECS,
    )
    .map_err(|error| bad(error.to_string()))
}

impl std::fmt::Debug for TsigKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TsigKey({}, {:?})", self.name, self.algorithm)
    }
}
