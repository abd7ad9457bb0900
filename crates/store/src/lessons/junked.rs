//! What the filter put into Junk: for the daily summary, and to count how often it was wrong.

use mail::UnixMillis;

use super::Act;
use crate::engine::{Param, Row, SqlResult};
use crate::limits::{JUNKED_AGE_MILLIS, JUNKED_REASON_BYTES_MAX};
use crate::messages::{hash_of_id, read_body};
use crate::{AccountId, BodyRef, Change, MessageId, SpecialUse, StoreError, View};

/// The filter put a message into Junk.
#[derive(Clone, Debug, PartialEq)]
pub struct Junked {
    pub account: AccountId,
    pub message: MessageId,
    pub at: UnixMillis,
    /// That it is junk, as the verdict says.
    pub probability: f32,
    /// The reason that weighed most, in words.
    pub reason: String,
    pub message_id: Option<String>,
}

/// One that still lies in Junk.
#[derive(Clone, Debug, PartialEq)]
pub struct JunkedMessage {
    pub message: MessageId,
    pub at: UnixMillis,
    pub probability: f32,
    pub reason: String,
    pub body: BodyRef,
}

impl Change<'_> {
    /// To be called in the transaction that delivers it.
    pub fn note_junked(&mut self, junked: &Junked) -> Result<(), StoreError> {
        let sql = "INSERT INTO junked (account, message, at, probability, reason, message_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT DO NOTHING";
        let cut = junked.reason.floor_char_boundary(JUNKED_REASON_BYTES_MAX);
        let params = [
            Param::Int(junked.account.0),
            Param::Int(junked.message.0),
            Param::Int(junked.at.0),
            Param::Int((f64::from(junked.probability.clamp(0.0, 1.0)) * MILLION).round() as i64),
            Param::Text(junked.reason.get(..cut).unwrap_or_default()),
            Param::OptInt(junked.message_id.as_deref().map(hash_of_id)),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// A person took it out of Junk, or put it back.
    pub(super) fn note_rescue(
        &mut self,
        account: AccountId,
        message: MessageId,
        act: Act,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE junked SET rescued = ?3 WHERE account = ?1 AND message = ?2";
        let params = [
            Param::Int(account.0),
            Param::Int(message.0),
            Param::OptInt(rescued(act, now)),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    pub(super) fn note_rescue_by_id(
        &mut self,
        account: AccountId,
        message_id: i64,
        act: Act,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE junked SET rescued = ?3 WHERE account = ?1 AND message_id = ?2";
        let params = [
            Param::Int(account.0),
            Param::Int(message_id),
            Param::OptInt(rescued(act, now)),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Forgets what is too old for any question. Says whether there may be more.
    pub(super) fn trim_junked(&mut self, now: UnixMillis, limit: usize) -> SqlResult<bool> {
        let sql = "SELECT account, message FROM junked WHERE at < ?1 LIMIT ?2";
        let params = [
            Param::Int(now.0 - JUNKED_AGE_MILLIS),
            Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
        ];
        let old = self
            .sql
            .all(sql, &params, |row| Ok((row.int(0)?, row.int(1)?)))?;
        for (account, message) in &old {
            let sql = "DELETE FROM junked WHERE account = ?1 AND message = ?2";
            self.sql
                .execute(sql, &[Param::Int(*account), Param::Int(*message)])?;
        }
        Ok(old.len() == limit)
    }
}

impl View<'_> {
    /// Why a message was put into Junk, if it was.
    pub fn junked_for(
        &self,
        account: AccountId,
        message: MessageId,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT reason FROM junked WHERE account = ?1 AND message = ?2";
        let params = [Param::Int(account.0), Param::Int(message.0)];
        self.sql
            .first(sql, &params, |row| Ok(row.text(0)?.to_owned()))
    }

    /// What the filter put into Junk after a moment and up to another, and lies there still: the likeliest to be wanted first,
    /// and how many there are in all.
    pub fn junked_between(
        &self,
        account: AccountId,
        after: UnixMillis,
        until: UnixMillis,
        limit: usize,
    ) -> Result<(Vec<JunkedMessage>, usize), StoreError> {
        let sql = "SELECT j.message, j.at, j.probability, j.reason, c.segment, c.place, c.length, c.hash, c.id FROM junked j \
                   JOIN message m ON m.account = j.account AND m.id = j.message JOIN blob c ON c.id = m.blob_id \
                   WHERE j.account = ?1 AND j.at > ?2 AND j.at <= ?3 AND j.rescued IS NULL AND EXISTS \
                   (SELECT 1 FROM mailbox b JOIN placement p ON p.account = b.account AND p.mailbox = b.id \
                   WHERE b.account = j.account AND b.special = ?4 AND p.message = j.message) \
                   ORDER BY j.probability, j.at DESC";
        let params = [
            Param::Int(account.0),
            Param::Int(after.0),
            Param::Int(until.0),
            Param::Int(SpecialUse::Junk.code()),
        ];
        let mut found = Vec::new();
        let mut count = 0;
        self.sql.each(sql, &params, |row| {
            count += 1;
            if found.len() < limit {
                found.push(read_junked(row)?);
            }
            Ok(())
        })?;
        Ok((found, count))
    }
}

fn read_junked(row: &Row<'_>) -> SqlResult<JunkedMessage> {
    Ok(JunkedMessage {
        message: MessageId(row.int(0)?),
        at: UnixMillis(row.int(1)?),
        probability: (row.int(2)? as f64 / MILLION) as f32,
        reason: row.text(3)?.to_owned(),
        body: read_body(row, 4)?,
    })
}

fn rescued(act: Act, now: UnixMillis) -> Option<i64> {
    (act == Act::OutOfJunk).then_some(now.0)
}

const MILLION: f64 = 1_000_000.0;
