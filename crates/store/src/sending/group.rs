//! Messages of one account that are alike, and what an operator does with a group of them.

use mail::{Address, Domain, TraceId, UnixMillis};

use super::Counts;
use super::count::{SLOT_MILLIS, int, slot_of};
use super::habits::DAY_MILLIS;
use crate::engine::Param;
use crate::limits::{GROUP_MEMBERS_SHOWN_MAX, GROUPS_SHOWN_MAX};
use crate::queue::{HELD_BY_HAND, QueueLeft, RecipientState};
use crate::{AccountId, Change, QueueId, StoreError, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct GroupId(pub i64);

/// What a message is like, in few bytes: the smallest hash of its words and word pairs in each of some ranges of
/// hashes. Two messages have as large a share of them in common as of their words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch(pub Vec<u8>);

impl Sketch {
    /// How much two have in common, in per cent. Nothing is like nothing.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> u32 {
        if self.0.len() != other.0.len() || self.0.is_empty() {
            return 0;
        }
        let pairs = self.0.chunks(2).zip(other.0.chunks(2));
        let (mut same, mut all) = (0_usize, 0_usize);
        for (one, two) in pairs {
            // Where neither has a word in the range there is nothing to compare.
            if one == EMPTY && two == EMPTY {
                continue;
            }
            all += 1;
            same += usize::from(one == two);
        }
        match all {
            0 => 0,
            _ => u32::try_from(same * 100 / all).unwrap_or(0),
        }
    }
}

/// A range that no word fell into.
const EMPTY: &[u8] = &[0xff, 0xff];

/// A group as it is compared with a new message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: GroupId,
    pub sketch: Sketch,
    /// First-time recipients of the last ten minutes, or a little longer.
    pub first_time_lately: u64,
}

/// A group with messages that an alarm put on hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub account: AccountId,
    /// Of the first message.
    pub subject: String,
    pub opened: UnixMillis,
    pub last: UnixMillis,
    /// Sent in all, the messages that left before the alarm included.
    pub messages: u64,
    pub recipients: u64,
    pub held_messages: u64,
    pub held_recipients: u64,
}

/// A held message of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    pub queue: QueueId,
    pub trace: TraceId,
    pub created: UnixMillis,
    pub recipients: u64,
    /// The first of them.
    pub first: Option<Address>,
}

