//! DNSSEC checked in this process, by hickory-resolver from the root's keys.
//! Used when the servers are not on this host, so that their AD bit says nothing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::dnssec::{Algorithm, Proof, PublicKeyBuf, TrustAnchors};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as HickoryDnsError, NetError, NoRecords};

use super::stub::Stub;
use super::wildcard::{self, Parts};
use super::{Answer, AnswerStatus, DnsError, Kind, RootKey, convert};
use crate::limits;

pub(super) struct Validator {
    resolver: TokioResolver,
    /// Whether the servers hand on signatures at all, and when that was found out.
    capable: Mutex<Option<(bool, Instant)>>,
}

/// Old home routers drop signatures; after an update, or on another network, that may change.
const CAPABLE_FOR: Duration = Duration::from_secs(600);

impl Validator {
    pub(super) fn new(servers: &[SocketAddr], root_keys: &[RootKey]) -> Result<Self, DnsError> {
        let servers = servers.iter().map(|server| {
            let mut config = NameServerConfig::udp_and_tcp(server.ip());
            for connection in &mut config.connections {
                connection.port = server.port();
            }
            config
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.validate = true;
        options.edns0 = true;
        options.timeout = limits::DNS_TIMEOUT;
        options.attempts = limits::DNS_ATTEMPTS;
        options.cache_size = limits::DNS_CACHE_ANSWERS_MAX;
        options.positive_max_ttl = Some(limits::DNS_POSITIVE_TTL_MAX);
        options.negative_max_ttl = Some(limits::DNS_NEGATIVE_TTL_MAX);
        options.use_hosts_file = ResolveHosts::Never;
        // The CNAMEs on the way must be proved too.
        options.preserve_intermediates = true;
        if !root_keys.is_empty() {
            builder = builder.with_trust_anchor(Arc::new(anchors(root_keys)));
        }
        let resolver = builder
            .build()
            .map_err(|error| DnsError::Network(error.to_string()))?;
        Ok(Self {
            resolver,
            capable: Mutex::new(None),
        })
    }

    pub(super) async fn ask(&self, name: &Name, kind: Kind) -> Result<Answer, DnsError> {
        let record_type = convert::record_type(kind);
        match self.resolver.lookup(name.clone(), record_type).await {
            Ok(lookup) => {
                let ttl = lookup
                    .valid_until()
                    .saturating_duration_since(Instant::now());
                Ok(found(lookup.answers(), record_type, ttl))
            }
            Err(error) => negative(name, error),
        }
    }

    /// An answer that the library calls bogus, but that is proved to come from a wildcard.
    pub(super) async fn expanded(&self, name: &Name, kind: Kind, stub: &Stub) -> Option<Answer> {
        let response = stub.unchecked(name, convert::record_type(kind)).await?;
        let Parts { parent, denier } = wildcard::parts(&response, name)?;
        let denied = self.resolver.lookup(denier.clone(), RecordType::NSEC).await;
        let proved = denied.ok()?.answers().iter().any(|record| {
            let RData::DNSSEC(DNSSECRData::NSEC(nsec)) = &record.data else {
                return false;
            };
            record.proof == Proof::Secure
                && record.name == denier
                && wildcard::nothing_nearer(&denier, nsec, name, &parent)
        });
        if !proved {
            return None;
        }
        let wildcard = parent.prepend_label("*").ok()?;
        let answer = self.ask(&wildcard, kind).await.ok()?;
        (answer.secure && answer.status == AnswerStatus::Found).then_some(answer)
    }

    /// A server that drops signatures makes everything look forged. Then nothing is secure, but
    /// names resolve.
    pub(super) async fn servers_hand_on_signatures(&self, stub: &Stub) -> bool {
        let known = *self.capable.lock().unwrap_or_else(PoisonError::into_inner);
        // Servers that could once can still: whoever drops signatures now is a forger.
        if let Some((capable, since)) = known
            && (capable || since.elapsed() < CAPABLE_FOR)
        {
            return capable;
        }
        // Not knowing is no reason to give up checking.
        let Some(capable) = stub.hands_on_signatures().await else {
            return true;
        };
        if !capable {
            tracing::warn!("the DNS servers drop DNSSEC signatures: answers are used unchecked");
        }
        let now = Instant::now();
        *self.capable.lock().unwrap_or_else(PoisonError::into_inner) = Some((capable, now));
        capable
    }
}

fn found(answers: &[hickory_proto::rr::Record], of: RecordType, ttl: Duration) -> Answer {
    let data = answers.iter().filter(|record| {
        let kind = record.record_type();
        kind == of || kind == RecordType::CNAME
    });
    let secure = data.clone().all(|record| record.proof == Proof::Secure);
    let wanted = data.filter(|record| record.record_type() == of);
    let records = wanted.filter_map(|record| convert::record(&record.data));
    let records: Vec<_> = records.take(limits::DNS_RECORDS_MAX).collect();
    if records.is_empty() {
        return Answer::no_data(Duration::ZERO);
    }
    let found = Answer::found(records, ttl.min(limits::DNS_POSITIVE_TTL_MAX));
    Answer { secure, ..found }
}

fn anchors(root_keys: &[RootKey]) -> TrustAnchors {
    let mut anchors = TrustAnchors::empty();
    for key in root_keys {
        let algorithm = Algorithm::from_u8(key.algorithm);
        anchors.insert(&PublicKeyBuf::new(key.public_key.clone(), algorithm));
    }
    anchors
}

fn negative(name: &Name, error: NetError) -> Result<Answer, DnsError> {
    let status = |code: ResponseCode| match code {
        ResponseCode::NXDomain => AnswerStatus::NoSuchName,
        _ => AnswerStatus::NoData,
    };
    match error {
        NetError::Timeout => Err(DnsError::TimedOut),
        NetError::Dns(HickoryDnsError::NoRecordsFound(none)) => match none.response_code {
            code @ (ResponseCode::NXDomain | ResponseCode::NoError) => {
                let ttl = Duration::from_secs(u64::from(none.negative_ttl.unwrap_or(0)));
                let ttl = ttl.min(limits::DNS_NEGATIVE_TTL_MAX);
                Ok(Answer {
                    status: status(code),
                    records: Vec::new(),
                    secure: denied(name, &none),
                    ttl,
                })
            }
            ResponseCode::ServFail => Err(DnsError::ServerFailure),
            code => Err(DnsError::Refused(code.to_string())),
        },
        // Not proved not to exist: only where nothing is signed may that be believed. A forger who could
        // make records vanish could turn DANE off.
        NetError::Dns(HickoryDnsError::Nsec {
            response,
            proof: Proof::Insecure,
            ..
        }) => Ok(Answer {
            status: status(response.response_code),
            records: Vec::new(),
            secure: false,
            ttl: Duration::ZERO,
        }),
        NetError::Dns(HickoryDnsError::Nsec { .. }) => Err(DnsError::Bogus),
        NetError::Dns(HickoryDnsError::DnssecBogus) => Err(DnsError::Bogus),
        NetError::Dns(HickoryDnsError::ResponseCode(ResponseCode::ServFail)) => {
            Err(DnsError::ServerFailure)
        }
        NetError::Dns(HickoryDnsError::ResponseCode(code)) => {
            Err(DnsError::Refused(code.to_string()))
        }
        other => Err(DnsError::Network(other.to_string())),
    }
}

/// The denial was proved, and it is of the very name that was asked for: what stands at the other end
/// of a CNAME proves nothing of the way there.
fn denied(name: &Name, none: &NoRecords) -> bool {
    let authorities = none.authorities.as_deref().unwrap_or_default();
    let mut proofs = authorities
        .iter()
        .filter(|record| matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3));
    none.query.name() == name && proofs.any(|record| record.proof == Proof::Secure)
}
