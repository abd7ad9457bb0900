//! IMAP sessions: commands of RFC 9051 and RFC 3501 carried out on the store.
//! The grammar and the framing are in `wire::imap`; here is what the commands do.

mod append;
mod copy;
mod enable;
mod envelope;
mod expunge;
mod fetch;
mod flags;
mod list;
mod login;
mod mailboxes;
mod message;
mod news;
mod numbering;
mod pattern;
mod quota;
mod reading;
mod refusal;
mod search;
mod select;
mod selected;
mod session;
mod sort;
mod status;
mod store_flags;
mod thread;

use world::{Stop, Stream};

use crate::Access;

/// Which port a connection came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImapDoor {
    /// 143: clear text first, STARTTLS offered.
    Starttls,
    /// 993: TLS from the first byte (RFC 8314).
    Tls,
}

impl Access {
    /// Serves one IMAP connection until it ends. When `stop` is requested, the command in hand is
    /// finished and the client is told BYE.
    pub async fn serve_imap(&self, stream: Stream, door: ImapDoor, stop: Stop) {
        session::serve(self.clone(), stream, door, stop).await;
    }
}
