//! Whether an account knows a recipient.

use mail::{Address, UnixMillis};

use super::habits::DAY_MILLIS;
use crate::engine::Param;
use crate::senders::key_of;
use crate::{AccountId, StoreError, View};

/// What a recipient is to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquaintance {
    /// It never wrote to it, nor had mail that proved to be from it: anybody can write in its name.
    FirstTime,
    /// It wrote to it for the first time within a day, and had no such mail from it.
    Fresh,
    /// It wrote to it before, or had such mail from it.
    Known,
}

impl View<'_> {
    pub fn acquaintance(
        &self,
        account: AccountId,
        address: &Address,
        now: UnixMillis,
    ) -> Result<Acquaintance, StoreError> {
        let sql = "SELECT sent, provisional, first_sent, confirmed FROM correspondent WHERE account = ?1 AND address = ?2";
        let key = key_of(address);
        let params = [Param::Int(account.0), Param::Text(&key)];
        let found = self.sql.first(sql, &params, |row| {
            let wrote = row.int(0)? > 0 && row.int(1)? == 0;
            let since = row.opt_int(2)?.filter(|_| wrote);
            Ok((since, row.int(3)? > 0))
        })?;
        Ok(match found {
            Some((_, true)) => Acquaintance::Known,
            Some((Some(since), _)) if now.0 - DAY_MILLIS < since => Acquaintance::Fresh,
            Some((Some(_), _)) => Acquaintance::Known,
            Some((None, _)) | None => Acquaintance::FirstTime,
        })
    }
}
