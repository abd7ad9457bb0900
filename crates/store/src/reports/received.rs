//! Reports that others sent us about our domains: filed once each, summed up when they are asked for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mail::{TraceId, UnixMillis};
use serde::{Deserialize, Serialize};

use super::evidence::json;
use super::{DmarcEntry, PublishedPolicy, ReportKind, TlsEntry};
use crate::engine::{Param, SqlResult};
use crate::limits::{
    REPORT_LINES_MAX, REPORT_UNREADABLE_BYTES_MAX, REPORT_UNREADABLE_MAX, REPORT_UNVOUCHED_MAX,
    REPORTS_LISTED_MAX,
};
use crate::messages::read_body;
use crate::{BodyRef, Change, StoreError, View};

/// A message that waits to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    pub id: i64,
    /// The local domain whose address it came to.
    pub domain: String,
    pub kind: ReportKind,
    pub trace: TraceId,
    pub body: BodyRef,
    pub submitter: Option<String>,
    pub received: UnixMillis,
    pub attempts: u32,
}

/// A message that nobody could read, or not all of it. It is kept for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub trace: TraceId,
    pub kind: ReportKind,
    pub submitter: Option<String>,
    pub received: UnixMillis,
    pub why: String,
    pub body: BodyRef,
}

/// A report that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReport {
    /// The local domain that it is about, or whose subdomain it is about.
    pub domain: String,
    /// Whose mail brought it, proven; nothing if nobody vouches for it.
    pub submitter: Option<String>,
    /// How the reporter calls itself.
    pub reporter: String,
    pub report_id: String,
    /// Seconds since 1970-01-01.
    pub begins: i64,
    pub ends: i64,
    pub received: UnixMillis,
    pub about: ReportAbout,
    /// What was odd about it; empty if nothing was.
    pub note: String,
    pub lines: ReportLines,
}

/// What is not summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAbout {
    pub contact: Option<String>,
    /// Whose policy was used: the domain or one below it.
    pub policy_domain: String,
    pub policy: Option<PublishedPolicy>,
    /// What the reporter found wrong with our records.
    pub errors: Vec<String>,
}

/// What was seen, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportLines {
    Dmarc(Vec<(DmarcEntry, u64)>),
    Tls(Vec<(TlsEntry, u64)>),
    Failure(Vec<(FailureEntry, u64)>),
}

/// One message that failed, or that somebody complained about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FailureEntry {
    /// `auth-failure`, `abuse`, …
    pub kind: String,
    pub source: Option<IpAddr>,
    /// Seconds since 1970-01-01.
    pub arrival: Option<i64>,
    pub header_from: Option<String>,
    pub mail_from: Option<String>,
    pub subject: Option<String>,
    pub message_id: Option<String>,
    pub auth_failure: Option<String>,
    pub alignment: Option<String>,
    pub delivery_result: Option<String>,
    pub results: Vec<String>,
}

/// A report as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReport {
    pub submitter: Option<String>,
    pub reporter: String,
    pub report_id: String,
    pub begins: i64,
    pub ends: i64,
    pub received: UnixMillis,
    pub messages: u64,
    pub about: ReportAbout,
    pub note: String,
}

/// What came of filing a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    New,
    /// The same reporter's report of the same id is there already.
    Duplicate,
}

/// What an address is to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSource {
    pub source: String,
    /// The reverse name, if it leads back to the address.
    pub name: Option<String>,
    pub ours: SourceOwner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceOwner {
    /// Not looked up yet.
    Unknown,
    /// An address of this server.
    ThisServer,
    /// The domain's SPF record allows it.
    Allowed,
    Stranger,
}

