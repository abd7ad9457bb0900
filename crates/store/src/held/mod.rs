//! The quarantine: messages that were taken (their sender heard 250) and are kept from their recipients until the operator
//! releases or deletes them, or until they expire. Released, they go where they would have gone.

mod plan;
mod release;
mod waiting;

pub use release::{ReleaseError, Released};
pub use waiting::WaitingHeld;

use mail::{ReversePath, TraceId, UnixMillis};

use crate::blobs::Kept;
use crate::deliveries::NewNotice;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{
    HELD_BYTES_MAX, HELD_DROPPED_AT_ONCE_MAX, HELD_LISTED_MAX, HELD_MAX, HELD_SHOWN_BYTES_MAX,
    HELD_TOLD_PERCENT, TIDY_PIECE,
};
use crate::queue::NewQueued;
use crate::reports::NewIntake;
use crate::{Accepted, AccountId, BlobId, BodyRef, Change, Delivery, StoreError, View};
use plan::Plan;

/// Why a message is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldFor {
    /// A filter asked for it.
    Quarantine,
    /// A filter wanted it thrown away. Nothing that was taken is: it is kept, for a shorter while.
    Discard,
    /// Its attachments, by the rules for them.
    Attachment,
    /// Other recipients have it, and those for whom it was refused, or taken for spam on its way out, do not.
    Aside,
}

/// A message to be held, with all that would have been done with it.
#[derive(Clone, Debug)]
pub struct NewHeld {
    pub trace: TraceId,
    pub cause: HeldFor,
    /// Who wants it held.
    pub filter: String,
    /// Why, in its words.
    pub words: String,
    /// The user who sent it, if it is one of ours.
    pub account: Option<AccountId>,
    pub reverse_path: ReversePath,
    /// Whom it is for, as it is shown.
    pub recipients: Vec<String>,
    pub subject: String,
    pub created: UnixMillis,
    pub expires: UnixMillis,
}

/// A message in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub id: i64,
    pub trace: TraceId,
    pub cause: HeldFor,
    pub filter: String,
    pub words: String,
    pub account: Option<AccountId>,
    /// Empty for the null one.
    pub reverse_path: String,
    pub recipients: Vec<String>,
    pub subject: String,
    pub size: u64,
    pub created: UnixMillis,
    pub expires: UnixMillis,
}

#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// The operator must look at what is there.
    #[error("the quarantine is full")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, trace, cause, filter, words, account, reverse_path, recipients, subject, size, created, expires \
             FROM held ",
            $rest
        )
    };
}

impl View<'_> {
    /// All that are held, newest first.
    pub fn held(&self) -> Result<Vec<Held>, StoreError> {
        let sql = columns!("ORDER BY id DESC LIMIT ?1");
        self.sql.all(sql, &[Param::Int(HELD_LISTED_MAX)], read)
    }

    /// All of them by number and trace id, oldest first.
    pub fn held_ids(&self) -> Result<Vec<(i64, TraceId)>, StoreError> {
        let sql = "SELECT id, trace FROM held ORDER BY id LIMIT ?1";
        let ids = |row: &Row<'_>| Ok((row.int(0)?, trace(row.text(1)?)?));
        self.sql.all(sql, &[Param::Int(HELD_MAX)], ids)
    }

    pub fn held_one(&self, id: i64) -> Result<Option<Held>, StoreError> {
        let sql = columns!("WHERE id = ?1");
        self.sql.first(sql, &[Param::Int(id)], read)
    }

    pub fn held_by_trace(&self, trace: TraceId) -> Result<Option<Held>, StoreError> {
        let sql = columns!("WHERE trace = ?1 ORDER BY id LIMIT 1");
        self.sql
            .first(sql, &[Param::Text(&trace.to_string())], read)
    }

    /// The body of its first part: what its recipients would have.
    pub fn held_body(&self, id: i64) -> Result<Option<BodyRef>, StoreError> {
        let sql = "SELECT blob_id FROM held_part WHERE held = ?1 ORDER BY number LIMIT 1";
        let blob = self
            .sql
            .first(sql, &[Param::Int(id)], |row| row.int(0).map(BlobId))?;
        blob.map_or(Ok(None), |blob| self.body(blob))
    }
}

