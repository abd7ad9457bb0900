//! Counting what is sent, and what became of it.

use mail::UnixMillis;

use super::habits::{DAY_MILLIS, HABIT_DAYS, HOUR_MILLIS, day_of};
use super::{Counts, Habits, SendingFacts, SendingNetwork, SendingState, Sent, SentGroup};
use crate::engine::{Param, SqlResult};
use crate::limits::{SENDING_GROUPS_COMPARED_MAX, SENDING_NETWORKS_MAX};
use crate::{AccountId, Change, StoreError, View};

/// The spans that counts are kept in: with whole ones a day is at most five minutes too long, never too short.
pub(super) const SLOT_MILLIS: i64 = 300_000;

/// Verdicts that are remembered.
const VERDICTS: u16 = (1 << 10) - 1;

impl View<'_> {
    /// What is known of an account's sending now.
    pub fn sending_facts(
        &self,
        account: AccountId,
        now: UnixMillis,
    ) -> Result<SendingFacts, StoreError> {
        let sql = "SELECT state, since, raised_until, verdicts, active_days, hour_usual, day_usual, hours \
                   FROM sending_account WHERE account = ?1";
        let facts = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok(SendingFacts {
                state: SendingState::of(row.int(0)?, row.int(1)?),
                raised_until: Some(UnixMillis(row.int(2)?)).filter(|until| now < *until),
                verdicts: u16::try_from(row.int(3)?).unwrap_or(0),
                habits: Habits {
                    active_days: row.int(4)?.max(0).unsigned_abs(),
                    hour_usual: row.int(5)?.max(0).unsigned_abs(),
                    day_usual: row.int(6)?.max(0).unsigned_abs(),
                    hours: u32::try_from(row.int(7)?).unwrap_or(0),
                },
                ..SendingFacts::default()
            })
        })?;
        let mut facts = facts.unwrap_or_default();
        facts.limits = self.sending_limits(account, now)?;
        self.count_slots(account, now, &mut facts)?;
        facts.groups = self.known_groups(account, now, SENDING_GROUPS_COMPARED_MAX)?;
        facts.networks = self.sending_networks(account)?;
        Ok(facts)
    }

    /// Whether an account sends.
    pub fn sending_state(&self, account: AccountId) -> Result<SendingState, StoreError> {
        let sql = "SELECT state, since FROM sending_account WHERE account = ?1";
        let state = self.sql.first(sql, &[Param::Int(account.0)], |row| {
            Ok(SendingState::of(row.int(0)?, row.int(1)?))
        })?;
        Ok(state.unwrap_or_default())
    }

    /// Accounts whose sending is held or locked.
    pub fn stopped_accounts(&self) -> Result<Vec<(AccountId, SendingState)>, StoreError> {
        let sql =
            "SELECT account, state, since FROM sending_account WHERE state <> 0 ORDER BY account";
        self.sql.all(sql, &[], |row| {
            let state = SendingState::of(row.int(1)?, row.int(2)?);
            Ok((AccountId(row.int(0)?), state))
        })
    }

    /// Networks that an account sent from, the newest first.
    pub fn sending_networks(&self, account: AccountId) -> Result<Vec<SendingNetwork>, StoreError> {
        let sql = "SELECT network, first, last, recipients FROM sending_network WHERE account = ?1 \
                   ORDER BY last DESC, network";
        self.sql.all(sql, &[Param::Int(account.0)], |row| {
            Ok(SendingNetwork {
                network: row.text(0)?.to_owned(),
                first: UnixMillis(row.int(1)?),
                last: UnixMillis(row.int(2)?),
                recipients: row.int(3)?.max(0).unsigned_abs(),
            })
        })
    }

    fn count_slots(
        &self,
        account: AccountId,
        now: UnixMillis,
        facts: &mut SendingFacts,
    ) -> Result<(), StoreError> {
        let sql = "SELECT slot, messages, recipients, first_time, local, automatic, failed, unknown, blamed, listed, taken \
                   FROM sending_slot WHERE account = ?1 AND slot >= ?2";
        let first = |span: i64| slot_of(UnixMillis(now.0 - span));
        let (ten_minutes, hour) = (first(2 * SLOT_MILLIS), first(HOUR_MILLIS));
        let params = [Param::Int(account.0), Param::Int(first(DAY_MILLIS))];
        self.sql.each(sql, &params, |row| {
            let count = |at| Ok::<u64, StoreError>(row.int(at)?.max(0).unsigned_abs());
            let slot = row.int(0)?;
            let counts = Counts {
                messages: count(1)?,
                recipients: count(2)?,
                first_time: count(3)?,
                local: count(4)?,
                automatic: count(5)?,
                failed: count(6)?,
                unknown: count(7)?,
                blamed: count(8)?,
                listed: count(9)?,
                taken: count(10)?,
            };
            facts.day = facts.day.and(counts);
            if slot >= hour {
                facts.hour = facts.hour.and(counts);
            }
            if slot >= ten_minutes {
                facts.ten_minutes = facts.ten_minutes.and(counts);
            }
            Ok(())
        })
    }

    fn habits_of(&self, account: AccountId, today: i64) -> SqlResult<Habits> {
        let sql = "SELECT hour, recipients FROM sending_hour WHERE account = ?1 AND hour >= ?2 AND hour < ?3 \
                   ORDER BY hour";
        let params = [
            Param::Int(account.0),
            Param::Int((today - HABIT_DAYS) * 24),
            Param::Int(today * 24),
        ];
        let hours = self.sql.all(sql, &params, |row| {
            Ok((row.int(0)?, row.int(1)?.max(0).unsigned_abs()))
        })?;
        Ok(Habits::of(&hours))
    }
}

