//! Putting a message into the queue.

use super::{NewQueued, NewRecipient, Notify, Ret};
use crate::engine::Param;
use crate::{Accepted, Change, QueueId, StoreError};

impl Change<'_> {
    /// Puts a message into the queue. One without recipients is not queued.
    pub fn enqueue(&mut self, message: &NewQueued) -> Result<Accepted, StoreError> {
        let mut accepted = Accepted {
            trace: message.trace,
            delivered: Vec::new(),
            over_quota: Vec::new(),
            queued: Vec::new(),
        };
        if message.recipients.is_empty() {
            return Ok(accepted);
        }
        let blob = self.hold_body(&message.kept, 1)?;
        let sql = "INSERT INTO queue_message (trace, account, blob_id, prefix, reverse_path, envelope_id, ret, needs_smtputf8, \
                   body_kind, created, expires, forwarded, tls_wish) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id";
        let trace = message.trace.to_string();
        let reverse_path = message
            .reverse_path
            .address()
            .map(ToString::to_string)
            .unwrap_or_default();
        let params = [
            Param::Text(&trace),
            Param::OptInt(message.account.map(|account| account.0)),
            Param::Int(blob.0),
            Param::Blob(&message.prefix),
            Param::Text(&reverse_path),
            Param::OptText(message.dsn.envelope_id.as_deref()),
            Param::OptInt(message.dsn.ret.map(Ret::code)),
            Param::Int(i64::from(message.needs_smtputf8)),
            Param::Int(message.body.code()),
            Param::Int(message.created.0),
            Param::Int(message.expires.0),
            Param::Int(i64::from(message.forwarded)),
            Param::Int(message.tls.code()),
        ];
        let id = QueueId(self.sql.one(sql, &params, |row| row.int(0))?);
        for (number, recipient) in (0..).zip(&message.recipients) {
            self.insert_recipient(id, number, recipient)?;
        }
        self.effects.note_queue();
        accepted.queued.push(id);
        Ok(accepted)
    }

    fn insert_recipient(
        &mut self,
        message: QueueId,
        number: i64,
        recipient: &NewRecipient,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO queue_recipient (message, number, address, domain, notify, original_recipient, state, due, attempts, \
                   delay_reported) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 0, 0)";
        let address = recipient.address.to_string();
        let params = [
            Param::Int(message.0),
            Param::Int(number),
            Param::Text(&address),
            Param::Text(recipient.address.domain().as_str()),
            Param::OptInt(recipient.dsn.notify.map(Notify::code)),
            Param::OptText(recipient.dsn.original_recipient.as_deref()),
            Param::Int(recipient.due.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}
