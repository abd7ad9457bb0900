//! One attempt: a job carried to its destination, over a kept connection or a new one, host by host.
//! Ends with the outcome in the store, whatever happened.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use mail::UnixMillis;
use store::StoreError;
use store::queue::{BodyKind, TlsWish};
use wire::smtp::client::{
    Connection as Left, Event, Fate, Outcome, Phase, Transaction, Unsendable,
};
use wire::smtp::{Body, EnhancedCode};

use super::classify::{Verdict, nobody, of_failure, of_fate, of_unsendable, ours};
use super::connect::{self, Connection, Hop};
use super::finish::{self, Delivered};
use super::job::Job;
use super::window::Health;
use crate::envelope::{wire_recipient, wire_ret};
use crate::outbound::{OutboundMessage, author_domain, recode};
use crate::route::{self, HostName, Route};
use crate::settings::Relay;
use crate::{Inner, limits};

/// What the queue learns from an attempt.
pub(crate) struct Attempted {
    pub(crate) health: Health,
    /// Good for another message.
    pub(crate) connection: Option<Connection>,
    /// Why nobody could be reached: true for whatever else waits for this destination.
    pub(crate) unreachable: Option<Verdict>,
    /// When a recipient that was put off is due again.
    pub(crate) due: Option<UnixMillis>,
}

/// Carries the job out and writes down what became of it.
pub(crate) async fn run(
    inner: &Inner,
    route: &Route,
    job: &Job,
    idle: Option<Connection>,
) -> Attempted {
    // Fails only when the semaphore is closed, which nobody does.
    let _room = inner.leaving.acquire_many(kib(job)).await;
    let message = match load(inner, job).await {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(id = %job.message.trace, %error, "a queued message cannot be read");
            let text = "the message cannot be read from the disk here".to_owned();
            let verdict = Verdict::Temporary(nobody(EnhancedCode(4, 3, 0), text));
            let due = finish::all(inner, job, verdict, None).await;
            let health = Health::Unknown;
            return Attempted {
                health,
                connection: idle,
                unreachable: None,
                due,
            };
        }
    };
    let mut courier = Courier {
        inner,
        job,
        message: &message,
        tried: 0,
    };
    // The outcome is written down outside of this bound: what took too long was an attempt all the same.
    let deadline = inner.world.now() + limits::ATTEMPT_PATIENCE;
    let carrying = courier.carry(route, idle);
    let carried = match inner.world.tasks.deadline(deadline, carrying).await {
        Ok(carried) => carried,
        Err(_) => {
            let text = "the attempt took too long: the server is far too slow".to_owned();
            Carried::Nowhere(Verdict::Temporary(nobody(EnhancedCode(4, 4, 2), text)))
        }
    };
    let original = message.get(job.message.prefix.len()..);
    match carried {
        Carried::Told {
            verdicts,
            connection,
            dsn_passed_on,
        } => {
            let due = finish::each(inner, job, verdicts, original, dsn_passed_on).await;
            Attempted {
                health: Health::Good,
                connection,
                unreachable: None,
                due,
            }
        }
        Carried::Nowhere(verdict) => {
            let due = finish::all(inner, job, verdict.clone(), original).await;
            let health = match verdict {
                Verdict::Temporary(_) => Health::Unreachable,
                _ => Health::Unknown,
            };
            Attempted {
                health,
                connection: None,
                unreachable: Some(verdict),
                due,
            }
        }
    }
}

fn kib(job: &Job) -> u32 {
    let kib = u32::try_from(job.message.body.size / 1024).unwrap_or(u32::MAX);
    kib.clamp(1, limits::BODIES_LEAVING_KIB_MAX)
}

async fn load(inner: &Inner, job: &Job) -> Result<Bytes, StoreError> {
    let Job { message, .. } = job;
    let (body, size) = (message.body, message.body.size);
    let body = if size <= limits::INLINE_READ_BYTES_MAX {
        inner.store.body_blocking(&body, 0..size)?
    } else {
        inner.store.body(body, 0..size).await?
    };
    if message.prefix.is_empty() {
        return Ok(body.into());
    }
    Ok([message.prefix.as_slice(), &body].concat().into())
}

enum Carried {
    /// A server answered for each recipient.
    Told {
        verdicts: Vec<Verdict>,
        connection: Option<Connection>,
        dsn_passed_on: Delivered,
    },
    /// No server took part.
    Nowhere(Verdict),
}

/// One job on its way over one or more servers.
struct Courier<'a> {
    inner: &'a Inner,
    job: &'a Job,
    message: &'a Bytes,
    /// Addresses tried.
    tried: usize,
}

