//! Sign-ins on their way to the tables: those that are alike are counted here and written once a minute, however many
//! there are. What a crash takes is a minute's count.

use mail::UnixMillis;
use parking_lot::Mutex;

use super::rules::Barred;
use super::{PasswordUsed, Protocol, Visit};
use crate::AccountId;
use crate::bans::{Network, Recent};
use crate::limits::{SIGN_IN_WRITTEN_EVERY_MILLIS, SIGN_INS_COUNTED_MAX};

/// How a log-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignInOutcome {
    Right,
    Wrong,
    /// The password was right (with SCRAM: or wrong), and would not have been taken.
    Barred(Barred),
}

/// What makes two sign-ins alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Likeness {
    pub(super) account: AccountId,
    pub(super) day: i64,
    pub(super) outcome: SignInOutcome,
    pub(super) protocol: Protocol,
    pub(super) place: Network,
    /// None after a failure.
    pub(super) used: Option<PasswordUsed>,
    /// Empty after a failure: there the peer chooses it.
    pub(super) program: Box<str>,
}

/// Sign-ins that are alike, to be added to their row.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) likeness: Likeness,
    pub(super) first: UnixMillis,
    pub(super) last: UnixMillis,
    pub(super) count: i64,
    pub(super) visit: Visit,
    pub(super) client: Box<str>,
    pub(super) tls: Box<str>,
}

pub(super) struct Journal {
    counted: Mutex<Recent<Likeness, Counted>>,
}

struct Counted {
    written: i64,
    /// What is not written yet; nothing if its count is zero.
    waiting: Entry,
}

const DAY_MILLIS: i64 = 86_400_000;

impl Default for Journal {
    fn default() -> Self {
        Self {
            counted: Mutex::new(Recent::new(SIGN_INS_COUNTED_MAX)),
        }
    }
}

impl Journal {
    /// Counts a sign-in; says what is to be written now, if something is.
    pub(super) fn note(&self, entry: Entry) -> Option<Entry> {
        let now = entry.last.0;
        let mut counted = self.counted.lock();
        let known = counted.touch(entry.likeness.clone(), || Counted {
            written: i64::MIN,
            waiting: Entry {
                count: 0,
                ..entry.clone()
            },
        });
        let waiting = &mut known.waiting;
        if waiting.count == 0 {
            waiting.first = entry.first;
        }
        waiting.count += entry.count;
        waiting.last = entry.last;
        (waiting.visit, waiting.client, waiting.tls) = (entry.visit, entry.client, entry.tls);
        if now < known.written.saturating_add(SIGN_IN_WRITTEN_EVERY_MILLIS) {
            return None;
        }
        known.written = now;
        Some(take(&mut known.waiting))
    }

    /// All that waits to be written, and forgets what is of an earlier day.
    pub(super) fn waiting(&self) -> Vec<Entry> {
        let mut counted = self.counted.lock();
        let mut entries = Vec::new();
        let mut newest = i64::MIN;
        counted.retain(|likeness, known| {
            newest = newest.max(likeness.day);
            if 0 < known.waiting.count {
                entries.push(take(&mut known.waiting));
            }
            true
        });
        counted.retain(|likeness, _| newest <= likeness.day);
        entries
    }
}

fn take(waiting: &mut Entry) -> Entry {
    let taken = waiting.clone();
    waiting.count = 0;
    taken
}

impl Entry {
    pub(super) fn new(
        account: AccountId,
        outcome: SignInOutcome,
        used: Option<PasswordUsed>,
        visit: Visit,
        client: (&str, &str),
        now: UnixMillis,
    ) -> Self {
        let (name, tls) = client;
        let program = match outcome {
            SignInOutcome::Right => name,
            SignInOutcome::Wrong | SignInOutcome::Barred(_) => "",
        };
        Self {
            likeness: Likeness {
                account,
                day: now.0.div_euclid(DAY_MILLIS),
                outcome,
                protocol: visit.protocol,
                place: super::place_of(visit.peer),
                used,
                program: program.into(),
            },
            first: now,
            last: now,
            count: 1,
            visit,
            client: name.into(),
            tls: tls.into(),
        }
    }
}

impl SignInOutcome {
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Right => 1,
            Self::Wrong => 2,
            Self::Barred(barred) => barred.code(),
        }
    }

    pub(super) fn of_code(code: i64) -> Self {
        let barred = Barred::ALL.into_iter().find(|one| one.code() == code);
        match (code, barred) {
            (1, _) => Self::Right,
            (_, Some(barred)) => Self::Barred(barred),
            _ => Self::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64, client: &str) -> Entry {
        let visit = Visit {
            protocol: Protocol::Imap,
            peer: "192.0.2.7".parse().expect("an address"),
        };
        let used = Some(PasswordUsed::Main);
        Entry::new(
            AccountId(1),
            SignInOutcome::Right,
            used,
            visit,
            (client, ""),
            UnixMillis(at),
        )
    }

    #[test]
    fn many_that_are_alike_are_written_once_a_minute() {
        let journal = Journal::default();
        let first = journal.note(entry(0, "mutt")).expect("new ones at once");
        assert_eq!(first.count, 1);
        let written = (1..=60_000).filter_map(|at| journal.note(entry(at, "mutt")));
        let written: Vec<Entry> = written.collect();
        assert_eq!(written.len(), 1, "a thousand a second make a row a minute");
        assert_eq!(
            (written[0].count, written[0].last),
            (60_000, UnixMillis(60_000))
        );
        assert!(journal.note(entry(60_001, "another")).is_some());
        assert!(journal.note(entry(60_002, "mutt")).is_none());
        let waiting = journal.waiting();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        assert_eq!(
            (waiting[0].first, waiting[0].count),
            (UnixMillis(60_002), 1)
        );
        assert!(journal.waiting().is_empty());
    }

    #[test]
    fn outcomes_come_back() {
        for barred in Barred::ALL {
            let outcome = SignInOutcome::Barred(barred);
            assert_eq!(SignInOutcome::of_code(outcome.code()), outcome);
        }
        for outcome in [SignInOutcome::Right, SignInOutcome::Wrong] {
            assert_eq!(SignInOutcome::of_code(outcome.code()), outcome);
        }
    }
}
