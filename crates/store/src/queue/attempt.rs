//! What became of an attempt.

use super::{Attempt, Outcome, QueueLeft, RecipientState};
use crate::engine::Param;
use crate::{Change, QueueId, StoreError};

impl Change<'_> {
    /// Notes what an attempt did. When no recipient is left to try, the message leaves the queue.
    /// Reports to the sender are enqueued by the caller in the same change.
    pub fn finish_attempt(
        &mut self,
        id: QueueId,
        attempts: &[Attempt],
    ) -> Result<QueueLeft, StoreError> {
        for attempt in attempts {
            self.note_attempt(id, attempt)?;
        }
        self.leave_if_done(id)
    }

    /// A report of delay went out (in this same change).
    pub fn note_delay_reported(&mut self, id: QueueId, numbers: &[u32]) -> Result<(), StoreError> {
        let sql =
            "UPDATE queue_recipient SET delay_reported = 1 WHERE message = ?1 AND number = ?2";
        for number in numbers {
            self.sql
                .execute(sql, &[Param::Int(id.0), Param::Int((*number).into())])?;
        }
        Ok(())
    }

    /// Removes a message that has nobody left to try.
    pub(crate) fn leave_if_done(&mut self, id: QueueId) -> Result<QueueLeft, StoreError> {
        let key = [Param::Int(id.0)];
        let left = "SELECT number FROM queue_recipient WHERE message = ?1 AND state < 3 LIMIT 1";
        if self.sql.first(left, &key, |row| row.int(0))?.is_some() {
            return Ok(QueueLeft::Waiting);
        }
        self.sql
            .execute("DELETE FROM queue_recipient WHERE message = ?1", &key)?;
        let gone = "DELETE FROM queue_message WHERE id = ?1 RETURNING blob_id";
        if let Some(blob) = self.sql.first(gone, &key, |row| row.int(0))? {
            self.release_body(blob, 1)?;
        }
        Ok(QueueLeft::Done)
    }

    fn note_attempt(&mut self, id: QueueId, attempt: &Attempt) -> Result<(), StoreError> {
        let key = [Param::Int(id.0), Param::Int(attempt.number.into())];
        let (state, due) = match attempt.outcome {
            Outcome::Delivered => (RecipientState::Delivered, attempt.at),
            Outcome::Failed => (RecipientState::Failed, attempt.at),
            Outcome::Deferred { due } => (RecipientState::Waiting, due),
            Outcome::Untried { due } => {
                let sql = "UPDATE queue_recipient SET state = 0, due = ?3 WHERE message = ?1 AND number = ?2 AND state = 1";
                return self
                    .sql
                    .execute(sql, &[key[0], key[1], Param::Int(due.0)])
                    .map(drop);
            }
        };
        // What was put on hold meanwhile is held, unless it is over.
        let sql = "UPDATE queue_recipient SET state = CASE WHEN state = 2 AND ?3 = 0 THEN 2 ELSE ?3 END, due = ?4, attempts = attempts + 1, last_reply = ?5, last_host = ?6, \
                   last_attempt = ?7 WHERE message = ?1 AND number = ?2 AND state < 3";
        let params = [
            key[0],
            key[1],
            Param::Int(state.code()),
            Param::Int(due.0),
            Param::Text(&attempt.reply),
            Param::OptText(attempt.host.as_deref()),
            Param::Int(attempt.at.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}
