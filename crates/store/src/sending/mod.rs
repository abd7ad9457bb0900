//! What accounts send: counts, habits, limits, alarms, and groups of queued messages that are alike.
//! What is too much, and what follows, is decided in `mta`; here it is counted and carried out, in the transaction that
//! queues a message or ends an attempt.

mod account;
mod acquaintance;
mod alarm;
mod count;
mod group;
mod habits;
mod limit;
mod tidy;

pub use acquaintance::Acquaintance;
pub use alarm::{Alarm, AlarmId, NewAlarm, Reached};
pub use group::{Group, GroupId, GroupMember, Known, Sketch};
pub use habits::Habits;

use mail::UnixMillis;

/// What an account sent in some span of time. Recipients are those elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: u64,
    pub recipients: u64,
    /// Those whom the account never wrote to before and who never wrote to it.
    pub first_time: u64,
    /// Recipients at this server.
    pub local: u64,
    /// Messages with an empty reverse-path, or that a program says it wrote.
    pub automatic: u64,
    /// Recipients that were refused for good.
    pub failed: u64,
    /// Those of them that do not exist.
    pub unknown: u64,
    /// Refusals that name the message itself as spam.
    pub blamed: u64,
    /// Messages with a link that a block list has.
    pub listed: u64,
    /// Recipients whose servers took it.
    pub taken: u64,
}

/// Whether an account sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendingState {
    #[default]
    Free,
    /// What it sends is taken in and held until somebody says that it is well.
    Asking { since: UnixMillis },
    /// What it sends is refused.
    Locked { since: UnixMillis },
}

/// Limits that the operator set, in place of the usual ones. Recipients in a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendingLimits {
    pub recipients: Option<u64>,
    pub first_time: Option<u64>,
    /// When they end.
    pub until: Option<UnixMillis>,
}

/// A network that an account sent from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendingNetwork {
    pub network: String,
    pub first: UnixMillis,
    pub last: UnixMillis,
    pub recipients: u64,
}

/// All that is known of an account's sending at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendingFacts {
    pub state: SendingState,
    pub limits: SendingLimits,
    /// Until when its limits are wider, since somebody said that it is well.
    pub raised_until: Option<UnixMillis>,
    /// Of the last ten minutes, hour and day; a little more rather than less.
    pub ten_minutes: Counts,
    pub hour: Counts,
    pub day: Counts,
    pub habits: Habits,
    /// Groups that it sent to of late, newest first.
    pub groups: Vec<Known>,
    pub networks: Vec<SendingNetwork>,
    /// Which of its last ten messages looked like spam; the newest is the lowest bit.
    pub verdicts: u16,
}

/// A message that an account sends, to be counted.
#[derive(Clone, Debug)]
pub struct Sent {
    pub counts: Counts,
    /// Where it came from.
    pub network: Option<String>,
    /// Whether it looks like spam, if that was looked at.
    pub spam_like: Option<bool>,
    /// What it is like, if it goes out.
    pub group: Option<SentGroup>,
    /// Its place in the queue.
    pub queued: Vec<crate::QueueId>,
    /// It is not to leave until released.
    pub hold: bool,
}

#[derive(Clone, Debug)]
pub enum SentGroup {
    Known(GroupId),
    New { sketch: Sketch, subject: String },
}

impl Counts {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            recipients: self.recipients + other.recipients,
            first_time: self.first_time + other.first_time,
            local: self.local + other.local,
            automatic: self.automatic + other.automatic,
            failed: self.failed + other.failed,
            unknown: self.unknown + other.unknown,
            blamed: self.blamed + other.blamed,
            listed: self.listed + other.listed,
            taken: self.taken + other.taken,
        }
    }
}

impl SendingState {
    fn of(code: i64, since: i64) -> Self {
        let since = UnixMillis(since);
        match code {
            1 => Self::Asking { since },
            2 => Self::Locked { since },
            _ => Self::Free,
        }
    }

    pub fn is_locked(self) -> bool {
        matches!(self, Self::Locked { .. })
    }
}