impl View<'_> {
    /// Messages that wait to be read, oldest first.
    pub fn waiting_reports(&self, limit: usize) -> Result<Vec<Intake>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.sql.all(WAITING, &[Param::Int(limit)], |row| {
            Ok(Intake {
                id: row.int(5)?,
                domain: row.text(6)?.to_owned(),
                kind: ReportKind::of_code(row.int(7)?)?,
                trace: trace(row.text(8)?)?,
                body: read_body(row, 0)?,
                submitter: row.opt_text(9)?.map(str::to_owned),
                received: UnixMillis(row.int(10)?),
                attempts: u32::try_from(row.int(11)?).unwrap_or(0),
            })
        })
    }

    /// Messages to a domain's report addresses that could not be read, newest first.
    pub fn unreadable_reports(&self, domain: &str) -> Result<Vec<Unreadable>, StoreError> {
        let params = [Param::Text(domain), Param::Int(REPORT_UNREADABLE_MAX)];
        self.sql.all(UNREADABLE, &params, |row| {
            Ok(Unreadable {
                kind: ReportKind::of_code(row.int(5)?)?,
                trace: trace(row.text(6)?)?,
                submitter: row.opt_text(7)?.map(str::to_owned),
                received: UnixMillis(row.int(8)?),
                why: row.text(9)?.to_owned(),
                body: read_body(row, 0)?,
            })
        })
    }

    /// Reports about a domain whose period ends at or after `since` (seconds), newest first.
    pub fn reports(
        &self,
        kind: ReportKind,
        domain: &str,
        since: i64,
    ) -> Result<Vec<StoredReport>, StoreError> {
        let params = [
            Param::Int(kind.code()),
            Param::Text(domain),
            Param::Int(since),
            Param::Int(REPORTS_LISTED_MAX),
        ];
        self.sql.all(REPORTS, &params, |row| {
            let submitter = row.text(0)?;
            Ok(StoredReport {
                submitter: (!submitter.is_empty()).then(|| submitter.to_owned()),
                reporter: row.text(1)?.to_owned(),
                report_id: row.text(2)?.to_owned(),
                begins: row.int(3)?,
                ends: row.int(4)?,
                received: UnixMillis(row.int(5)?),
                messages: row.int(6)?.max(0) as u64,
                about: of_json(row.text(7)?)?,
                note: row.text(8)?.to_owned(),
            })
        })
    }

    /// What the DMARC reports say that somebody vouches for, summed up: sources times results.
    pub fn dmarc_lines(
        &self,
        domain: &str,
        since: i64,
    ) -> Result<Vec<(DmarcEntry, u64)>, StoreError> {
        self.lines(ReportKind::Dmarc, domain, since)
    }

    pub fn tls_lines(&self, domain: &str, since: i64) -> Result<Vec<(TlsEntry, u64)>, StoreError> {
        self.lines(ReportKind::Tls, domain, since)
    }

    pub fn failure_lines(
        &self,
        domain: &str,
        since: i64,
    ) -> Result<Vec<(FailureEntry, u64)>, StoreError> {
        self.lines(ReportKind::Failure, domain, since)
    }

    fn lines<E: serde::de::DeserializeOwned>(
        &self,
        kind: ReportKind,
        domain: &str,
        since: i64,
    ) -> Result<Vec<(E, u64)>, StoreError> {
        let params = [
            Param::Int(kind.code()),
            Param::Text(domain),
            Param::Int(since),
            Param::Int(REPORT_LINES_MAX),
        ];
        self.sql.all(LINES, &params, |row| {
            Ok((of_json(row.text(0)?)?, row.int(1)?.max(0) as u64))
        })
    }

    /// What is known of the sources in a domain's reports.
    pub fn report_sources(
        &self,
        domain: &str,
    ) -> Result<BTreeMap<String, ReportSource>, StoreError> {
        let sql = "SELECT source, name, ours FROM report_source WHERE domain = ?1";
        let sources = self.sql.all(sql, &[Param::Text(domain)], |row| {
            let source = row.text(0)?.to_owned();
            let known = ReportSource {
                source: source.clone(),
                name: row.opt_text(1)?.map(str::to_owned),
                ours: SourceOwner::of_code(row.int(2)?),
            };
            Ok((source, known))
        })?;
        Ok(sources.into_iter().collect())
    }

    /// Sources that are new, or were looked up long ago, with their domain.
    pub fn sources_to_look_up(&self, limit: usize) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT domain, source FROM report_source WHERE looked_up = 0 \
                   ORDER BY domain, source LIMIT ?1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.sql.all(sql, &[Param::Int(limit)], |row| {
            Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
        })
    }
}

