//! The DNS of the pocket internet, twice: answering in-process, and over real sockets.

mod server;
mod signing;
mod simulated;

pub use server::DnsServer;
pub use simulated::SimulatedDns;
