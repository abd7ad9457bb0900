//! What can go wrong with the store itself, and who must act.

use std::path::PathBuf;

use crate::blobs::BlobError;

/// Why the store did not do it. All of these are temporary to a peer (4xx, NO [UNAVAILABLE]):
/// either time heals them or the operator must.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Time or the operator: `452 4.3.1`, `NO [OVERQUOTA]` is not meant here. Heals by itself once
    /// there is space.
    #[error("no space is left on the disk")]
    Full,
    /// Time: others held the rows for too long, or the queue of changes is full.
    #[error("the store is busy")]
    Busy,
    /// Operator: the disk or the database server does not do what it is asked.
    #[error("the store failed: {0}")]
    Failed(String),
    /// Operator: what is stored does not read as what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A body is not (any more) where its row says: expunged meanwhile, or lost.
    #[error("the message's body is gone")]
    BodyGone,
    /// Bug: the closure panicked; nothing of it was kept.
    #[error("a bug: the change panicked")]
    Panicked,
    /// The store is closed; the program is about to end.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether an alert to the operator is due.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        !matches!(self, Self::Busy | Self::BodyGone | Self::Closed)
    }
}

impl From<BlobError> for StoreError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full { .. } => Self::Full,
            BlobError::Missing { .. } => Self::BodyGone,
            BlobError::Damaged { .. } => Self::Damaged(error.to_string()),
            BlobError::Stopped => Self::Closed,
            BlobError::Io { .. } | BlobError::NoteTooLong => Self::Failed(error.to_string()),
        }
    }
}

/// Why a store could not be opened. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the data in {place} was written by a newer version of postroad (schema {found}, this program knows up to {known}): \
         install that version or a newer one; nothing was changed"
    )]
    TooNew {
        place: String,
        found: i64,
        known: i64,
    },
    #[error("{doing} {}: {source}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the key file {} {problem}", path.display())]
    KeyFile {
        path: PathBuf,
        problem: &'static str,
    },
    #[error("the database {place} cannot be opened: {problem}")]
    Database { place: String, problem: String },
    #[error("upgrading the data in {place} to schema {to} failed, nothing was changed: {problem}")]
    Migration {
        place: String,
        to: i64,
        problem: String,
    },
    #[error("`{url}` is no address of a PostgreSQL database: {problem}")]
    Url { url: String, problem: String },
    #[error(transparent)]
    Bodies(#[from] BlobError),
}
