//! A message taken from a snapshot, to be used after the snapshot is closed.

use mail::UnixMillis;
use store::{BodyRef, MessageId, Placement, StoredRow};

/// Columns that were not asked for are empty.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) placement: Placement,
    pub(super) body: Option<BodyRef>,
    pub(super) envelope: Vec<u8>,
    pub(super) structure: Vec<u8>,
    pub(super) preview: String,
    pub(super) sent: Option<UnixMillis>,
    pub(super) thread: MessageId,
}

impl Message {
    pub(super) fn of(row: &StoredRow<'_>) -> Self {
        Message {
            placement: row.placement.clone(),
            body: row.body,
            envelope: row.envelope.to_vec(),
            structure: row.structure.to_vec(),
            preview: row.preview.to_owned(),
            sent: row.sent,
            thread: row.thread,
        }
    }
}
