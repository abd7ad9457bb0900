//! DMARC aggregate reports: RFC 9990, and the forms of RFC 7489 and before it that the world still sends.

mod parse;
mod write;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

pub use parse::{ParseError, parse};

/// What one receiver saw of one domain in one period. Texts are as the reporter wrote them, trimmed;
/// domains and results in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub metadata: Metadata,
    pub policy: PolicyPublished,
    pub rows: Vec<Row>,
    /// What was odd about it.
    pub defects: BTreeSet<Defect>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    pub org_name: String,
    pub email: String,
    pub extra_contact_info: Option<String>,
    pub report_id: String,
    /// Seconds since 1970-01-01.
    pub begin: i64,
    pub end: i64,
    pub errors: Vec<String>,
    pub generator: Option<String>,
}

/// RFC 9990 §3.1.1.5. The words of the DNS record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyPublished {
    pub domain: String,
    pub discovery_method: Option<String>,
    pub p: Option<String>,
    pub sp: Option<String>,
    pub np: Option<String>,
    pub adkim: Option<String>,
    pub aspf: Option<String>,
    pub fo: Option<String>,
    /// `t=y`.
    pub testing: bool,
    /// Only in the old form.
    pub pct: Option<String>,
}

/// Messages that have source, identifiers and results in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Nothing if it cannot be read.
    pub source: Option<IpAddr>,
    pub count: u64,
    pub disposition: Disposition,
    /// DKIM passed and was aligned.
    pub dkim_aligned: bool,
    pub spf_aligned: bool,
    pub reasons: Vec<Reason>,
    pub header_from: String,
    pub envelope_from: Option<String>,
    pub envelope_to: Option<String>,
    pub dkim: Vec<DkimResult>,
    pub spf: Vec<SpfResult>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// Nothing was done.
    #[default]
    None,
    /// Nothing had to be done, as DMARC passed.
    Pass,
    Quarantine,
    Reject,
}

/// Why something else was done than the policy wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// `mailing_list`, `local_policy`, …; in old reports also `forwarded` and `sampled_out`.
    pub kind: String,
    pub comment: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DkimResult {
    pub domain: String,
    pub selector: Option<String>,
    /// A word of RFC 8601 §2.7.1, if the reporter kept to them.
    pub result: String,
    pub human_result: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpfResult {
    pub domain: String,
    /// `mfrom` or `helo`.
    pub scope: Option<String>,
    pub result: String,
    pub human_result: Option<String>,
}

/// What was odd about a report that could be read all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// It is no well-formed XML.
    NotWellFormed,
    /// It ends too early; what was there of it counts.
    EndsEarly,
    NoReportId,
    NoPeriod,
    /// A source is no IP address.
    BadSource,
    /// A count is missing or no number; such rows count as one message.
    BadCount,
    /// A disposition or result is no word of the standard.
    UnknownWord,
    /// There are more rows, signatures or reasons than are kept.
    TooMany,
    /// It is not in UTF-8 or in the charset that it names.
    BadCharset,
}

impl Report {
    /// Messages in all rows.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.rows
            .iter()
            .fold(0, |sum, row| sum.saturating_add(row.count))
    }
}

impl Row {
    /// DMARC's own verdict.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.dkim_aligned || self.spf_aligned
    }
}

impl Disposition {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotWellFormed => "it is not well-formed XML",
            Self::EndsEarly => "it ends too early",
            Self::NoReportId => "it has no report id",
            Self::NoPeriod => "it does not say which period it is about",
            Self::BadSource => "a source is no IP address",
            Self::BadCount => "a count is missing or no number",
            Self::UnknownWord => "a result is no word of the standard",
            Self::TooMany => "it has more rows or results than are kept",
            Self::BadCharset => "its characters are not those of its charset",
        })
    }
}
