//! The one transaction that takes a message in: deliveries and queue rows, all or none of them.

use store::queue::NewQueued;
use store::{
    Accepted, AccountId, Change, Delivery, DeliveryTarget, MessageError, Place, Receipt, Store,
    Target,
};

use crate::refusal::Refusal;

/// What is to be written down together.
#[derive(Clone, Default)]
pub(crate) struct Filing {
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) queued: Vec<NewQueued>,
}

impl Filing {
    /// Does it; only this makes a receipt.
    pub(crate) async fn commit(self, store: &Store) -> Result<Receipt, Refusal> {
        if self.is_empty() {
            return Err(Refusal::NoRecipients);
        }
        store
            .accept(move |change| match self.write(change) {
                Ok(Some(accepted)) => Ok(accepted),
                Ok(None) => Err(Refusal::NoRecipients),
                Err(error) => Err(error.into()),
            })
            .await
    }

    /// As part of a transaction that somebody else makes.
    pub(crate) fn write(&self, change: &mut Change<'_>) -> Result<Option<Accepted>, MessageError> {
        let mut all: Option<Accepted> = None;
        for delivery in &self.deliveries {
            let accepted = change.deliver(delivery)?;
            all = Some(match all {
                Some(before) => before.and(accepted),
                None => accepted,
            });
        }
        for queued in &self.queued {
            let accepted = change.enqueue(queued)?;
            all = Some(match all {
                Some(before) => before.and(accepted),
                None => accepted,
            });
        }
        Ok(all)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.deliveries.is_empty() && self.queued.is_empty()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.deliveries.extend(other.deliveries);
        self.queued.extend(other.queued);
    }
}

/// Each account once, however many of its addresses were named.
pub(crate) fn delivery_targets<'a>(
    targets: impl IntoIterator<Item = &'a Target>,
) -> Vec<DeliveryTarget> {
    let mut out: Vec<DeliveryTarget> = Vec::new();
    for target in targets {
        if !out.iter().any(|known| known.account == target.account) {
            out.push(inbox(target.account));
        }
    }
    out
}

pub(crate) fn inbox(account: AccountId) -> DeliveryTarget {
    DeliveryTarget {
        account,
        place: Place::Inbox,
        marks: store::Marks::none(),
    }
}
