//! SMTP, both roles. RFC 5321 and its extensions, as machines.
//! Who may send what to whom is the flow's business (`mta`); framing, order and bounds are decided here.

pub mod client;
pub mod command;
mod params;
mod reply;
pub mod server;
mod xtext;

pub use params::{Body, ForwardPath, MailParams, Notify, OriginalRecipient, RcptParams, Ret};
pub use reply::{EnhancedCode, Reply, Severity};
pub use xtext::{decode_xtext, encode_xtext};
