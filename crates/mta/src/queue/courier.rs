//! Carries one job to its destination, over a kept connection or a new one, host by host, and no way that is
//! less safe than what is demanded.

use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, Bytes};
use doctor::replies;
use store::queue::{BodyKind, TlsWish};
use wire::smtp::client::{
    Connection as Left, Event, Fate, Outcome, Phase, Transaction, Unsendable,
};
use wire::smtp::{Body, EnhancedCode};
use world::DnsError;

use super::aftermath::{Path, seconds};
use super::classify::{Verdict, of_failure, of_fate, of_unsendable, ours};
use super::connect::{self, Connection, Hop, Opened};
use super::finish::{Delivered, Notes};
use super::job::Job;
use crate::envelope::{wire_recipient, wire_ret};
use crate::outbound::{OutboundMessage, author_domain, recode};
use crate::policy::evidence::{self, Ends};
use crate::policy::learning::{Lesson, settled_since};
use crate::policy::{self, HostPlan, Obstacle, Secured, Tlsa};
use crate::route::{self, HostName, Route, Way};
use crate::settings::Relay;
use crate::{Inner, limits};

/// How far a message came.
pub(super) enum Carried {
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
pub(super) struct Courier<'a> {
    inner: &'a Inner,
    way: &'a Way,
    job: &'a Job,
    message: &'a Bytes,
    /// Addresses tried.
    tried: usize,
    /// A host spoke for the whole provider: its other hosts are not asked.
    settled: bool,
    /// Nothing was sent somewhere because the way there was not safe enough.
    guarded: bool,
    notes: Notes,
    last: Option<Verdict>,
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

/// One mail host, with what is demanded of the way there.
struct Target<'a> {
    host: &'a HostName,
    name: &'a str,
    port: u16,
    relay: Option<&'a Relay>,
    tlsa: &'a Tlsa,
    plan: &'a HostPlan,
}

impl<'a> Courier<'a> {
    pub(super) fn new(inner: &'a Inner, way: &'a Way, job: &'a Job, message: &'a Bytes) -> Self {
        Self {
            inner,
            way,
            job,
            message,
            tried: 0,
            settled: false,
            guarded: false,
            notes: Notes::default(),
            last: None,
        }
    }

    /// What was seen on the way, and whether safety stood in it.
    pub(super) fn end(self) -> (Notes, bool) {
        (self.notes, self.guarded)
    }

    pub(super) async fn carry(&mut self, idle: Option<Connection>) -> Carried {
        self.notes.tried = true;
        if let Some(connection) = idle {
            let (host, peer) = (connection.host.clone(), connection.peer);
            match self.hand_over(connection).await {
                Handed::Told {
                    verdicts,
                    connection,
                    dsn_passed_on,
                } => {
                    return Carried::Told {
                        verdicts,
                        connection,
                        dsn_passed_on,
                    };
                }
                // A kept connection may have been closed meanwhile; that says nothing of the server, but words do.
                Handed::Elsewhere(verdict) => {
                    self.heed(&verdict, peer);
                    if self.settled {
                        self.fail(verdict);
                        return self.nowhere(&host);
                    }
                }
            }
        }
        match &self.way.route {
            Route::Relay(relay) => self.by_relay(relay).await,
            Route::Hosts(hosts) => {
                let random = &*self.inner.world.random;
                self.note_trouble();
                self.by_hosts(&route::in_turn(hosts, random)).await
            }
        }
    }

    fn wish(&self) -> TlsWish {
        self.job.message.tls
    }

    async fn by_relay(&mut self, relay: &Relay) -> Carried {
        let host = HostName::of(&relay.host);
        let (name, plan) = (host.to_string(), HostPlan::of_relay(self.wish()));
        let target = Target {
            host: &host,
            name: &name,
            port: relay.port,
            relay: Some(relay),
            tlsa: &Tlsa::NotAsked,
            plan: &plan,
        };
        match self.resolve(&host).await {
            Some((addresses, _)) => match self.by_addresses(&target, addresses).await {
                Some(told) => told,
                None => self.nowhere(&relay.host),
            },
            None => self.nowhere(&relay.host),
        }
    }

