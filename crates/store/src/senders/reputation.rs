//! What the server has seen of addresses, networks and authenticated domains, and what its people taught of them.
//! Counts fade, so that who mends their ways, or takes over an address, is not judged by what was.

use mail::UnixMillis;

use super::{Origin, SenderKey};
use crate::engine::Param;
use crate::limits::{REPUTATION_HALF_LIFE_MILLIS, REPUTATION_VOICES_READ_MAX};
use crate::{AccountId, Change, StoreError, View};

/// What is known under one key. All counts faded to the moment of asking.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Messages that the server itself took for wanted or for junk.
    pub wanted: f64,
    pub junk: f64,
    /// What accounts taught, the newest ones.
    pub voices: Vec<Voice>,
}

/// What one account taught of a sender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Voice {
    pub account: AccountId,
    pub wanted: f64,
    pub junk: f64,
}

/// Messages from one sender since they were noted last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub key: SenderKey,
    pub wanted: u32,
    pub junk: u32,
}

/// A person said of a message that it is junk, or that it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderLesson {
    pub account: AccountId,
    pub origin: Origin,
    pub junk: bool,
    /// It is taken back: the message was moved again.
    pub undone: bool,
}

/// Counts are kept in hundredths, so that fading is smooth.
const UNIT: i64 = 100;

impl View<'_> {
    /// What is known under a key.
    pub fn standing(&self, key: &SenderKey, now: UnixMillis) -> Result<Standing, StoreError> {
        let params = [Param::Int(key.kind.code()), Param::Text(&key.name)];
        let sql = "SELECT wanted, junk, at FROM reputation WHERE kind = ?1 AND name = ?2";
        let seen = self.sql.first(sql, &params, |row| {
            Ok((row.int(0)?, row.int(1)?, UnixMillis(row.int(2)?)))
        })?;
        let sql = "SELECT account, wanted, junk, at FROM reputation_voice WHERE kind = ?1 AND name = ?2 \
                   ORDER BY at DESC, account LIMIT ?3";
        let params = [params[0], params[1], Param::Int(REPUTATION_VOICES_READ_MAX)];
        let voices = self.sql.all(sql, &params, |row| {
            let fade = fade(UnixMillis(row.int(3)?), now);
            Ok(Voice {
                account: AccountId(row.int(0)?),
                wanted: counted(row.int(1)?) * fade,
                junk: counted(row.int(2)?) * fade,
            })
        })?;
        let (wanted, junk, at) = seen.unwrap_or((0, 0, now));
        let fade = fade(at, now);
        Ok(Standing {
            wanted: counted(wanted) * fade,
            junk: counted(junk) * fade,
            voices,
        })
    }
}

impl Change<'_> {
    /// Adds what came since the last time.
    pub fn note_seen(&mut self, seen: &[Seen], now: UnixMillis) -> Result<(), StoreError> {
        let find = "SELECT wanted, junk, at FROM reputation WHERE kind = ?1 AND name = ?2";
        let put = "INSERT INTO reputation (kind, name, wanted, junk, at) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (kind, name) DO UPDATE SET wanted = excluded.wanted, junk = excluded.junk, at = excluded.at";
        let mut seen: Vec<&Seen> = seen.iter().collect();
        seen.sort_by(|a, b| a.key.cmp(&b.key));
        for one in seen {
            let key = [Param::Int(one.key.kind.code()), Param::Text(&one.key.name)];
            let known = self.sql.first(find, &key, |row| {
                Ok((row.int(0)?, row.int(1)?, UnixMillis(row.int(2)?)))
            })?;
            let (wanted, junk, at) = known.unwrap_or((0, 0, now));
            let fade = fade(at, now);
            let params = [
                key[0],
                key[1],
                Param::Int(faded(wanted, fade) + i64::from(one.wanted) * UNIT),
                Param::Int(faded(junk, fade) + i64::from(one.junk) * UNIT),
                Param::Int(now.0.max(at.0)),
            ];
            self.sql.execute(put, &params)?;
        }
        Ok(())
    }

    /// A person judged a message. It counts for its sender, in that account's own voice.
    pub fn note_sender_lesson(
        &mut self,
        lesson: &SenderLesson,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        self.note_judged(lesson, now)?;
        let step = if lesson.undone { -1 } else { 1 };
        let find = "SELECT wanted, junk, at FROM reputation_voice WHERE kind = ?1 AND name = ?2 AND account = ?3";
        let put = "INSERT INTO reputation_voice (kind, name, account, wanted, junk, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT (kind, name, account) DO UPDATE SET wanted = excluded.wanted, junk = excluded.junk, at = excluded.at";
        for key in lesson.origin.keys() {
            let named = [
                Param::Int(key.kind.code()),
                Param::Text(&key.name),
                Param::Int(lesson.account.0),
            ];
            let known = self.sql.first(find, &named, |row| {
                Ok((row.int(0)?, row.int(1)?, UnixMillis(row.int(2)?)))
            })?;
            let (wanted, junk, at) = known.unwrap_or((0, 0, now));
            let fade = fade(at, now);
            let (more_wanted, more_junk) = match lesson.junk {
                true => (0, step * UNIT),
                false => (step * UNIT, 0),
            };
            let params = [
                named[0],
                named[1],
                named[2],
                Param::Int((faded(wanted, fade) + more_wanted).max(0)),
                Param::Int((faded(junk, fade) + more_junk).max(0)),
                Param::Int(now.0.max(at.0)),
            ];
            self.sql.execute(put, &params)?;
        }
        Ok(())
    }
}

/// What is left after so long: half after each half-life.
fn fade(at: UnixMillis, now: UnixMillis) -> f64 {
    let age = (now.0 - at.0).max(0) as f64;
    (-age / REPUTATION_HALF_LIFE_MILLIS as f64).exp2()
}

fn faded(count: i64, fade: f64) -> i64 {
    (count.max(0) as f64 * fade) as i64
}

fn counted(hundredths: i64) -> f64 {
    hundredths.max(0) as f64 / UNIT as f64
}
