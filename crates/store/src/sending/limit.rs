//! Limits of single accounts, set by the operator.

use mail::UnixMillis;

use super::SendingLimits;
use super::count::int;
use crate::engine::Param;
use crate::{AccountId, Change, StoreError, View};

impl View<'_> {
    /// Those in force. Without any the usual ones are.
    pub fn sending_limits(
        &self,
        account: AccountId,
        now: UnixMillis,
    ) -> Result<SendingLimits, StoreError> {
        let sql = "SELECT recipients, first_time, until FROM sending_limit WHERE account = ?1 \
                   AND (until IS NULL OR until > ?2)";
        let params = [Param::Int(account.0), Param::Int(now.0)];
        let found = self.sql.first(sql, &params, |row| {
            let count = |at| {
                let count = row.opt_int(at)?;
                Ok::<_, StoreError>(count.map(|count| count.max(0).unsigned_abs()))
            };
            Ok(SendingLimits {
                recipients: count(0)?,
                first_time: count(1)?,
                until: row.opt_int(2)?.map(UnixMillis),
            })
        })?;
        Ok(found.unwrap_or_default())
    }
}

impl Change<'_> {
    pub fn set_sending_limits(
        &mut self,
        account: AccountId,
        limits: &SendingLimits,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO sending_limit (account, recipients, first_time, until, created) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account) DO UPDATE SET recipients = excluded.recipients, \
                   first_time = excluded.first_time, until = excluded.until, created = excluded.created";
        let optional = |count: Option<u64>| match count.map(int) {
            Some(Param::Int(count)) => Param::OptInt(Some(count)),
            _ => Param::OptInt(None),
        };
        let params = [
            Param::Int(account.0),
            optional(limits.recipients),
            optional(limits.first_time),
            Param::OptInt(limits.until.map(|until| until.0)),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Back to the usual ones. False if there were no others.
    pub fn reset_sending_limits(&mut self, account: AccountId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sending_limit WHERE account = ?1";
        Ok(self.sql.execute(sql, &[Param::Int(account.0)])? > 0)
    }
}
