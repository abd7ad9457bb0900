//! Housekeeping that is never urgent: bodies nobody refers to, segments with little left in them,
//! old rows of the change log, free pages.

use std::collections::{HashMap, HashSet};

use crate::blobs::Location;
use crate::engine::Param;
use crate::limits::{CHANGE_LOG_ROWS_MAX, SEGMENTS_PER_ROUND, TIDY_PIECE};
use crate::{BlobId, BodyRef, Change, Durability, Store, StoreError};

/// What one round leaves to the next.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// Bodies that had no reference in the last round: whoever still read them is done by now.
    free: HashSet<i64>,
    /// Closed segments, and how often they were found empty of live bodies.
    empty: HashMap<i64, u32>,
    /// Where the round over segments goes on.
    last_segment: i64,
    /// Whether bodies that a crash left behind were looked for.
    orphans_done: bool,
    /// Where the round over accounts goes on.
    next_account: i64,
}

/// A segment is removed after it was found empty so many times: a body that was kept just before the
/// segment closed has been referred to by then.
const EMPTY_ROUNDS: u32 = 3;

impl Store {
    /// Call it now and then (every few minutes): it works in small pieces, and what it removes was
    /// already unused the last time.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let mut rounds = self.inner.tidying.lock().await;
        self.write_sign_ins();
        self.remove_orphans(&mut rounds).await?;
        self.remove_free(&mut rounds).await?;
        self.tidy_segments(&mut rounds).await?;
        self.trim_log(&mut rounds).await?;
        self.write_bulk(Durability::Relaxed, |change| change.shrink())
            .await
    }

    /// Large bodies of earlier runs that no table knows: a crash came between keeping and referring.
    async fn remove_orphans(&self, rounds: &mut Rounds) -> Result<(), StoreError> {
        if rounds.orphans_done {
            return Ok(());
        }
        for piece in self
            .inner
            .shared
            .blobs
            .large_of_earlier_runs()?
            .chunks(TIDY_PIECE)
        {
            let piece = piece.to_vec();
            let unknown = self.read(move |view| view.unknown_bodies(&piece)).await?;
            self.inner.shared.blobs.forget(&unknown)?;
        }
        rounds.orphans_done = true;
        Ok(())
    }

    async fn remove_free(&self, rounds: &mut Rounds) -> Result<(), StoreError> {
        let free: HashSet<i64> = self
            .read(|view| view.free_bodies())
            .await?
            .into_iter()
            .collect();
        let mut due: Vec<i64> = rounds.free.intersection(&free).copied().collect();
        due.sort_unstable();
        for piece in due.chunks(TIDY_PIECE) {
            let piece = piece.to_vec();
            let gone = self
                .write_bulk(Durability::Durable, move |change| {
                    change.remove_bodies(&piece)
                })
                .await?;
            self.inner.shared.blobs.forget(&gone)?;
        }
        rounds.free = free.difference(&rounds.free).copied().collect();
        Ok(())
    }

    /// Bodies that are left in a mostly empty segment are moved, and empty segments removed.
    async fn tidy_segments(&self, rounds: &mut Rounds) -> Result<(), StoreError> {
        let blobs = &self.inner.shared.blobs;
        let after = rounds.last_segment;
        let closed = blobs
            .segments()?
            .into_iter()
            .filter(|segment| !segment.open);
        let turn: Vec<_> = closed
            .filter(|segment| after < segment.number)
            .take(SEGMENTS_PER_ROUND)
            .collect();
        rounds.last_segment = 0;
        if let Some(last) = turn.get(SEGMENTS_PER_ROUND - 1) {
            rounds.last_segment = last.number;
        }
        for segment in turn {
            let number = segment.number;
            let live = self.read(move |view| view.live_bytes(number)).await?;
            if live != 0 {
                rounds.empty.remove(&number);
                if live < segment.bytes / 4 {
                    self.move_bodies(number).await?;
                }
                continue;
            }
            let seen = rounds.empty.entry(number).or_insert(0);
            *seen += 1;
            if EMPTY_ROUNDS <= *seen {
                rounds.empty.remove(&number);
                blobs.remove_segment(number)?;
            }
        }
        Ok(())
    }

    /// A damaged body stays where it is, and its segment with it: somebody may want to look at it.
    async fn move_bodies(&self, segment: i64) -> Result<(), StoreError> {
        let mut after = -1;
        loop {
            let bodies = self
                .read(move |view| view.bodies_of(segment, after))
                .await?;
            let Some(last) = bodies.last() else {
                return Ok(());
            };
            after = last.location.offset;
            for body in bodies {
                match self
                    .inner
                    .shared
                    .blobs
                    .read_verified(&body.location, &body.hash)
                {
                    Ok(bytes) => self.move_to_new_place(body, bytes).await?,
                    Err(e) => tracing::error!(segment, "a stored body cannot be moved: {e}"),
                }
            }
        }
    }

    async fn move_to_new_place(&self, body: BodyRef, bytes: Vec<u8>) -> Result<(), StoreError> {
        let kept = self.keep(bytes).await?;
        let work = move |change: &mut Change<'_>| change.move_body(&body, kept.location);
        self.write_bulk(Durability::Durable, work).await
    }

    async fn trim_log(&self, rounds: &mut Rounds) -> Result<(), StoreError> {
        let after = rounds.next_account;
        rounds.next_account = self
            .write_bulk(Durability::Relaxed, move |change| change.trim_logs(after))
            .await?;
        Ok(())
    }
}

