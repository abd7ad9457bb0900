//! Taking what is due, with a lease: if whoever took it dies, it is due again when the lease ends.

use std::collections::HashSet;

use super::{Claim, Queued, RecipientState};
use crate::engine::{Param, SqlResult};
use crate::limits::QUEUE_SCAN_MAX;
use crate::{Change, QueueId, StoreError};

impl Change<'_> {
    /// Takes recipients that are due and leases them to the caller. Each message appears once, with
    /// those of its recipients that were taken; recipients of one message at one domain that became
    /// due together come together.
    pub fn claim_due(&mut self, claim: &Claim) -> Result<Vec<Queued>, StoreError> {
        let due = if self.sql.is_postgres() {
            self.due_unlocked(claim)?
        } else {
            self.due(claim)?
        };
        let mut taken: Vec<Queued> = Vec::new();
        for (message, number) in due {
            let sql =
                "UPDATE queue_recipient SET state = 1, due = ?3 WHERE message = ?1 AND number = ?2";
            self.sql.execute(
                sql,
                &[
                    Param::Int(message),
                    Param::Int(number),
                    Param::Int(claim.lease_until.0),
                ],
            )?;
            let Some(recipient) = self.queued_recipient(QueueId(message), number)? else {
                continue;
            };
            let at = match taken.iter().rposition(|queued| queued.id.0 == message) {
                Some(at) => at,
                None => {
                    let Some(queued) = self.queued_alone(QueueId(message))? else {
                        continue;
                    };
                    taken.push(queued);
                    taken.len() - 1
                }
            };
            if let Some(queued) = taken.get_mut(at) {
                queued.recipients.push(recipient);
            }
        }
        Ok(taken)
    }

    /// Makes leases last longer while an attempt goes on.
    pub fn extend_lease(
        &mut self,
        id: QueueId,
        numbers: &[u32],
        until: mail::UnixMillis,
    ) -> Result<(), StoreError> {
        let sql =
            "UPDATE queue_recipient SET due = ?3 WHERE message = ?1 AND number = ?2 AND state = ?4";
        for number in numbers {
            let params = [
                Param::Int(id.0),
                Param::Int((*number).into()),
                Param::Int(until.0),
                Param::Int(RecipientState::InFlight.code()),
            ];
            self.sql.execute(sql, &params)?;
        }
        Ok(())
    }

    /// Of the embedded database: message and number of what is due and not skipped.
    fn due(&self, claim: &Claim) -> SqlResult<Vec<(i64, i64)>> {
        let sql = "SELECT message, number, domain FROM queue_recipient WHERE state < 2 AND due <= ?1 \
                   ORDER BY due, domain, message, number LIMIT ?2";
        let skip = names(&claim.skip);
        let mut found: Vec<(i64, i64)> = Vec::new();
        let mut last = (0, String::new());
        self.sql.each_until(
            sql,
            &[Param::Int(claim.now.0), Param::Int(QUEUE_SCAN_MAX)],
            |row| {
                let (message, number, domain) = (row.int(0)?, row.int(1)?, row.text(2)?);
                if skip.contains(domain) {
                    return Ok(false);
                }
                if claim.limit <= found.len() && (message != last.0 || domain != last.1) {
                    return Ok(true);
                }
                if last.0 != message || last.1 != domain {
                    last = (message, domain.to_owned());
                }
                found.push((message, number));
                Ok(false)
            },
        )?;
        Ok(found)
    }

    /// Of PostgreSQL: the same without those that another node is taking at this moment.
    fn due_unlocked(&self, claim: &Claim) -> SqlResult<Vec<(i64, i64)>> {
        let sql = "SELECT message, number FROM queue_recipient WHERE state < 2 AND due <= ?1 \
                   AND NOT (domain = ANY (string_to_array(?2, ' '))) \
                   ORDER BY due, domain, message, number LIMIT ?3 FOR UPDATE SKIP LOCKED";
        let skip: Vec<&str> = claim.skip.iter().map(|domain| domain.as_str()).collect();
        let skip = skip.join(" ");
        let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
        let params = [
            Param::Int(claim.now.0),
            Param::Text(&skip),
            Param::Int(limit),
        ];
        self.sql
            .all(sql, &params, |row| Ok((row.int(0)?, row.int(1)?)))
    }
}

impl crate::View<'_> {
    /// Whether they are still leased: not put on hold or deleted meanwhile.
    pub fn are_claimed(&self, id: QueueId, numbers: &[u32]) -> Result<bool, StoreError> {
        let sql = "SELECT state FROM queue_recipient WHERE message = ?1 AND number = ?2";
        for number in numbers {
            let key = [Param::Int(id.0), Param::Int((*number).into())];
            let state = self.sql.first(sql, &key, |row| row.int(0))?;
            if state != Some(RecipientState::InFlight.code()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

pub(super) fn names(domains: &[mail::Domain]) -> HashSet<&str> {
    domains.iter().map(|domain| domain.as_str()).collect()
}
