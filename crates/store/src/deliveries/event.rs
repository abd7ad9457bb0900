//! Delivery events: one for each recipient and attempt. Cheap to write: one row.

use mail::{Address, Domain, TraceId, UnixMillis};

use crate::engine::{Param, Row, SqlResult};
use crate::limits::{
    DELIVERY_EVENTS_AGE_MILLIS, DELIVERY_EVENTS_MAX, DELIVERY_EVENTS_SHOWN_MAX, TIDY_PIECE,
};
use crate::{AccountId, Change, QueueId, StoreError, View};

/// How one attempt for one recipient ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Accepted,
    /// It stays in the queue.
    Deferred,
    /// It went back to its sender.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryEvent {
    pub at: UnixMillis,
    pub trace: TraceId,
    /// Without its angle brackets; empty if the message has none.
    pub message_id: String,
    pub queue: QueueId,
    /// Who submitted it; nothing for messages of our own.
    pub account: Option<AccountId>,
    /// Of the reverse-path; empty for a null one.
    pub sender_domain: String,
    pub recipient: Address,
    /// The group of mail hosts, or the recipient's domain where no list names it.
    pub provider: String,
    /// The host that answered.
    pub host: Option<String>,
    /// Its address.
    pub ip: Option<String>,
    /// Our address.
    pub source: Option<String>,
    /// The relay that took it (or did not) in the provider's stead.
    pub relay: Option<String>,
    pub fate: Fate,
    /// What the answer means, if it was not acceptance.
    pub class: Option<String>,
    pub rule: Option<String>,
    /// All lines, or our own words.
    pub reply: String,
    /// From when the message was taken in to this moment.
    pub delay_millis: i64,
    /// How the connection was protected; nothing for clear text.
    pub tls: Option<String>,
}

impl DeliveryEvent {
    pub fn domain(&self) -> &Domain {
        self.recipient.domain()
    }
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT at, trace, message_id, queue_id, account, sender_domain, recipient, provider, host, ip, source, relay, ",
            "outcome, class, rule, reply, delay, tls FROM delivery_event ",
            $rest
        )
    };
}

impl View<'_> {
    /// All that is known of one message's way out, oldest first.
    pub fn deliveries_of(&self, trace: &TraceId) -> Result<Vec<DeliveryEvent>, StoreError> {
        let sql = columns!("WHERE trace = ?1 ORDER BY id LIMIT ?2");
        let trace = trace.to_string();
        let params = [Param::Text(&trace), Param::Int(DELIVERY_EVENTS_SHOWN_MAX)];
        self.sql.all(sql, &params, read)
    }

    /// The trace ids of messages that left with this Message-ID, newest first. Looks at all events: for people.
    pub fn traces_of(&self, message_id: &str) -> Result<Vec<TraceId>, StoreError> {
        let sql = "SELECT trace, MAX(id) FROM delivery_event WHERE message_id = ?1 GROUP BY trace \
                   ORDER BY 2 DESC LIMIT ?2";
        let params = [
            Param::Text(message_id),
            Param::Int(DELIVERY_EVENTS_SHOWN_MAX),
        ];
        self.sql.all(sql, &params, |row| stored_trace(row.text(0)?))
    }

    /// What still waits of one message. Looks at the whole queue: for people.
    pub fn queued_under(&self, trace: &TraceId) -> Result<Vec<crate::queue::Queued>, StoreError> {
        let sql = "SELECT id FROM queue_message WHERE trace = ?1 ORDER BY id LIMIT ?2";
        let trace = trace.to_string();
        let params = [Param::Text(&trace), Param::Int(DELIVERY_EVENTS_SHOWN_MAX)];
        let ids = self.sql.all(sql, &params, |row| row.int(0).map(QueueId))?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.queued(id)?);
        }
        Ok(found)
    }

    /// The newest events of a provider, newest first.
    pub fn recent_deliveries(
        &self,
        provider: &str,
        limit: usize,
    ) -> Result<Vec<DeliveryEvent>, StoreError> {
        let sql = columns!("WHERE provider = ?1 ORDER BY at DESC, id DESC LIMIT ?2");
        let limit = i64::try_from(limit)
            .unwrap_or(i64::MAX)
            .min(DELIVERY_EVENTS_SHOWN_MAX);
        self.sql
            .all(sql, &[Param::Text(provider), Param::Int(limit)], read)
    }
}

