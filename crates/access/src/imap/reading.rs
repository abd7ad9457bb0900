//! Where a read runs: a few rows on the spot, many on a reader of the store.

use store::{Store, StoreError, View};

/// Up to so many rows cost less than waking another thread.
const ROWS_ON_THE_SPOT: u64 = 16;

/// Reads about this many rows on one snapshot.
pub(super) async fn read<T, E>(
    store: &Store,
    rows: u64,
    work: impl FnMut(&View<'_>) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    if rows <= ROWS_ON_THE_SPOT {
        store.read_small(work).await
    } else {
        store.read(work).await
    }
}
