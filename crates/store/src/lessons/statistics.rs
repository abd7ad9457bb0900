//! Numbers about learning and about how often the filter was wrong, for those who ask.

use mail::UnixMillis;

use super::read::counted;
use super::{Class, Count};
use crate::engine::Param;
use crate::{AccountId, StoreError, View};

/// What an account's filter did and learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpamStatistics {
    /// Lessons that are counted.
    pub lessons: Count,
    /// Features that the account's counts hold.
    pub features: u64,
    /// Lessons that wait to be counted.
    pub waiting: u64,
    /// Messages that the filter put into Junk since the moment asked for.
    pub junked: u64,
    /// How many of them a person took out again: the filter was wrong.
    pub rescued: u64,
    /// Messages that a person put into Junk or marked so since then: the filter let them through.
    pub missed: u64,
}

/// What counts for the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaughtTotals {
    /// Lessons, each account's up to a bound.
    pub lessons: Count,
    /// Accounts that taught.
    pub teachers: Count,
    pub features: u64,
}

impl View<'_> {
    pub fn spam_statistics(
        &self,
        account: AccountId,
        since: UnixMillis,
    ) -> Result<SpamStatistics, StoreError> {
        let key = [Param::Int(account.0)];
        let since = [key[0], Param::Int(since.0)];
        let sql = "SELECT junk, wanted FROM taught_total WHERE account = ?1";
        let lessons = self.sql.first(sql, &key, |row| {
            Ok(Count {
                junk: counted(row.int(0)?),
                wanted: counted(row.int(1)?),
            })
        })?;
        let count = |sql: &'static str, params: &[Param<'_>]| {
            self.sql
                .one(sql, params, |row| row.int(0))
                .map(|count| count.max(0) as u64)
        };
        Ok(SpamStatistics {
            lessons: lessons.unwrap_or_default(),
            features: count("SELECT COUNT(*) FROM taught WHERE account = ?1", &key)?,
            waiting: count(
                "SELECT COUNT(*) FROM lesson WHERE account = ?1 AND due <> learnt",
                &key,
            )?,
            junked: count(
                "SELECT COUNT(*) FROM junked WHERE account = ?1 AND at >= ?2",
                &since,
            )?,
            rescued: count(
                "SELECT COUNT(*) FROM junked WHERE account = ?1 AND at >= ?2 AND rescued IS NOT NULL",
                &since,
            )?,
            missed: count(
                "SELECT COUNT(*) FROM lesson WHERE account = ?1 AND learnt = 1 AND changed >= ?2 AND told = 0",
                &since,
            )?,
        })
    }

    pub fn taught_totals(&self) -> Result<TaughtTotals, StoreError> {
        let all = self.voices_totals()?;
        let sql = "SELECT COUNT(*) FROM taught_by_all WHERE is_total = 0";
        let features = self.sql.one(sql, &[], |row| row.int(0))?;
        Ok(TaughtTotals {
            lessons: Count {
                junk: counted(all.junk),
                wanted: counted(all.wanted),
            },
            teachers: Count {
                junk: counted(all.junk_by),
                wanted: counted(all.wanted_by),
            },
            features: features.max(0) as u64,
        })
    }

    /// What is counted of a message, if somebody taught by it.
    pub fn lesson_learnt(&self, key: super::LessonKey) -> Result<Option<Class>, StoreError> {
        Ok(self.lesson_row(key)?.and_then(|row| row.learnt))
    }
}
