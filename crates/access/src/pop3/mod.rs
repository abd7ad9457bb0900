//! POP3 sessions: one at a time on an account's INBOX, which changes only at a proper QUIT.
//! The conversation is `wire::pop3`'s; here is what it is about.

mod claims;
mod session;
mod top;

use world::{Stop, Stream};

use crate::Access;

pub(crate) use claims::Claims;

/// Which port a connection came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pop3Door {
    /// 110: clear text first, STLS offered.
    Stls,
    /// 995: TLS from the first byte (RFC 8314).
    Tls,
}

impl Access {
    /// Serves one POP3 connection until it ends. When `stop` is requested, the command in hand is
    /// finished and the client is told so; nothing is removed then.
    pub async fn serve_pop3(&self, stream: Stream, door: Pop3Door, stop: Stop) {
        session::serve(self.clone(), stream, door, stop).await;
    }
}
