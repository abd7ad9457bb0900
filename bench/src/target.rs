//! A server under test: where it listens, who lives there, which processes it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Result;

/// Accounts that each server has: enough to spread the load, few enough to make quickly.
pub const USERS: usize = 200;
pub const PASSWORD: &str = "bench-Secret-7";
pub const DOMAIN: &str = "example.test";
/// Mail for this domain is relayed to the sink.
pub const SINK_DOMAIN: &str = "sink.test";
pub const SINK_PORT: u16 = 2526;

/// What the person who runs the bench asked for.
pub struct Plan {
    pub scale: f64,
    pub dir: PathBuf,
}

impl Plan {
    /// A count of the full run, scaled, but never less than what makes a figure.
    pub fn count(&self, full: usize) -> usize {
        ((full as f64 * self.scale) as usize).max(8)
    }
}

/// The doors of a server that runs.
#[derive(Clone, Debug)]
pub struct Doors {
    pub smtp: SocketAddr,
    pub submission: SocketAddr,
    pub imap: SocketAddr,
    pub imaps: SocketAddr,
}

impl Doors {
    pub fn at(smtp: u16, submission: u16, imap: u16, imaps: u16) -> Self {
        let door = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            smtp: door(smtp),
            submission: door(submission),
            imap: door(imap),
            imaps: door(imaps),
        }
    }
}

pub trait Server {
    fn label(&self) -> &'static str;
    /// Starts it if it does not run.
    fn doors(&mut self) -> Result<Doors>;
    /// The processes whose trees are the server.
    fn roots(&self) -> Vec<u32>;
    /// Stops and starts it, so that what earlier work left in memory does not count.
    fn restart(&mut self) -> Result<()>;
    fn stop(&mut self) -> Result<()>;
    /// How many TLS connections it can hold in its usual configuration.
    fn tls_connections_max(&self) -> usize;
    /// Seconds from start to ready, if the server says when it is.
    fn start_timed(&mut self) -> Result<Option<f64>>;
}

/// The address of user `i`, counted from zero.
pub fn user(i: usize) -> String {
    format!("user{:04}@{DOMAIN}", i % USERS + 1)
}
