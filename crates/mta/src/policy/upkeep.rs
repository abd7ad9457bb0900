//! What is done to policies by the clock, whether mail asks for them or not: fetched anew before they end,
//! forgotten when they have ended or nobody needs them any more.

use mail::UnixMillis;
use store::{Durability, StoreError};

use super::sts;
use crate::{Inner, limits};

/// One round. The queue calls it every now and then.
pub(crate) async fn upkeep(inner: &Inner) {
    let now = inner.now();
    let before = |span: std::time::Duration| {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        UnixMillis(now.0.saturating_sub(millis))
    };
    let (unused, unconfirmed) = (before(limits::STS_UNUSED), before(limits::LEARNT_UNUSED));
    let tidied = inner.store.write(Durability::Relaxed, move |change| {
        change.forget_sts_policies(now, unused)?;
        change.forget_learnt_tls_before(unconfirmed)?;
        change.sts_policies_to_refresh(now, limits::STS_REFRESHES_MAX)
    });
    let due: Result<_, StoreError> = tidied.await;
    match due {
        Ok(due) => {
            for kept in &due {
                sts::refresh(inner, kept).await;
            }
        }
        Err(error) => tracing::warn!(%error, "transport policies cannot be looked after"),
    }
}
