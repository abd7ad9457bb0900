//! Reading: by the names of elements and of the one they are in, in any order, whatever is around them.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{Defect, Disposition, DkimResult, Reason, Report, Row, SpfResult};
use crate::report::limits::{FEW_MAX, ROWS_MAX, SIGNATURES_MAX};
use crate::report::xml::{Event, Reader};

/// Why something is no aggregate report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("it is empty")]
    Empty,
    #[error("it is no DMARC aggregate report: it has no element `feedback`")]
    NoFeedback,
    #[error("it does not say which domain it is about")]
    NoDomain,
    #[error("it has no rows")]
    NoRows,
}

/// Reads an aggregate report from its XML.
///
/// ```ignore
/// let report = aggregate::parse(&attachment.bytes)?;
/// println!("{} messages in the name of {}", report.messages(), report.policy.domain);
/// ```
pub fn parse(document: &[u8]) -> Result<Report, ParseError> {
    let (text, fits) = decoded(document);
    if text.trim().is_empty() {
        return Err(ParseError::Empty);
    }
    let mut reading = Reading::default();
    if !fits {
        reading.defect(Defect::BadCharset);
    }
    let mut reader = Reader::new(&text);
    let mut is_feedback = false;
    while let Some(event) = reader.next() {
        match event {
            Event::Open(name) => {
                is_feedback |= name == "feedback";
                if is_feedback {
                    reading.open(&name, Place::of(reader.path().rev().skip(1)));
                }
            }
            Event::Close { name, text } if is_feedback => {
                reading.close(&name, &text, Place::of(reader.path().rev()));
            }
            Event::Close { .. } => {}
        }
    }
    if !is_feedback {
        return Err(ParseError::NoFeedback);
    }
    if reader.is_broken() {
        reading.defect(Defect::NotWellFormed);
    }
    if reader.ends_early() {
        reading.defect(Defect::EndsEarly);
    }
    reading.finish()
}

/// The element that gives a name its meaning: the nearest one around it that we know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Feedback,
    Metadata,
    DateRange,
    Policy,
    Record,
    Evaluated,
    Reason,
    Identifiers,
    Results,
    Dkim,
    Spf,
    Extension,
}

impl Place {
    /// From the names around, innermost first. `dkim` and `spf` are places within `auth_results` only:
    /// elsewhere they are results.
    fn of<'n>(around: impl Iterator<Item = &'n str>) -> Self {
        let mut inner = None;
        for name in around {
            let place = match name {
                "report_metadata" => Self::Metadata,
                "date_range" => Self::DateRange,
                "policy_published" => Self::Policy,
                "record" | "row" => Self::Record,
                "policy_evaluated" => Self::Evaluated,
                "reason" => Self::Reason,
                "identifiers" | "identities" => Self::Identifiers,
                "extension" | "extensions" => Self::Extension,
                "auth_results" => return inner.unwrap_or(Self::Results),
                "dkim" => {
                    inner = inner.or(Some(Self::Dkim));
                    continue;
                }
                "spf" => {
                    inner = inner.or(Some(Self::Spf));
                    continue;
                }
                _ => continue,
            };
            return place;
        }
        Self::Feedback
    }
}

#[derive(Default)]
struct Reading {
    report: Report,
    /// The row being read, and whether it has its count.
    row: Option<(Row, bool)>,
    reason: Reason,
    dkim: DkimResult,
    spf: SpfResult,
    has_period: bool,
}

impl Reading {
    fn defect(&mut self, defect: Defect) {
        self.report.defects.insert(defect);
    }