impl View<'_> {
    /// Groups with held messages, of one account or all, the largest first.
    pub fn sending_groups(&self, account: Option<AccountId>) -> Result<Vec<Group>, StoreError> {
        let sql = "SELECT g.id, g.account, g.subject, g.opened, g.last, g.messages, g.recipients, \
                   COUNT(DISTINCT m.message), COUNT(*) FROM sending_message m \
                   JOIN queue_recipient r ON r.message = m.message AND r.state = 2 \
                   JOIN sending_group g ON g.id = m.grp \
                   WHERE m.held = 1 AND (?1 = 0 OR m.account = ?1) \
                   GROUP BY g.id, g.account, g.subject, g.opened, g.last, g.messages, g.recipients \
                   ORDER BY 9 DESC, g.id LIMIT ?2";
        let account = account.map_or(0, |account| account.0);
        let params = [Param::Int(account), Param::Int(GROUPS_SHOWN_MAX)];
        self.sql.all(sql, &params, |row| {
            let count = |at| Ok::<u64, StoreError>(row.int(at)?.max(0).unsigned_abs());
            Ok(Group {
                id: GroupId(row.int(0)?),
                account: AccountId(row.int(1)?),
                subject: row.text(2)?.to_owned(),
                opened: UnixMillis(row.int(3)?),
                last: UnixMillis(row.int(4)?),
                messages: count(5)?,
                recipients: count(6)?,
                held_messages: count(7)?,
                held_recipients: count(8)?,
            })
        })
    }

    /// The oldest held messages of a group.
    pub fn group_members(&self, group: GroupId) -> Result<Vec<GroupMember>, StoreError> {
        let sql = "SELECT q.id, q.trace, q.created, COUNT(*), MIN(r.address) FROM sending_message m \
                   JOIN queue_message q ON q.id = m.message \
                   JOIN queue_recipient r ON r.message = m.message AND r.state = 2 \
                   WHERE m.grp = ?1 AND m.held = 1 GROUP BY q.id, q.trace, q.created ORDER BY q.id LIMIT ?2";
        let params = [Param::Int(group.0), Param::Int(GROUP_MEMBERS_SHOWN_MAX)];
        self.sql.all(sql, &params, |row| {
            let trace = row.text(1)?;
            Ok(GroupMember {
                queue: QueueId(row.int(0)?),
                trace: trace
                    .parse()
                    .map_err(|_| StoreError::Damaged(format!("the trace id {trace}")))?,
                created: UnixMillis(row.int(2)?),
                recipients: row.int(3)?.max(0).unsigned_abs(),
                first: row.opt_text(4)?.and_then(|text| Address::parse(text).ok()),
            })
        })
    }

    /// How many messages of an account, and recipients of them, an alarm holds.
    pub fn held_by_alarm(&self, account: AccountId) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COUNT(DISTINCT m.message), COUNT(*) FROM sending_message m \
                   JOIN queue_recipient r ON r.message = m.message AND r.state = 2 \
                   WHERE m.account = ?1 AND m.held = 1";
        self.sql.one(sql, &[Param::Int(account.0)], |row| {
            let count = |at| Ok::<u64, StoreError>(row.int(at)?.max(0).unsigned_abs());
            Ok((count(0)?, count(1)?))
        })
    }

    /// Groups of the last day, newest first.
    pub(super) fn known_groups(
        &self,
        account: AccountId,
        now: UnixMillis,
        limit: i64,
    ) -> Result<Vec<Known>, StoreError> {
        let sql = "SELECT id, sketch, slot, slot_first_time, before_first_time FROM sending_group \
                   WHERE account = ?1 AND last >= ?2 ORDER BY last DESC, id DESC LIMIT ?3";
        let params = [
            Param::Int(account.0),
            Param::Int(now.0 - DAY_MILLIS),
            Param::Int(limit),
        ];
        let this = group_slot(now);
        self.sql.all(sql, &params, |row| {
            let (slot, newest, before) = (row.int(2)?, row.int(3)?, row.int(4)?);
            let lately = match this - slot {
                0 => newest + before,
                1 => newest,
                _ => 0,
            };
            Ok(Known {
                id: GroupId(row.int(0)?),
                sketch: Sketch(row.blob(1)?.to_vec()),
                first_time_lately: lately.max(0).unsigned_abs(),
            })
        })
    }

    fn messages_of_group(&self, group: GroupId) -> Result<Vec<QueueId>, StoreError> {
        let sql =
            "SELECT message FROM sending_message WHERE grp = ?1 AND held = 1 ORDER BY message";
        self.sql
            .all(sql, &[Param::Int(group.0)], |row| row.int(0).map(QueueId))
    }

    pub(super) fn messages_held_of(&self, account: AccountId) -> Result<Vec<QueueId>, StoreError> {
        let sql =
            "SELECT message FROM sending_message WHERE account = ?1 AND held = 1 ORDER BY message";
        self.sql
            .all(sql, &[Param::Int(account.0)], |row| row.int(0).map(QueueId))
    }
}