impl Change<'_> {
    /// Keeps a message with all that would have been done with it. A receipt made of this says that it is on disk. Where there is no
    /// room, the oldest of what was to be thrown away or is set aside goes for it; nothing is written if that is not enough.
    pub fn hold(
        &mut self,
        held: &NewHeld,
        deliveries: &[Delivery],
        queued: &[NewQueued],
        intakes: &[NewIntake],
    ) -> Result<Accepted, HoldError> {
        let bodies = deliveries.iter().map(|one| &one.kept);
        let bodies = bodies
            .chain(queued.iter().map(|one| &one.kept))
            .chain(intakes.iter().map(|one| &one.kept));
        let size: u64 = bodies.map(|kept| kept.size).max().unwrap_or(0);
        let used = self.make_room(size)?;
        self.tell_of_fill(used, held.created)?;
        let id = self.insert_held(held, size)?;
        let plans = deliveries
            .iter()
            .map(|one| (&one.kept, &[][..], Plan::of_delivery(one)));
        let queue = queued
            .iter()
            .map(|one| (&one.kept, one.prefix.as_slice(), Plan::of_queued(one)));
        let reports = intakes
            .iter()
            .map(|one| (&one.kept, &[][..], Plan::of_intake(one)));
        for (number, (kept, prefix, plan)) in (0..).zip(plans.chain(queue).chain(reports)) {
            self.insert_part(id, number, kept, prefix, &plan)?;
        }
        Ok(Accepted {
            trace: held.trace,
            delivered: Vec::new(),
            over_quota: Vec::new(),
            queued: Vec::new(),
        })
    }

    /// For good. False if it is not there.
    pub fn delete_quarantined(&mut self, id: i64) -> Result<bool, StoreError> {
        if !self.take_held(id)? {
            return Ok(false);
        }
        let sql = "DELETE FROM held_part WHERE held = ?1 RETURNING blob_id";
        let blobs = self.sql.all(sql, &[Param::Int(id)], |row| row.int(0))?;
        for blob in blobs {
            self.release_body(blob, 1)?;
        }
        let gone = self
            .sql
            .execute("DELETE FROM held WHERE id = ?1", &[Param::Int(id)])?;
        Ok(gone == 1)
    }

    /// Makes others who release or delete the same one wait until this change is over, before anything of it is read: on
    /// PostgreSQL two could else file the same parts, and count its bodies down twice. False if it is not there.
    fn take_held(&mut self, id: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE held SET expires = expires WHERE id = ?1";
        Ok(self.sql.execute(sql, &[Param::Int(id)])? == 1)
    }

    /// Forgets what nobody wanted in time; a piece at a time.
    pub fn expire_quarantined(&mut self, now: UnixMillis) -> Result<usize, StoreError> {
        let sql = "SELECT id FROM held WHERE expires <= ?1 ORDER BY expires, id LIMIT ?2";
        let params = [Param::Int(now.0), Param::Int(TIDY_PIECE as i64)];
        let due = self.sql.all(sql, &params, |row| row.int(0))?;
        for id in &due {
            self.delete_quarantined(*id)?;
        }
        Ok(due.len())
    }

    /// What is used then, with the new one.
    fn make_room(&mut self, size: u64) -> Result<Fill, HoldError> {
        let all = "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM held";
        let mut used = self.sql.one(all, &[], fill)?.with(size as i64);
        if used.is_within() {
            return Ok(used);
        }
        // Discards, and what is set aside: both are for the most part strangers' spam.
        let sql = "SELECT id, size FROM held WHERE cause IN (2, 4) ORDER BY id LIMIT ?1";
        let params = [Param::Int(HELD_DROPPED_AT_ONCE_MAX)];
        let oldest = |row: &Row<'_>| Ok((row.int(0)?, row.int(1)?));
        let oldest = self.sql.all(sql, &params, oldest)?;
        let mut gone = Vec::new();
        for (id, size) in oldest {
            if used.is_within() {
                break;
            }
            used.count -= 1;
            used.bytes -= size;
            gone.push(id);
        }
        if !used.is_within() {
            return Err(HoldError::Full);
        }
        for id in &gone {
            self.delete_quarantined(*id)?;
        }
        tracing::warn!(
            dropped = gone.len(),
            "the quarantine is full: the oldest of what was to be thrown away or is set aside makes room"
        );
        Ok(used)
    }

    /// Before it is too late.
    fn tell_of_fill(&mut self, used: Fill, now: UnixMillis) -> Result<(), StoreError> {
        let most = used.percent();
        if most < HELD_TOLD_PERCENT {
            return Ok(());
        }
        let notice = NewNotice {
            kind: "held".to_owned(),
            topic: format!("held-full/{}", now.0.div_euclid(86_400_000)),
            title: format!("the quarantine is full to {most} %"),
            fix: "Release or delete what is in it: postroad quarantine list. When it is full, mail that is to be held is put off (452); \
                  what filters wanted thrown away, and copies that other recipients have, go before that. Told once a day."
                .to_owned(),
            created: now,
        };
        self.add_notice(&notice).map(drop)
    }

    fn insert_held(&mut self, held: &NewHeld, size: u64) -> Result<i64, StoreError> {
        let sql = "INSERT INTO held (trace, cause, filter, words, account, reverse_path, recipients, subject, size, created, expires) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id";
        let trace = held.trace.to_string();
        let from = held.reverse_path.address().map(ToString::to_string);
        let recipients = held.recipients.join("\n");
        let params = [
            Param::Text(&trace),
            Param::Int(held.cause.code()),
            Param::Text(&held.filter),
            Param::Text(shown(&held.words)),
            Param::OptInt(held.account.map(|account| account.0)),
            Param::Text(from.as_deref().unwrap_or_default()),
            Param::Text(shown(&recipients)),
            Param::Text(shown(&held.subject)),
            Param::Int(size as i64),
            Param::Int(held.created.0),
            Param::Int(held.expires.0),
        ];
        self.sql.one(sql, &params, |row| row.int(0))
    }

    fn insert_part(
        &mut self,
        held: i64,
        number: i64,
        kept: &Kept,
        prefix: &[u8],
        plan: &Plan,
    ) -> Result<(), StoreError> {
        let blob = self.hold_body(kept, 1)?;
        let plan = plan.write()?;
        let sql = "INSERT INTO held_part (held, number, blob_id, prefix, plan) VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = [
            Param::Int(held),
            Param::Int(number),
            Param::Int(blob.0),
            Param::Blob(prefix),
            Param::Text(&plan),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    fn parts(&self, id: i64) -> Result<Vec<Part>, StoreError> {
        let sql =
            "SELECT number, blob_id, prefix, plan FROM held_part WHERE held = ?1 ORDER BY number";
        self.sql.all(sql, &[Param::Int(id)], |row| {
            Ok(Part {
                number: row.int(0)?,
                blob: BlobId(row.int(1)?),
                prefix: row.blob(2)?.to_vec(),
                plan: Plan::read(row.text(3)?)?,
            })
        })
    }
}

