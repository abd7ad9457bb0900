//! For tests only: the pocket internet, with DNS, hosts, scripted servers, faults and time.
//!
//! One world in two modes. [`Internet::real`] has real sockets on loopback addresses and a real DNS
//! server; [`Internet::simulated`] has the same hosts and servers on in-memory pipes under a
//! simulated clock, where five days of retries pass in a moment and equal seeds give equal traces.
//!
//! ```no_run
//! use simulator::{Internet, Script, days};
//!
//! Internet::simulated(1, async |internet| {
//!     let there = internet.remote("mx.there.test", Script::accept()).await;
//!     internet.domain("there.test").mx("mx.there.test");
//!     let here = internet.host("mx.here.test").domain("here.test").account("ann@here.test").start().await;
//!     here.submit("ann@here.test", &["bob@there.test"], "Subject: hi\r\n\r\nHello\r\n").await;
//!     internet.until(days(1), || there.taken_count() == 1).await;
//! });
//! ```

mod authority;
mod client;
mod dns;
mod host;
mod https;
mod internet;
pub mod limits;
mod net;
mod providers;
mod remote;
mod tasks;
mod trace;
mod zones;

use std::time::Duration;

pub use authority::{Authority, Validity};
pub use client::{Client, Reply};
pub use dns::{DnsServer, SimulatedDns};
pub use host::{Host, HostBuilder, PASSWORD};
pub use https::{Asked, HttpsHost, Page};
pub use internet::Internet;
pub use net::{HostNet, Interception, Interceptor, Lifetime, Network, Reach};
pub use postroad::config::Service;
pub use providers::{Accepted, Condition, Mailbox, Model, Point, Provider, Range, Refused, Rule};
pub use remote::{Act, Phase, Remote, Script, ScriptDoor, Taken, TlsOffer};
pub use tasks::HostTasks;
pub use trace::Trace;
pub use zones::{DnsFault, NameRecords, Proof, ZoneAnswer, Zones};

pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

pub const fn hours(count: u64) -> Duration {
    minutes(60 * count)
}

pub const fn days(count: u64) -> Duration {
    hours(24 * count)
}
