//! Lessons as rows: noting an act, which ones wait to be counted, teaching by command.

use mail::UnixMillis;

use super::act::Said;
use super::{Act, Class};
use crate::blobs::Hash;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{LESSON_ATTEMPTS_MAX, LESSONS_WAITING_MAX};
use crate::messages::read_body;
use crate::{AccountId, BlobId, BodyRef, Change, StoreError, View};

/// A message as an account's lessons know it: by the hash of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LessonKey {
    pub account: AccountId,
    pub(crate) body: i64,
}

/// A lesson that waits to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    pub key: LessonKey,
    pub due: Option<Class>,
    /// What to learn from; nothing is needed to take a lesson back.
    pub body: Option<BodyRef>,
    /// How often somebody began with it.
    pub(super) attempts: i64,
}

#[derive(Clone, Debug)]
pub(super) struct LessonRow {
    pub(super) said: Said,
    pub(super) learnt: Option<Class>,
    pub(super) blob: Option<i64>,
    pub(super) message_id: Option<i64>,
    pub(super) origin: String,
    pub(super) features: Vec<u8>,
}

impl LessonKey {
    pub(crate) fn new(account: AccountId, hash: &Hash) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = hash.0;
        Self {
            account,
            body: i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        }
    }

    /// Of a message that need not be stored here.
    #[must_use]
    pub fn of_bytes(account: AccountId, bytes: &[u8]) -> Self {
        Self::new(account, &Hash::of(bytes))
    }

    /// A name for it that crosses processes.
    #[must_use]
    pub fn number(self) -> i64 {
        self.body
    }

    #[must_use]
    pub fn of_number(account: AccountId, number: i64) -> Self {
        Self {
            account,
            body: number,
        }
    }
}

impl View<'_> {
    /// Accounts with lessons that wait, ascending, after one that was seen.
    pub fn accounts_with_lessons(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT account FROM lesson WHERE due <> learnt AND account > ?1 ORDER BY account LIMIT 1";
        let mut found = Vec::new();
        let mut after = after.map_or(0, |after| after.0);
        while found.len() < limit {
            match self
                .sql
                .first(sql, &[Param::Int(after)], |row| row.int(0))?
            {
                Some(account) => {
                    found.push(AccountId(account));
                    after = account;
                }
                None => break,
            }
        }
        Ok(found)
    }

    /// The oldest lessons of an account that wait to be counted.
    pub fn waiting_lessons(
        &self,
        account: AccountId,
        limit: usize,
    ) -> Result<Vec<Lesson>, StoreError> {
        let sql = "SELECT l.body, l.due, b.segment, b.place, b.length, b.hash, b.id, l.attempts FROM lesson l \
                   LEFT JOIN blob b ON b.id = l.blob_id WHERE l.account = ?1 AND l.due <> l.learnt ORDER BY l.changed LIMIT ?2";
        let params = [
            Param::Int(account.0),
            Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
        ];
        self.sql.all(sql, &params, |row| {
            Ok(Lesson {
                key: LessonKey {
                    account,
                    body: row.int(0)?,
                },
                due: Class::of_code(row.int(1)?),
                body: match row.opt_int(6)? {
                    Some(_) => Some(read_body(row, 2)?),
                    None => None,
                },
                attempts: row.int(7)?,
            })
        })
    }

    pub(super) fn lesson_row(&self, key: LessonKey) -> SqlResult<Option<LessonRow>> {
        let sql = "SELECT moved, marked, told, learnt, blob_id, message_id, origin, features FROM lesson \
                   WHERE account = ?1 AND body = ?2";
        let read = |row: &Row<'_>| {
            Ok(LessonRow {
                said: Said {
                    moved: Class::of_code(row.int(0)?),
                    marked: Class::of_code(row.int(1)?),
                    told: Class::of_code(row.int(2)?),
                },
                learnt: Class::of_code(row.int(3)?),
                blob: row.opt_int(4)?,
                message_id: row.opt_int(5)?,
                origin: row.opt_text(6)?.unwrap_or_default().to_owned(),
                features: row.opt_blob(7)?.unwrap_or_default().to_vec(),
            })
        };
        self.sql.first(sql, &key.params(), read)
    }

    /// How many more lessons of an account may wait.
    pub(super) fn room_for_lessons(&self, account: AccountId) -> SqlResult<i64> {
        let sql = "SELECT COUNT(*) FROM lesson WHERE account = ?1 AND due <> learnt";
        let waiting = self
            .sql
            .one(sql, &[Param::Int(account.0)], |row| row.int(0))?;
        Ok(LESSONS_WAITING_MAX - waiting)
    }
}