enum Handed {
    Told {
        verdicts: Vec<Verdict>,
        connection: Option<Connection>,
        dsn_passed_on: Delivered,
    },
    /// The server broke off before it said anything of the message: another may take it.
    Elsewhere(Verdict),
}

impl Courier<'_> {
    async fn carry(&mut self, route: &Route, idle: Option<Connection>) -> Carried {
        if let Some(connection) = idle {
            // A kept connection may have been closed meanwhile; that says nothing of the server.
            if let Handed::Told {
                verdicts,
                connection,
                dsn_passed_on,
            } = self.hand_over(connection).await
            {
                return Carried::Told {
                    verdicts,
                    connection,
                    dsn_passed_on,
                };
            }
        }
        match route {
            Route::Relay(relay) => self.by_relay(relay).await,
            Route::Hosts(hosts) => {
                let random = &*self.inner.world.random;
                self.by_hosts(&route::in_turn(hosts, random)).await
            }
        }
    }

    async fn by_relay(&mut self, relay: &Relay) -> Carried {
        let mut last = None;
        let host = HostName::of(&relay.host);
        match self
            .by_host(&host, relay.port, Some(relay), &mut last)
            .await
        {
            Some(told) => told,
            None => nowhere(last, &relay.host),
        }
    }

    async fn by_hosts(&mut self, hosts: &[HostName]) -> Carried {
        let port = self.inner.settings.outbound.port;
        let mut last = None;
        for host in hosts {
            if let Some(told) = self.by_host(host, port, None, &mut last).await {
                return told;
            }
            if self.tried >= limits::ADDRESSES_PER_ATTEMPT_MAX {
                break;
            }
        }
        nowhere(
            last,
            &hosts.first().map(ToString::to_string).unwrap_or_default(),
        )
    }

    /// Tries the addresses of one host.
    async fn by_host(
        &mut self,
        host: &HostName,
        port: u16,
        relay: Option<&Relay>,
        last: &mut Option<Verdict>,
    ) -> Option<Carried> {
        let name = host.to_string();
        let addresses = match host {
            HostName::Address(address) => vec![*address],
            HostName::Name(name) => match route::addresses_of(&self.inner.world, name).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    let text = format!("the address of the server is not known now: {error}");
                    *last = Some(Verdict::Temporary(ours(name, EnhancedCode(4, 4, 3), text)));
                    return None;
                }
            },
        };
        if addresses.is_empty() {
            let text = "the server has no address".to_owned();
            last.get_or_insert(Verdict::Temporary(ours(&name, EnhancedCode(4, 4, 4), text)));
        }
        for address in addresses {
            if self.tried >= limits::ADDRESSES_PER_ATTEMPT_MAX {
                return None;
            }
            let address = SocketAddr::new(address, port);
            if relay.is_none() && is_own(&self.inner.settings.outbound.own_listeners, address) {
                let text = "the DNS sends this mail back to this very server".to_owned();
                // Never instead of a better host that was only out of reach.
                last.get_or_insert(Verdict::Permanent(ours(&name, EnhancedCode(5, 4, 6), text)));
                continue;
            }
            self.tried += 1;
            let hop = Hop {
                host: host_text(host, &name),
                address,
                relay,
            };
            let connection = match connect::open(self.inner, &hop).await {
                Ok(connection) => connection,
                Err(verdict) => {
                    *last = Some(verdict);
                    continue;
                }
            };
            match self.hand_over(connection).await {
                Handed::Told {
                    verdicts,
                    connection,
                    dsn_passed_on,
                } => {
                    return Some(Carried::Told {
                        verdicts,
                        connection,
                        dsn_passed_on,
                    });
                }
                Handed::Elsewhere(verdict) => *last = Some(verdict),
            }
        }
        None
    }

    /// Sends the message over an open connection.
    async fn hand_over(&self, mut connection: Connection) -> Handed {
        let host = connection.host.clone();
        let transaction = match self.transaction(&mut connection).await {
            Ok(transaction) => transaction,
            Err(verdict) => return self.told_all(verdict, Some(connection)),
        };
        match connection.talk.machine().send(transaction) {
            Ok(()) => {}
            Err(Unsendable::NotReady) => {
                return Handed::Elsewhere(of_unsendable(&host, Unsendable::NotReady));
            }
            Err(why) => return self.told_all(of_unsendable(&host, why), Some(connection)),
        }
        loop {
            match connection.talk.event().await {
                Ok(Event::Ready) => {}
                Ok(Event::Finished(outcome)) => return finished(&host, connection, outcome),
                Ok(Event::Failed(failure)) => {
                    return Handed::Elsewhere(of_failure(&host, &failure));
                }
                Err(ended) => {
                    let text = format!("the connection broke: {ended}");
                    let verdict = Verdict::Temporary(ours(&host, EnhancedCode(4, 4, 2), text));
                    return self.told_all(verdict, None);
                }
            }
        }
    }

    fn told_all(&self, verdict: Verdict, connection: Option<Connection>) -> Handed {
        let verdicts = vec![verdict; self.job.recipients.len()];
        Handed::Told {
            verdicts,
            connection,
            dsn_passed_on: Delivered::Silently,
        }
    }

    /// The message in the form that this server takes.
    async fn transaction(&self, connection: &mut Connection) -> Result<Transaction, Verdict> {
        let queued = &self.job.message;
        let offered = connection.talk.machine().capabilities();
        let (mut body, mut body_kind) = (self.message.clone(), body_of(queued.body_kind));
        if body_kind != Body::SevenBit && !offered.eight_bit_mime {
            let text = "the server takes 7-bit mail only".to_owned();
            body = self.in_seven_bits().await.ok_or_else(|| {
                Verdict::Permanent(ours(&connection.host, EnhancedCode(5, 6, 3), text))
            })?;
            body_kind = Body::SevenBit;
        }
        Ok(Transaction {
            from: queued.reverse_path.clone(),
            recipients: self
                .job
                .recipients
                .iter()
                .map(|recipient| wire_recipient(&recipient.address, &recipient.dsn))
                .collect(),
            body,
            body_kind,
            smtputf8: self.job.needs_smtputf8(),
            require_tls: queued.tls == TlsWish::Required,
            ret: wire_ret(queued.dsn.ret),
            envid: queued.dsn.envelope_id.clone(),
        })
    }

    /// Encoded anew, and signed anew. RFC 6152 §3, RFC 6376 §5.3.
    async fn in_seven_bits(&self) -> Option<Bytes> {
        let queued = &self.job.message;
        let mut unsigned = self.message.clone();
        unsigned.advance(queued.prefix.len().min(unsigned.len()));
        let work = move || recode::for_seven_bit(&unsigned);
        let recoded = self.inner.compute(self.message.len(), work).await.ok()??;
        let domain = author_domain(&recoded);
        let message = OutboundMessage::from_queue(queued, recoded);
        let signatures = message.signatures(self.inner, domain.as_ref()).await;
        Some(message.with_prefix(signatures).into())
    }
}

