//! Randomness: bytes for keys and ids, draws for jitter.
//! The seeded one is for simulated worlds; its branches do not disturb one another.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

pub trait Random: Send + Sync {
    /// Fills with bytes fit for keys.
    fn fill(&self, bytes: &mut [u8]);

    /// An independent stream: drawing from it does not change what others draw.
    fn branch(&self, name: &str) -> Arc<dyn Random>;

    /// A number in `0..bound`, without bias; 0 when `bound` is 0.
    fn below(&self, bound: u64) -> u64 {
        if bound < 2 {
            return 0;
        }
        // Draws above the largest multiple of `bound` would favour small numbers.
        let unbiased_max = u64::MAX - u64::MAX % bound;
        loop {
            let mut bytes = [0; 8];
            self.fill(&mut bytes);
            let draw = u64::from_le_bytes(bytes);
            if draw < unbiased_max {
                return draw % bound;
            }
        }
    }
}

/// The operating system's randomness. Every draw is independent, so a branch is just another door to it.
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // Fails only where the system has no randomness at all; nothing safe can be done without.
        if let Err(error) = SysRng.try_fill_bytes(bytes) {
            panic!("the operating system gives no randomness: {error}");
        }
    }

    fn branch(&self, _name: &str) -> Arc<dyn Random> {
        Arc::new(Self)
    }
}

/// Equal seeds draw equal bytes.
pub struct SeededRandom {
    seed: [u8; 32],
    stream: Mutex<StdRng>,
}

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self::from_seed(digest(&[&seed.to_le_bytes()]))
    }

    fn from_seed(seed: [u8; 32]) -> Self {
        Self {
            seed,
            stream: Mutex::new(StdRng::from_seed(seed)),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.stream
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(bytes);
    }

    fn branch(&self, name: &str) -> Arc<dyn Random> {
        Arc::new(Self::from_seed(digest(&[&self.seed, name.as_bytes()])))
    }
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut seed = [0; 32];
    seed.copy_from_slice(context.finish().as_ref());
    seed
}
