//! When what some accounts taught speaks to the others. One account never does, nor may a few speak for many: how many must
//! agree grows with the number of those who teach. The counting is pure.

use mail::UnixMillis;

use super::read::{Count, counted};
use crate::engine::Param;
use crate::limits::{
    TEACHER_COUNT_MAX, TEACHER_YOUNG_MILLIS, TEACHERS_MIN, TEACHERS_NEEDED_MAX, VOICES_RAISED_PIECE,
};
use crate::{AccountId, Change, StoreError};

/// The server's count of a feature, with the number of accounts behind each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Voices {
    pub(super) junk: i64,
    pub(super) wanted: i64,
    pub(super) junk_by: i64,
    pub(super) wanted_by: i64,
}

/// How many accounts must have taught a feature before it speaks to others: two in a family, and about the square root of
/// all that teach where there are many.
pub(super) fn needed(teachers: i64) -> i64 {
    let root = teachers.max(0).unsigned_abs().isqrt();
    i64::try_from(root)
        .unwrap_or(i64::MAX)
        .clamp(TEACHERS_MIN, TEACHERS_NEEDED_MAX)
}

/// How much an account's count counts for the server.
pub(super) fn voice_of(count: Count) -> Voices {
    let capped = |count: u32| i64::from(count).min(TEACHER_COUNT_MAX);
    Voices {
        junk: capped(count.junk),
        wanted: capped(count.wanted),
        junk_by: i64::from(0 < count.junk),
        wanted_by: i64::from(0 < count.wanted),
    }
}

impl Voices {
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            junk: self.junk - other.junk,
            wanted: self.wanted - other.wanted,
            junk_by: self.junk_by - other.junk_by,
            wanted_by: self.wanted_by - other.wanted_by,
        }
    }

    /// Accounts that teach, of the class that has more of them.
    pub(super) fn teachers(self) -> i64 {
        self.junk_by.max(self.wanted_by)
    }

    /// What may be heard of it. A class that too few accounts taught can weigh against the other one, each of them no more
    /// than one of those.
    pub(super) fn heard(self, needed: i64) -> Option<Count> {
        let against = |few: i64, few_by: i64, many: i64, many_by: i64| {
            few.min(many.saturating_mul(few_by) / many_by.max(1))
        };
        let (junk, wanted) = match (needed <= self.junk_by, needed <= self.wanted_by) {
            (false, false) => return None,
            (true, true) => (self.junk, self.wanted),
            (true, false) => (
                self.junk,
                against(self.wanted, self.wanted_by, self.junk, self.junk_by),
            ),
            (false, true) => (
                against(self.junk, self.junk_by, self.wanted, self.wanted_by),
                self.wanted,
            ),
        };
        Some(Count {
            junk: counted(junk),
            wanted: counted(wanted),
        })
    }
}

/// Which features of an account are in the counts of all: all of them; or those below a number, while it is being brought
/// in piece by piece; or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach(Option<i64>);

impl Reach {
    const ALL: Self = Self(None);
    const NONE: Self = Self(Some(i64::MIN));

    pub(super) fn of_stored(below: Option<i64>) -> Self {
        Self(below)
    }

    pub(super) fn stored(self) -> Option<i64> {
        self.0
    }

    pub(super) fn covers(self, feature: i64) -> bool {
        self.0.is_none_or(|below| feature < below)
    }

    /// Whether the account is among the teachers.
    pub(super) fn is_heard(self) -> bool {
        self != Self::NONE
    }
}

impl Change<'_> {
    /// Of an account that teaches for the first time.
    pub(super) fn first_reach(
        &self,
        account: AccountId,
        now: UnixMillis,
    ) -> Result<Reach, StoreError> {
        Ok(match self.is_young(account, now)? {
            true => Reach::NONE,
            false => Reach::ALL,
        })
    }

    /// Whoever can make accounts could make as many as are needed: those of the last days are not heard. Unless the server
    /// is as young itself: those who begin with it are heard at once.
    fn is_young(&self, account: AccountId, now: UnixMillis) -> Result<bool, StoreError> {
        let sql = "SELECT created, (SELECT MIN(created) FROM account) FROM account WHERE id = ?1";
        let found = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
        Ok(found.is_none_or(|(created, first)| {
            now.0 < created.saturating_add(TEACHER_YOUNG_MILLIS)
                && first.saturating_add(TEACHER_YOUNG_MILLIS) < created
        }))
    }

    /// An account that is not young any more is heard: one piece of what it taught. Says whether there is more to do.
    pub(super) fn raise_voice(
        &mut self,
        account: AccountId,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let Some((totals, reach)) = self.taught_total(account)? else {
            return Ok(false);
        };
        let Some(below) = reach.stored() else {
            return Ok(false);
        };
        if !reach.is_heard() {
            if self.is_young(account, now)? {
                return Ok(false);
            }
            self.add_total_voice(voice_of(totals))?;
        }
        let sql = "SELECT feature, junk, wanted FROM taught WHERE account = ?1 AND feature >= ?2 ORDER BY feature LIMIT ?3";
        let params = [
            Param::Int(account.0),
            Param::Int(below),
            Param::Int(VOICES_RAISED_PIECE),
        ];
        let piece = self.sql.all(sql, &params, |row| {
            let count = Count {
                junk: counted(row.int(1)?),
                wanted: counted(row.int(2)?),
            };
            Ok((row.int(0)?, voice_of(count)))
        })?;
        self.add_voices(&piece)?;
        let next = match piece.last() {
            Some((last, _)) if VOICES_RAISED_PIECE <= piece.len() as i64 => last.checked_add(1),
            _ => None,
        };
        let sql = "UPDATE taught_total SET heard_below = ?2 WHERE account = ?1";
        self.sql
            .execute(sql, &[Param::Int(account.0), Param::OptInt(next)])?;
        Ok(next.is_some())
    }
}

#[cfg(test)]
mod tests;