    async fn by_hosts(&mut self, hosts: &[HostName]) -> Carried {
        for host in hosts {
            if let Some(told) = self.by_host(host).await {
                return told;
            }
            if self.settled || self.tried >= limits::ADDRESSES_PER_ATTEMPT_MAX {
                break;
            }
        }
        self.nowhere(&hosts.first().map(ToString::to_string).unwrap_or_default())
    }

    /// Gathers what is known of one host, decides how safe the way must be, and tries its addresses.
    async fn by_host(&mut self, host: &HostName) -> Option<Carried> {
        let port = self.inner.settings.outbound.port;
        let (addresses, secure) = self.resolve(host).await?;
        let tlsa = match host.name() {
            Some(name) if self.way.asks_for_tlsa(self.wish()) => {
                policy::of_host(&self.inner.world, name, port, secure).await
            }
            _ => Tlsa::NotAsked,
        };
        let Way { domain, policy, .. } = self.way;
        let name = host.to_string();
        match policy::plan(domain, policy, self.wish(), host, &tlsa) {
            Ok(plan) => {
                let target = Target {
                    host,
                    name: &name,
                    port,
                    relay: None,
                    tlsa: &tlsa,
                    plan: &plan,
                };
                self.by_addresses(&target, addresses).await
            }
            Err(obstacle) => {
                self.avoid(&name, &obstacle);
                None
            }
        }
    }

    /// The addresses of a host, and whether DNSSEC proves them.
    async fn resolve(&mut self, host: &HostName) -> Option<(Vec<IpAddr>, bool)> {
        let name = match host {
            HostName::Address(address) => return Some((vec![*address], false)),
            HostName::Name(name) => name,
        };
        match route::addresses_of(&self.inner.world, name).await {
            Ok((addresses, _)) if addresses.is_empty() => {
                let text = "the server has no address".to_owned();
                let verdict = Verdict::Temporary(ours(name, EnhancedCode(4, 4, 4), text));
                self.last.get_or_insert(verdict);
                None
            }
            Ok(found) => Some(found),
            Err(error) => {
                if error == DnsError::Bogus && self.way.asks_for_tlsa(self.wish()) {
                    let now = self.inner.now();
                    let seen = evidence::of_bogus(&self.way.domain, name, now);
                    self.notes.evidence.push(seen);
                }
                let text = format!("the address of the server is not known now: {error}");
                self.fail(Verdict::Temporary(ours(name, EnhancedCode(4, 4, 3), text)));
                None
            }
        }
    }

    async fn by_addresses(
        &mut self,
        target: &Target<'_>,
        addresses: Vec<IpAddr>,
    ) -> Option<Carried> {
        for address in self.usable(addresses) {
            if self.settled || self.tried >= limits::ADDRESSES_PER_ATTEMPT_MAX {
                return None;
            }
            let address = SocketAddr::new(address, target.port);
            let listeners = &self.inner.settings.outbound.own_listeners;
            if target.relay.is_none() && is_own(listeners, address) {
                let text = "the DNS sends this mail back to this very server".to_owned();
                let verdict = Verdict::Permanent(ours(target.name, EnhancedCode(5, 4, 6), text));
                // Never instead of a better host that was only out of reach.
                self.last.get_or_insert(verdict);
                continue;
            }
            self.tried += 1;
            let Some(connection) = self.connect(target, address).await else {
                continue;
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
                Handed::Elsewhere(verdict) => {
                    self.heed(&verdict, address.ip());
                    self.fail(verdict);
                }
            }
        }
        None
    }

    /// Who says that our address is too much for the provider, or not welcome, says it for all its hosts. Over IPv6
    /// that says nothing of IPv4.
    fn heed(&mut self, verdict: &Verdict, peer: IpAddr) {
        let answer = verdict.answer();
        let Some(said) = answer.said.as_ref() else {
            return;
        };
        if self.way.is_relayed() || peer.is_ipv6() {
            return;
        }
        let host = answer.host.as_deref().unwrap_or_default();
        let domain = self.way.domain.as_str();
        let refusal = replies::Refusal::read(host, domain, said.phase, &said.lines);
        self.settled |= replies::classify(&refusal).pauses_destination();
    }

