//! Asking one name server itself, past every cache, for what it is responsible for: whether a change has reached it.
//! Follows nothing and checks no signatures.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::Name;

use super::convert::{record, record_type};
use super::update::exchange;
use super::{Answer, DnsError, Kind};
use crate::{World, limits};

/// Where name servers listen.
const PORT: u16 = 53;

/// What the server at this address says. An error where it does not answer in time, does not know the zone, or leads
/// elsewhere by a CNAME. Over TCP, which every name server has to offer (RFC 7766 §5).
pub async fn ask_name_server(
    world: &World,
    server: IpAddr,
    name: &str,
    kind: Kind,
) -> Result<Answer, DnsError> {
    ask_name_server_at(world, SocketAddr::new(server, PORT), name, kind).await
}

/// The same for a server that listens elsewhere, such as a hidden primary.
pub async fn ask_name_server_at(
    world: &World,
    server: SocketAddr,
    name: &str,
    kind: Kind,
) -> Result<Answer, DnsError> {
    let bad = |what: &str| DnsError::Network(format!("{server}: {what}"));
    let mut asked = Name::from_ascii(name).map_err(|error| bad(&error.to_string()))?;
    asked.set_fqdn(true);
    let mut id = [0; 2];
    world.random.fill(&mut id);
    let mut message = Message::new(u16::from_be_bytes(id), MessageType::Query, OpCode::Query);
    message.add_query(Query::query(asked.clone(), record_type(kind)));
    let question = message.to_vec().map_err(|error| bad(&error.to_string()))?;
    let deadline = world.now() + limits::DNS_TIMEOUT;
    let exchanged = world
        .tasks
        .deadline(deadline, exchange(world, server, &question));
    let bytes = exchanged
        .await
        .map_err(|_| DnsError::TimedOut)?
        .map_err(|error| bad(&error.to_string()))?;
    let reply = Message::from_vec(&bytes).map_err(|error| bad(&error.to_string()))?;
    if reply.metadata.id != message.metadata.id || !reply.metadata.authoritative {
        return Err(bad("no answer of its own"));
    }
    // Whoever asks a server itself asks again when it matters, so nothing is kept.
    let ttl = Duration::ZERO;
    match reply.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Ok(Answer::no_such_name(ttl)),
        ResponseCode::ServFail => return Err(DnsError::ServerFailure),
        other => return Err(DnsError::Refused(other.to_string())),
    }
    let here = || {
        let answers = reply.answers.iter().take(limits::DNS_RECORDS_MAX);
        answers.filter(|record| record.name == asked)
    };
    let wanted = here().filter(|found| found.record_type() == record_type(kind));
    let records: Vec<_> = wanted.filter_map(|found| record(&found.data)).collect();
    if !records.is_empty() {
        return Ok(Answer::found(records, ttl));
    }
    match here().next() {
        Some(_) => Err(bad("the name leads elsewhere")),
        None => Ok(Answer::no_data(ttl)),
    }
}
