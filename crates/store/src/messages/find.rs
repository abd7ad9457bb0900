//! A stored message by what somebody has of it: its trace id or its Message-ID. For people who ask, not for every day: it reads
//! all rows of an account.

use mail::TraceId;

use super::read::read_body;
use super::{hash_of_id, read};
use crate::engine::Param;
use crate::limits::{FOUND_MESSAGES_MAX, FOUND_PLACES_MAX};
use crate::{AccountId, BodyRef, MailboxId, MessageId, StoreError, Uid, View};

/// A message of an account, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMessage {
    pub account: AccountId,
    pub message: MessageId,
    pub trace: TraceId,
    pub places: Vec<(MailboxId, Uid)>,
    pub body: BodyRef,
}

impl View<'_> {
    /// The copies of an account that came under this trace id.
    pub fn messages_by_trace(
        &self,
        account: AccountId,
        trace: &TraceId,
    ) -> Result<Vec<FoundMessage>, StoreError> {
        let sql = "SELECT b.segment, b.place, b.length, b.hash, b.id, m.id, m.trace FROM message m JOIN blob b ON b.id = m.blob_id \
                   WHERE m.account = ?1 AND m.id >= ?2 AND m.id < ?3 AND m.trace = ?4 ORDER BY m.id DESC LIMIT ?5";
        let trace = trace.to_string();
        self.found(account, sql, Param::Text(&trace))
    }

    /// The messages of an account in the conversation of a Message-ID (without its brackets), the newest first. Which of them
    /// has it, its header says.
    pub fn messages_about(
        &self,
        account: AccountId,
        message_id: &str,
    ) -> Result<Vec<FoundMessage>, StoreError> {
        let sql = "SELECT thread FROM thread_key WHERE account = ?1 AND hash = ?2";
        let params = [Param::Int(account.0), Param::Int(hash_of_id(message_id))];
        let Some(thread) = self.sql.first(sql, &params, |row| row.int(0))? else {
            return Ok(Vec::new());
        };
        let sql = "SELECT b.segment, b.place, b.length, b.hash, b.id, m.id, m.trace FROM message m JOIN blob b ON b.id = m.blob_id \
                   WHERE m.account = ?1 AND m.id >= ?2 AND m.id < ?3 AND m.thread = ?4 ORDER BY m.id DESC LIMIT ?5";
        self.found(account, sql, Param::Int(thread))
    }

    fn found(
        &self,
        account: AccountId,
        sql: &'static str,
        by: Param<'_>,
    ) -> Result<Vec<FoundMessage>, StoreError> {
        let params = [
            Param::Int(account.0),
            Param::Int(account.0 << 32),
            Param::Int((account.0 + 1) << 32),
            by,
            Param::Int(FOUND_MESSAGES_MAX),
        ];
        let mut found = self.sql.all(sql, &params, |row| {
            let trace = row.text(6)?;
            Ok(FoundMessage {
                account,
                message: MessageId(row.int(5)?),
                trace: trace
                    .parse()
                    .map_err(|_| StoreError::Damaged(format!("the trace id {trace}")))?,
                places: Vec::new(),
                body: read_body(row, 0)?,
            })
        })?;
        let sql = "SELECT mailbox, uid FROM placement WHERE account = ?1 AND message = ?2 ORDER BY mailbox, uid LIMIT ?3";
        for one in &mut found {
            let params = [
                Param::Int(account.0),
                Param::Int(one.message.0),
                Param::Int(FOUND_PLACES_MAX),
            ];
            one.places = self.sql.all(sql, &params, |row| {
                Ok((MailboxId(row.int(0)?), read::read_uid(row, 1)?))
            })?;
        }
        Ok(found)
    }
}
