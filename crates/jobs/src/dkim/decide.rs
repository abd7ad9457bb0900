//! What is to be done with a domain's keys now. Pure: what is stored, what the DNS said, and what time it is are told.

use std::collections::BTreeSet;
use std::time::Duration;

use mail::UnixMillis;
use store::{DkimAlgorithm, DkimKey, DkimRecord, DkimRotation, DkimState};

use super::limits;

/// What is known of a domain.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub keys: &'a [DkimKey],
    pub rotation: DkimRotation,
    /// Selectors of old keys that have signed what is still in the queue.
    pub queued: &'a BTreeSet<String>,
    /// When the domain's DMARC policy was seen to change, if it ever was.
    pub policy_changed: Option<UnixMillis>,
    pub now: UnixMillis,
}

/// One step in a key's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a new key of each of these kinds.
    Make(Vec<DkimAlgorithm>),
    /// Its record has been there for long enough: it signs from now on.
    Switch(String),
    /// Something it signed still waits in the queue.
    Use(String),
    /// Nobody needs its record any more.
    Retire(String),
    /// Its record is gone: nothing is left to know of it.
    Forget(String),
    /// The operator is to do something.
    Remind(String, Reminder),
}

/// What the operator is to do about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminder {
    /// A new key waits for its record.
    Publish,
    /// Mail is signed with a key that receivers do not find, or find another.
    Mend,
    /// An old key's record went too early.
    PutBack,
    /// An old key's record may go.
    Remove,
}

/// Whose records are to be looked at now.
pub fn to_look(keys: &[DkimKey], now: UnixMillis) -> impl Iterator<Item = &DkimKey> {
    keys.iter().filter(move |key| {
        let often = match key.state {
            DkimState::Coming => true,
            DkimState::Active => key.look.found != DkimRecord::Right,
            DkimState::Kept | DkimState::Retired => false,
        };
        often || passed(key.look.at, limits::LOOK_PERIOD, now)
    })
}

/// Whether the queue is to be searched for what this key signed.
pub fn may_be_queued(key: &DkimKey, now: UnixMillis) -> bool {
    key.state == DkimState::Kept && passed(key.used, limits::QUEUE_LOOK_PERIOD, now)
}

/// All that is due, in the order in which it is to be done.
pub fn steps(facts: &Facts<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if !policy_rests(facts) {
        let kinds = kinds_due(facts);
        if !kinds.is_empty() {
            steps.push(Step::Make(kinds));
        }
        let ready = facts.keys.iter().filter(|key| is_settled(key, facts.now));
        steps.extend(ready.map(|key| Step::Switch(key.selector.clone())));
    }
    for key in facts.keys {
        let selector = || key.selector.clone();
        match key.state {
            DkimState::Kept if facts.queued.contains(&key.selector) => {
                steps.push(Step::Use(selector()));
            }
            DkimState::Kept if kept_until(key).is_none_or(|until| until <= facts.now) => {
                steps.push(Step::Retire(selector()));
            }
            DkimState::Retired if key.look.found == DkimRecord::Missing => {
                steps.push(Step::Forget(selector()));
            }
            _ => {}
        }
        if let Some(reminder) = to_do(key, facts.now)
            && passed(key.look.reminded, limits::REMINDER_PERIOD, facts.now)
        {
            steps.push(Step::Remind(selector(), reminder));
        }
    }
    steps
}

/// What the operator is to do about a key, however often he was told.
pub fn to_do(key: &DkimKey, now: UnixMillis) -> Option<Reminder> {
    let found = key.look.found;
    match key.state {
        DkimState::Coming => (found != DkimRecord::Right
            && passed(Some(key.created), limits::REMINDER_PERIOD, now))
        .then_some(Reminder::Publish),
        DkimState::Active => found.is_bad().then_some(Reminder::Mend),
        DkimState::Kept => found.is_bad().then_some(Reminder::PutBack),
        DkimState::Retired => (found != DkimRecord::Missing).then_some(Reminder::Remove),
    }
}

/// When a domain's keys will be changed next, as far as that depends on time.
pub fn next_change(keys: &[DkimKey], rotation: DkimRotation) -> Option<UnixMillis> {
    KINDS
        .into_iter()
        .filter_map(|kind| change_of(kind, keys, rotation))
        .min()
}

/// Until when an old key's record must stay at least; later if what it signed is still in the queue.
pub fn kept_until(key: &DkimKey) -> Option<UnixMillis> {
    let used = key.used.or(key.stopped)?;
    (key.state == DkimState::Kept).then(|| used.plus(limits::KEEP_AFTER_USE))
}

const KINDS: [DkimAlgorithm; 2] = [DkimAlgorithm::RsaSha256, DkimAlgorithm::Ed25519Sha256];

/// The kinds whose active key is old while no other is coming. Each kind goes its own way, so that a record that
/// is never published holds up only its own kind. A domain that never had a key of a kind gets none.
fn kinds_due(facts: &Facts<'_>) -> Vec<DkimAlgorithm> {
    let due = |kind: &DkimAlgorithm| {
        change_of(*kind, facts.keys, facts.rotation).is_some_and(|at| at <= facts.now)
    };
    KINDS.into_iter().filter(due).collect()
}

fn change_of(kind: DkimAlgorithm, keys: &[DkimKey], rotation: DkimRotation) -> Option<UnixMillis> {
    let period = rotation.period()?;
    let active = newest(keys, kind, DkimState::Active)?;
    newest(keys, kind, DkimState::Coming)
        .is_none()
        .then(|| active.active.unwrap_or(active.created).plus(period))
}

fn newest(keys: &[DkimKey], kind: DkimAlgorithm, state: DkimState) -> Option<&DkimKey> {
    keys.iter()
        .filter(|key| key.algorithm == kind && key.state == state)
        .max_by_key(|key| key.created)
}

/// The record was right at every look for long enough, the last one included.
fn is_settled(key: &DkimKey, now: UnixMillis) -> bool {
    key.state == DkimState::Coming
        && key.look.found == DkimRecord::Right
        && key
            .look
            .since
            .zip(key.look.at)
            .is_some_and(|(since, last)| limits::SETTLE <= last.since(since) && last <= now)
}

fn policy_rests(facts: &Facts<'_>) -> bool {
    facts
        .policy_changed
        .is_some_and(|changed| facts.now.since(changed) < limits::POLICY_REST)
}

/// Whether that long has passed since; what never was is long ago.
fn passed(since: Option<UnixMillis>, span: Duration, now: UnixMillis) -> bool {
    since.is_none_or(|since| span <= now.since(since))
}

#[cfg(test)]
mod tests;
