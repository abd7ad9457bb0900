//! Reports that we owe to others: which days are over, what was seen in them, what was sent where.
//! When something is sent, and whether the destination wants it, is decided in `jobs`.

use mail::UnixMillis;
use serde::de::DeserializeOwned;

use super::{DAY_MILLIS, DmarcEntry, OPEN, PublishedPolicy, ReportKind, TlsEntry};
use crate::engine::{Param, Row, SqlResult};
use crate::limits::TIDY_PIECE;
use crate::{Change, StoreError, View};

/// A day whose report is still to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportDay {
    pub kind: ReportKind,
    pub domain: String,
    /// Since 1970-01-01, UTC.
    pub day: i64,
    /// When it is due; nothing as long as nobody has planned it.
    pub due: Option<UnixMillis>,
    pub attempts: u32,
    /// Drawn when it was planned: its reports are named by it, so that one sent again is known as the same.
    pub token: String,
    /// Sights that did not fit.
    pub left_out: u64,
    /// The newest policy seen that day; only for DMARC.
    pub policy: Option<PublishedPolicy>,
}

/// How a day ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportDayEnd {
    Sent,
    /// Nobody wants it, or nobody could be reached.
    Dropped,
}

/// A report that was sent, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentReport {
    pub kind: ReportKind,
    pub domain: String,
    pub day: i64,
    pub destination: String,
    pub at: UnixMillis,
    /// Empty if it was not sent.
    pub report_id: String,
    pub note: String,
}

impl View<'_> {
    /// Days that are over, and planned for now or not planned at all.
    pub fn report_days(
        &self,
        today: i64,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<ReportDay>, StoreError> {
        let params = [
            Param::Int(OPEN),
            Param::Int(today),
            Param::Int(now.0),
            Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)),
        ];
        self.sql.all(DAYS, &params, |row| {
            let about = row.text(6)?;
            let kind = ReportKind::of_code(row.int(0)?)?;
            Ok(ReportDay {
                kind,
                domain: row.text(1)?.to_owned(),
                day: row.int(2)?,
                due: Some(row.int(3)?).filter(|due| *due != 0).map(UnixMillis),
                attempts: u32::try_from(row.int(4)?).unwrap_or(0),
                token: row.text(7)?.to_owned(),
                left_out: row.int(5)?.max(0) as u64,
                policy: (kind == ReportKind::Dmarc)
                    .then(|| of_json(about))
                    .transpose()?,
            })
        })
    }

    pub fn dmarc_seen(&self, domain: &str, day: i64) -> Result<Vec<(DmarcEntry, u64)>, StoreError> {
        self.entries(ReportKind::Dmarc, domain, day)
    }

    pub fn tls_seen(&self, domain: &str, day: i64) -> Result<Vec<(TlsEntry, u64)>, StoreError> {
        self.entries(ReportKind::Tls, domain, day)
    }

    fn entries<E: DeserializeOwned>(
        &self,
        kind: ReportKind,
        domain: &str,
        day: i64,
    ) -> Result<Vec<(E, u64)>, StoreError> {
        let sql = "SELECT entry, times FROM report_entry WHERE kind = ?1 AND domain = ?2 AND day = ?3 ORDER BY hash";
        let params = [
            Param::Int(kind.code()),
            Param::Text(domain),
            Param::Int(day),
        ];
        self.sql.all(sql, &params, |row| {
            Ok((of_json(row.text(0)?)?, row.int(1)?.max(0) as u64))
        })
    }

    /// Whether this day's report already went to a destination.
    pub fn was_report_sent(&self, day: &ReportDay, destination: &str) -> Result<bool, StoreError> {
        let sql = "SELECT at FROM report_sent WHERE kind = ?1 AND domain = ?2 AND day = ?3 AND destination = ?4";
        let params = [
            Param::Int(day.kind.code()),
            Param::Text(&day.domain),
            Param::Int(day.day),
            Param::Text(destination),
        ];
        Ok(self.sql.first(sql, &params, |row| row.int(0))?.is_some())
    }

    /// Until when a destination is left alone, if it is.
    pub fn report_destination_quiet(
        &self,
        address: &str,
    ) -> Result<Option<UnixMillis>, StoreError> {
        let sql = "SELECT quiet_until FROM report_destination WHERE address = ?1";
        let found = self
            .sql
            .first(sql, &[Param::Text(address)], |row| row.int(0))?;
        Ok(found.map(UnixMillis))
    }

    /// Where the report of this id was sent: ids cannot be guessed, so whoever returns one got it.
    pub fn report_sent_to(&self, report_id: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT destination FROM report_sent WHERE report_id = ?1";
        self.sql.first(sql, &[Param::Text(report_id)], |row| {
            Ok(row.text(0)?.to_owned())
        })
    }

    /// What was sent lately, newest first.
    pub fn sent_reports(&self, limit: usize) -> Result<Vec<SentReport>, StoreError> {
        let sql = "SELECT kind, domain, day, destination, at, report_id, note FROM report_sent \
                   ORDER BY at DESC, domain, destination LIMIT ?1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.sql.all(sql, &[Param::Int(limit)], read_sent)
    }
}

