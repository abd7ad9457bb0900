//! The DNS of the pocket internet, twice: answering in-process, and over real sockets.

mod server;
mod simulated;

pub use server::DnsServer;
pub use simulated::SimulatedDns;
