//! What is known of an account's messages afterwards: refusals count against it, in the transaction that ends the attempt,
//! and links that block lists have, as soon as these answered.

use std::net::IpAddr;

use doctor::replies::{Class, Classified, Scope};
use mail::UnixMillis;
use store::sending::{Counts, SendingState};
use store::{AccountId, Change, Durability, LoggedIn, StoreError};

use super::signals::{Message, Place, measures};
use super::{Rang, ladder, raise};
use crate::{Inner, receive};

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

    /// A recipient's server took the message.
    pub(crate) fn add_taken(&mut self) {
        self.counts.taken += 1;
    }

    /// A recipient's server refused it; for good, or for now. What is given up because nobody answered is not among them: the
    /// trouble may be ours. What a server thinks of our address says nothing of an account.
    pub(crate) fn add_refusal(&mut self, for_good: bool, classified: &Classified<'_>) {
        let is_unknown = for_good && classified.class == Class::NoSuchUser;
        let is_blamed = classified.class == Class::Content
            || (classified.class == Class::Reputation && classified.scope == Scope::Message);
        self.counts.failed += u64::from(for_good);
        self.counts.unknown += u64::from(is_unknown);
        // One message is one, however many at one place it is for.
        self.counts.blamed = self.counts.blamed.max(u64::from(is_blamed));
    }

    /// It links to what a block list has.
    fn add_listed(&mut self) {
        self.counts.listed += 1;
    }

    pub(crate) fn write(&self, change: &mut Change<'_>, now: UnixMillis) -> Result<(), StoreError> {
        if self.counts == Counts::default() {
            return Ok(());
        }
        let Some(account) = change.account(self.account)? else {
            return Ok(());
        };
        let is_praise = self.counts
            == Counts {
                taken: self.counts.taken,
                ..Counts::default()
            };
        if is_praise {
            return change.count_sending(self.account, &self.counts, now);
        }
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

/// Looks up what a message that was taken in leads to. Its sender does not wait for it; one message alone holds up nothing.
pub(crate) fn look_up_links(
    inner: &Inner,
    user: &LoggedIn,
    peer: Option<IpAddr>,
    links: Vec<String>,
) {
    if links.is_empty() {
        return;
    }
    let (store, account, now) = (inner.store.clone(), user.account(), inner.now());
    let address = user.address().clone();
    receive::look_up_links(inner, peer, links, async move |listed| {
        tracing::info!(user = %address, links = listed.join(" "), "a message links to what block lists have");
        let mut outcome = Outcome::of(account);
        outcome.add_listed();
        // The user is told by the queue, which an alarm wakes.
        let written = store.write(Durability::Durable, move |change| {
            outcome.write(change, now)
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, "that a message has listed links cannot be written down");
        }
    });
}