impl Change<'_> {
    /// Sets for the first time when a day's report is to be sent.
    pub fn plan_report(
        &mut self,
        day: &ReportDay,
        due: UnixMillis,
        token: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE report_day SET due = ?4, token = ?5 WHERE kind = ?1 AND domain = ?2 AND day = ?3 AND due = 0";
        let params = [
            Param::Int(day.kind.code()),
            Param::Text(&day.domain),
            Param::Int(day.day),
            Param::Int(due.0),
            Param::Text(token),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Sets when it is tried again, and why it was not sent.
    pub fn retry_report(
        &mut self,
        day: &ReportDay,
        due: UnixMillis,
        why: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE report_day SET due = ?4, note = ?5, attempts = attempts + 1 \
                   WHERE kind = ?1 AND domain = ?2 AND day = ?3";
        let params = [
            Param::Int(day.kind.code()),
            Param::Text(&day.domain),
            Param::Int(day.day),
            Param::Int(due.0),
            Param::Text(why),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// Notes that a report went to a destination, or, with a note, why it did not.
    pub fn note_report_sent(
        &mut self,
        day: &ReportDay,
        destination: &str,
        at: UnixMillis,
        report_id: &str,
        note: &str,
    ) -> Result<(), StoreError> {
        let params = [
            Param::Int(day.kind.code()),
            Param::Text(&day.domain),
            Param::Int(day.day),
            Param::Text(destination),
            Param::Int(at.0),
            Param::Text(report_id),
            Param::Text(note),
        ];
        self.sql.execute(SENT, &params).map(drop)
    }

    /// The day is done: what was seen in it is forgotten.
    pub fn end_report_day(
        &mut self,
        day: &ReportDay,
        end: ReportDayEnd,
        note: &str,
    ) -> Result<(), StoreError> {
        let [kind, domain, number] = [
            Param::Int(day.kind.code()),
            Param::Text(&day.domain),
            Param::Int(day.day),
        ];
        let state = match end {
            ReportDayEnd::Sent => 1,
            ReportDayEnd::Dropped => 2,
        };
        let sql = "UPDATE report_day SET state = ?4, note = ?5 WHERE kind = ?1 AND domain = ?2 AND day = ?3";
        let params = [kind, domain, number, Param::Int(state), Param::Text(note)];
        self.sql.execute(sql, &params)?;
        let sql = "DELETE FROM report_entry WHERE kind = ?1 AND domain = ?2 AND day = ?3";
        self.sql.execute(sql, &[kind, domain, number]).map(drop)
    }

    /// A destination refused a report of ours: it is left alone for longer each time.
    pub fn note_report_refused(
        &mut self,
        address: &str,
        now: UnixMillis,
        why: &str,
    ) -> Result<(), StoreError> {
        let sql = "SELECT failures FROM report_destination WHERE address = ?1";
        let failures = self
            .sql
            .first(sql, &[Param::Text(address)], |row| row.int(0))?
            .unwrap_or(0)
            .clamp(0, 5)
            + 1;
        // 1, 2, 4, 8, 16, then 30 days.
        let days = if failures <= 5 {
            1 << (failures - 1)
        } else {
            30
        };
        let params = [
            Param::Text(address),
            Param::Int(failures),
            Param::Int(now.0 + days * DAY_MILLIS),
            Param::Text(why),
        ];
        self.sql.execute(REFUSED, &params).map(drop)
    }

    /// Forgets reports, sources, days and destinations that are older than the given times, a piece
    /// at a time. False when nothing is left to forget.
    pub fn forget_reports(
        &mut self,
        reports_before: UnixMillis,
        others_before: UnixMillis,
    ) -> Result<bool, StoreError> {
        let piece = Param::Int(i64::try_from(TIDY_PIECE).unwrap_or(i64::MAX));
        let reports = [Param::Int(reports_before.secs()), piece];
        let others = [Param::Int(others_before.0), piece];
        let day = Param::Int(others_before.0.div_euclid(DAY_MILLIS));
        let mut touched = 0;
        touched += self.sql.execute(FORGET_LINES, &reports)?;
        if touched == 0 {
            touched += self.sql.execute(FORGET_REPORTS, &reports)?;
        }
        touched += self.sql.execute(FORGET_ENTRIES, &[day])?;
        touched += self.sql.execute(FORGET_DAYS, &[day])?;
        touched += self.sql.execute(FORGET_SENT, &others[..1])?;
        touched += self.sql.execute(FORGET_DESTINATIONS, &others[..1])?;
        let sources = [Param::Int(reports_before.0)];
        touched += self.sql.execute(FORGET_SOURCES, &sources)?;
        touched += self.forget_unreadable(others_before)?;
        Ok(touched != 0)
    }

    fn forget_unreadable(&mut self, before: UnixMillis) -> Result<u64, StoreError> {
        let sql = "SELECT id, blob_id FROM report_intake WHERE state = 1 AND received < ?1 ORDER BY id LIMIT ?2";
        let piece = Param::Int(i64::try_from(TIDY_PIECE).unwrap_or(i64::MAX));
        let old = self.sql.all(sql, &[Param::Int(before.0), piece], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })?;
        let sql = "DELETE FROM report_intake WHERE id = ?1";
        for (id, blob) in &old {
            if self.sql.execute(sql, &[Param::Int(*id)])? != 0 {
                self.release_body(*blob, 1)?;
            }
        }
        Ok(old.len() as u64)
    }
}

const DAYS: &str = "SELECT kind, domain, day, due, attempts, left_out, about, token FROM report_day \
     WHERE state = ?1 AND day < ?2 AND due <= ?3 ORDER BY due, kind, domain, day LIMIT ?4";

const SENT: &str = "INSERT INTO report_sent (kind, domain, day, destination, at, report_id, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
     ON CONFLICT (kind, domain, day, destination) DO UPDATE SET at = excluded.at, report_id = excluded.report_id, note = excluded.note";

const REFUSED: &str = "INSERT INTO report_destination (address, failures, quiet_until, note) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (address) DO UPDATE SET failures = excluded.failures, quiet_until = excluded.quiet_until, note = excluded.note";

const FORGET_LINES: &str = "DELETE FROM report_line WHERE report IN (SELECT r.id FROM report r \
     WHERE r.ends < ?1 AND EXISTS (SELECT 1 FROM report_line l WHERE l.report = r.id) ORDER BY r.id LIMIT ?2)";

const FORGET_REPORTS: &str =
    "DELETE FROM report WHERE id IN (SELECT id FROM report WHERE ends < ?1 ORDER BY id LIMIT ?2)";

/// Few: a day that ended has none.
const FORGET_ENTRIES: &str = "DELETE FROM report_entry WHERE day < ?1";

const FORGET_DAYS: &str = "DELETE FROM report_day WHERE day < ?1";

const FORGET_SENT: &str = "DELETE FROM report_sent WHERE at < ?1";

const FORGET_DESTINATIONS: &str = "DELETE FROM report_destination WHERE quiet_until < ?1";

const FORGET_SOURCES: &str = "DELETE FROM report_source WHERE seen < ?1";

fn read_sent(row: &Row<'_>) -> SqlResult<SentReport> {
    Ok(SentReport {
        kind: ReportKind::of_code(row.int(0)?)?,
        domain: row.text(1)?.to_owned(),
        day: row.int(2)?,
        destination: row.text(3)?.to_owned(),
        at: UnixMillis(row.int(4)?),
        report_id: row.text(5)?.to_owned(),
        note: row.text(6)?.to_owned(),
    })
}

fn of_json<T: DeserializeOwned>(text: &str) -> SqlResult<T> {
    serde_json::from_str(text).map_err(|e| StoreError::Damaged(format!("evidence: {e}")))
}
