//! The door through which our own reports leave. The program joins it to the queue.

use mail::{Address, Domain};
use world::BoxFuture;

pub trait Post: Send + Sync {
    /// Takes a message: on return it is in the queue (or a local mailbox), safe on disk.
    fn post(&self, message: OwnMessage) -> BoxFuture<'_, Result<(), PostError>>;
}

/// A message that we wrote ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnMessage {
    /// The reverse-path; `None` is the null one.
    pub from: Option<Address>,
    pub to: Vec<Address>,
    /// Header and body with CRLF line ends, From, Date and Message-ID included.
    pub bytes: Vec<u8>,
    /// The local domain whose keys sign it: the one in its From field.
    pub sign_as: Domain,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Would be refused again.
    #[error("{0}")]
    Refused(String),
    /// Time or the operator must act; worth trying again.
    #[error("{0}")]
    Later(String),
}