impl Change<'_> {
    /// Files a report, unless it is there. The sources that it names are to be looked up afterwards. Of those
    /// that nobody vouches for only the newest stay, without their lines.
    pub fn file_report(&mut self, report: &NewReport) -> Result<Filed, StoreError> {
        let (kind, lines) = written(&report.lines)?;
        let messages = lines
            .iter()
            .fold(0_u64, |sum, line| sum.saturating_add(line.times));
        let about = json(&report.about)?;
        let params = [
            Param::Int(kind.code()),
            Param::Text(&report.domain),
            Param::Text(report.submitter.as_deref().unwrap_or_default()),
            Param::Text(&report.reporter),
            Param::Text(&report.report_id),
            Param::Int(report.begins),
            Param::Int(report.ends),
            Param::Int(report.received.0),
            Param::Int(whole(messages)),
            Param::Text(&about),
            Param::Text(&report.note),
        ];
        let id = self.sql.first(FILE, &params, |row| row.int(0))?;
        let Some(id) = id else {
            return Ok(Filed::Duplicate);
        };
        if report.submitter.is_none() {
            // Nobody adds up what they say, and anybody can send them.
            let params = [
                Param::Int(kind.code()),
                Param::Text(&report.domain),
                Param::Int(REPORT_UNVOUCHED_MAX),
            ];
            self.sql.execute(FORGET_UNVOUCHED, &params)?;
            return Ok(Filed::New);
        }
        for (number, line) in lines.iter().enumerate() {
            let params = [
                Param::Int(id),
                Param::Int(i64::try_from(number).unwrap_or(i64::MAX)),
                Param::Text(&line.source),
                Param::Int(whole(line.times)),
                Param::Text(&line.entry),
            ];
            self.sql.execute(FILE_LINE, &params)?;
        }
        self.note_sources(report, &lines)?;
        Ok(Filed::New)
    }

    fn note_sources(&mut self, report: &NewReport, lines: &[Line]) -> Result<(), StoreError> {
        let mut sources: Vec<&str> = lines.iter().map(|line| line.source.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        for source in sources.into_iter().filter(|source| !source.is_empty()) {
            let params = [
                Param::Text(&report.domain),
                Param::Text(source),
                Param::Int(report.received.0),
                Param::Int(report.received.0 - LOOKED_UP_GOOD_FOR_MILLIS),
            ];
            self.sql.execute(SOURCE_SEEN, &params)?;
        }
        Ok(())
    }

    pub fn note_source(
        &mut self,
        domain: &str,
        source: &ReportSource,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE report_source SET name = ?3, ours = ?4, looked_up = ?5 \
                   WHERE domain = ?1 AND source = ?2";
        let params = [
            Param::Text(domain),
            Param::Text(&source.source),
            Param::OptText(source.name.as_deref()),
            Param::Int(source.ours.code()),
            Param::Int(now.0),
        ];
        self.sql.execute(sql, &params).map(drop)
    }

    /// The message was read: nothing of it is left but the reports that were filed.
    pub fn end_intake(&mut self, intake: &Intake) -> Result<(), StoreError> {
        let sql = "DELETE FROM report_intake WHERE id = ?1";
        if self.sql.execute(sql, &[Param::Int(intake.id)])? != 0 {
            self.release_body(intake.body.blob.0, 1)?;
        }
        Ok(())
    }

    /// The message, or part of it, cannot be read: it is kept with the reason.
    pub fn keep_unreadable(&mut self, intake: &Intake, why: &str) -> Result<(), StoreError> {
        let sql = "UPDATE report_intake SET state = 1, note = ?2 WHERE id = ?1";
        self.sql
            .execute(sql, &[Param::Int(intake.id), Param::Text(why)])?;
        self.forget_too_many_unreadable(&intake.domain)
    }

    /// The newest stay, as many as have room.
    fn forget_too_many_unreadable(&mut self, domain: &str) -> Result<(), StoreError> {
        let sql = "SELECT i.id, i.blob_id, b.length FROM report_intake i JOIN blob b ON b.id = i.blob_id \
                   WHERE i.state = 1 AND i.domain = ?1 ORDER BY i.id DESC";
        let kept = self.sql.all(sql, &[Param::Text(domain)], |row| {
            Ok((row.int(0)?, row.int(1)?, row.int(2)?))
        })?;
        let (mut count, mut bytes) = (0, 0_i64);
        for (id, blob, length) in kept {
            count += 1;
            bytes = bytes.saturating_add(length);
            if count <= REPORT_UNREADABLE_MAX && bytes <= REPORT_UNREADABLE_BYTES_MAX {
                continue;
            }
            let sql = "DELETE FROM report_intake WHERE id = ?1";
            if self.sql.execute(sql, &[Param::Int(id)])? != 0 {
                self.release_body(blob, 1)?;
            }
        }
        Ok(())
    }

    /// Reading failed for a reason of ours. It is tried again.
    pub fn note_intake_attempt(&mut self, intake: &Intake) -> Result<(), StoreError> {
        let sql = "UPDATE report_intake SET attempts = attempts + 1 WHERE id = ?1";
        self.sql.execute(sql, &[Param::Int(intake.id)]).map(drop)
    }
}

struct Line {
    source: String,
    times: u64,
    entry: String,
}

