//! Keeps what was learnt small: the oldest lessons beyond a number are taken back, and all of accounts that are gone.

use mail::UnixMillis;

use super::Class;
use super::ledger::Ledger;
use super::read::{Count, counted};
use super::voices::{Voices, voice_of};
use super::work::LessonKey;
use crate::engine::Param;
use crate::limits::{LESSONS_PER_CLASS_MAX, TIDY_PIECE};
use crate::{AccountId, Change, Durability, Store, StoreError};

/// Features whose counts one transaction takes away with their account.
const FEATURES_PIECE: i64 = 500;

/// Lessons that one transaction takes back.
const LESSONS_PIECE: i64 = 5;

impl Store {
    /// Call it now and then (daily): it works in small pieces, behind all others.
    pub async fn tidy_lessons(&self, now: UnixMillis) -> Result<(), StoreError> {
        loop {
            let more = self.write_bulk(Durability::Relaxed, move |change| {
                change.trim_junked(now, TIDY_PIECE)
            });
            if !more.await? {
                break;
            }
        }
        let mut after = AccountId(0);
        loop {
            let next = self.read(move |view| {
                let sql =
                    "SELECT account FROM taught_total WHERE account > ?1 ORDER BY account LIMIT 1";
                view.sql
                    .first(sql, &[Param::Int(after.0)], |row| row.int(0))
            });
            let Some(account) = next.await? else {
                return Ok(());
            };
            after = AccountId(account);
            loop {
                let more = self.write_bulk(Durability::Relaxed, move |change| {
                    change.trim_lessons(after, now)
                });
                if !more.await? {
                    break;
                }
            }
            loop {
                let more = self.write_bulk(Durability::Relaxed, move |change| {
                    change.lock(after)?;
                    change.raise_voice(after, now)
                });
                if !more.await? {
                    break;
                }
            }
        }
    }
}

impl Change<'_> {
    /// One piece for one account. Says whether there is more to do.
    fn trim_lessons(&mut self, account: AccountId, now: UnixMillis) -> Result<bool, StoreError> {
        self.lock(account)?;
        let sql = "SELECT id FROM account WHERE id = ?1";
        let key = [Param::Int(account.0)];
        if self.sql.first(sql, &key, |row| row.int(0))?.is_none() {
            return self.forget_teacher(account);
        }
        let mut more = false;
        for class in [Class::Junk, Class::Wanted] {
            more |= self.trim_class(account, class, now)?;
        }
        Ok(more)
    }

    fn trim_class(
        &mut self,
        account: AccountId,
        class: Class,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let code = Param::Int(Class::code(Some(class)));
        let sql = "SELECT COUNT(*) FROM lesson WHERE account = ?1 AND learnt = ?2";
        let key = [Param::Int(account.0), code];
        let beyond = self.sql.one(sql, &key, |row| row.int(0))? - LESSONS_PER_CLASS_MAX;
        if beyond <= 0 {
            return Ok(false);
        }
        let sql = "SELECT body FROM lesson WHERE account = ?1 AND learnt = ?2 AND due = learnt ORDER BY changed LIMIT ?3";
        let params = [key[0], key[1], Param::Int(beyond.min(LESSONS_PIECE))];
        let oldest = self.sql.all(sql, &params, |row| row.int(0))?;
        let mut ledger = Ledger::new(account);
        for body in &oldest {
            let key = LessonKey {
                account,
                body: *body,
            };
            if let Some(mut row) = self.lesson_row(key)? {
                // What its sender is known for fades by itself.
                row.origin.clear();
                self.unlearn(&mut ledger, key, &row, now)?;
                self.delete_lesson(key)?;
            }
        }
        self.settle(ledger, now)?;
        Ok(!oldest.is_empty() && (oldest.len() as i64) < beyond)
    }

    /// What an account that is gone taught does not count for the server any more. Its lessons went with it.
    fn forget_teacher(&mut self, account: AccountId) -> Result<bool, StoreError> {
        let Some((totals, reach)) = self.taught_total(account)? else {
            return Ok(false);
        };
        let key = [Param::Int(account.0)];
        let sql =
            "SELECT feature, junk, wanted FROM taught WHERE account = ?1 ORDER BY feature LIMIT ?2";
        let piece = self
            .sql
            .all(sql, &[key[0], Param::Int(FEATURES_PIECE)], |row| {
                let count = Count {
                    junk: counted(row.int(1)?),
                    wanted: counted(row.int(2)?),
                };
                Ok((row.int(0)?, count))
            })?;
        let less = |count: &Count| Voices::default().minus(voice_of(*count));
        if !piece.is_empty() {
            let features: Vec<i64> = piece.iter().map(|(feature, _)| *feature).collect();
            self.forget_taught(account, &features)?;
            let heard = piece.iter().filter(|(feature, _)| reach.covers(*feature));
            let heard = heard.map(|(feature, count)| (*feature, less(count)));
            self.add_voices(&heard.collect::<Vec<_>>())?;
            return Ok(true);
        }
        let sql = "DELETE FROM taught_total WHERE account = ?1";
        self.sql.execute(sql, &key)?;
        if reach.is_heard() {
            self.add_total_voice(less(&totals))?;
        }
        Ok(false)
    }

    /// With an account go its lessons and its orders; its counts go later, in pieces.
    pub(crate) fn remove_lessons(&mut self, account: AccountId) -> Result<(), StoreError> {
        let key = [Param::Int(account.0)];
        let sql = "SELECT blob_id FROM lesson WHERE account = ?1 AND blob_id IS NOT NULL";
        for blob in self.sql.all(sql, &key, |row| row.int(0))? {
            self.release_body(blob, 1)?;
        }
        for sql in [
            "DELETE FROM lesson WHERE account = ?1",
            "DELETE FROM junked WHERE account = ?1",
            "DELETE FROM junk_digest WHERE account = ?1",
        ] {
            self.sql.execute(sql, &key)?;
        }
        let owner = account.0.to_string();
        for sql in [
            "DELETE FROM sender_rule WHERE scope = 1 AND owner = ?1",
            "DELETE FROM spam_choice WHERE scope = 1 AND owner = ?1",
        ] {
            self.sql.execute(sql, &[Param::Text(&owner)])?;
        }
        Ok(())
    }
}
