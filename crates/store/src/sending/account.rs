//! Stopping an account's sending, and letting it go on.

use std::time::Duration;

use mail::UnixMillis;

use super::habits::{DAY_MILLIS, HOUR_MILLIS};
use super::{Counts, NewAlarm, SendingState, Sketch};
use crate::engine::Param;
use crate::limits::APP_PASSWORDS_RECENT_MILLIS;
use crate::{AccountId, Change, StoreError};

impl Change<'_> {
    /// From now on what the account sends is taken in and held, and what of it was delayed is held too. What was to leave at
    /// once leaves: nothing was odd about it when it came.
    /// False if it does not send freely anyway.
    pub fn ask_about_sending(
        &mut self,
        account: AccountId,
        alarm: &NewAlarm,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        if self.sending_state(account)? != SendingState::Free {
            return Ok(false);
        }
        self.set_sending_state(account, 1, now)?;
        self.group_others(account, now)?;
        let delayed = "INSERT INTO sending_message (message, account, grp, held) \
                       SELECT DISTINCT q.id, q.account, 0, 1 FROM queue_message q \
                       JOIN queue_recipient r ON r.message = q.id \
                       WHERE q.account = ?1 AND r.state = 0 AND r.attempts = 0 AND r.due > ?2 \
                       ON CONFLICT (message) DO UPDATE SET held = 1";
        let params = [Param::Int(account.0), Param::Int(now.0)];
        self.sql.execute(delayed, &params)?;
        let hold = "UPDATE queue_recipient SET state = 2 WHERE state = 0 AND attempts = 0 AND due > ?2 \
                    AND message IN (SELECT id FROM queue_message WHERE account = ?1)";
        self.sql.execute(hold, &params)?;
        // Whoever looks after the queue tells the user.
        self.effects.note_queue();
        self.add_alarm(account, alarm, now)?;
        Ok(true)
    }

    /// From now on what the account sends is refused. All of it that waits is held, all its sessions end, and app
    /// passwords made of late are revoked. False if it is locked already.
    pub fn lock_sending(
        &mut self,
        account: AccountId,
        alarm: &NewAlarm,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        if self.sending_state(account)?.is_locked() {
            return Ok(false);
        }
        self.set_sending_state(account, 2, now)?;
        self.group_others(account, now)?;
        let waiting = "INSERT INTO sending_message (message, account, grp, held) \
                       SELECT DISTINCT q.id, q.account, 0, 1 FROM queue_message q \
                       JOIN queue_recipient r ON r.message = q.id WHERE q.account = ?1 AND r.state < 2 \
                       ON CONFLICT (message) DO UPDATE SET held = 1";
        let key = [Param::Int(account.0)];
        self.sql.execute(waiting, &key)?;
        // What is in flight at this very moment ends as it ends; what only waits for its turn does not start.
        let hold = "UPDATE queue_recipient SET state = 2 WHERE state < 2 \
                    AND message IN (SELECT id FROM queue_message WHERE account = ?1)";
        self.sql.execute(hold, &key)?;
        // A stranger's night is nobody's habit.
        let forget = "DELETE FROM sending_hour WHERE account = ?1 AND hour >= ?2";
        let since = (now.0 - DAY_MILLIS).div_euclid(HOUR_MILLIS);
        self.sql
            .execute(forget, &[Param::Int(account.0), Param::Int(since)])?;
        self.end_sessions(account)?;
        self.effects.note_queue();
        let recent = UnixMillis(now.0 - APP_PASSWORDS_RECENT_MILLIS);
        let revoked = self.remove_app_passwords_since(account, recent)?;
        let mut alarm = alarm.clone();
        if !revoked.is_empty() {
            let names = revoked.join(", ");
            alarm.reasons = format!(
                "{}\nApp passwords made of late were revoked: {names}.",
                alarm.reasons
            );
        }
        let alarm = &alarm;
        self.add_alarm(account, alarm, now)?;
        Ok(true)
    }

    /// The account sends again; its counts begin anew, and for a while its limits are wider if so wished. What is held
    /// stays held until it is released. False if nothing was stopped.
    pub fn release_sending(
        &mut self,
        account: AccountId,
        raise: Option<Duration>,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        if self.sending_state(account)? == SendingState::Free {
            return Ok(false);
        }
        let sql = "UPDATE sending_account SET state = 0, since = ?2, raised_until = ?3, verdicts = 0 \
                   WHERE account = ?1";
        let raised = raise.map_or(0, |span| now.plus(span).0);
        let params = [Param::Int(account.0), Param::Int(now.0), Param::Int(raised)];
        self.sql.execute(sql, &params)?;
        for sql in [
            "DELETE FROM sending_slot WHERE account = ?1",
            "UPDATE sending_group SET slot_first_time = 0, before_first_time = 0 WHERE account = ?1",
        ] {
            self.sql.execute(sql, &[Param::Int(account.0)])?;
        }
        self.end_alarms(account, now)?;
        Ok(true)
    }

    /// What came into the queue by another way than sending (released from quarantine, or before there were groups) makes one
    /// group, so that it is seen among the others.
    fn group_others(&mut self, account: AccountId, now: UnixMillis) -> Result<(), StoreError> {
        let others = "SELECT q.id FROM queue_message q WHERE q.account = ?1 AND NOT EXISTS \
                      (SELECT 1 FROM sending_message s WHERE s.message = q.id)";
        let others = self
            .sql
            .all(others, &[Param::Int(account.0)], |row| row.int(0))?;
        if others.is_empty() {
            return Ok(());
        }
        let group = self.new_group(account, &Sketch::default(), OTHERS, now)?;
        for message in others {
            self.count_group(group, &Counts::default(), now)?;
            let sql =
                "INSERT INTO sending_message (message, account, grp, held) VALUES (?1, ?2, ?3, 0)";
            let params = [
                Param::Int(message),
                Param::Int(account.0),
                Param::Int(group.0),
            ];
            self.sql.execute(sql, &params)?;
        }
        Ok(())
    }

    fn set_sending_state(
        &mut self,
        account: AccountId,
        state: i64,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO sending_account (account, state, since, raised_until, verdicts, habits_day, active_days, \
                   hour_usual, day_usual, hours) VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, 0, 0) \
                   ON CONFLICT (account) DO UPDATE SET state = excluded.state, since = excluded.since, \
                   raised_until = 0";
        let params = [Param::Int(account.0), Param::Int(state), Param::Int(now.0)];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Nothing of a removed account is kept.
    pub(crate) fn forget_sending(&mut self, account: AccountId) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM sending_account WHERE account = ?1",
            "DELETE FROM sending_limit WHERE account = ?1",
            "DELETE FROM sending_slot WHERE account = ?1",
            "DELETE FROM sending_hour WHERE account = ?1",
            "DELETE FROM sending_network WHERE account = ?1",
            "DELETE FROM sending_group WHERE account = ?1",
            "DELETE FROM sending_message WHERE account = ?1",
            "DELETE FROM sending_alarm WHERE account = ?1",
        ] {
            self.sql.execute(sql, &[Param::Int(account.0)])?;
        }
        Ok(())
    }
}

/// In place of the subject of messages that nobody looked at.
const OTHERS: &str = "(mail that came into the queue by other ways)";
