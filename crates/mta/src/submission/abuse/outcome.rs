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
