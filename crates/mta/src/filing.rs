//! The one transaction that takes a message in: deliveries and queue rows, all or none of them.

use mail::{Address, UnixMillis};
use store::held::NewHeld;
use store::lessons::Junked;
use store::queue::NewQueued;
use store::reports::{DmarcEvidence, NewIntake};
use store::senders::{NewReceived, Seen};
use store::{
    Accepted, AccountId, Change, Delivery, DeliveryTarget, LoggedIn, MailboxId, Place, QueueId,
    Receipt, Store, Target,
};

use crate::limits;
use crate::refusal::Refusal;
use crate::submission::abuse::Outgoing;

/// What is to be written down together.
#[derive(Clone, Default)]
pub(crate) struct Filing {
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) queued: Vec<NewQueued>,
    /// Reports of others, for whoever reads them.
    pub(crate) intakes: Vec<NewIntake>,
    /// What the author's domain is told of this message.
    pub(crate) evidence: Option<DmarcEvidence>,
    /// Whose message it is; nothing of it is written once their log-in has ended.
    pub(crate) user: Option<LoggedIn>,
    /// A user sends it: what is counted and decided when it is queued.
    pub(crate) sending: Option<Outgoing>,
    /// Senders whose address does not fit into an SRS address.
    pub(crate) senders: Vec<SrsSender>,
    /// Whom a user of ours writes to.
    pub(crate) sent: Option<Sent>,
    /// What is remembered of a message from outside, for each account that has it.
    pub(crate) arrived: Vec<Arrived>,
    /// What came from senders lately, and now.
    pub(crate) seen: Option<(Vec<Seen>, UnixMillis)>,
    /// Nothing of it happens until the operator says so.
    pub(crate) hold: Option<NewHeld>,
    /// What is done beside the rest: now, though the rest is held (reports on recipients that do not get it), or held
    /// though the rest happens now.
    pub(crate) beside: Option<Box<Filing>>,
}

/// An account writes to these addresses.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) account: AccountId,
    pub(crate) to: Vec<Address>,
    /// Without brackets.
    pub(crate) message_id: Option<String>,
    /// No person wrote it to them, so nobody is known better by it.
    pub(crate) is_automatic: bool,
    pub(crate) now: UnixMillis,
}

/// A message from outside was filed for an account.
#[derive(Clone, Debug)]
pub(crate) enum Arrived {
    /// In the inbox.
    Wanted(NewReceived, UnixMillis),
    /// In the junk folder, for what the spam filter says. The message is known once it is filed.
    Junk(Junked),
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
        // Filters may have taken minutes: meanwhile the account may be locked or gone, or its password another.
        if let Some(user) = &self.user
            && change.is_logged_out(user)?
        {
            return Err(Refusal::LoggedOut);
        }
        let admitted = match &self.sending {
            Some(sending) => Some(sending.admit(change)?),
            None => None,
        };
        let mut waiting: Vec<QueueId> = Vec::new();
        match &self.hold {
            Some(held) => add(change.hold(held, &self.deliveries, &self.queued, &self.intakes)?),
            None => {
                for delivery in &self.deliveries {
                    let accepted = change.deliver(delivery)?;
                    self.remember(change, &accepted)?;
                    add(accepted);
                }
                for intake in &self.intakes {
                    add(change.take_report(intake)?);
                }
                for queued in &self.queued {
                    let accepted = match &admitted {
                        Some(admitted) if queued.account.is_some() => {
                            let accepted = change.enqueue(&admitted.timed(queued))?;
                            waiting.extend(accepted.queued());
                            accepted
                        }
                        _ => change.enqueue(queued)?,
                    };
                    add(accepted);
                }
            }
        }
        if let Some(accepted) = self.write_beside(change)? {
            add(accepted);
        }
        if let (Some(sending), Some(admitted)) = (&self.sending, admitted) {
            sending.settle(change, admitted, &waiting)?;
        }
        for sender in &self.senders {
            let forget = UnixMillis(sender.now.0 - limits::SRS_VALID.as_millis() as i64);
            change.note_srs_sender(&sender.token, &sender.address, sender.now, forget)?;
        }
        if let Some(evidence) = &self.evidence {
            change.note_dmarc(evidence)?;
        }
        if let Some((seen, now)) = &self.seen {
            change.note_seen(seen, *now)?;
        }
        if let Some(sent) = &self.sent {
            let id = sent.message_id.as_deref();
            match sent.is_automatic {
                true => change.note_sent_by_itself(sent.account, id, sent.now)?,
                false => {
                    change.note_sent(sent.account, &sent.to, sent.now)?;
                    if let Some(id) = id {
                        change.note_sent_id(sent.account, id, sent.now)?;
                    }
                }
            }
        }
        Ok(all)
    }

    fn write_beside(&self, change: &mut Change<'_>) -> Result<Option<Accepted>, Refusal> {
        let Some(beside) = &self.beside else {
            return Ok(None);
        };
        match beside.write(change) {
            // The others shall have theirs whatever strangers filled the quarantine with.
            Err(Refusal::QuarantineFull) => {
                tracing::warn!(
                    recipients = ?beside.hold.as_ref().map(|held| &held.recipients),
                    "a copy that is to be set aside finds no room and is dropped; other recipients have the message"
                );
                Ok(None)
            }
            written => written,
        }
    }

    /// What a delivery tells of its sender, and what the daily summary of junk will name.
    fn remember(&self, change: &mut Change<'_>, accepted: &Accepted) -> Result<(), Refusal> {
        for filed in accepted.delivered() {
            for arrived in &self.arrived {
                match arrived {
                    Arrived::Wanted(new, now) if new.account == filed.account => {
                        change.note_received(new, *now)?;
                    }
                    // Who has no junk folder finds it in the inbox.
                    Arrived::Junk(junked)
                        if junked.account == filed.account && filed.mailbox != MailboxId::INBOX =>
                    {
                        change.note_junked(&Junked {
                            message: filed.message,
                            ..junked.clone()
                        })?;
                    }
                    Arrived::Wanted(..) | Arrived::Junk(_) => {}
                }
            }
        }
        Ok(())
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
        self.arrived.extend(other.arrived);
        self.seen = self.seen.take().or(other.seen);
        self.hold = self.hold.take().or(other.hold);
        self.beside = self.beside.take().or(other.beside);
        self.sending = self.sending.take().or(other.sending);
        self.user = self.user.take().or(other.user);
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

#[cfg(test)]
mod tests;
