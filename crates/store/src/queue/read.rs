//! Reading the queue.

use mail::{Address, ReversePath, UnixMillis};

use super::{
    BodyKind, MessageDsn, Notify, QueueCounts, Queued, Recipient, RecipientDsn, RecipientState,
    Ret, TlsWish,
};
use crate::engine::{Param, Row, SqlResult};
use crate::limits::QUEUE_SCAN_MAX;
use crate::messages::read_body;
use crate::{AccountId, QueueId, StoreError, View};

impl View<'_> {
    /// When the next recipient is due: the queue may sleep until then. One that is in flight
    /// counts when its lease ends.
    pub fn next_due(&self, skip: &[mail::Domain]) -> Result<Option<UnixMillis>, StoreError> {
        let sql =
            "SELECT due, domain FROM queue_recipient WHERE state < 2 ORDER BY due, domain LIMIT ?1";
        let skip = super::claim::names(skip);
        let limit = if skip.is_empty() { 1 } else { QUEUE_SCAN_MAX };
        let mut found = None;
        self.sql.each_until(sql, &[Param::Int(limit)], |row| {
            if !skip.contains(row.text(1)?) {
                found = Some(UnixMillis(row.int(0)?));
            }
            Ok(found.is_some())
        })?;
        Ok(found)
    }

    /// One message with all its recipients.
    pub fn queued(&self, id: QueueId) -> Result<Option<Queued>, StoreError> {
        let Some(mut message) = self.queued_alone(id)? else {
            return Ok(None);
        };
        message.recipients = self
            .sql
            .all(RECIPIENTS, &[Param::Int(id.0)], read_recipient)?;
        Ok(Some(message))
    }

    /// Messages with all their recipients, oldest first, after `after`, at most `limit`.
    pub fn queue(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<Queued>, StoreError> {
        let sql = "SELECT id FROM queue_message WHERE id > ?1 ORDER BY id LIMIT ?2";
        let params = [
            Param::Int(after.map_or(0, |id| id.0)),
            Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
        ];
        let ids = self.sql.all(sql, &params, |row| row.int(0).map(QueueId))?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.queued(id)?);
        }
        Ok(found)
    }

    /// Counts by looking at all: for the operator, not for the clock.
    pub fn queue_counts(&self) -> Result<QueueCounts, StoreError> {
        let messages = self
            .sql
            .one("SELECT COUNT(*) FROM queue_message", &[], |row| row.int(0))?;
        let mut counts = QueueCounts {
            messages: messages.max(0) as u64,
            ..QueueCounts::default()
        };
        let sql = "SELECT state, COUNT(*) FROM queue_recipient GROUP BY state";
        self.sql.each(sql, &[], |row| {
            let count = row.int(1)?.max(0) as u64;
            match RecipientState::of_code(row.int(0)?)? {
                RecipientState::Waiting => counts.waiting = count,
                RecipientState::InFlight => counts.in_flight = count,
                RecipientState::Held => counts.held = count,
                RecipientState::Delivered | RecipientState::Failed => {}
            }
            Ok(())
        })?;
        Ok(counts)
    }

    /// The account with the most messages in the queue, and how many.
    pub fn queue_biggest_owner(&self) -> Result<Option<(AccountId, u64)>, StoreError> {
        let sql = "SELECT account, COUNT(*) AS messages FROM queue_message WHERE account IS NOT NULL \
                   GROUP BY account ORDER BY messages DESC, account LIMIT 1";
        self.sql.first(sql, &[], |row| {
            Ok((AccountId(row.int(0)?), row.int(1)?.max(0) as u64))
        })
    }

    /// A message without its recipients.
    pub(super) fn queued_alone(&self, id: QueueId) -> SqlResult<Option<Queued>> {
        let sql = "SELECT q.id, q.trace, q.account, q.prefix, q.reverse_path, q.envelope_id, q.ret, q.needs_smtputf8, q.body_kind, \
                   q.created, q.expires, b.segment, b.place, b.length, b.hash, b.id, q.forwarded, q.tls_wish \
                   FROM queue_message q JOIN blob b ON b.id = q.blob_id WHERE q.id = ?1";
        self.sql.first(sql, &[Param::Int(id.0)], read_queued)
    }

    pub(super) fn queued_recipient(
        &self,
        id: QueueId,
        number: i64,
    ) -> SqlResult<Option<Recipient>> {
        self.sql.first(
            RECIPIENT,
            &[Param::Int(id.0), Param::Int(number)],
            read_recipient,
        )
    }
}

macro_rules! recipient_columns {
    ($rest:literal) => {
        concat!(
            "SELECT number, address, notify, original_recipient, state, due, attempts, last_reply, last_host, last_attempt, ",
            "delay_reported FROM queue_recipient WHERE message = ?1 ",
            $rest
        )
    };
}

const RECIPIENTS: &str = recipient_columns!("ORDER BY number");
const RECIPIENT: &str = recipient_columns!("AND number = ?2");

fn read_queued(row: &Row<'_>) -> SqlResult<Queued> {
    let (trace, path) = (row.text(1)?, row.text(4)?);
    let reverse_path = if path.is_empty() {
        ReversePath::Null
    } else {
        ReversePath::Address(stored_address(path)?)
    };
    Ok(Queued {
        id: QueueId(row.int(0)?),
        trace: trace
            .parse()
            .map_err(|_| StoreError::Damaged(format!("the trace id {trace}")))?,
        account: row.opt_int(2)?.map(AccountId),
        forwarded: row.int(16)? != 0,
        prefix: row.blob(3)?.to_vec(),
        reverse_path,
        dsn: MessageDsn {
            envelope_id: row.opt_text(5)?.map(str::to_owned),
            ret: row.opt_int(6)?.map(Ret::of_code),
        },
        tls: TlsWish::of_code(row.int(17)?),
        needs_smtputf8: row.int(7)? != 0,
        body_kind: BodyKind::of_code(row.int(8)?),
        created: UnixMillis(row.int(9)?),
        expires: UnixMillis(row.int(10)?),
        body: read_body(row, 11)?,
        recipients: Vec::new(),
    })
}

fn read_recipient(row: &Row<'_>) -> SqlResult<Recipient> {
    Ok(Recipient {
        number: u32::try_from(row.int(0)?).unwrap_or(u32::MAX),
        address: stored_address(row.text(1)?)?,
        dsn: RecipientDsn {
            notify: row.opt_int(2)?.map(Notify::of_code),
            original_recipient: row.opt_text(3)?.map(str::to_owned),
        },
        state: RecipientState::of_code(row.int(4)?)?,
        due: UnixMillis(row.int(5)?),
        attempts: u32::try_from(row.int(6)?).unwrap_or(u32::MAX),
        last_reply: row.opt_text(7)?.map(str::to_owned),
        last_host: row.opt_text(8)?.map(str::to_owned),
        last_attempt: row.opt_int(9)?.map(UnixMillis),
        delay_reported: row.int(10)? != 0,
    })
}

fn stored_address(text: &str) -> SqlResult<Address> {
    Address::parse(text).map_err(|e| StoreError::Damaged(format!("the stored address {text}: {e}")))
}
