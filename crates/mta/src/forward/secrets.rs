//! The secrets behind our return addresses, read once and kept ready; made and renewed when they are
//! needed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mail::UnixMillis;
use store::{Durability, SrsSecret, StoreError};

use crate::{Inner, limits};

#[derive(Default)]
pub(crate) struct Secrets {
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    since: Instant,
    /// Newest first.
    all: Arc<Vec<SrsSecret>>,
}

impl Secrets {
    /// All that are still good for checking, newest first.
    pub(crate) async fn all(&self, inner: &Inner) -> Result<Arc<Vec<SrsSecret>>, StoreError> {
        let now = inner.world.now();
        let fresh = |known: &Known| now.saturating_duration_since(known.since) < limits::SIGNER_AGE;
        if let Some(known) = self.lock().clone().filter(fresh) {
            return Ok(known.all);
        }
        let all = inner.store.read_small(|view| view.srs_secrets()).await?;
        let all = Arc::new(all);
        *self.lock() = Some(Known {
            since: now,
            all: all.clone(),
        });
        Ok(all)
    }

    /// The one for new addresses.
    pub(crate) async fn newest(&self, inner: &Inner) -> Result<SrsSecret, StoreError> {
        let now = inner.now();
        let all = self.all(inner).await?;
        let newest = all.first();
        if let Some(newest) = newest
            && now.since(newest.created) < limits::SRS_SECRET_AGE
        {
            return Ok(newest.clone());
        }
        let known = newest.map(|newest| newest.created);
        self.make(inner, known, now).await?;
        *self.lock() = None;
        let all = self.all(inner).await?;
        all.first()
            .cloned()
            .ok_or_else(|| StoreError::Failed("no secret for return addresses".to_owned()))
    }

    async fn make(
        &self,
        inner: &Inner,
        known: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut secret = [0; 32];
        inner.world.random.fill(&mut secret);
        inner
            .store
            .write(Durability::Durable, move |change| {
                change.add_srs_secret(&secret, known, now)
            })
            .await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
