//! What becomes of mail that leaves: every answer of other servers, troubles with providers, how they are treated,
//! relays for single providers, and what the operator is to be told. What follows from an answer is decided in `mta`.

mod event;
mod incident;
mod notice;
mod relay;
mod sums;
mod treatment;

pub use event::{DeliveryEvent, Fate};
pub use incident::{Incident, IncidentId};
pub use notice::{NewNotice, Notice};
pub use relay::{ProviderRelay, RelayProtection};
pub use sums::{DeliverySums, Trend};
pub use treatment::Standing;

use mail::UnixMillis;

use crate::limits::DELIVERY_TRIMS_PER_ROUND;
use crate::{Durability, Store, StoreError};

impl Store {
    /// Forgets what is too old to be asked for, in small pieces. Call it every hour or so.
    pub async fn tidy_deliveries(&self, now: UnixMillis) -> Result<(), StoreError> {
        for _ in 0..DELIVERY_TRIMS_PER_ROUND {
            let more = self
                .write_bulk(Durability::Relaxed, move |change| {
                    change.trim_deliveries(now)
                })
                .await?;
            if !more {
                break;
            }
        }
        self.write_bulk(Durability::Relaxed, move |change| {
            change.trim_incidents(now)?;
            change.trim_notices(now)?;
            change.trim_standings(now)
        })
        .await?;
        self.write_bulk(Durability::Durable, move |change| {
            change.expire_quarantined(now).map(drop)
        })
        .await
    }
}