/// What of the quarantine is used.
#[derive(Clone, Copy)]
struct Fill {
    count: i64,
    bytes: i64,
}

impl Fill {
    fn with(self, size: i64) -> Self {
        Self {
            count: self.count + 1,
            bytes: self.bytes.saturating_add(size),
        }
    }

    fn is_within(self) -> bool {
        self.count <= HELD_MAX && self.bytes <= HELD_BYTES_MAX
    }

    fn percent(self) -> i64 {
        let share = |used: i64, most: i64| used.max(0).saturating_mul(100) / most;
        share(self.count, HELD_MAX).max(share(self.bytes, HELD_BYTES_MAX))
    }
}

fn fill(row: &Row<'_>) -> SqlResult<Fill> {
    Ok(Fill {
        count: row.int(0)?,
        bytes: row.int(1)?,
    })
}

struct Part {
    number: i64,
    blob: BlobId,
    prefix: Vec<u8>,
    plan: Plan,
}

impl HeldFor {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Discard => "discard",
            Self::Attachment => "attachment",
            Self::Aside => "set-aside",
        }
    }

    fn code(self) -> i64 {
        match self {
            Self::Quarantine => 1,
            Self::Discard => 2,
            Self::Attachment => 3,
            Self::Aside => 4,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            2 => Self::Discard,
            3 => Self::Attachment,
            4 => Self::Aside,
            _ => Self::Quarantine,
        }
    }
}

/// What is only shown is cut, at the end of a character.
fn shown(text: &str) -> &str {
    text.get(..text.floor_char_boundary(HELD_SHOWN_BYTES_MAX))
        .unwrap_or(text)
}

fn trace(text: &str) -> Result<TraceId, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Damaged(format!("the trace id {text}")))
}

fn read(row: &Row<'_>) -> SqlResult<Held> {
    Ok(Held {
        id: row.int(0)?,
        trace: trace(row.text(1)?)?,
        cause: HeldFor::of_code(row.int(2)?),
        filter: row.text(3)?.to_owned(),
        words: row.text(4)?.to_owned(),
        account: row.opt_int(5)?.map(AccountId),
        reverse_path: row.text(6)?.to_owned(),
        recipients: row.text(7)?.lines().map(str::to_owned).collect(),
        subject: row.text(8)?.to_owned(),
        size: row.int(9)?.max(0) as u64,
        created: UnixMillis(row.int(10)?),
        expires: UnixMillis(row.int(11)?),
    })
}