    /// Without those of IPv6 where that does not work at the moment and IPv4 is there.
    fn usable(&mut self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let ipv4_there = addresses.iter().any(IpAddr::is_ipv4);
        self.notes.ipv4_there |= ipv4_there;
        let both = ipv4_there && addresses.iter().any(IpAddr::is_ipv6);
        if both && !self.way.is_relayed() {
            let standing = self.inner.standings.of(&self.way.group.lane, "");
            if !standing.may_use_ipv6(seconds(self.inner.now())) {
                addresses.retain(IpAddr::is_ipv4);
            }
        }
        addresses
    }

    /// Opens a connection that is as safe as the plan wants it, and notes how that went.
    async fn connect(&mut self, target: &Target<'_>, address: SocketAddr) -> Option<Connection> {
        let hop = Hop {
            host: host_text(target.host, target.name),
            address,
            relay: target.relay,
            mx: target.relay.is_none().then_some((target.host, target.tlsa)),
            demand: &target.plan.demand,
            next_hop: self.way.domain.as_str(),
        };
        let Opened {
            result,
            source,
            tls_failure,
        } = connect::open(self.inner, &hop).await;
        let mut ends = Ends {
            ours: connect::source(&self.inner.settings.outbound.addresses, address.ip()),
            host: target.name.to_owned(),
            helo: None,
            theirs: Some(address.ip()),
        };
        let (domain, now) = (&self.way.domain, self.inner.now());
        match result {
            Ok(mut connection) => {
                ends.ours = Some(connection.talk.local_addr().ip());
                ends.helo = Some(connection.talk.machine().capabilities().name.clone());
                let secured = &connection.secured;
                let seen =
                    evidence::of_session(domain, target.plan, secured, tls_failure, &ends, now);
                self.notes.evidence.extend(seen);
                Some(connection)
            }
            Err(verdict) => {
                self.notes.ipv6_failed |= address.is_ipv6();
                self.heed(&verdict, address.ip());
                if verdict.answer().said.is_some() {
                    // Somebody spoke, if only to refuse.
                    self.notes.path = Some(Path {
                        peer: address.ip(),
                        source,
                        tls: false,
                    });
                }
                if let Some(failure) = tls_failure {
                    let seen = evidence::of_failure(domain, target.plan, failure, &ends, now);
                    self.notes.evidence.extend(seen);
                    let verdict = self.forbid(target, verdict);
                    self.fail(verdict);
                } else {
                    self.fail(verdict);
                }
                None
            }
        }
    }

    /// TLS failed, and something forbids to do without it: says what.
    fn forbid(&mut self, target: &Target<'_>, verdict: Verdict) -> Verdict {
        let Some(why) = target.plan.why(&self.way.domain, target.name) else {
            return verdict;
        };
        self.guarded = true;
        let mut answer = verdict.answer().clone();
        answer.text = format!("{}; {why}", answer.text);
        if target.plan.is_sender_s_wish() {
            // RFC 8689 §4.2.1: the sender hears of it at once.
            answer.status = EnhancedCode(5, 7, 10);
            return Verdict::Permanent(answer);
        }
        tracing::warn!(
            id = %self.job.message.trace, domain = %self.way.domain, host = target.name,
            reason = answer.text, "mail waits for a safe way"
        );
        Verdict::Temporary(answer)
    }