impl Change<'_> {
    /// Forgets the held messages of a group, without reports. Says how many left the queue.
    pub fn remove_group(&mut self, group: GroupId) -> Result<u64, StoreError> {
        let messages = self.messages_of_group(group)?;
        self.remove_messages(&messages)
    }

    /// The same for all that alarms hold of an account.
    pub fn remove_held(&mut self, account: AccountId) -> Result<u64, StoreError> {
        let messages = self.messages_held_of(account)?;
        self.remove_messages(&messages)
    }

    /// What an alarm holds of a group goes out now. Nothing is given up for having waited. Says how many messages.
    pub fn release_group(&mut self, group: GroupId, now: UnixMillis) -> Result<u64, StoreError> {
        let messages = self.messages_of_group(group)?;
        self.release_messages(&messages, now)
    }

    /// The same for all that alarms hold of an account.
    pub fn release_held(&mut self, account: AccountId, now: UnixMillis) -> Result<u64, StoreError> {
        let messages = self.messages_held_of(account)?;
        self.release_messages(&messages, now)
    }

    fn remove_messages(&mut self, messages: &[QueueId]) -> Result<u64, StoreError> {
        let mut left = 0;
        for message in messages {
            let key = [Param::Int(message.0)];
            self.forget_untold(*message, None)?;
            let sql = "DELETE FROM queue_recipient WHERE message = ?1 AND state < 3";
            self.sql.execute(sql, &key)?;
            left += u64::from(self.leave_if_done(*message)? == QueueLeft::Done);
            self.sql
                .execute("DELETE FROM sending_message WHERE message = ?1", &key)?;
        }
        Ok(left)
    }

    /// Before recipients (of one domain, or all) of a message that an alarm holds go without having had it: whom an intruder
    /// wrote to is nobody whom the account knows.
    pub(crate) fn forget_untold(
        &mut self,
        message: QueueId,
        domain: Option<&Domain>,
    ) -> Result<(), StoreError> {
        let held = "SELECT account FROM sending_message WHERE message = ?1 AND held = 1";
        let held = self
            .sql
            .first(held, &[Param::Int(message.0)], |row| row.int(0))?;
        let Some(account) = held else {
            return Ok(());
        };
        let Some(queued) = self.queued(message)? else {
            return Ok(());
        };
        let untold = queued.recipients.into_iter().filter(|of| {
            !matches!(of.state, RecipientState::Delivered | RecipientState::Failed)
                && domain.is_none_or(|domain| of.address.domain() == domain)
        });
        let untold: Vec<Address> = untold.map(|of| of.address).collect();
        self.note_unsent(AccountId(account), &untold)
    }

    fn release_messages(
        &mut self,
        messages: &[QueueId],
        now: UnixMillis,
    ) -> Result<u64, StoreError> {
        let mut released = 0;
        for message in messages {
            let params = [Param::Int(message.0), Param::Int(now.0)];
            // What the operator held beforehand, for another reason, stays so.
            let by_hand = [params[0], params[1], Param::Int(HELD_BY_HAND)];
            let sql = "UPDATE queue_recipient SET state = 0, due = ?2 WHERE message = ?1 AND state = 2 AND due <> ?3";
            released += u64::from(self.sql.execute(sql, &by_hand)? > 0);
            // It waited for us: the time for trying begins anew.
            let sql = "UPDATE queue_message SET expires = expires + ?2 - created, created = ?2 WHERE id = ?1";
            self.sql.execute(sql, &params)?;
            let sql = "UPDATE sending_message SET held = 0 WHERE message = ?1";
            self.sql.execute(sql, &[Param::Int(message.0)])?;
        }
        self.effects.note_queue();
        Ok(released)
    }

    pub(super) fn new_group(
        &mut self,
        account: AccountId,
        sketch: &Sketch,
        subject: &str,
        now: UnixMillis,
    ) -> Result<GroupId, StoreError> {
        let sql = "INSERT INTO sending_group (account, sketch, subject, opened, last, slot, slot_first_time, \
                   before_first_time, messages, recipients) VALUES (?1, ?2, ?3, ?4, ?4, ?5, 0, 0, 0, 0) RETURNING id";
        let params = [
            Param::Int(account.0),
            Param::Blob(&sketch.0),
            Param::Text(subject),
            Param::Int(now.0),
            Param::Int(group_slot(now)),
        ];
        self.sql.one(sql, &params, |row| row.int(0).map(GroupId))
    }

    pub(super) fn count_group(
        &mut self,
        group: GroupId,
        counts: &Counts,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sending_group SET last = ?2, messages = messages + 1, recipients = recipients + ?4, \
                   before_first_time = CASE WHEN slot = ?3 THEN before_first_time WHEN slot = ?3 - 1 THEN slot_first_time \
                   ELSE 0 END, \
                   slot_first_time = CASE WHEN slot = ?3 THEN slot_first_time + ?5 ELSE ?5 END, slot = ?3 WHERE id = ?1";
        let params = [
            Param::Int(group.0),
            Param::Int(now.0),
            Param::Int(group_slot(now)),
            int(counts.recipients),
            int(counts.first_time),
        ];
        self.sql.execute(sql, &params).map(drop)
    }
}

/// Ten minutes.
fn group_slot(at: UnixMillis) -> i64 {
    slot_of(at).div_euclid(600_000 / SLOT_MILLIS)
}
