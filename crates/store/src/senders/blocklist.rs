//! What the operator wishes of the lists in the DNS that mail is looked up in. Which are built in is the business of `spam`.

use mail::UnixMillis;

use crate::engine::Param;
use crate::{Change, StoreError, View};

/// The operator's word on one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlocklistChoice {
    pub zone: String,
    pub is_on: bool,
    /// What it is, if it is not a built-in one: for whoever reads it.
    pub list: Option<String>,
    pub changed: UnixMillis,
}

impl View<'_> {
    pub fn blocklist_choices(&self) -> Result<Vec<BlocklistChoice>, StoreError> {
        let sql = "SELECT zone, is_on, list, changed FROM blocklist ORDER BY zone";
        self.sql.all(sql, &[], |row| {
            Ok(BlocklistChoice {
                zone: row.text(0)?.to_owned(),
                is_on: row.int(1)? != 0,
                list: row.opt_text(2)?.map(str::to_owned),
                changed: UnixMillis(row.int(3)?),
            })
        })
    }
}

impl Change<'_> {
    pub fn set_blocklist(&mut self, choice: &BlocklistChoice) -> Result<(), StoreError> {
        let sql = "INSERT INTO blocklist (zone, is_on, list, changed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (zone) DO UPDATE SET \
                   is_on = excluded.is_on, list = excluded.list, changed = excluded.changed";
        let params = [
            Param::Text(&choice.zone),
            Param::Int(i64::from(choice.is_on)),
            Param::OptText(choice.list.as_deref()),
            Param::Int(choice.changed.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// What is built in counts again. False if nothing was said.
    pub fn forget_blocklist(&mut self, zone: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM blocklist WHERE zone = ?1";
        Ok(self.sql.execute(sql, &[Param::Text(zone)])? != 0)
    }
}
