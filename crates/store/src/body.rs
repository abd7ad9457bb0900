//! A handle to a stored body, good for reading outside of a snapshot.

use crate::BlobId;
use crate::blobs::{Hash, Location};

/// Where a message's body lies. May be read after the snapshot it came from is closed: if the body
/// was moved meanwhile the store looks again, if it was expunged reading says
/// [`crate::StoreError::BodyGone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyRef {
    pub blob: BlobId,
    pub location: Location,
    pub hash: Hash,
    pub size: u64,
}
