//! IMAP4rev2 and IMAP4rev1: commands, answers, the server machine (RFC 9051, RFC 3501).
//! What the commands do to mailboxes is in `access::imap`.

mod capability;
mod command;
mod framing;
mod input;
mod limits;
pub mod mutf7;
mod parse;
mod sequence;
mod server;
#[cfg(test)]
mod tests;
pub mod write;

pub use capability::{ClearTextLogin, Offer};
pub use command::*;
pub use input::{Dialect, ParseError};
pub use limits::LINE_BYTES_MAX;
pub use parse::{Unreadable, command as parse};
pub use sequence::{Bound, Ranges, SequenceSet};
pub use server::{Event, Server, ServerSettings};
