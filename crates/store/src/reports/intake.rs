//! Messages to the addresses that each local domain has for reports: taken in by the transaction that
//! accepts them, read later by a job.

use mail::{Address, TraceId, UnixMillis};

use super::ReportKind;
use crate::blobs::Kept;
use crate::engine::Param;
use crate::limits::{
    REPORT_INTAKE_BYTES_MAX, REPORT_INTAKE_SMALL_BYTES, REPORT_INTAKE_WAITING_BYTES_MAX,
    REPORT_INTAKE_WAITING_MAX,
};
use crate::{Accepted, Change, StoreError, View};

/// A message that came to a report address.
#[derive(Clone, Debug)]
pub struct NewIntake {
    pub trace: TraceId,
    pub kept: Kept,
    /// Which of our addresses it came to.
    pub recipient: Address,
    /// The domain of its From field if the message passed DMARC (for it or for its organisation),
    /// or else the domain of a valid DKIM signature or SPF pass that vouches for the From field.
    /// Nothing when nobody vouches: such reports are kept apart and believed by nobody.
    pub submitter: Option<String>,
    pub received: UnixMillis,
}

#[derive(Debug, thiserror::Error)]
pub enum TakeReportError {
    /// For the sender: try again later.
    #[error("too many reports wait to be read")]
    TooManyWaiting,
    /// For the sender: never.
    #[error("the report is larger than we read")]
    TooLarge,
    #[error("{0} is no address for reports")]
    NoReportAddress(Address),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl View<'_> {
    /// Which reports this address takes, if it is a report address of a local domain. Such an address
    /// is always deliverable, whether an account or alias of that name exists or not.
    pub fn report_address(&self, address: &Address) -> Result<Option<ReportKind>, StoreError> {
        let local = address.local();
        let kind = [ReportKind::Dmarc, ReportKind::Tls]
            .into_iter()
            .find(|kind| local.eq_ignore_ascii_case(kind.local_part()));
        match kind {
            Some(kind) if self.is_local(address.domain())? => Ok(Some(kind)),
            _ => Ok(None),
        }
    }

    /// As [`View::report_address`], for those who only want to know whether.
    pub fn is_report_address(&self, address: &Address) -> Result<bool, StoreError> {
        Ok(self.report_address(address)?.is_some())
    }
}

impl Change<'_> {
    /// Takes a report in, to be read later. Accounts and aliases of the same name get their copy by
    /// [`Change::deliver`]; join both with [`Accepted::and`].
    pub fn take_report(&mut self, intake: &NewIntake) -> Result<Accepted, TakeReportError> {
        let Some(kind) = self.report_address(&intake.recipient)? else {
            return Err(TakeReportError::NoReportAddress(intake.recipient.clone()));
        };
        if REPORT_INTAKE_BYTES_MAX < intake.kept.size {
            return Err(TakeReportError::TooLarge);
        }
        let max = [Param::Int(REPORT_INTAKE_WAITING_MAX)];
        let waiting = self.sql.one(WAITING, &max, |row| row.int(0))?;
        // Small ones are bounded by their number.
        let bytes = match intake.kept.size < REPORT_INTAKE_SMALL_BYTES {
            true => 0,
            false => self.sql.one(WAITING_BYTES, &max, |row| row.int(0))?,
        };
        if REPORT_INTAKE_WAITING_MAX <= waiting || REPORT_INTAKE_WAITING_BYTES_MAX <= bytes {
            return Err(TakeReportError::TooManyWaiting);
        }
        let blob = self.hold_body(&intake.kept, 1)?;
        let trace = intake.trace.to_string();
        let params = [
            Param::Text(intake.recipient.domain().as_str()),
            Param::Int(kind.code()),
            Param::Text(&trace),
            Param::Int(blob.0),
            Param::OptText(intake.submitter.as_deref()),
            Param::Int(intake.received.0),
        ];
        self.sql.execute(TAKE, &params)?;
        Ok(Accepted {
            trace: intake.trace,
            delivered: Vec::new(),
            over_quota: Vec::new(),
            queued: Vec::new(),
        })
    }
}

const WAITING: &str =
    "SELECT COUNT(*) FROM (SELECT id FROM report_intake WHERE state = 0 LIMIT ?1) AS waiting";

const WAITING_BYTES: &str = "SELECT CAST(COALESCE(SUM(b.length), 0) AS BIGINT) FROM \
     (SELECT blob_id FROM report_intake WHERE state = 0 LIMIT ?1) AS waiting JOIN blob b ON b.id = waiting.blob_id";

const TAKE: &str = "INSERT INTO report_intake (domain, kind, trace, blob_id, submitter, received, state, attempts, note) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, '')";
