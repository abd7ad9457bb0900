//! Alarms: when an account's sending was stopped and why, and what had left by then.

use mail::{Address, UnixMillis};

use crate::engine::{Param, Row, SqlResult};
use crate::limits::{ALARMS_SHOWN_MAX, REACHED_EVENTS_MAX, REACHED_SHOWN_MAX};
use crate::{AccountId, Change, StoreError, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmId(pub i64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlarm {
    /// Why, in words, a line each.
    pub reasons: String,
    /// Not by counts, but because somebody said so.
    pub by_operator: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub id: AlarmId,
    pub account: AccountId,
    /// Sending was locked, not only held.
    pub locked: bool,
    pub by_operator: bool,
    pub reasons: String,
    pub at: UnixMillis,
    /// When it was released.
    pub ended: Option<UnixMillis>,
}

/// Whom an account's mail reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    pub recipients: u64,
    /// The newest of them.
    pub some: Vec<Address>,
    pub first: Option<UnixMillis>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, account, step, reasons, at, ended FROM sending_alarm ",
            $rest
        )
    };
}

impl View<'_> {
    /// The newest alarms of an account.
    pub fn sending_alarms(&self, account: AccountId) -> Result<Vec<Alarm>, StoreError> {
        let sql = columns!("WHERE account = ?1 ORDER BY id DESC LIMIT ?2");
        let params = [Param::Int(account.0), Param::Int(ALARMS_SHOWN_MAX)];
        self.sql.all(sql, &params, read)
    }

    /// Those that the account's user was not told of.
    pub fn alarms_to_tell(&self) -> Result<Vec<Alarm>, StoreError> {
        let sql = columns!("WHERE told = 0 ORDER BY id LIMIT ?1");
        self.sql.all(sql, &[Param::Int(ALARMS_SHOWN_MAX)], read)
    }

    /// Whether there are any: the queue asks with each look.
    pub fn has_alarms_to_tell(&self) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM sending_alarm WHERE told = 0 LIMIT 1";
        Ok(self.sql.first(sql, &[], |row| row.int(0))?.is_some())
    }

    /// Whom mail of an account reached at other servers since then, as far as it is remembered.
    pub fn reached_since(
        &self,
        account: AccountId,
        since: UnixMillis,
    ) -> Result<Reached, StoreError> {
        // By number, since that is how it is kept; what is older than a day or so is never asked for.
        let sql =
            "SELECT at, account, outcome, recipient FROM delivery_event ORDER BY id DESC LIMIT ?1";
        let mut reached = Reached::default();
        self.sql
            .each_until(sql, &[Param::Int(REACHED_EVENTS_MAX)], |row| {
                let at = row.int(0)?;
                if at < since.0 {
                    return Ok(true);
                }
                if row.opt_int(1)? == Some(account.0) && row.int(2)? == 1 {
                    reached.recipients += 1;
                    reached.first = Some(UnixMillis(at));
                    if reached.some.len() < REACHED_SHOWN_MAX {
                        reached.some.extend(Address::parse(row.text(3)?).ok());
                    }
                }
                Ok(false)
            })?;
        Ok(reached)
    }
}

impl Change<'_> {
    /// The account's user was told.
    pub fn note_alarm_told(&mut self, alarm: AlarmId, at: UnixMillis) -> Result<(), StoreError> {
        let sql = "UPDATE sending_alarm SET told = ?2 WHERE id = ?1";
        self.sql
            .execute(sql, &[Param::Int(alarm.0), Param::Int(at.0)])
            .map(drop)
    }

    pub(super) fn add_alarm(
        &mut self,
        account: AccountId,
        alarm: &NewAlarm,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let locked = self.sending_state(account)?.is_locked();
        let step = match (locked, alarm.by_operator) {
            (false, _) => 1,
            (true, false) => 2,
            (true, true) => 3,
        };
        let sql = "INSERT INTO sending_alarm (account, step, reasons, at, told) VALUES (?1, ?2, ?3, ?4, 0)";
        let params = [
            Param::Int(account.0),
            Param::Int(step),
            Param::Text(&alarm.reasons),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    pub(super) fn end_alarms(
        &mut self,
        account: AccountId,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sending_alarm SET ended = ?2 WHERE account = ?1 AND ended IS NULL";
        self.sql
            .execute(sql, &[Param::Int(account.0), Param::Int(now.0)])
            .map(drop)
    }
}

fn read(row: &Row<'_>) -> SqlResult<Alarm> {
    let step = row.int(2)?;
    Ok(Alarm {
        id: AlarmId(row.int(0)?),
        account: AccountId(row.int(1)?),
        locked: step >= 2,
        by_operator: step == 3,
        reasons: row.text(3)?.to_owned(),
        at: UnixMillis(row.int(4)?),
        ended: row.opt_int(5)?.map(UnixMillis),
    })
}
