//! Reports: what we saw of other domains and owe them, what others saw of ours, and which messages are
//! reports at all. Their forms are the business of `mailauth::report`, their times that of `jobs`.

mod evidence;
mod intake;
mod outgoing;
mod received;

pub use evidence::{
    Disposition, DkimSeen, DmarcEntry, DmarcEvidence, Override, PublishedPolicy, SpfScope, SpfSeen,
    TlsEntry, TlsEvidence, TlsFailure, TlsPolicyKind, TlsPolicySeen,
};
pub use intake::{NewIntake, TakeReportError};
pub use outgoing::{ReportDay, ReportDayEnd, SentReport};
pub use received::{
    FailureEntry, Filed, Intake, NewReport, ReportAbout, ReportLines, ReportSource, SourceOwner,
    StoredReport, Unreadable,
};

use mail::UnixMillis;

use crate::StoreError;
use crate::engine::SqlResult;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportKind {
    /// DMARC aggregate reports, RFC 9990, and failure reports, RFC 9991, which go to the same address.
    Dmarc,
    /// RFC 8460.
    Tls,
    /// One message that failed DMARC, RFC 9991, or a complaint, RFC 5965.
    Failure,
}

impl ReportKind {
    /// The local part of the address that each local domain has for reports of this kind. Failure
    /// reports come to the address of the aggregate ones.
    #[must_use]
    pub fn local_part(self) -> &'static str {
        match self {
            Self::Dmarc | Self::Failure => "dmarc-reports",
            Self::Tls => "tls-reports",
        }
    }

    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Dmarc => 1,
            Self::Tls => 2,
            Self::Failure => 3,
        }
    }

    pub(crate) fn of_code(code: i64) -> SqlResult<Self> {
        match code {
            1 => Ok(Self::Dmarc),
            2 => Ok(Self::Tls),
            3 => Ok(Self::Failure),
            _ => Err(StoreError::Damaged(format!("a report of the kind {code}"))),
        }
    }
}

/// Days since 1970-01-01, UTC: the period of all reports.
#[must_use]
pub fn day_of(at: UnixMillis) -> i64 {
    at.0.div_euclid(DAY_MILLIS)
}

pub(crate) const DAY_MILLIS: i64 = 86_400_000;

/// A day of a report is open while it lasts and until its report is sent or given up.
pub(crate) const OPEN: i64 = 0;
