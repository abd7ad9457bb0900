//! The budget for bodies on their way in. Who finds it used up waits a little, and then hears 452.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use world::World;

use crate::limits;
use crate::refusal::Refusal;

/// Counted in pieces, so that the count fits the semaphore on every machine.
const PIECE_BYTES: usize = 4 * 1024;

#[derive(Clone)]
pub(crate) struct Budget {
    pieces: Arc<Semaphore>,
    pieces_max: usize,
}

/// What one body holds of the budget, until it is dropped.
pub(crate) struct Share {
    permit: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let pieces_max = (bytes / PIECE_BYTES).max(1);
        Self {
            pieces: Arc::new(Semaphore::new(pieces_max)),
            pieces_max,
        }
    }

    /// Sets room aside for a body of this size.
    pub(crate) async fn take(&self, world: &World, bytes: usize) -> Result<Share, Refusal> {
        let permit = self.acquire(world, self.pieces_for(bytes)).await?;
        Ok(Share { permit })
    }

    /// Makes a share large enough for what has come by now, if it is not.
    pub(crate) async fn grow(
        &self,
        world: &World,
        share: &mut Share,
        bytes: usize,
    ) -> Result<(), Refusal> {
        let missing = self.pieces_for(bytes) as usize;
        let missing = missing.saturating_sub(share.permit.num_permits());
        if missing > 0 {
            let more = u32::try_from(missing).unwrap_or(u32::MAX);
            share.permit.merge(self.acquire(world, more).await?);
        }
        Ok(())
    }

    async fn acquire(&self, world: &World, pieces: u32) -> Result<OwnedSemaphorePermit, Refusal> {
        if let Ok(permit) = self.pieces.clone().try_acquire_many_owned(pieces) {
            return Ok(permit);
        }
        let deadline = world.now() + limits::MEMORY_PATIENCE;
        let waiting = self.pieces.clone().acquire_many_owned(pieces);
        match world.tasks.deadline(deadline, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Refusal::NoMemory),
        }
    }

    /// A body larger than the whole budget may come in when it is alone.
    fn pieces_for(&self, bytes: usize) -> u32 {
        let pieces = bytes.div_ceil(PIECE_BYTES).min(self.pieces_max).max(1);
        u32::try_from(pieces).unwrap_or(u32::MAX)
    }
}
