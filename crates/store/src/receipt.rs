//! A 250 is a value: only a committed transaction makes a [`Receipt`].

use mail::TraceId;

use crate::messages::Delivered;
use crate::{AccountId, QueueId};

/// What a change took in, before its commit. Worth nothing until [`crate::Store::accept`] turns it
/// into a [`Receipt`].
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub(crate) trace: TraceId,
    pub(crate) delivered: Vec<Delivered>,
    pub(crate) over_quota: Vec<AccountId>,
    pub(crate) queued: Vec<QueueId>,
}

impl Accepted {
    /// Both at once: part of a submission stays here, part goes out.
    pub fn and(mut self, other: Self) -> Self {
        self.delivered.extend(other.delivered);
        self.over_quota.extend(other.over_quota);
        self.queued.extend(other.queued);
        self
    }

    #[must_use]
    pub fn delivered(&self) -> &[Delivered] {
        &self.delivered
    }

    /// Accounts whose quota had no room; the others have their message.
    #[must_use]
    pub fn over_quota(&self) -> &[AccountId] {
        &self.over_quota
    }

    #[must_use]
    pub fn queued(&self) -> &[QueueId] {
        &self.queued
    }
}

/// Proof that a message is on disk for all it names. Only a finished, durable commit makes one.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(Accepted);

impl Receipt {
    pub(crate) fn of(accepted: Accepted) -> Self {
        Self(accepted)
    }

    #[must_use]
    pub fn trace(&self) -> TraceId {
        self.0.trace
    }

    /// Where local recipients find it.
    #[must_use]
    pub fn delivered(&self) -> &[Delivered] {
        &self.0.delivered
    }

    /// Accounts whose quota had no room: they did not get it, and the sender must hear of that.
    #[must_use]
    pub fn over_quota(&self) -> &[AccountId] {
        &self.0.over_quota
    }

    #[must_use]
    pub fn queued(&self) -> &[QueueId] {
        &self.0.queued
    }
}