    fn open(&mut self, name: &str, place: Place) {
        match (place, name) {
            (_, "record") => {
                self.end_row();
                self.row = Some((Row::default(), false));
            }
            (Place::Evaluated, "reason") => self.reason = Reason::default(),
            (Place::Results, "dkim") => self.dkim = DkimResult::default(),
            (Place::Results, "spf") => self.spf = SpfResult::default(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: &str, place: Place) {
        match place {
            Place::Feedback if name == "record" => self.end_row(),
            Place::Feedback | Place::Extension => {}
            Place::Metadata | Place::DateRange => self.metadata(name, text),
            Place::Policy => self.policy(name, text),
            Place::Record | Place::Evaluated | Place::Reason => self.row(name, text, place),
            Place::Identifiers => self.identifier(name, text),
            Place::Results | Place::Dkim | Place::Spf => self.result(name, text, place),
        }
    }

    fn metadata(&mut self, name: &str, text: &str) {
        let metadata = &mut self.report.metadata;
        match name {
            "org_name" => metadata.org_name = text.to_owned(),
            "email" => metadata.email = text.to_owned(),
            "extra_contact_info" => metadata.extra_contact_info = some(text),
            "report_id" => metadata.report_id = text.to_owned(),
            "generator" => metadata.generator = some(text),
            "error" if !text.is_empty() && metadata.errors.len() < FEW_MAX => {
                metadata.errors.push(text.to_owned());
            }
            "begin" | "end" => match number(text) {
                Some(at) if name == "begin" => {
                    metadata.begin = at;
                    self.has_period = true;
                }
                Some(at) => metadata.end = at,
                None => self.defect(Defect::NoPeriod),
            },
            _ => {}
        }
    }

    fn policy(&mut self, name: &str, text: &str) {
        let policy = &mut self.report.policy;
        let word = || some(&text.to_ascii_lowercase());
        match name {
            "domain" => policy.domain = domain(text),
            "discovery_method" => policy.discovery_method = word(),
            "p" => policy.p = word(),
            "sp" => policy.sp = word(),
            "np" => policy.np = word(),
            "adkim" => policy.adkim = word(),
            "aspf" => policy.aspf = word(),
            "fo" => policy.fo = word(),
            "pct" => policy.pct = word(),
            "testing" | "t" => policy.testing = text.eq_ignore_ascii_case("y"),
            _ => {}
        }
    }

    fn row(&mut self, name: &str, text: &str, place: Place) {
        let Some((row, has_count)) = &mut self.row else {
            return;
        };
        let mut defect = None;
        match (place, name) {
            (Place::Reason, "type") => self.reason.kind = text.to_ascii_lowercase(),
            (Place::Reason, "comment") => self.reason.comment = some(text),
            (Place::Evaluated, "reason") => {
                let reason = std::mem::take(&mut self.reason);
                if FEW_MAX <= row.reasons.len() {
                    defect = Some(Defect::TooMany);
                } else if !reason.kind.is_empty() || reason.comment.is_some() {
                    row.reasons.push(reason);
                }
            }
            (Place::Evaluated, "disposition") => match disposition(text) {
                Some(disposition) => row.disposition = disposition,
                None => defect = Some(Defect::UnknownWord),
            },
            (Place::Evaluated, "dkim") => row.dkim_aligned = text.eq_ignore_ascii_case("pass"),
            (Place::Evaluated, "spf") => row.spf_aligned = text.eq_ignore_ascii_case("pass"),
            (Place::Record, "source_ip") => row.source = source(text),
            (Place::Record, "count") => {
                if let Some(count) = number(text).and_then(|count| u64::try_from(count).ok()) {
                    row.count = count;
                    *has_count = true;
                }
            }
            _ => {}
        }
        self.report.defects.extend(defect);
    }

    fn identifier(&mut self, name: &str, text: &str) {
        let Some((row, _)) = &mut self.row else {
            return;
        };
        match name {
            "header_from" => row.header_from = domain(text),
            "envelope_from" => row.envelope_from = some(&domain(text)),
            "envelope_to" => row.envelope_to = some(&domain(text)),
            _ => {}
        }
    }

    fn result(&mut self, name: &str, text: &str, place: Place) {
        let Some((row, _)) = &mut self.row else {
            return;
        };
        match (place, name) {
            (Place::Dkim, "domain") => self.dkim.domain = domain(text),
            (Place::Dkim, "selector") => self.dkim.selector = some(text),
            (Place::Dkim, "result") => self.dkim.result = result(text),
            (Place::Dkim, "human_result") => self.dkim.human_result = some(text),
            (Place::Spf, "domain") => self.spf.domain = domain(text),
            (Place::Spf, "scope") => self.spf.scope = some(&text.to_ascii_lowercase()),
            (Place::Spf, "result") => self.spf.result = result(text),
            (Place::Spf, "human_result") => self.spf.human_result = some(text),
            (Place::Results, "dkim") if row.dkim.len() < SIGNATURES_MAX => {
                row.dkim.push(std::mem::take(&mut self.dkim));
            }
            (Place::Results, "spf") if row.spf.len() < FEW_MAX => {
                row.spf.push(std::mem::take(&mut self.spf));
            }
            (Place::Results, "dkim" | "spf") => self.defect(Defect::TooMany),
            _ => {}
        }
    }

    fn end_row(&mut self) {
        let Some((mut row, has_count)) = self.row.take() else {
            return;
        };
        if row.source.is_none() {
            self.defect(Defect::BadSource);
        }
        if !has_count {
            self.defect(Defect::BadCount);
            row.count = 1;
        }
        if self.report.rows.len() < ROWS_MAX {
            self.report.rows.push(row);
        } else {
            self.defect(Defect::TooMany);
        }
    }

    fn finish(mut self) -> Result<Report, ParseError> {
        self.end_row();
        if self.report.metadata.report_id.is_empty() {
            self.defect(Defect::NoReportId);
        }
        if !self.has_period {
            self.defect(Defect::NoPeriod);
        }
        if self.report.policy.domain.is_empty() {
            // The rows may still tell: with one author domain it is that one.
            let mut rows = self.report.rows.iter();
            let first = rows.next().map(|row| row.header_from.clone());
            match first
                .filter(|first| !first.is_empty() && rows.all(|row| row.header_from == *first))
            {
                Some(domain) => self.report.policy.domain = domain,
                None => return Err(ParseError::NoDomain),
            }
        }
        if self.report.rows.is_empty() {
            return Err(ParseError::NoRows);
        }
        Ok(self.report)
    }
}

/// In its charset as the byte order mark or the XML declaration names it; false if it does not fit.
fn decoded(document: &[u8]) -> (Cow<'_, str>, bool) {
    let utf8 = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    if let Ok(text) = std::str::from_utf8(utf8) {
        return (Cow::Borrowed(text), true);
    }
    let label = match document {
        [0xff, 0xfe, ..] => Some("utf-16le".to_owned()),
        [0xfe, 0xff, ..] => Some("utf-16be".to_owned()),
        _ => named_charset(document),
    };
    let fits = label
        .as_deref()
        .is_some_and(|label| !label.eq_ignore_ascii_case("utf-8"));
    (mail::charset::decode(document, label.as_deref()), fits)
}

fn named_charset(document: &[u8]) -> Option<String> {
    let head = document.get(..document.len().min(200)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let (_, after) = head.strip_prefix("<?xml")?.split_once("encoding=")?;
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = after.get(1..)?.split(quote).next()?;
    Some(name.to_owned())
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The first word: what is behind it is no part of a name.
fn domain(text: &str) -> String {
    let mut words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let word = words.find(|word| !word.is_empty()).unwrap_or_default();
    let name = crate::report::tidy(word, mail::limits::DOMAIN_BYTES_MAX).to_ascii_lowercase();
    name.trim_end_matches('.').to_owned()
}

/// Some reporters write `1337270400.0`.
fn number(text: &str) -> Option<i64> {
    let whole = text.split('.').next().unwrap_or_default();
    whole.parse().ok()
}

fn source(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let ip: IpAddr = bare.parse().ok()?;
    Some(ip.to_canonical())
}

fn disposition(text: &str) -> Option<Disposition> {
    Some(match text.to_ascii_lowercase().as_str() {
        "none" | "" => Disposition::None,
        "pass" => Disposition::Pass,
        "quarantine" => Disposition::Quarantine,
        "reject" => Disposition::Reject,
        _ => return None,
    })
}

/// Words of old implementations become those of RFC 8601.
fn result(text: &str) -> String {
    let word = text.to_ascii_lowercase();
    match word.as_str() {
        "unknown" => "temperror".to_owned(),
        "error" => "permerror".to_owned(),
        "hardfail" => "fail".to_owned(),
        _ => word,
    }
}
