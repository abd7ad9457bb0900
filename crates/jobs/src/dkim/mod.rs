//! Rotation of signing keys: a new pair is made, its records are looked for in the DNS, and only then it signs;
//! the old pair's records stay until seven days after its last use. Operators publish and remove the records, and
//! nothing breaks while they do not.

pub mod decide;
pub mod limits;
pub mod look;

mod pair;
mod rotation;

use std::sync::Arc;

pub use pair::{PairError, new_keys, new_pair, record};

use crate::Job;

/// The jobs of this folder.
pub(crate) fn jobs() -> Vec<Arc<dyn Job>> {
    vec![Arc::new(rotation::Rotation)]
}