impl crate::View<'_> {
    fn unknown_bodies(&self, locations: &[Location]) -> Result<Vec<Location>, StoreError> {
        let sql = "SELECT id FROM blob WHERE segment = ?1 AND place = ?2";
        let mut unknown = Vec::new();
        for location in locations {
            let key = [Param::Int(location.segment), Param::Int(location.offset)];
            if self.sql.first(sql, &key, |row| row.int(0))?.is_none() {
                unknown.push(*location);
            }
        }
        Ok(unknown)
    }

    fn free_bodies(&self) -> Result<Vec<i64>, StoreError> {
        self.sql.all(
            "SELECT id FROM blob WHERE refs = 0 ORDER BY id LIMIT 100000",
            &[],
            |row| row.int(0),
        )
    }

    fn live_bytes(&self, segment: i64) -> Result<u64, StoreError> {
        let sql = "SELECT CAST(COALESCE(SUM(length), 0) AS BIGINT) FROM blob WHERE segment = ?1";
        Ok(self
            .sql
            .one(sql, &[Param::Int(segment)], |row| row.int(0))?
            .max(0) as u64)
    }

    fn bodies_of(&self, segment: i64, after: i64) -> Result<Vec<BodyRef>, StoreError> {
        let sql = "SELECT segment, place, length, hash, id FROM blob \
                   WHERE segment = ?1 AND place > ?2 ORDER BY place LIMIT ?3";
        let params = [
            Param::Int(segment),
            Param::Int(after),
            Param::Int(TIDY_PIECE as i64),
        ];
        self.sql
            .all(sql, &params, |row| crate::messages::read_body(row, 0))
    }
}

impl Change<'_> {
    /// Removes rows of bodies without references, and says where they lay.
    fn remove_bodies(&mut self, ids: &[i64]) -> Result<Vec<Location>, StoreError> {
        let sql = "DELETE FROM blob WHERE id = ?1 AND refs = 0 RETURNING segment, place, length";
        let mut gone = Vec::new();
        for id in ids {
            let read = |row: &crate::engine::Row<'_>| {
                Ok(Location {
                    segment: row.int(0)?,
                    offset: row.int(1)?,
                    length: row.int(2)?,
                })
            };
            gone.extend(self.sql.first(sql, &[Param::Int(*id)], read)?);
        }
        Ok(gone)
    }

    fn move_body(&mut self, body: &BodyRef, to: Location) -> Result<(), StoreError> {
        let sql = "UPDATE blob SET segment = ?2, place = ?3 WHERE id = ?1 AND segment = ?4 AND place = ?5";
        let BlobId(id) = body.blob;
        let params = [
            Param::Int(id),
            Param::Int(to.segment),
            Param::Int(to.offset),
            Param::Int(body.location.segment),
            Param::Int(body.location.offset),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Cuts the logs of some accounts to their newest rows. Says after which account to go on.
    fn trim_logs(&mut self, after: i64) -> Result<i64, StoreError> {
        let sql = "SELECT account, modseq, log_from FROM ledger WHERE account > ?1 ORDER BY account LIMIT 100";
        let accounts = self.sql.all(sql, &[Param::Int(after)], |row| {
            Ok((row.int(0)?, row.int(1)?, row.int(2)?))
        })?;
        for (account, modseq, log_from) in &accounts {
            let from = modseq - CHANGE_LOG_ROWS_MAX;
            // Not for a handful of rows each time, and not all at once either.
            if from < log_from + CHANGE_LOG_ROWS_MAX / 10 {
                continue;
            }
            let from = from.min(log_from + CHANGE_LOG_ROWS_MAX);
            let key = [Param::Int(*account), Param::Int(from)];
            self.sql
                .execute("UPDATE ledger SET log_from = ?2 WHERE account = ?1", &key)?;
            self.sql.execute(
                "DELETE FROM change_log WHERE account = ?1 AND modseq < ?2",
                &key,
            )?;
        }
        Ok(accounts
            .last()
            .filter(|_| accounts.len() == 100)
            .map_or(0, |(account, ..)| *account))
    }

    /// Gives some free pages back to the file system.
    fn shrink(&mut self) -> Result<(), StoreError> {
        if !self.sql.is_postgres() {
            self.sql
                .each("PRAGMA incremental_vacuum(1000)", &[], |_| Ok(()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
