//! What is learnt of a message once, on arrival, and stored: nothing of it is parsed again.
//! The parsing itself is in `mime.rs`, `envelope.rs`, `thread.rs` and `preview.rs`.

use crate::date::UnixMillis;
use crate::thread::ThreadKeys;

/// The stored knowledge about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// IMAP's ENVELOPE, parenthesised and ready to send. RFC 9051 §7.5.2.
    pub envelope: Vec<u8>,
    /// For [`crate::Structure::decode`].
    pub structure: Vec<u8>,
    pub thread: ThreadKeys,
    /// The `Date` field, if it can be read.
    pub sent: Option<UnixMillis>,
    /// The beginning of the text, white space joined, at most 200 characters.
    pub preview: String,
    pub has_attachment: bool,
}

/// The stored bytes are of another version, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    #[error("the stored summary has version {0}, which this program does not know")]
    Version(u8),
    #[error("the stored summary is damaged")]
    Damaged,
}

impl Summary {
    /// Reads a message. Never fails, and costs no more than the message's size.
    pub fn of(_message: &[u8]) -> Self {
        todo!()
    }

    /// Compact and versioned; [`Summary::decode`] reads it back.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    pub fn decode(_stored: &[u8]) -> Result<Self, SummaryError> {
        todo!()
    }
}
