//! Outbound abuse: an account that somebody else uses must not send thousands of messages in a night, and its owner's
//! ordinary month must not be disturbed.
//!
//! Gather (in the transaction that queues the message, so that twenty sessions at once count as one), decide (`signals.rs`
//! counts, `ladder.rs` climbs), do: the message goes, waits, is held, or the account's sending is locked.

mod ladder;
mod limits;
mod opinion;
mod outcome;
mod signals;
mod sketch;
mod tell;
mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mail::{Address, UnixMillis};
use store::queue::NewQueued;
use store::sending::{
    Acquaintance, Counts, NewAlarm, SendingFacts, SendingNetwork, SendingState, Sent, SentGroup,
};
use store::{AccountId, Change, LoggedIn, QueueId, StoreError, View, place_of};

pub(crate) use ladder::Step;
pub(crate) use opinion::Opinion;
pub(crate) use outcome::{Outcome, look_up_links};
pub use signals::{Allowed, Kind, Level, Measure, Message, Place, Signal, measures};
pub(crate) use sketch::Look;
pub(crate) use tell::tell_users;
pub use words::topics;

use crate::Inner;
use crate::refusal::Refusal;
use ladder::Decision;

/// What is known of a submission before its transaction.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) account: AccountId,
    pub(crate) address: Address,
    /// Where the user's program is, if it is not in this process.
    pub(crate) peer: Option<IpAddr>,
    /// The app password that it logged in with, if it did.
    pub(crate) app_password: Option<String>,
    /// Recipients at other servers, each once.
    pub(crate) remote: Vec<Address>,
    /// Recipients here.
    pub(crate) local: u64,
    pub(crate) look: Look,
    /// What our own filter thinks of it, if it was asked.
    pub(crate) opinion: Option<Opinion>,
    pub(crate) now: UnixMillis,
    /// Set when an alarm was raised, so that its user is told after the commit.
    pub(crate) rang: Rang,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Rang(Arc<AtomicBool>);

