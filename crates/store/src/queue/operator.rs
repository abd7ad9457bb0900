//! What an operator does with the queue.

use mail::UnixMillis;

use super::{Choice, HELD_BY_HAND};
use crate::engine::Param;
use crate::{Change, QueueId, StoreError};

impl Change<'_> {
    /// Due now. Says how many recipients.
    pub fn retry_queued(&mut self, choice: &Choice, now: UnixMillis) -> Result<u64, StoreError> {
        let sql = "UPDATE queue_recipient SET due = ?3 WHERE state = 0 AND (?1 = 0 OR message = ?1) AND (?2 = '' OR domain = ?2)";
        self.effects.note_queue();
        let (message, domain) = key(choice);
        self.sql.execute(sql, &[message, domain, Param::Int(now.0)])
    }

    /// Not tried until released, by [`Change::release_queued`] alone. Those in flight are not touched.
    pub fn hold_queued(&mut self, choice: &Choice) -> Result<u64, StoreError> {
        let sql = "UPDATE queue_recipient SET state = 2, due = ?3 WHERE state = 0 AND (?1 = 0 OR message = ?1) AND (?2 = '' OR domain = ?2)";
        let (message, domain) = key(choice);
        self.sql
            .execute(sql, &[message, domain, Param::Int(HELD_BY_HAND)])
    }

    /// Held ones are due now. Says how many. What an alarm about an account holds is not meant by `all` or a domain:
    /// see [`Change::release_group`].
    pub fn release_queued(&mut self, choice: &Choice, now: UnixMillis) -> Result<u64, StoreError> {
        let sql = "UPDATE queue_recipient SET state = 0, due = ?3 \
                   WHERE state = 2 AND (?1 = 0 OR message = ?1) AND (?2 = '' OR domain = ?2) AND (?1 <> 0 OR NOT EXISTS \
                   (SELECT 1 FROM sending_message m WHERE m.message = queue_recipient.message AND m.held = 1))";
        if let Choice::Message(id) = choice {
            let freed = "UPDATE sending_message SET held = 0 WHERE message = ?1";
            self.sql.execute(freed, &[Param::Int(id.0)])?;
        }
        self.effects.note_queue();
        let (message, domain) = key(choice);
        self.sql.execute(sql, &[message, domain, Param::Int(now.0)])
    }

    /// Forgets recipients without a report. Says how many messages left the queue.
    pub fn delete_queued(&mut self, choice: &Choice) -> Result<u64, StoreError> {
        let (message, domain) = key(choice);
        let which = "SELECT DISTINCT message FROM queue_recipient WHERE (?1 = 0 OR message = ?1) AND (?2 = '' OR domain = ?2)";
        let messages = self.sql.all(which, &[message, domain], |row| row.int(0))?;
        let of_domain = match choice {
            Choice::Domain(domain) => Some(domain),
            Choice::All | Choice::Message(_) => None,
        };
        for message in &messages {
            self.forget_untold(QueueId(*message), of_domain)?;
        }
        let (message, domain) = key(choice);
        let sql = "DELETE FROM queue_recipient WHERE (?1 = 0 OR message = ?1) AND (?2 = '' OR domain = ?2)";
        self.sql.execute(sql, &[message, domain])?;
        let mut left = 0;
        for message in messages {
            left += u64::from(self.leave_if_done(QueueId(message))? == super::QueueLeft::Done);
        }
        Ok(left)
    }
}

fn key(choice: &Choice) -> (Param<'_>, Param<'_>) {
    match choice {
        Choice::All => (Param::Int(0), Param::Text("")),
        Choice::Message(id) => (Param::Int(id.0), Param::Text("")),
        Choice::Domain(domain) => (Param::Int(0), Param::Text(domain.as_str())),
    }
}
