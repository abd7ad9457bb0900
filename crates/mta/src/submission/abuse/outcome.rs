//! What became of an account's messages: refusals count against it, in the transaction that ends the attempt.

use doctor::replies::{Class, Classified, Scope};
use mail::UnixMillis;
use store::sending::{Counts, SendingState};
use store::{AccountId, Change, StoreError};

use super::signals::{Message, Place, measures};
use super::{Rang, ladder, raise};

/// The refusals of one attempt, of an account's message.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    account: AccountId,
    counts: Counts,
    pub(crate) rang: Rang,
}

impl Outcome {
    pub(crate) fn of(account: AccountId) -> Self {
        Self {
            account,
            counts: Counts::default(),
            rang: Rang::default(),
        }
    }

    /// One recipient's answer. What a server thinks of our address says nothing of an account.
    pub(crate) fn add(&mut self, has_failed: bool, classified: Option<&Classified<'_>>) {
        let class = classified.map(|of| of.class);
        let is_unknown = has_failed && class == Some(Class::NoSuchUser);
        let is_blamed = classified.is_some_and(|of| {
            of.class == Class::Content
                || (of.class == Class::Reputation && of.scope == Scope::Message)
        });
        self.counts.failed += u64::from(has_failed);
        self.counts.unknown += u64::from(is_unknown);
        self.counts.blamed += u64::from(is_blamed);
    }

    pub(crate) fn write(&self, change: &mut Change<'_>, now: UnixMillis) -> Result<(), StoreError> {
        if self.counts == Counts::default() {
            return Ok(());
        }
        let Some(account) = change.account(self.account)? else {
            return Ok(());
        };
        change.begin_sending(self.account, now)?;
        change.count_sending(self.account, &self.counts, now)?;
        let facts = change.sending_facts(self.account, now)?;
        if facts.state != SendingState::Free {
            return Ok(());
        }
        let list = measures(&facts, &Place::default(), &Message::default());
        let decision = ladder::decide_outcome(&list);
        if raise(change, self.account, &account.address, &decision, now)? {
            self.rang.ring();
        }
        Ok(())
    }
}
