//! What is learnt of a message once, on arrival, and stored: nothing of it is parsed again.
//! The parsing itself is in `mime.rs`, `envelope.rs`, `thread.rs` and `preview.rs`.

use crate::date::{self, UnixMillis};
use crate::limits::REFERENCES_MAX;
use crate::stored::{Reader, push_bytes, push_len, push_number};
use crate::thread::ThreadKeys;
use crate::{envelope, mime, preview};

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

const VERSION: u8 = 1;

const HAS_ATTACHMENT: u8 = 1;
const IS_REPLY: u8 = 2;
const HAS_SENT: u8 = 4;
const HAS_MESSAGE_ID: u8 = 8;

impl Summary {
    /// Reads a message. Never fails, and costs no more than the message's size.
    pub fn of(message: &[u8]) -> Self {
        let scan = mime::scan(message);
        Self {
            envelope: envelope::write(&scan.head.envelope),
            structure: scan.structure.encode(),
            thread: ThreadKeys::of(&scan.head),
            sent: scan
                .head
                .envelope
                .date
                .and_then(date::parse)
                .map(|zoned| zoned.at),
            preview: preview::of(message, &scan.structure),
            has_attachment: scan.structure.has_attachment(),
        }
    }

    /// Compact and versioned; [`Summary::decode`] reads it back.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            self.envelope.len() + self.structure.len() + self.preview.len() + 128,
        );
        let thread = &self.thread;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        out.push(VERSION);
        out.push(
            flag(self.has_attachment, HAS_ATTACHMENT)
                | flag(thread.is_reply_or_forward, IS_REPLY)
                | flag(self.sent.is_some(), HAS_SENT)
                | flag(thread.message_id.is_some(), HAS_MESSAGE_ID),
        );
        push_bytes(&mut out, &self.envelope);
        push_bytes(&mut out, &self.structure);
        push_bytes(&mut out, self.preview.as_bytes());
        push_bytes(&mut out, thread.base_subject.as_bytes());
        if let Some(UnixMillis(millis)) = self.sent {
            // Zigzag: small numbers of either sign stay short.
            push_number(&mut out, (millis << 1 ^ millis >> 63) as u64);
        }
        if let Some(id) = &thread.message_id {
            push_bytes(&mut out, id.as_bytes());
        }
        push_len(&mut out, thread.references.len());
        for id in &thread.references {
            push_bytes(&mut out, id.as_bytes());
        }
        out
    }

    pub fn decode(stored: &[u8]) -> Result<Self, SummaryError> {
        match stored.split_first() {
            Some((&VERSION, rest)) => read(rest).ok_or(SummaryError::Damaged),
            Some((&version, _)) => Err(SummaryError::Version(version)),
            None => Err(SummaryError::Damaged),
        }
    }
}

fn read(stored: &[u8]) -> Option<Summary> {
    let mut reader = Reader::new(stored);
    let flags = reader.byte()?;
    let envelope = reader.bytes()?.to_vec();
    let structure = reader.bytes()?.to_vec();
    let preview = reader.text()?;
    let base_subject = reader.text()?;
    let sent = match flags & HAS_SENT {
        0 => None,
        _ => {
            let zigzag = reader.number()?;
            Some(UnixMillis((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)))
        }
    };
    let message_id = match flags & HAS_MESSAGE_ID {
        0 => None,
        _ => Some(reader.text()?),
    };
    let count = reader.len().filter(|count| *count <= REFERENCES_MAX)?;
    let references = (0..count).map(|_| reader.text()).collect::<Option<_>>()?;
    let is_reply_or_forward = flags & IS_REPLY != 0;
    let thread = ThreadKeys {
        message_id,
        references,
        base_subject,
        is_reply_or_forward,
    };
    let summary = Summary {
        envelope,
        structure,
        thread,
        sent,
        preview,
        has_attachment: flags & HAS_ATTACHMENT != 0,
    };
    reader.is_at_end().then_some(summary)
}

#[cfg(test)]
mod tests;
