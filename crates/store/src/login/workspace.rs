//! The memory that password hashing works in, kept for the next hash. Given back and asked for each
//! time, an allocator would keep a piece of this size for every thread that ever hashed.

use argon2::Block;
use parking_lot::Mutex;

use crate::limits::HASHES_AT_ONCE;

#[derive(Default)]
pub(crate) struct Workspaces {
    free: Mutex<Vec<Vec<Block>>>,
    /// How often something was hashed: time is what must not tell who has an account, and no clock measures it as well.
    #[cfg(test)]
    pub(super) lent: std::sync::atomic::AtomicUsize,
}

impl Workspaces {
    /// Lends memory of at least so many blocks. What it holds is overwritten by the next hash.
    pub(super) fn lend<T>(&self, blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        #[cfg(test)]
        self.lent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut memory = self.free.lock().pop().unwrap_or_default();
        if memory.len() < blocks {
            memory.resize(blocks, Block::new());
        }
        let done = work(&mut memory);
        let mut free = self.free.lock();
        if free.len() < HASHES_AT_ONCE {
            free.push(memory);
        }
        done
    }
}