impl Change<'_> {
    /// As [`View::sending_facts`], and until this change ends nobody else counts for the account: what is decided by
    /// these counts holds.
    pub fn begin_sending(
        &mut self,
        account: AccountId,
        now: UnixMillis,
    ) -> Result<SendingFacts, StoreError> {
        let sql = "INSERT INTO sending_account (account, state, since, raised_until, verdicts, habits_day, active_days, \
                   hour_usual, day_usual, hours) VALUES (?1, 0, ?2, 0, 0, 0, 0, 0, 0, 0) \
                   ON CONFLICT (account) DO UPDATE SET account = excluded.account RETURNING habits_day";
        let key = [Param::Int(account.0), Param::Int(now.0)];
        let known = self.sql.one(sql, &key, |row| row.int(0))?;
        let today = day_of(now);
        if known != today {
            let habits = self.habits_of(account, today)?;
            let sql = "UPDATE sending_account SET habits_day = ?2, active_days = ?3, hour_usual = ?4, day_usual = ?5, \
                       hours = ?6 WHERE account = ?1";
            let params = [
                Param::Int(account.0),
                Param::Int(today),
                int(habits.active_days),
                int(habits.hour_usual),
                int(habits.day_usual),
                Param::Int(habits.hours.into()),
            ];
            self.sql.execute(sql, &params)?;
        }
        self.sending_facts(account, now)
    }

    /// Counts a message that is taken in, in the change that queues it.
    pub fn note_sending(
        &mut self,
        account: AccountId,
        sent: &Sent,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        self.count_sending(account, &sent.counts, now)?;
        self.count_hour(account, sent.counts.recipients, now)?;
        if let Some(network) = &sent.network {
            self.count_network(account, network, sent.counts.recipients, now)?;
        }
        if let Some(spam_like) = sent.spam_like {
            self.note_verdict(account, spam_like)?;
        }
        let group = match &sent.group {
            None => return Ok(()),
            Some(SentGroup::Known(group)) => *group,
            Some(SentGroup::New { sketch, subject }) => {
                self.new_group(account, sketch, subject, now)?
            }
        };
        self.count_group(group, &sent.counts, now)?;
        let sql =
            "INSERT INTO sending_message (message, account, grp, held) VALUES (?1, ?2, ?3, ?4)";
        for message in &sent.queued {
            let params = [
                Param::Int(message.0),
                Param::Int(account.0),
                Param::Int(group.0),
                Param::Int(i64::from(sent.hold)),
            ];
            self.sql.execute(sql, &params)?;
            if sent.hold {
                let hold = "UPDATE queue_recipient SET state = 2 WHERE message = ?1 AND state = 0";
                self.sql.execute(hold, &[Param::Int(message.0)])?;
            }
        }
        Ok(())
    }

    /// Counts what became of messages, or anything else that is no message of its own.
    pub fn count_sending(
        &mut self,
        account: AccountId,
        counts: &Counts,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO sending_slot (account, slot, messages, recipients, first_time, local, automatic, failed, \
                   unknown, blamed, listed, taken) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
                   ON CONFLICT (account, slot) DO UPDATE SET messages = sending_slot.messages + excluded.messages, \
                   recipients = sending_slot.recipients + excluded.recipients, \
                   first_time = sending_slot.first_time + excluded.first_time, \
                   local = sending_slot.local + excluded.local, \
                   automatic = sending_slot.automatic + excluded.automatic, \
                   failed = sending_slot.failed + excluded.failed, \
                   unknown = sending_slot.unknown + excluded.unknown, blamed = sending_slot.blamed + excluded.blamed, \
                   listed = sending_slot.listed + excluded.listed, taken = sending_slot.taken + excluded.taken";
        let params = [
            Param::Int(account.0),
            Param::Int(slot_of(now)),
            int(counts.messages),
            int(counts.recipients),
            int(counts.first_time),
            int(counts.local),
            int(counts.automatic),
            int(counts.failed),
            int(counts.unknown),
            int(counts.blamed),
            int(counts.listed),
            int(counts.taken),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    fn count_hour(
        &mut self,
        account: AccountId,
        recipients: u64,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        if recipients == 0 {
            return Ok(());
        }
        let sql = "INSERT INTO sending_hour (account, hour, recipients) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (account, hour) DO UPDATE SET recipients = sending_hour.recipients + excluded.recipients";
        let hour = now.0.div_euclid(HOUR_MILLIS);
        let params = [Param::Int(account.0), Param::Int(hour), int(recipients)];
        self.sql.execute(sql, &params).map(drop)
    }

    fn count_network(
        &mut self,
        account: AccountId,
        network: &str,
        recipients: u64,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO sending_network (account, network, first, last, recipients) VALUES (?1, ?2, ?3, ?3, ?4) \
                   ON CONFLICT (account, network) DO UPDATE SET last = excluded.last, \
                   recipients = sending_network.recipients + excluded.recipients";
        let params = [
            Param::Int(account.0),
            Param::Text(network),
            Param::Int(now.0),
            int(recipients),
        ];
        self.sql.execute(sql, &params)?;
        let known = "SELECT network FROM sending_network WHERE account = ?1 ORDER BY last DESC, network LIMIT 1 OFFSET ?2";
        let bound = [Param::Int(account.0), Param::Int(SENDING_NETWORKS_MAX)];
        if let Some(oldest) = self
            .sql
            .first(known, &bound, |row| Ok(row.text(0)?.to_owned()))?
        {
            let sql = "DELETE FROM sending_network WHERE account = ?1 AND network = ?2";
            self.sql
                .execute(sql, &[Param::Int(account.0), Param::Text(&oldest)])?;
        }
        Ok(())
    }

    fn note_verdict(&mut self, account: AccountId, spam_like: bool) -> Result<(), StoreError> {
        let sql =
            "UPDATE sending_account SET verdicts = (verdicts * 2 + ?2) & ?3 WHERE account = ?1";
        let params = [
            Param::Int(account.0),
            Param::Int(i64::from(spam_like)),
            Param::Int(VERDICTS.into()),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

pub(super) fn slot_of(at: UnixMillis) -> i64 {
    at.0.div_euclid(SLOT_MILLIS)
}

pub(super) fn int(count: u64) -> Param<'static> {
    Param::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