impl Change<'_> {
    /// Somebody did something with a message. The body is held until it is learnt, so that a message that is expunged at
    /// once still teaches.
    pub(super) fn note_act(
        &mut self,
        key: LessonKey,
        act: Act,
        blob: Option<BlobId>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let known = self.lesson_row(key)?;
        let before = known.as_ref().map_or(Said::default(), |row| row.said);
        let after = before.after(act);
        if after == before {
            return Ok(());
        }
        let due = after.due();
        let learnt = known.as_ref().and_then(|row| row.learnt);
        let held = known.as_ref().and_then(|row| row.blob);
        let hold = blob.filter(|_| due.is_some() && due != learnt && held.is_none());
        if let Some(blob) = hold {
            self.hold_again(blob)?;
        }
        if let (Some(blob), true) = (held, due.is_none() || due == learnt) {
            self.release_body(blob, 1)?;
        }
        if due.is_none() && learnt.is_none() {
            return self.delete_lesson(key);
        }
        let held = match due.is_none() || due == learnt {
            true => None,
            false => held.or(hold.map(|blob| blob.0)),
        };
        let sql = "INSERT INTO lesson (account, body, moved, marked, told, due, learnt, changed, attempts, blob_id) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 0, ?8) ON CONFLICT (account, body) DO UPDATE SET moved = excluded.moved, \
                   marked = excluded.marked, told = excluded.told, due = excluded.due, changed = excluded.changed, attempts = 0, \
                   blob_id = excluded.blob_id";
        let params = [
            Param::Int(key.account.0),
            Param::Int(key.body),
            Param::Int(Class::code(after.moved)),
            Param::Int(Class::code(after.marked)),
            Param::Int(Class::code(after.told)),
            Param::Int(Class::code(due)),
            Param::Int(now.0),
            Param::OptInt(held),
        ];
        self.sql.execute(sql, &params)?;
        if due != learnt {
            self.effects.note_lessons();
        }
        Ok(())
    }

    /// Notes that somebody begins with lessons, before their bodies are looked at: one that brings the reader down must not
    /// do so for ever, nor take others with it. Those for which it did too often are given up; one that was begun before is
    /// begun alone. What was begun is returned; the others still wait.
    pub fn begin_lessons(&mut self, lessons: &[Lesson]) -> Result<Vec<Lesson>, StoreError> {
        let alone = lessons
            .iter()
            .position(|lesson| 0 < lesson.attempts)
            .map_or(lessons.len(), |first| first.max(1));
        let sql = "UPDATE lesson SET attempts = attempts + 1 WHERE account = ?1 AND body = ?2 RETURNING attempts";
        let mut begun = Vec::with_capacity(alone);
        for lesson in lessons.iter().take(alone) {
            let attempts = self
                .sql
                .first(sql, &lesson.key.params(), |row| row.int(0))?;
            match attempts {
                Some(attempts) if attempts <= LESSON_ATTEMPTS_MAX => begun.push(lesson.clone()),
                Some(_) => self.give_up_lesson(lesson.key)?,
                None => {}
            }
        }
        Ok(begun)
    }

    /// A lesson that cannot be learnt (its body is lost): what was counted before stays.
    pub fn give_up_lesson(&mut self, key: LessonKey) -> Result<(), StoreError> {
        let Some(row) = self.lesson_row(key)? else {
            return Ok(());
        };
        if let Some(blob) = row.blob {
            self.release_body(blob, 1)?;
        }
        if row.learnt.is_none() {
            return self.delete_lesson(key);
        }
        let sql = "UPDATE lesson SET due = learnt, moved = 0, marked = 0, told = learnt, blob_id = NULL, attempts = 0 \
                   WHERE account = ?1 AND body = ?2";
        self.sql.execute(sql, &key.params()).map(drop)
    }

    pub(super) fn delete_lesson(&mut self, key: LessonKey) -> Result<(), StoreError> {
        let sql = "DELETE FROM lesson WHERE account = ?1 AND body = ?2";
        self.sql.execute(sql, &key.params()).map(drop)
    }

    fn hold_again(&mut self, blob: BlobId) -> Result<(), StoreError> {
        let sql = "UPDATE blob SET refs = refs + 1 WHERE id = ?1";
        self.sql.execute(sql, &[Param::Int(blob.0)]).map(drop)
    }
}

impl LessonKey {
    pub(super) fn params(self) -> [Param<'static>; 2] {
        [Param::Int(self.account.0), Param::Int(self.body)]
    }
}
