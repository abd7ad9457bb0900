//! Counting lessons in and out again: the account's counts, and from them what counts for the server.

use std::collections::HashMap;

use mail::UnixMillis;

use super::read::{Count, Voices};
use super::work::{Lesson, LessonKey, LessonRow};
use super::{Class, hashes};
use crate::engine::Param;
use crate::limits::{LESSON_FEATURES_MAX, TEACHER_COUNT_MAX};
use crate::senders::{Origin, SenderLesson};
use crate::{AccountId, Change, StoreError};

/// What a call of [`Change::learn`] counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// What was counted before and is not any more.
    pub unlearnt: Option<Class>,
    /// What is counted now.
    pub learnt: Option<Class>,
}

impl Change<'_> {
    /// Does what a lesson waits for: takes back what was counted of it, counts what is due. Nothing happens if it is done
    /// already, or if something else is due by now: then it waits still. `features` and `origin` are those of the body.
    pub fn learn(
        &mut self,
        lesson: &Lesson,
        features: &[u64],
        origin: &Origin,
        message_id: Option<&str>,
        now: UnixMillis,
    ) -> Result<Learnt, StoreError> {
        let key = lesson.key;
        self.lock(key.account)?;
        let Some(row) = self.lesson_row(key)? else {
            return Ok(Learnt::default());
        };
        let due = row.said.due();
        if due == row.learnt || due != lesson.due {
            return Ok(Learnt::default());
        }
        self.unlearn(key, &row, now)?;
        if let Some(blob) = row.blob {
            self.release_body(blob, 1)?;
        }
        let outcome = Learnt {
            unlearnt: row.learnt,
            learnt: due,
        };
        let Some(class) = due else {
            self.delete_lesson(key)?;
            return Ok(outcome);
        };
        let mut set = hashes::set_of(features);
        set.truncate(LESSON_FEATURES_MAX);
        self.count(key.account, &set, class, 1)?;
        self.note_sender_lesson(&sender_lesson(key.account, origin, class, false), now)?;
        let origin = write_origin(origin);
        let bytes = hashes::write(&set);
        let message_id = message_id.map(crate::messages::hash_of_id);
        let sql = "UPDATE lesson SET learnt = ?3, features = ?4, origin = ?5, message_id = ?6, blob_id = NULL, attempts = 0 \
                   WHERE account = ?1 AND body = ?2";
        let params = [
            Param::Int(key.account.0),
            Param::Int(key.body),
            Param::Int(Class::code(due)),
            Param::Blob(&bytes),
            Param::Text(&origin),
            Param::OptInt(message_id.or(row.message_id)),
        ];
        self.sql.execute(sql, &params)?;
        Ok(outcome)
    }

    /// Takes back what is counted of a lesson. The row stays as it is.
    pub(super) fn unlearn(
        &mut self,
        key: LessonKey,
        row: &LessonRow,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let Some(class) = row.learnt else {
            return Ok(());
        };
        let counted = hashes::read(&row.features);
        self.count(key.account, &counted, class, -1)?;
        let origin = read_origin(&row.origin);
        self.note_sender_lesson(&sender_lesson(key.account, &origin, class, true), now)
    }

    /// One lesson more or less for each feature of a set.
    fn count(
        &mut self,
        account: AccountId,
        set: &[u64],
        class: Class,
        step: i64,
    ) -> Result<(), StoreError> {
        self.count_total(account, class, step)?;
        // In the order of the table, so that two nodes never wait for each other in a circle.
        let mut features: Vec<i64> = set.iter().map(|feature| *feature as i64).collect();
        features.sort_unstable();
        let known: HashMap<u64, Count> = self.taught_by(account, &features)?.into_iter().collect();
        let mut for_all = Vec::new();
        for feature in features {
            let before = known.get(&(feature as u64)).copied().unwrap_or_default();
            let after = stepped(before, class, step);
            self.put_taught(account, feature, before, after)?;
            let change = voice_of(after).minus(voice_of(before));
            if change != Voices::default() {
                for_all.push((feature, change));
            }
        }
        for (feature, change) in for_all {
            self.add_voices(0, feature, change)?;
        }
        Ok(())
    }

    fn count_total(
        &mut self,
        account: AccountId,
        class: Class,
        step: i64,
    ) -> Result<(), StoreError> {
        let sql = "SELECT junk, wanted FROM taught_total WHERE account = ?1";
        let read = |row: &crate::engine::Row<'_>| {
            Ok(Count {
                junk: super::read::counted(row.int(0)?),
                wanted: super::read::counted(row.int(1)?),
            })
        };
        let before = self.sql.first(sql, &[Param::Int(account.0)], read)?;
        let before = before.unwrap_or_default();
        let after = stepped(before, class, step);
        let sql = "INSERT INTO taught_total (account, junk, wanted) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (account) DO UPDATE SET junk = excluded.junk, wanted = excluded.wanted";
        let params = [
            Param::Int(account.0),
            Param::Int(after.junk.into()),
            Param::Int(after.wanted.into()),
        ];
        self.sql.execute(sql, &params)?;
        let change = voice_of(after).minus(voice_of(before));
        if change != Voices::default() {
            self.add_voices(1, 0, change)?;
        }
        Ok(())
    }

    fn put_taught(
        &mut self,
        account: AccountId,
        feature: i64,
        before: Count,
        after: Count,
    ) -> Result<(), StoreError> {
        if before == after {
            return Ok(());
        }
        let key = [Param::Int(account.0), Param::Int(feature)];
        if after == Count::default() {
            let sql = "DELETE FROM taught WHERE account = ?1 AND feature = ?2";
            return self.sql.execute(sql, &key).map(drop);
        }
        let sql = "INSERT INTO taught (account, feature, junk, wanted) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (account, feature) DO UPDATE SET junk = excluded.junk, wanted = excluded.wanted";
        let params = [
            key[0],
            key[1],
            Param::Int(after.junk.into()),
            Param::Int(after.wanted.into()),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// By difference: others may add to the same row at this moment.
    pub(super) fn add_voices(
        &mut self,
        is_total: i64,
        feature: i64,
        change: Voices,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO taught_by_all (is_total, feature, junk, wanted, junk_by, wanted_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT (is_total, feature) DO UPDATE SET junk = taught_by_all.junk + excluded.junk, \
                   wanted = taught_by_all.wanted + excluded.wanted, junk_by = taught_by_all.junk_by + excluded.junk_by, \
                   wanted_by = taught_by_all.wanted_by + excluded.wanted_by RETURNING junk_by + wanted_by";
        let params = [
            Param::Int(is_total),
            Param::Int(feature),
            Param::Int(change.junk),
            Param::Int(change.wanted),
            Param::Int(change.junk_by),
            Param::Int(change.wanted_by),
        ];
        if self.sql.one(sql, &params, |row| row.int(0))? == 0 {
            let sql = "DELETE FROM taught_by_all WHERE is_total = ?1 AND feature = ?2";
            self.sql.execute(sql, &params[..2])?;
        }
        Ok(())
    }
}

fn stepped(count: Count, class: Class, step: i64) -> Count {
    let stepped = |count: u32| super::read::counted(i64::from(count) + step);
    match class {
        Class::Junk => Count {
            junk: stepped(count.junk),
            ..count
        },
        Class::Wanted => Count {
            wanted: stepped(count.wanted),
            ..count
        },
    }
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
}

fn sender_lesson(account: AccountId, origin: &Origin, class: Class, undone: bool) -> SenderLesson {
    SenderLesson {
        account,
        origin: origin.clone(),
        junk: class == Class::Junk,
        undone,
    }
}

/// Four fields with a space between; `-` is none.
fn write_origin(origin: &Origin) -> String {
    let field = |field: Option<String>| field.unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {}",
        field(origin.ip.map(|ip| ip.to_string())),
        field(origin.domain.as_ref().map(ToString::to_string)),
        i64::from(origin.confirmed),
        field(origin.author.as_ref().map(ToString::to_string)),
    )
}

fn read_origin(text: &str) -> Origin {
    // The address comes last: a local part in quotes may hold spaces.
    let mut fields = text.splitn(4, ' ');
    let mut field = || fields.next().filter(|field| *field != "-");
    Origin {
        ip: field().and_then(|ip| ip.parse().ok()),
        domain: field().and_then(|domain| mail::Domain::parse(domain).ok()),
        confirmed: field() == Some("1"),
        author: field().and_then(|author| mail::Address::parse(author).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, read_origin, write_origin};

    #[test]
    fn origins_come_back() {
        let origin = Origin {
            ip: "2001:db8::1".parse().ok(),
            domain: mail::Domain::parse("example.org").ok(),
            author: mail::Address::parse("\"a b\"@example.org").ok(),
            confirmed: true,
        };
        assert!(origin.author.is_some());
        assert_eq!(read_origin(&write_origin(&origin)), origin);
        let nothing = Origin::default();
        assert_eq!(read_origin(&write_origin(&nothing)), nothing);
        assert_eq!(read_origin(""), nothing);
    }
}
