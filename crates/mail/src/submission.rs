//! What a user's message needs before it may leave: completed, checked, and free of what tells on its sender.
//! Whether the user owns the authors' addresses is decided by the caller, from what comes back.

use crate::{Address, UnixMillis};

/// What the message is completed with.
#[derive(Clone, Debug)]
pub struct Submitter<'a> {
    pub now: UnixMillis,
    /// Right side of a new Message-ID.
    pub host: &'a str,
    /// Left side of a new Message-ID: unique, such as a trace id.
    pub unique: &'a str,
    /// For a message without From, which then gets this one; `None` refuses it.
    pub default_author: Option<&'a Address>,
}

/// A message ready to leave, and in whose name it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub message: Vec<u8>,
    /// All addresses of From. Each must belong to the user.
    pub authors: Vec<Address>,
    /// The address of Sender, if there is one.
    pub sender: Option<Address>,
}

/// Why a user's message cannot leave. All are for the user (5xx).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    #[error("the message has no From header field")]
    NoAuthor,
    #[error("the From header field has no valid address")]
    AuthorMalformed,
    #[error("the Sender header field is not one valid address")]
    SenderMalformed,
    #[error("the header field {0} stands more than once")]
    Repeated(&'static str),
    #[error("line {line} of the header is malformed")]
    HeaderLine { line: usize },
    #[error("the header holds a NUL or a bare carriage return")]
    ControlCharacter,
}

/// Completes and cleans a message that a user submits. RFC 6409 §6, §8.
pub fn prepare(_message: &[u8], _submitter: &Submitter<'_>) -> Result<Prepared, PrepareError> {
    todo!()
}
