//! The DNS of the pocket internet, twice: answering in-process, and over real sockets.

mod server;
mod signing;
mod simulated;

pub use server::DnsServer;
pub(crate) use server::serve_line;
pub(crate) use signing::Signer;
pub use simulated::SimulatedDns;