impl Change<'_> {
    pub fn note_delivery(&mut self, event: &DeliveryEvent) -> Result<(), StoreError> {
        let sql = "INSERT INTO delivery_event (at, trace, message_id, queue_id, account, sender_domain, recipient, domain, \
                   provider, host, ip, source, relay, outcome, class, rule, reply, delay, tls) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
        let (trace, recipient) = (event.trace.to_string(), event.recipient.to_string());
        let params = [
            Param::Int(event.at.0),
            Param::Text(&trace),
            Param::Text(&event.message_id),
            Param::Int(event.queue.0),
            Param::OptInt(event.account.map(|account| account.0)),
            Param::Text(&event.sender_domain),
            Param::Text(&recipient),
            Param::Text(event.domain().as_str()),
            Param::Text(&event.provider),
            Param::OptText(event.host.as_deref()),
            Param::OptText(event.ip.as_deref()),
            Param::OptText(event.source.as_deref()),
            Param::OptText(event.relay.as_deref()),
            Param::Int(event.fate.code()),
            Param::OptText(event.class.as_deref()),
            Param::OptText(event.rule.as_deref()),
            Param::Text(&event.reply),
            Param::Int(event.delay_millis),
            Param::OptText(event.tls.as_deref()),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// What waits for a provider is due now: the way is open again, or there is another. Recipients are known to
    /// belong to it by what it answered for their domains. Says how many.
    pub fn retry_provider(&mut self, provider: &str, now: UnixMillis) -> Result<u64, StoreError> {
        self.effects.note_queue();
        let sql = "UPDATE queue_recipient SET due = ?2 WHERE state = 0 AND due > ?2 AND domain IN \
                   (SELECT DISTINCT domain FROM delivery_event WHERE provider = ?1 AND at >= ?3)";
        let params = [
            Param::Text(provider),
            Param::Int(now.0),
            Param::Int(now.0.saturating_sub(DELIVERY_EVENTS_AGE_MILLIS)),
        ];
        self.sql.execute(sql, &params)
    }

    /// Forgets some of what is older than anyone asks for. True if there may be more.
    pub(crate) fn trim_deliveries(&mut self, now: UnixMillis) -> Result<bool, StoreError> {
        let newest = "SELECT MAX(id) FROM delivery_event";
        let newest = self.sql.first(newest, &[], |row| row.opt_int(0))?.flatten();
        let too_many = newest.unwrap_or(0).saturating_sub(DELIVERY_EVENTS_MAX);
        let too_old = now.0.saturating_sub(DELIVERY_EVENTS_AGE_MILLIS);
        let sql = "SELECT id, at FROM delivery_event ORDER BY id LIMIT ?1";
        let oldest = self.sql.all(sql, &[Param::Int(TIDY_PIECE as i64)], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
        let due = oldest
            .iter()
            .filter(|(id, at)| *id <= too_many || *at < too_old);
        let Some((last, _)) = due.max() else {
            return Ok(false);
        };
        let sql = "DELETE FROM delivery_event WHERE id <= ?1 AND (id <= ?2 OR at < ?3)";
        let params = [Param::Int(*last), Param::Int(too_many), Param::Int(too_old)];
        Ok(self.sql.execute(sql, &params)? >= TIDY_PIECE as u64)
    }
}

fn read(row: &Row<'_>) -> SqlResult<DeliveryEvent> {
    let recipient = row.text(6)?;
    let text =
        |at: usize| -> SqlResult<Option<String>> { Ok(row.opt_text(at)?.map(str::to_owned)) };
    Ok(DeliveryEvent {
        at: UnixMillis(row.int(0)?),
        trace: stored_trace(row.text(1)?)?,
        message_id: row.text(2)?.to_owned(),
        queue: QueueId(row.int(3)?),
        account: row.opt_int(4)?.map(AccountId),
        sender_domain: row.text(5)?.to_owned(),
        recipient: Address::parse(recipient)
            .map_err(|e| StoreError::Damaged(format!("the stored address {recipient}: {e}")))?,
        provider: row.text(7)?.to_owned(),
        host: text(8)?,
        ip: text(9)?,
        source: text(10)?,
        relay: text(11)?,
        fate: Fate::of_code(row.int(12)?),
        class: text(13)?,
        rule: text(14)?,
        reply: row.text(15)?.to_owned(),
        delay_millis: row.int(16)?,
        tls: text(17)?,
    })
}

fn stored_trace(text: &str) -> SqlResult<TraceId> {
    text.parse()
        .map_err(|_| StoreError::Damaged(format!("the trace id {text}")))
}

impl Fate {
    fn code(self) -> i64 {
        match self {
            Self::Accepted => 1,
            Self::Deferred => 2,
            Self::Refused => 3,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            1 => Self::Accepted,
            2 => Self::Deferred,
            _ => Self::Refused,
        }
    }

    /// As it stands in output and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
        }
    }
}
