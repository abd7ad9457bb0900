//! Whose word is taken for mail that they passed on: what is built in, and what the operator said.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use serde::Deserialize;
use store::{StoreError, Trust, TrustKind};

use crate::{Inner, limits};

/// The list of sealers that is built in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltInSealers {
    /// When it was last looked at.
    pub date: String,
    #[serde(rename = "sealer")]
    pub sealers: Vec<BuiltInSealer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltInSealer {
    /// The `d=` of their seals.
    pub domain: String,
    pub who: String,
}

/// The ARC sealers that are trusted unless the operator says otherwise.
pub fn built_in_sealers() -> &'static BuiltInSealers {
    static LIST: LazyLock<BuiltInSealers> = LazyLock::new(|| {
        toml::from_str(include_str!("../../../../knowledge/arc-sealers.toml")).unwrap_or_else(
            |error| {
                tracing::error!(%error, "the list of ARC sealers cannot be read");
                BuiltInSealers {
                    date: String::new(),
                    sealers: Vec::new(),
                }
            },
        )
    });
    &LIST
}

/// All that are trusted here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trusted {
    sealers: BTreeSet<String>,
    lists: BTreeSet<String>,
}

impl Trusted {
    pub(super) fn of(built_in: &BuiltInSealers, said: &[Trust]) -> Self {
        let mut trusted = Self::default();
        let sealers = built_in.sealers.iter();
        trusted.sealers = sealers.map(|sealer| sealer.domain.clone()).collect();
        for word in said {
            let domains = match word.kind {
                TrustKind::ArcSealer => &mut trusted.sealers,
                TrustKind::MailingList => &mut trusted.lists,
            };
            if word.trusted {
                domains.insert(word.domain.as_str().to_owned());
            } else {
                domains.remove(word.domain.as_str());
            }
        }
        trusted
    }

    /// The name on the seal must be exactly that: below a provider's name others may have theirs.
    pub(super) fn is_sealer(&self, domain: &str) -> bool {
        self.sealers.contains(domain)
    }

    /// The list host that has this domain: a list signs as itself or as the host it lives on.
    pub(super) fn list_of(&self, domain: &str) -> Option<&str> {
        let above = domain.match_indices('.').map(|(at, _)| at + 1);
        [0].into_iter()
            .chain(above)
            .filter_map(|at| self.lists.get(domain.get(at..)?))
            .map(String::as_str)
            .next()
    }
}

/// What is trusted, read once and kept for a while.
#[derive(Default)]
pub(crate) struct TrustList {
    known: Mutex<Option<(Instant, Arc<Trusted>)>>,
}

impl TrustList {
    pub(super) async fn now(&self, inner: &Inner) -> Result<Arc<Trusted>, StoreError> {
        let now = inner.world.now();
        let known = self.lock().clone();
        if let Some((since, trusted)) = known
            && now.saturating_duration_since(since) < limits::SIGNER_AGE
        {
            return Ok(trusted);
        }
        let said = inner.store.read_small(|view| view.trust()).await?;
        let trusted = Arc::new(Trusted::of(built_in_sealers(), &said));
        *self.lock() = Some((now, trusted.clone()));
        Ok(trusted)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Arc<Trusted>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
