//! What all of a store's threads share: who watches, the sealing key, the bodies; and what a
//! committed change means to them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::blobs::Blobs;
use crate::login::{Gate, Sessions};
use crate::sealing::Sealing;
use crate::unwaited::Unwaited;
use crate::{AccountId, NoticeWatcher, Watcher};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) blobs: Blobs,
    pub(crate) sealing: Sealing,
    pub(crate) gate: Gate,
    pub(crate) bans: crate::bans::Bans,
    pub(crate) unwaited: Arc<Unwaited>,
    watchers: Mutex<HashMap<i64, watch::Sender<u64>>>,
    queue: watch::Sender<u64>,
    lessons: watch::Sender<u64>,
    sign_ins: watch::Sender<u64>,
    pub(crate) sessions: Sessions,
}

/// What a change does beyond the tables, once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Accounts and their newest modseq.
    accounts: Vec<(i64, i64)>,
    /// Accounts whose sessions end, and the epoch that begins.
    ended: Vec<(i64, i64)>,
    queue: bool,
    lessons: bool,
    /// Of this node alone: a node tells what it saw itself, or another one by and by.
    sign_ins: bool,
}

impl Shared {
    pub(crate) fn new(blobs: Blobs, sealing: Sealing, gate: Gate) -> Self {
        Self {
            blobs,
            sealing,
            gate,
            bans: crate::bans::Bans::new(),
            unwaited: Arc::default(),
            watchers: Mutex::new(HashMap::new()),
            queue: watch::Sender::new(0),
            lessons: watch::Sender::new(0),
            sign_ins: watch::Sender::new(0),
            sessions: Sessions::default(),
        }
    }

    pub(crate) fn watch(&self, account: AccountId) -> Watcher {
        let mut watchers = self.watchers.lock();
        let sender = watchers
            .entry(account.0)
            .or_insert_with(|| watch::Sender::new(0));
        Watcher {
            account,
            newest: sender.subscribe(),
        }
    }

    pub(crate) fn watch_queue(&self) -> NoticeWatcher {
        NoticeWatcher {
            notices: self.queue.subscribe(),
        }
    }

    pub(crate) fn watch_lessons(&self) -> NoticeWatcher {
        NoticeWatcher {
            notices: self.lessons.subscribe(),
        }
    }

    pub(crate) fn watch_sign_ins(&self) -> NoticeWatcher {
        NoticeWatcher {
            notices: self.sign_ins.subscribe(),
        }
    }

    pub(crate) fn watched(&self) -> Vec<i64> {
        self.watchers.lock().keys().copied().collect()
    }

    /// Tells those who watch. Newer wins whatever the order.
    pub(crate) fn apply(&self, effects: Effects) {
        if !effects.accounts.is_empty() {
            let mut watchers = self.watchers.lock();
            for (account, modseq) in effects.accounts {
                let Some(sender) = watchers.get(&account) else {
                    continue;
                };
                if sender.receiver_count() == 0 {
                    watchers.remove(&account);
                    continue;
                }
                let newest = modseq.max(0) as u64;
                sender.send_if_modified(|known| {
                    let news = *known < newest;
                    *known = newest.max(*known);
                    news
                });
            }
        }
        self.sessions.end(&effects.ended);
        if effects.queue {
            self.queue.send_modify(|count| *count += 1);
        }
        if effects.lessons {
            self.lessons.send_modify(|count| *count += 1);
        }
        if effects.sign_ins {
            self.sign_ins.send_modify(|count| *count += 1);
        }
    }
}

impl Effects {
    pub(crate) fn changed(account: i64, modseq: i64) -> Self {
        Self {
            accounts: vec![(account, modseq)],
            ..Self::default()
        }
    }

    pub(crate) fn ended(ended: Vec<(i64, i64)>) -> Self {
        Self {
            ended,
            ..Self::default()
        }
    }

    pub(crate) fn queue() -> Self {
        Self {
            queue: true,
            ..Self::default()
        }
    }

    pub(crate) fn note_account(&mut self, account: AccountId, modseq: i64) {
        match self
            .accounts
            .iter_mut()
            .find(|(known, _)| *known == account.0)
        {
            Some((_, newest)) => *newest = modseq.max(*newest),
            None => self.accounts.push((account.0, modseq)),
        }
    }

    pub(crate) fn note_ended(&mut self, account: AccountId, epoch: i64) {
        self.ended.push((account.0, epoch));
    }

    pub(crate) fn note_queue(&mut self) {
        self.queue = true;
    }

    pub(crate) fn note_lessons(&mut self) {
        self.lessons = true;
    }

    pub(crate) fn note_sign_in_news(&mut self) {
        self.sign_ins = true;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        // Duplicates are harmless: applying is idempotent.
        self.accounts.extend(other.accounts);
        self.ended.extend(other.ended);
        self.queue |= other.queue;
        self.lessons |= other.lessons;
        self.sign_ins |= other.sign_ins;
    }

    /// For other nodes: `e17 2;17 345;18 9;q`. Nothing when there is nothing to tell.
    pub(crate) fn notice(&self) -> Option<String> {
        if self.accounts.is_empty() && self.ended.is_empty() && !self.queue && !self.lessons {
            return None;
        }
        Some(self.to_string())
    }

    pub(crate) fn of_notice(text: &str) -> Self {
        let mut effects = Self::default();
        for part in text.split(';') {
            if part == "q" {
                effects.queue = true;
            } else if part == "l" {
                effects.lessons = true;
            } else if let Some((account, epoch)) =
                part.strip_prefix('e').and_then(|part| part.split_once(' '))
                && let (Ok(account), Ok(epoch)) = (account.parse(), epoch.parse())
            {
                effects.ended.push((account, epoch));
            } else if let Some((account, modseq)) = part.split_once(' ')
                && let (Ok(account), Ok(modseq)) = (account.parse(), modseq.parse())
            {
                effects.accounts.push((account, modseq));
            }
        }
        effects
    }
}

impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (account, epoch) in self.ended.iter().take(40) {
            write!(f, "e{account} {epoch};")?;
        }
        // A payload of NOTIFY is at most 8,000 bytes; what does not fit is found by the next change.
        for (account, modseq) in self.accounts.iter().take(150) {
            write!(f, "{account} {modseq};")?;
        }
        f.write_str(if self.lessons { "l;" } else { "" })?;
        f.write_str(if self.queue { "q" } else { "" })
    }
}
