//! Rotation of signing keys: a new pair is made, its records are looked for in the DNS, and only then it signs.

use std::sync::Arc;

use crate::Job;

/// The jobs of this folder.
pub(crate) fn jobs() -> Vec<Arc<dyn Job>> {
    Vec::new()
}
