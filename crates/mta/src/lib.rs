//! Mail in and out: receive, file, submit, schedule, route, deliver, bounce.
//! Knows nothing of IMAP: what arrives meets its readers in the store.
//!
//! Every step gathers facts, decides by a pure function, and does what was decided in one store
//! transaction. What came from outside is an `InboundMessage` and stays here; only an
//! `OutboundMessage`, made by an authenticated submission or by our own reports, can be signed and queued.

mod bounce;
mod door;
mod doors;
mod envelope;
mod filing;
mod filters;
mod forward;
pub mod incidents;
pub mod limits;
mod outbound;
mod policy;
mod post;
mod queue;
mod receive;
mod refusal;
mod route;
mod session;
mod settings;
mod submission;

use std::net::IpAddr;
use std::sync::Arc;

use mail::{TraceId, UnixMillis};
use store::{Receipt, Store};
use world::http::HttpClient;
use world::{Panicked, Stop, Stream, World};

pub use filters::{
    Action as AttachmentAction, Filter, FilterAddress, FilterDoors, FilterSettings, WhenTooLarge,
    WhenUnavailable, built_in_action as built_in_attachment_action,
};
pub use forward::SrsProblem;
pub use policy::check::{HostReport, Trial, WayReport};
pub use post::OwnMessage;
pub use receive::{BuiltInSealer, BuiltInSealers, WouldDo, built_in_sealers, would_do};
pub use refusal::{Blame, Refusal};
pub use settings::{
    ClearTextLogin, MtaSettings, OutboundSettings, Relay, RelayLogin, RelaySecurity,
};
pub use submission::{Submission, SubmissionRecipient};

/// What an account sends beside its limits.
pub mod sending {
    pub use crate::submission::abuse::{
        Allowed, Kind, Level, Measure, Message, Place, Signal, measures, topics,
    };
}

/// Which port a connection came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// 25: mail from the world for local recipients.
    Mx,
    /// 587: mail of our users, STARTTLS offered (RFC 6409).
    Submission,
    /// 465: mail of our users, TLS from the first byte (RFC 8314).
    SubmissionTls,
}

/// Mail in and out. Cheap to clone: one for all connections and the queue.
#[derive(Clone)]
pub struct Mta {
    inner: Arc<Inner>,
}

/// What all parts of mail in and out share.
pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) settings: MtaSettings,
    pub(crate) doors: doors::Doors,
    pub(crate) door: door::Keeper,
    /// For bodies on their way in, held by the peer's address.
    pub(crate) budget: world::Budget<IpAddr>,
    /// For bodies on their way out, in KiB.
    pub(crate) leaving: tokio::sync::Semaphore,
    pub(crate) signers: outbound::signers::Signers,
    pub(crate) srs: forward::Secrets,
    pub(crate) trust: receive::TrustList,
    pub(crate) turns: receive::Turns,
    pub(crate) spam: receive::SpamMemory,
    pub(crate) tls_clients: world::TlsClients,
    /// For what others publish over HTTPS.
    pub(crate) http: HttpClient,
    pub(crate) policies: policy::Memory,
    /// How we stand with the providers that mail goes to.
    pub(crate) standings: queue::Standings,
    /// Held while users are told of alarms.
    pub(crate) telling: tokio::sync::Mutex<()>,
    pub(crate) filters: filters::Filters,
}

impl Mta {
    pub fn new(world: World, store: Store, settings: MtaSettings) -> Self {
        let tls_clients = queue::connect::tls_clients(&world, settings.outbound.roots.as_deref());
        let inner = Inner {
            doors: doors::Doors::new(&settings),
            door: door::Keeper::default(),
            budget: world::Budget::new(limits::BODIES_IN_FLIGHT_BYTES_MAX),
            leaving: tokio::sync::Semaphore::new(limits::BODIES_LEAVING_KIB_MAX as usize),
            signers: outbound::signers::Signers::default(),
            srs: forward::Secrets::default(),
            trust: receive::TrustList::default(),
            turns: receive::Turns::default(),
            spam: receive::SpamMemory::new(&world, &store, &settings),
            http: HttpClient::new(world.clone(), tls_clients.verified()),
            tls_clients,
            policies: policy::Memory::default(),
            standings: queue::Standings::default(),
            telling: tokio::sync::Mutex::default(),
            filters: filters::Filters::default(),
            world,
            store,
            settings,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Serves one SMTP connection until it ends. When `stop` is requested, the command in hand is
    /// finished and the peer is told 421.
    pub async fn serve_smtp(&self, stream: Stream, door: Door, stop: Stop) {
        session::serve(&self.inner, stream, door, stop).await;
    }

    /// Sends what the queue owes until `stop` is requested; attempts in flight are finished, for
    /// a bounded time. One call at a time.
    pub async fn run_queue(&self, stop: Stop) {
        queue::run(self.inner.clone(), stop).await;
    }

    /// Takes a message from one of our users: the same rules for every door. Local recipients have
    /// it and remote ones are queued when this returns.
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, Refusal> {
        submission::submit(&self.inner, submission).await
    }

    /// What would be demanded of the way to a domain now, and why.
    pub async fn check_way(&self, domain: &mail::Domain, trial: Trial) -> WayReport {
        policy::check::check(&self.inner, domain, trial).await
    }

    /// Sends a message that this server wrote itself, such as a report to another domain. It is signed
    /// with the keys of the domain it speaks for.
    pub async fn post(&self, message: OwnMessage) -> Result<Receipt, Refusal> {
        post::post(&self.inner, message).await
    }
}

impl Inner {
    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis::from(self.world.wall())
    }

    /// Computing over a message of this size: on the spot if it is small, else off the event loop.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        size: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        if size <= limits::INLINE_PARSE_BYTES_MAX {
            return Ok(work());
        }
        self.world.tasks.blocking(work).await
    }

    pub(crate) fn new_trace(&self) -> TraceId {
        let mut bytes = [0; 10];
        self.world.random.fill(&mut bytes);
        TraceId::from_random(bytes)
    }
}