fn finished(host: &str, connection: Connection, outcome: Outcome) -> Handed {
    let Outcome {
        recipients,
        connection: left,
        dsn_passed_on,
        ..
    } = outcome;
    // Nothing was said of the message yet: the next host, or a fresh connection, may take it.
    let unheard = |fate: &Fate| match fate {
        Fate::NotDelivered { phase, .. } => *phase < Phase::Data,
        Fate::Refused {
            phase: Phase::Idle | Phase::Mail,
            reply,
        } => reply.code() == 421,
        _ => false,
    };
    let connection = (left == Left::Open).then_some(connection);
    let nothing_heard = connection.is_none() && recipients.iter().all(unheard);
    if let (true, Some(fate)) = (nothing_heard, recipients.first()) {
        return Handed::Elsewhere(of_fate(host, fate));
    }
    let verdicts = recipients.iter().map(|fate| of_fate(host, fate)).collect();
    let dsn_passed_on = if dsn_passed_on {
        Delivered::ServerReports
    } else {
        Delivered::Silently
    };
    Handed::Told {
        verdicts,
        connection,
        dsn_passed_on,
    }
}

fn nowhere(last: Option<Verdict>, host: &str) -> Carried {
    Carried::Nowhere(last.unwrap_or_else(|| {
        let text = "no server could be reached".to_owned();
        Verdict::Temporary(ours(host, EnhancedCode(4, 4, 1), text))
    }))
}

/// The name to check certificates against: an address without its brackets.
fn host_text<'a>(host: &'a HostName, shown: &'a str) -> &'a str {
    match host {
        HostName::Name(name) => name,
        HostName::Address(_) => shown.trim_start_matches('[').trim_end_matches(']'),
    }
}

/// RFC 5321 §5.1: what leads back to us is no way out.
fn is_own(listeners: &[SocketAddr], address: SocketAddr) -> bool {
    listeners.iter().any(|listener| {
        let everywhere = listener.ip().is_unspecified() && address.ip().is_loopback();
        listener.port() == address.port() && (listener.ip() == address.ip() || everywhere)
    })
}

fn body_of(kind: BodyKind) -> Body {
    match kind {
        BodyKind::SevenBit => Body::SevenBit,
        BodyKind::EightBit => Body::EightBitMime,
        BodyKind::Binary => Body::BinaryMime,
    }
}

/// Shared by the tasks of the queue.
pub(crate) type SharedRoute = Arc<Route>;
