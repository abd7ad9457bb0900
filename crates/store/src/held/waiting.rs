//! What of the quarantine waits for the operator's word.

use mail::UnixMillis;

use super::HeldFor;
use crate::engine::Param;
use crate::{StoreError, View};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingHeld {
    pub count: u64,
    pub oldest: Option<UnixMillis>,
}

impl View<'_> {
    /// Messages that somebody waits for: neither those that a filter wanted thrown away, nor copies that others have.
    pub fn held_for_operator(&self) -> Result<WaitingHeld, StoreError> {
        let sql = "SELECT COUNT(*), MIN(created) FROM held WHERE cause IN (?1, ?2)";
        let causes = [HeldFor::Quarantine, HeldFor::Attachment];
        self.sql
            .one(sql, &causes.map(|cause| Param::Int(cause.code())), |row| {
                Ok(WaitingHeld {
                    count: row.int(0)?.max(0) as u64,
                    oldest: row.opt_int(1)?.map(UnixMillis),
                })
            })
    }
}
