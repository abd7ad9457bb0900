//! The signing keys of our domains, read once and kept ready.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use mail::Domain;
use mailauth::dkim::{Algorithm, SigningKey, sign};
use store::{Durability, StoreError};

use crate::{Inner, limits};

#[derive(Default)]
pub(crate) struct Signers {
    domains: Mutex<BTreeMap<Domain, Known>>,
}

#[derive(Clone)]
struct Known {
    since: Instant,
    keys: Arc<Vec<SigningKey>>,
    /// The day on which it was last noted that these keys are in use; 0 before the first.
    noted: Arc<AtomicI64>,
}

impl Signers {
    /// The signature fields for a message. Mail goes out unsigned rather than not at all; the log
    /// says why.
    pub(crate) async fn sign(&self, inner: &Inner, domain: &Domain, message: &Bytes) -> Vec<u8> {
        let Known { keys, noted, .. } = match self.known(inner, domain).await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(%domain, %error, "no signing keys can be read: a message goes unsigned");
                return Vec::new();
            }
        };
        self.note_use(inner, domain, &keys, &noted);
        let at = u64::try_from(inner.now().secs()).unwrap_or(0);
        let size = message.len();
        let message = message.clone();
        let work = move || {
            let keys: Vec<&SigningKey> = keys.iter().collect();
            sign(&message, &keys, at).map_err(|error| error.to_string())
        };
        let signed = match inner.compute(size, work).await {
            Ok(signed) => signed,
            Err(panicked) => Err(panicked.to_string()),
        };
        signed.unwrap_or_else(|error| {
            tracing::warn!(%domain, %error, "a message goes unsigned");
            Vec::new()
        })
    }

    /// The key that seals (ARC) what is passed on for a domain: an RSA one, since few verifiers of seals
    /// know others. Sealing says who passed it on; it does not claim to have written it.
    pub(crate) async fn seal<T: Send + 'static>(
        &self,
        inner: &Inner,
        domain: &Domain,
        size: usize,
        work: impl FnOnce(&SigningKey) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let known = self.known(inner, domain).await.ok()?;
        self.note_use(inner, domain, &known.keys, &known.noted);
        let sealing = move || {
            let keys = known.keys.iter();
            let key = keys
                .clone()
                .find(|key| key.algorithm() == Algorithm::RsaSha256);
            key.or(known.keys.first()).and_then(work)
        };
        inner.compute(size, sealing).await.ok().flatten()
    }

    async fn known(&self, inner: &Inner, domain: &Domain) -> Result<Known, StoreError> {
        let now = inner.world.now();
        let before = self.lock().get(domain).cloned();
        let fresh = |known: &Known| now.saturating_duration_since(known.since) < limits::SIGNER_AGE;
        let noted = match before {
            Some(known) if fresh(&known) => return Ok(known),
            Some(known) => known.noted,
            None => Arc::default(),
        };
        let wanted = domain.clone();
        let stored = inner
            .store
            .read_small(move |view| view.dkim_keys(&wanted))
            .await?;
        let keys = store::signing(&stored).filter_map(|key| {
            SigningKey::from_pkcs8(key.domain.as_str(), &key.selector, &key.private)
                .inspect_err(|error| {
                    tracing::error!(%domain, selector = key.selector, %error, "a DKIM key is unusable");
                })
                .ok()
        });
        let known = Known {
            since: now,
            keys: Arc::new(keys.collect()),
            noted,
        };
        let mut domains = self.lock();
        if domains.len() >= limits::SIGNERS_MAX {
            domains.clear();
        }
        domains.insert(domain.clone(), known.clone());
        Ok(known)
    }

    /// Notes once a day that keys are in use: their records must stay for some days after the last time.
    fn note_use(
        &self,
        inner: &Inner,
        domain: &Domain,
        keys: &Arc<Vec<SigningKey>>,
        noted: &AtomicI64,
    ) {
        let now = inner.now();
        if noted.swap(now.day(), Ordering::Relaxed) == now.day() {
            return;
        }
        let (store, domain, keys) = (inner.store.clone(), domain.clone(), keys.clone());
        inner.world.tasks.spawn("dkim use", async move {
            let noted = store.write_bulk(Durability::Relaxed, move |change| {
                keys.iter()
                    .try_for_each(|key| change.note_dkim_use(&domain, key.selector(), now))
            });
            if let Err(error) = noted.await {
                tracing::debug!(%error, "it is not noted that signing keys are in use");
            }
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Domain, Known>> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