/// Lines that are the same become one.
fn written(lines: &ReportLines) -> Result<(ReportKind, Vec<Line>), StoreError> {
    fn summed<E: Ord + Serialize>(
        lines: &[(E, u64)],
        source: impl Fn(&E) -> Option<IpAddr>,
    ) -> Result<Vec<Line>, StoreError> {
        let mut sums: BTreeMap<&E, u64> = BTreeMap::new();
        for (entry, times) in lines {
            let sum = sums.entry(entry).or_default();
            *sum = sum.saturating_add(*times);
        }
        let lines = sums.into_iter().map(|(entry, times)| {
            Ok(Line {
                source: source(entry).map(|ip| ip.to_string()).unwrap_or_default(),
                times,
                entry: json(entry)?,
            })
        });
        lines.collect()
    }
    Ok(match lines {
        ReportLines::Dmarc(lines) => {
            let source = |entry: &DmarcEntry| Some(entry.source);
            let known = |ip: &IpAddr| !ip.is_unspecified();
            (
                ReportKind::Dmarc,
                summed(lines, |entry| source(entry).filter(known))?,
            )
        }
        ReportLines::Tls(lines) => (ReportKind::Tls, summed(lines, |_| None)?),
        ReportLines::Failure(lines) => (ReportKind::Failure, summed(lines, |entry| entry.source)?),
    })
}

impl SourceOwner {
    fn code(self) -> i64 {
        match self {
            Self::Unknown => 0,
            Self::ThisServer => 1,
            Self::Allowed => 2,
            Self::Stranger => 3,
        }
    }

    fn of_code(code: i64) -> Self {
        match code {
            1 => Self::ThisServer,
            2 => Self::Allowed,
            3 => Self::Stranger,
            _ => Self::Unknown,
        }
    }
}

/// Reverse names and SPF records change seldom.
const LOOKED_UP_GOOD_FOR_MILLIS: i64 = 7 * super::DAY_MILLIS;

const WAITING: &str = "SELECT b.segment, b.place, b.length, b.hash, b.id, i.id, i.domain, i.kind, i.trace, i.submitter, \
     i.received, i.attempts FROM report_intake i JOIN blob b ON b.id = i.blob_id \
     WHERE i.state = 0 ORDER BY i.id LIMIT ?1";

const UNREADABLE: &str = "SELECT b.segment, b.place, b.length, b.hash, b.id, i.kind, i.trace, i.submitter, i.received, i.note \
     FROM report_intake i JOIN blob b ON b.id = i.blob_id \
     WHERE i.state = 1 AND i.domain = ?1 ORDER BY i.id DESC LIMIT ?2";

const REPORTS: &str = "SELECT submitter, reporter, report_id, begins, ends, received, messages, about, note FROM report \
     WHERE kind = ?1 AND domain = ?2 AND ends >= ?3 ORDER BY ends DESC, id LIMIT ?4";

const LINES: &str = "SELECT l.entry, CAST(SUM(l.times) AS BIGINT) FROM report r JOIN report_line l ON l.report = r.id \
     WHERE r.kind = ?1 AND r.domain = ?2 AND r.ends >= ?3 AND r.submitter <> '' \
     GROUP BY l.entry ORDER BY 2 DESC, 1 LIMIT ?4";

const FILE: &str = "INSERT INTO report (kind, domain, submitter, reporter, report_id, begins, ends, received, messages, about, note) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING RETURNING id";

const FORGET_UNVOUCHED: &str = "DELETE FROM report WHERE kind = ?1 AND domain = ?2 AND submitter = '' AND id <= \
     (SELECT id FROM report WHERE kind = ?1 AND domain = ?2 AND submitter = '' ORDER BY id DESC LIMIT 1 OFFSET ?3)";

const FILE_LINE: &str =
    "INSERT INTO report_line (report, number, source, times, entry) VALUES (?1, ?2, ?3, ?4, ?5)";

const SOURCE_SEEN: &str = "INSERT INTO report_source (domain, source, ours, looked_up, seen) VALUES (?1, ?2, 0, 0, ?3) \
     ON CONFLICT (domain, source) DO UPDATE SET seen = excluded.seen, \
     looked_up = CASE WHEN report_source.looked_up < ?4 THEN 0 ELSE report_source.looked_up END";

fn trace(text: &str) -> SqlResult<TraceId> {
    text.parse()
        .map_err(|_| StoreError::Damaged(format!("the trace id {text}")))
}

fn of_json<T: serde::de::DeserializeOwned>(text: &str) -> SqlResult<T> {
    serde_json::from_str(text).map_err(|e| StoreError::Damaged(format!("a stored report: {e}")))
}

fn whole(number: u64) -> i64 {
    // A reporter may claim any number; sums of a few must fit as well.
    i64::try_from(number).unwrap_or(i64::MAX).min(1 << 52)
}
