//! The signing keys of our domains, read once and kept ready.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use mail::Domain;
use mailauth::dkim::{SigningKey, sign};
use store::{DkimState, StoreError};

use crate::{Inner, limits};

#[derive(Default)]
pub(crate) struct Signers {
    domains: Mutex<BTreeMap<Domain, Known>>,
}

#[derive(Clone)]
struct Known {
    since: Instant,
    keys: Arc<Vec<SigningKey>>,
}

impl Signers {
    /// The signature fields for a message. Mail goes out unsigned rather than not at all; the log
    /// says why.
    pub(crate) async fn sign(&self, inner: &Inner, domain: &Domain, message: &Bytes) -> Vec<u8> {
        let keys = match self.keys(inner, domain).await {
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(%domain, %error, "no signing keys can be read: a message goes unsigned");
                return Vec::new();
            }
        };
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

    async fn keys(
        &self,
        inner: &Inner,
        domain: &Domain,
    ) -> Result<Arc<Vec<SigningKey>>, StoreError> {
        let now = inner.world.now();
        let fresh =
            |known: &&Known| now.saturating_duration_since(known.since) < limits::SIGNER_AGE;
        if let Some(known) = self.lock().get(domain).filter(fresh) {
            return Ok(known.keys.clone());
        }
        let wanted = domain.clone();
        let stored = inner
            .store
            .read_small(move |view| view.dkim_keys(&wanted))
            .await?;
        let keys = stored.iter().filter(|key| key.state == DkimState::Active).filter_map(|key| {
            SigningKey::from_pkcs8(key.domain.as_str(), &key.selector, &key.private)
                .inspect_err(|error| {
                    tracing::error!(%domain, selector = key.selector, %error, "a DKIM key is unusable");
                })
                .ok()
        });
        let keys = Arc::new(keys.collect::<Vec<_>>());
        let mut domains = self.lock();
        if domains.len() >= limits::SIGNERS_MAX {
            domains.clear();
        }
        domains.insert(
            domain.clone(),
            Known {
                since: now,
                keys: keys.clone(),
            },
        );
        Ok(keys)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Domain, Known>> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