impl Rang {
    fn ring(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_rung(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What was decided of a submission, within its transaction.
pub(crate) struct Admitted {
    decision: Decision,
    counts: Counts,
    group: Option<SentGroup>,
}

/// MAIL and every other door: a locked account hears of it before it says more.
pub(crate) async fn check_state(inner: &Inner, user: &LoggedIn) -> Result<(), Refusal> {
    let account = user.account();
    let state = inner
        .store
        .read_small(move |view| view.sending_state(account))
        .await?;
    match state {
        SendingState::Locked { since } => Err(Refusal::SendingLocked { since }),
        SendingState::Free | SendingState::Asking { .. } => Ok(()),
    }
}

impl Outgoing {
    /// Before the queue rows are written: counts and decides. Nobody else counts for the account until the commit.
    pub(crate) fn admit(&self, change: &mut Change<'_>) -> Result<Admitted, Refusal> {
        let facts = change.begin_sending(self.account, self.now)?;
        if let SendingState::Locked { since } = facts.state {
            return Err(Refusal::SendingLocked { since });
        }
        let (counts, to_new) = self.count(change)?;
        let alike = facts
            .groups
            .iter()
            .map(|group| (group, group.sketch.likeness(&self.look.sketch)))
            .filter(|(_, likeness)| *likeness >= limits::ALIKE_PERCENT)
            .max_by_key(|(_, likeness)| *likeness)
            .map(|(group, _)| group);
        let message = Message {
            counts,
            to_new,
            alike: alike.map_or(0, |group| group.first_time_lately),
        };
        let place = self.place(change, &facts)?;
        let decision = ladder::decide(facts.state, &message, &measures(&facts, &place, &message));
        let group = match alike {
            _ if self.remote.is_empty() => None,
            Some(known) => Some(SentGroup::Known(known.id)),
            None => Some(SentGroup::New {
                sketch: self.look.sketch.clone(),
                subject: self.look.subject.clone(),
            }),
        };
        Ok(Admitted {
            decision,
            counts,
            group,
        })
    }

    /// After the queue rows are written.
    pub(crate) fn settle(
        &self,
        change: &mut Change<'_>,
        admitted: Admitted,
        queued: &[QueueId],
    ) -> Result<(), StoreError> {
        let Admitted {
            decision,
            counts,
            group,
        } = admitted;
        let sent = Sent {
            counts,
            network: self.network(),
            spam_like: self.opinion.as_ref().map(|of| of.is_distrusted),
            group,
            queued: queued.to_vec(),
            hold: decision.step >= Step::Hold,
        };
        change.note_sending(self.account, &sent, self.now)?;
        if raise(change, self.account, &self.address, &decision, self.now)? {
            self.rang.ring();
        }
        if decision.step > Step::Go {
            tracing::warn!(
                user = %self.address, step = ?decision.step, reasons = words::in_a_line(&decision.reasons),
                "more is sent than usual"
            );
        }
        Ok(())
    }

    fn network(&self) -> Option<String> {
        self.peer.map(|peer| place_of(peer).to_string())
    }

    /// What the message counts for, and whether it goes to anybody new.
    fn count(&self, view: &View<'_>) -> Result<(Counts, bool), StoreError> {
        let (mut first_time, mut fresh) = (0, 0);
        for address in &self.remote {
            match view.acquaintance(self.account, address, self.now)? {
                Acquaintance::FirstTime => first_time += 1,
                Acquaintance::Fresh => fresh += 1,
                Acquaintance::Known => {}
            }
        }
        let counts = Counts {
            messages: u64::from(!self.remote.is_empty()),
            recipients: self.remote.len() as u64,
            first_time,
            local: self.local,
            automatic: u64::from(self.look.automatic),
            ..Counts::default()
        };
        Ok((counts, first_time + fresh > 0))
    }

    fn place(&self, view: &View<'_>, facts: &SendingFacts) -> Result<Place, StoreError> {
        let now = self.now;
        let hour = now.0.div_euclid(3_600_000).rem_euclid(24);
        let hour = u32::try_from(hour).ok();
        let Some(peer) = self.peer else {
            return Ok(Place {
                hour,
                ..Place::default()
            });
        };
        let known = view.sign_in_facts(self.account, peer, now)?;
        let here = place_of(peer).to_string();
        let is_old = |first: UnixMillis| now.since(first) >= limits::AT_HOME_AFTER;
        let sent_from_here = facts.networks.iter().find(|known| known.network == here);
        let sent_from_here = sent_from_here.map(|known| known.first);
        let is_home = [known.first_from_here, sent_from_here]
            .into_iter()
            .flatten()
            .any(is_old);
        let has_other_home = facts
            .networks
            .iter()
            .any(|known| known.network != here && is_old(known.first));
        let is_new =
            !is_home && (known.is_new_network || (has_other_home && sent_from_here.is_none()));
        let of_late = |known: &&SendingNetwork| now.since(known.last).as_secs() < 3_600;
        let sending = facts.networks.iter().filter(of_late).count() as u64;
        Ok(Place {
            is_home,
            is_new,
            networks_in_hour: u64::from(known.networks_in_last_hour).max(sending),
            hour,
            has_new_app_password: is_new && self.has_new_app_password(view)?,
        })
    }

    fn has_new_app_password(&self, view: &View<'_>) -> Result<bool, StoreError> {
        let Some(name) = &self.app_password else {
            return Ok(false);
        };
        let passwords = view.app_passwords(self.account)?;
        let used = passwords.iter().find(|one| one.name == *name);
        Ok(used.is_some_and(|one| self.now.since(one.created) < limits::APP_PASSWORD_NEW))
    }
}

impl Admitted {
    /// The row as it is to lie in the queue.
    pub(crate) fn timed(&self, queued: &NewQueued) -> NewQueued {
        let mut queued = queued.clone();
        if self.decision.step == Step::Delay {
            for recipient in &mut queued.recipients {
                recipient.due = recipient.due.plus(limits::DELAY);
            }
        }
        queued
    }
}

/// Raises the alarm that was decided, if there is one and it is not raised already.
fn raise(
    change: &mut Change<'_>,
    account: AccountId,
    address: &Address,
    decision: &Decision,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let alarm = NewAlarm {
        reasons: words::lines(&decision.reasons),
        by_operator: false,
    };
    let rang = match decision.step {
        Step::Go | Step::Delay => return Ok(false),
        Step::Hold => change.ask_about_sending(account, &alarm, now)?,
        Step::Lock => change.lock_sending(account, &alarm, now)?,
    };
    if rang {
        let notice = words::notice(address, decision.step == Step::Lock, &alarm.reasons, now);
        change.drop_notice(&notice.topic)?;
        change.add_notice(&notice)?;
    }
    Ok(rang)
}

#[cfg(test)]
mod tests;
