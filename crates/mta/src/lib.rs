//! Mail in and out: receive, file, submit, schedule, route, deliver, bounce.
//! Knows nothing of IMAP: what arrives meets its readers in the store.
//!
//! Every step gathers facts, decides by a pure function, and does what was decided in one store
//! transaction. What came from outside is an `InboundMessage` and stays here; only an
//! `OutboundMessage`, made by an authenticated submission or by our own reports, can be signed and queued.

#![allow(clippy::todo)]

pub mod limits;
mod settings;
mod submit;

use std::sync::Arc;

use store::Store;
use world::{Stop, Stream, World};

pub use settings::{
    ClearTextLogin, MtaSettings, OutboundSettings, Relay, RelayLogin, RelaySecurity,
};
pub use submit::{Submission, SubmissionRecipient, SubmitError};

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
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) settings: MtaSettings,
}

impl Mta {
    pub fn new(world: World, store: Store, settings: MtaSettings) -> Self {
        Self { inner: Arc::new(Inner { world, store, settings }) }
    }

    /// Serves one SMTP connection until it ends. When `stop` is requested, the command in hand is
    /// finished and the peer is told 421.
    pub async fn serve_smtp(&self, stream: Stream, door: Door, stop: Stop) {
        let _ = (stream, door, stop);
    }

    /// Sends what the queue owes until `stop` is requested; attempts in flight are finished, for
    /// a bounded time. One call at a time.
    pub async fn run_queue(&self, stop: Stop) {
        let _ = &self.inner.settings;
        stop.requested().await;
    }

    /// Takes a message from one of our users: the same rules for every door. Local recipients have
    /// it and remote ones are queued when this returns.
    pub async fn submit(&self, submission: Submission) -> Result<store::Receipt, SubmitError> {
        let _ = (submission, &self.inner.world, &self.inner.store);
        todo!()
    }
}