    /// Nothing is sent to this host.
    fn avoid(&mut self, name: &str, obstacle: &Obstacle) {
        self.guarded = true;
        let ends = Ends {
            host: name.to_owned(),
            ..Ends::default()
        };
        let seen = evidence::of_obstacle(&self.way.domain, obstacle, &ends, self.inner.now());
        self.notes.evidence.extend(seen);
        let answer = ours(name, obstacle.status, obstacle.text.clone());
        if obstacle.status.0 == 5 {
            return self.fail(Verdict::Permanent(answer));
        }
        tracing::warn!(
            id = %self.job.message.trace, domain = %self.way.domain, host = name,
            reason = obstacle.text, "mail waits for a safe way"
        );
        self.fail(Verdict::Temporary(answer));
    }

    /// That an announced policy could not be had is told to its domain.
    fn note_trouble(&mut self) {
        let trouble = self.way.policy.sts_trouble.as_ref();
        if let Some(trouble) = trouble.filter(|_| self.wish() != TlsWish::Waived) {
            let now = self.inner.now();
            let seen = evidence::of_trouble(&self.way.domain, trouble, now);
            self.notes.evidence.push(seen);
        }
    }

    /// The newest reason counts, but what is final never stands before what time may mend.
    fn fail(&mut self, verdict: Verdict) {
        let keep = matches!(
            (&self.last, &verdict),
            (Some(Verdict::Temporary(_)), Verdict::Permanent(_))
        );
        if !keep {
            self.last = Some(verdict);
        }
    }

    fn nowhere(&mut self, host: &str) -> Carried {
        Carried::Nowhere(self.last.take().unwrap_or_else(|| {
            let text = "no server could be reached".to_owned();
            Verdict::Temporary(ours(host, EnhancedCode(4, 4, 1), text))
        }))
    }

    /// What a delivery teaches of the destination's TLS.
    fn learn(&mut self, mx: Option<&HostName>, secured: &Secured, verdicts: &[Verdict]) {
        let delivered = verdicts
            .iter()
            .any(|verdict| matches!(verdict, Verdict::Delivered(_)));
        let Some(mx) = mx.filter(|_| delivered && self.wish() != TlsWish::Waived) else {
            return;
        };
        let Way { domain, policy, .. } = self.way;
        let (memory, now) = (&self.inner.policies, self.inner.now());
        let lesson = memory.lesson(domain, policy, mx, secured, now);
        if let (Some(Lesson::Lapse { .. }), Some(since)) = (&lesson, settled_since(&policy.learnt))
        {
            let since = mail::date::format(since);
            tracing::warn!(
                %domain, since,
                "the destination has lost the valid TLS that it had; `postroad tls require` insists on it"
            );
        }
        self.notes.lesson = lesson;
    }

    /// Sends the message over an open connection.
    async fn hand_over(&mut self, mut connection: Connection) -> Handed {
        let host = connection.host.clone();
        let (mx, secured) = (connection.mx.clone(), connection.secured);
        self.notes.path = Some(Path {
            peer: connection.peer,
            source: Some(connection.talk.local_addr().ip()),
            tls: secured.encrypted,
        });
        let transaction = match self.transaction(&mut connection).await {
            Ok(transaction) => transaction,
            Err(verdict) => return self.told_all(verdict, Some(connection)),
        };
        match connection.talk.machine().send(transaction) {
            Ok(()) => {}
            // RFC 8689 §4.2.1: another host may promise it.
            Err(why @ (Unsendable::NotReady | Unsendable::NeedsRequireTls)) => {
                connection.quit(self.inner);
                return Handed::Elsewhere(of_unsendable(&host, why));
            }
            Err(why) => return self.told_all(of_unsendable(&host, why), Some(connection)),
        }
        loop {
            match connection.talk.event().await {
                Ok(Event::Ready) => {}
                Ok(Event::Finished(outcome)) => {
                    let handed = finished(&host, connection, outcome);
                    if let Handed::Told { verdicts, .. } = &handed {
                        self.learn(mx.as_ref(), &secured, verdicts);
                    }
                    return handed;
                }
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
        if queued.forwarded && body_kind == Body::EightBitMime && !offered.eight_bit_mime {
            // What others signed is passed on as it came, or their signatures break.
            body_kind = Body::SevenBit;
        } else if body_kind != Body::SevenBit && !offered.eight_bit_mime {
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
