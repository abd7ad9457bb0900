//! The one door to the outside: clock, randomness, DNS, network with TLS, tasks.
//! Knows nothing of mail; the loop that joins a protocol machine to a stream is [`Talk`].

// Here, and nowhere else, the real clock and the real sockets are used.
#![allow(clippy::disallowed_methods)]

mod budget;
mod clock;
mod dns;
pub mod http;
pub mod limits;
mod net;
mod random;
mod stop;
mod talk;
mod tasks;
mod tls;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

pub use budget::{Budget, NoRoom, Share};
pub use clock::{Clock, TokioClock};
pub use dns::{
    Answer, AnswerStatus, Dns, DnsError, DnsSettings, Kind, Record, Resolver, RootKey, TsigHash,
    TsigKey, UpdateError, UpdateServer, Validation, ZoneEdit, ask_name_server, ask_name_server_at,
    reverse_name, update_zone,
};
pub use futures_util::future::{BoxFuture, Either};
pub use net::{Accept, Io, Listener, Net, Stream, TokioNet};
pub use random::{OsRandom, Random, SeededRandom};
pub use stop::{Session, Stop};
pub use talk::{Ended, Talk, Tls};
pub use tasks::{BlockingMode, Late, Panicked, Task, Tasks, TokioTasks};
pub use tls::{
    Certificate, CertificateError, PemPair, TlsClient, TlsClients, TlsError, TlsServer, self_signed,
};
pub use wire::{Authentication, TlsFacts, TlsFailure};

/// Everything a flow may know of the outside. Cheap to clone.
#[derive(Clone)]
pub struct World {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub dns: Arc<dyn Dns>,
    pub net: Arc<dyn Net>,
    pub tasks: Arc<dyn Tasks>,
}

impl World {
    /// The real outside. Costs nothing until it is used: the resolver is built at the first
    /// question. Wants to run on a tokio runtime.
    pub fn real(dns: DnsSettings) -> Self {
        Self {
            clock: Arc::new(TokioClock::real()),
            random: Arc::new(OsRandom),
            dns: Arc::new(Resolver::new(dns)),
            net: Arc::new(TokioNet),
            tasks: Arc::new(TokioTasks::new(BlockingMode::Threads)),
        }
    }

    /// A point in time for measuring and waiting.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The time of day.
    pub fn wall(&self) -> SystemTime {
        self.clock.wall()
    }
}
