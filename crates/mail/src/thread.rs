//! What threading by references and by subject needs. RFC 5256.
//! The threads themselves are made where the mailbox is known.

use crate::limits::{
    BASE_SUBJECT_BYTES_MAX, MESSAGE_ID_BYTES_MAX, REFERENCES_MAX, SUBJECT_BYTES_MAX,
};
use crate::mime::Head;

mod subject;

/// A message's place in conversations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadKeys {
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// The messages this one answers, oldest first: References, or else the first id of In-Reply-To. RFC 5256 §3.
    pub references: Vec<String>,
    /// Decoded, and without "Re:", "Fwd:", "[list]" and the like. RFC 5256 §2.1.
    pub base_subject: String,
    /// Whether something was taken away that marks a reply or a forward.
    pub is_reply_or_forward: bool,
}

/// The base subject of a raw `Subject` value, and whether it marked a reply or forward. RFC 5256 §2.1.
pub fn base_subject(value: &[u8]) -> (String, bool) {
    let value = value.get(..SUBJECT_BYTES_MAX).unwrap_or(value);
    let (mut base, is_reply) = subject::base(&crate::words::decode(value));
    base.truncate(base.floor_char_boundary(BASE_SUBJECT_BYTES_MAX));
    (base, is_reply)
}

/// The message-ids in a raw value, without angle brackets, in order; too many lose their middle.
pub fn message_ids(value: &[u8]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(open) = memchr::memchr(b'<', rest) {
        rest = rest.get(open + 1..).unwrap_or_default();
        let Some(close) = memchr::memchr(b'>', rest) else {
            break;
        };
        let (inner, after) = rest.split_at(close);
        // "<a <b@c>": the last one opened counts.
        let inner = inner
            .rsplit(|&byte| byte == b'<')
            .next()
            .unwrap_or_default();
        rest = after;
        ids.extend(normal_id(inner));
        if ids.len() > REFERENCES_MAX {
            // The first is the root of the thread, the last are the nearest.
            ids.remove(1);
        }
    }
    ids
}

impl ThreadKeys {
    pub(crate) fn of(head: &Head<'_>) -> Self {
        let mut references = head.references.map(message_ids).unwrap_or_default();
        if references.is_empty() {
            references = head
                .envelope
                .in_reply_to
                .map(message_ids)
                .unwrap_or_default();
            references.truncate(1);
        }
        let (base_subject, is_reply_or_forward) =
            head.envelope.subject.map(base_subject).unwrap_or_default();
        let message_id = head.envelope.message_id.and_then(|value| {
            message_ids(value)
                .into_iter()
                .next()
                .or_else(|| normal_id(value))
        });
        Self {
            message_id,
            references,
            base_subject,
            is_reply_or_forward,
        }
    }
}

/// Without white space and needless quotes, so that equal ids are equal. RFC 5256 §3.
fn normal_id(inner: &[u8]) -> Option<String> {
    let id: Vec<u8> = inner
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'"')
        .collect();
    if id.is_empty() || id.len() > MESSAGE_ID_BYTES_MAX {
        return None;
    }
    Some(String::from_utf8_lossy(&id).into_owned())
}

#[cfg(test)]
mod tests;
