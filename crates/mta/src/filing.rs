//! The one transaction that takes a message in: deliveries and queue rows, all or none of them.

use mail::{Address, UnixMillis};
use store::held::NewHeld;
use store::queue::NewQueued;
use store::reports::{DmarcEvidence, NewIntake};
use store::{Accepted, AccountId, Change, Delivery, DeliveryTarget, Place, Receipt, Store, Target};

use crate::limits;
use crate::refusal::Refusal;

/// What is to be written down together.
#[derive(Clone, Default)]
pub(crate) struct Filing {
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) queued: Vec<NewQueued>,
    /// Reports of others, for whoever reads them.
    pub(crate) intakes: Vec<NewIntake>,
    /// What the author's domain is told of this message.
    pub(crate) evidence: Option<DmarcEvidence>,
    /// Senders whose address does not fit into an SRS address.
    pub(crate) senders: Vec<SrsSender>,
    /// Whom a user of ours writes to.
    pub(crate) sent: Option<Sent>,
    /// Nothing of it happens until the operator says so.
    pub(crate) hold: Option<NewHeld>,
}

/// An account writes to these addresses.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) account: AccountId,
    pub(crate) to: Vec<Address>,
    pub(crate) now: UnixMillis,
}

/// Whom a token in an SRS address stands for.
#[derive(Clone, Debug)]
pub(crate) struct SrsSender {
    pub(crate) token: String,
    pub(crate) address: Address,
    pub(crate) now: UnixMillis,
}

impl Filing {
    /// Does it; only this makes a receipt.
    pub(crate) async fn commit(self, store: &Store) -> Result<Receipt, Refusal> {
        if self.is_empty() {
            return Err(Refusal::NoRecipients);
        }
        store
            .accept(move |change| self.write(change)?.ok_or(Refusal::NoRecipients))
            .await
    }

    /// As part of a transaction that somebody else makes.
    pub(crate) fn write(&self, change: &mut Change<'_>) -> Result<Option<Accepted>, Refusal> {
        let mut all: Option<Accepted> = None;
        let mut add = |accepted: Accepted| {
            all = Some(match all.take() {
                Some(before) => before.and(accepted),
                None => accepted,
            });
        };
        match &self.hold {
            Some(held) => add(change.hold(held, &self.deliveries, &self.queued, &self.intakes)?),
            None => {
                for delivery in &self.deliveries {
                    add(change.deliver(delivery)?);
                }
                for intake in &self.intakes {
                    add(change.take_report(intake)?);
                }
                for queued in &self.queued {
                    add(change.enqueue(queued)?);
                }
            }
        }
        for sender in &self.senders {
            let forget = UnixMillis(sender.now.0 - limits::SRS_VALID.as_millis() as i64);
            change.note_srs_sender(&sender.token, &sender.address, sender.now, forget)?;
        }
        if let Some(evidence) = &self.evidence {
            change.note_dmarc(evidence)?;
        }
        if let Some(sent) = &self.sent {
            change.note_sent(sent.account, &sent.to, sent.now)?;
        }
        Ok(all)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.deliveries.is_empty() && self.queued.is_empty() && self.intakes.is_empty()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.deliveries.extend(other.deliveries);
        self.queued.extend(other.queued);
        self.intakes.extend(other.intakes);
        self.senders.extend(other.senders);
        self.evidence = self.evidence.take().or(other.evidence);
        self.sent = self.sent.take().or(other.sent);
        self.hold = self.hold.take().or(other.hold);
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
