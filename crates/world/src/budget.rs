//! Memory that all connections share: who wants more than is left waits a little, and then hears no.
//! Nobody holds more than an eighth of it, so that one peer (or account) cannot keep the others out.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{World, limits};

/// Counted in pieces, so that the count fits the semaphore on every machine.
const PIECE_BYTES: usize = 4 * 1024;

/// So much of the budget one holder may have: one part of this many.
pub const HOLDER_PART: usize = 8;

/// A budget of bytes, with holders named by `K`. Cheap to clone: all clones share it.
pub struct Budget<K: Copy + Eq + Hash> {
    shared: Arc<Shared<K>>,
}

/// What one holder has of the budget for one purpose, until it is dropped.
pub struct Share<K: Copy + Eq + Hash> {
    of_all: OwnedSemaphorePermit,
    of_holder: OwnedSemaphorePermit,
    room: Room<K>,
}

/// The budget, or the holder's part of it, is used up for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no memory is left for this")]
pub struct NoRoom;

struct Shared<K> {
    pieces: Pieces,
    per_holder_max: usize,
    holders: Mutex<HashMap<K, Holder>>,
}

struct Pieces {
    free: Arc<Semaphore>,
    max: usize,
}

struct Holder {
    free: Arc<Semaphore>,
    rooms: usize,
}

/// Keeps a holder's count in the table while somebody uses it.
struct Room<K: Copy + Eq + Hash> {
    shared: Arc<Shared<K>>,
    holder: K,
    pieces: Pieces,
}

impl<K: Copy + Eq + Hash> Budget<K> {
    pub fn new(bytes: usize) -> Self {
        let pieces_max = (bytes / PIECE_BYTES).max(1);
        Self {
            shared: Arc::new(Shared {
                pieces: Pieces::new(pieces_max),
                per_holder_max: (pieces_max / HOLDER_PART).max(1),
                holders: Mutex::default(),
            }),
        }
    }

    /// Sets room aside.
    pub async fn take(&self, world: &World, holder: K, bytes: usize) -> Result<Share<K>, NoRoom> {
        let room = Room::enter(&self.shared, holder);
        let of_holder = room.pieces.take(world, room.pieces.count(bytes)).await?;
        let all = &self.shared.pieces;
        let of_all = all.take(world, all.count(bytes)).await?;
        Ok(Share {
            of_all,
            of_holder,
            room,
        })
    }
}

impl<K: Copy + Eq + Hash> Clone for Budget<K> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<K: Copy + Eq + Hash> Share<K> {
    /// Makes the share large enough for so many bytes in all, if it is not.
    pub async fn grow(&mut self, world: &World, bytes: usize) -> Result<(), NoRoom> {
        self.room
            .pieces
            .grow(world, &mut self.of_holder, bytes)
            .await?;
        self.room
            .shared
            .pieces
            .grow(world, &mut self.of_all, bytes)
            .await
    }
}

impl<K: Copy + Eq + Hash> fmt::Debug for Share<K> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Share({} bytes)",
            self.of_all.num_permits() * PIECE_BYTES
        )
    }
}

impl Pieces {
    fn new(max: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(max)),
            max,
        }
    }

    /// What is larger than the whole may come in when it is alone.
    fn count(&self, bytes: usize) -> usize {
        bytes.div_ceil(PIECE_BYTES).min(self.max).max(1)
    }

    async fn grow(
        &self,
        world: &World,
        permit: &mut OwnedSemaphorePermit,
        bytes: usize,
    ) -> Result<(), NoRoom> {
        let missing = self.count(bytes).saturating_sub(permit.num_permits());
        if missing > 0 {
            permit.merge(self.take(world, missing).await?);
        }
        Ok(())
    }

    async fn take(&self, world: &World, pieces: usize) -> Result<OwnedSemaphorePermit, NoRoom> {
        let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
        if let Ok(permit) = self.free.clone().try_acquire_many_owned(pieces) {
            return Ok(permit);
        }
        let deadline = world.now() + limits::MEMORY_PATIENCE;
        let waiting = self.free.clone().acquire_many_owned(pieces);
        match world.tasks.deadline(deadline, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(NoRoom),
        }
    }
}

impl<K: Copy + Eq + Hash> Room<K> {
    fn enter(shared: &Arc<Shared<K>>, name: K) -> Self {
        let mut holders = shared.holders();
        let holder = holders.entry(name).or_insert_with(|| Holder {
            free: Arc::new(Semaphore::new(shared.per_holder_max)),
            rooms: 0,
        });
        holder.rooms += 1;
        Self {
            shared: shared.clone(),
            holder: name,
            pieces: Pieces {
                free: holder.free.clone(),
                max: shared.per_holder_max,
            },
        }
    }
}

impl<K: Copy + Eq + Hash> Drop for Room<K> {
    fn drop(&mut self) {
        let mut holders = self.shared.holders();
        if let Some(holder) = holders.get_mut(&self.holder) {
            holder.rooms = holder.rooms.saturating_sub(1);
            if holder.rooms == 0 {
                holders.remove(&self.holder);
            }
        }
    }
}

impl<K> Shared<K> {
    fn holders(&self) -> MutexGuard<'_, HashMap<K, Holder>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
