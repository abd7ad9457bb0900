//! Noting what reports to others will say. It runs within the transaction of a delivery, so the usual
//! case, which was seen before on the same day, is one statement by key.

use std::net::IpAddr;

use mail::UnixMillis;
use serde::{Deserialize, Serialize};

use super::{OPEN, ReportKind, day_of};
use crate::engine::Param;
use crate::limits::{REPORT_DOMAINS_PER_DAY_MAX, REPORT_ENTRIES_PER_DAY_MAX};
use crate::{Change, StoreError};

/// One message as DMARC saw it. All domains in lower-case A-label form; results as the words of
/// RFC 8601 (`pass`, `softfail`, …).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DmarcEvidence {
    pub at: UnixMillis,
    /// Whose record was used.
    pub policy_domain: String,
    pub policy: PublishedPolicy,
    pub entry: DmarcEntry,
}

/// What is the same for many messages of a day: one row of the report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DmarcEntry {
    pub source: IpAddr,
    /// The domain of the From field.
    pub header_from: String,
    /// The domain of the reverse-path; nothing for the null one.
    pub envelope_from: Option<String>,
    /// What was done with it.
    pub disposition: Disposition,
    /// Passed and aligned.
    pub dkim_aligned: bool,
    pub spf_aligned: bool,
    /// Why something else was done than the policy wishes.
    pub overrides: Vec<Override>,
    /// The signatures, in their order.
    pub dkim: Vec<DkimSeen>,
    pub spf: Option<SpfSeen>,
}

/// RFC 9990 §3.1.1.9 `ActionDispositionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// No preference was applied.
    None,
    /// DMARC passed.
    Pass,
    Quarantine,
    Reject,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DkimSeen {
    pub domain: String,
    pub selector: String,
    pub result: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpfSeen {
    pub domain: String,
    pub scope: SpfScope,
    pub result: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpfScope {
    Helo,
    Mfrom,
}

/// `kind` is one of `local_policy`, `mailing_list`, `other`, `policy_test_mode`, `trusted_forwarder`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Override {
    pub kind: String,
    pub comment: Option<String>,
}

/// The record as it was read. Words as they stand in it (`r`, `s`, `none`, `quarantine`, `reject`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPolicy {
    pub p: String,
    pub sp: Option<String>,
    pub np: Option<String>,
    pub adkim: Option<String>,
    pub aspf: Option<String>,
    pub fo: Option<String>,
    /// `t=y`.
    pub testing: bool,
    /// The addresses of `rua`, as URIs: `mailto:dmarc@example.org`.
    pub rua: Vec<String>,
}

/// One session, or an attempt at one, with a host of a destination. Note each of them: whether the
/// domain wants to hear of it is asked only when the report is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsEvidence {
    pub at: UnixMillis,
    /// The recipient's domain.
    pub domain: String,
    pub policy: TlsPolicySeen,
    /// Nothing for a session that kept to the policy.
    pub failure: Option<TlsFailure>,
}

/// RFC 8460 §4.4.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TlsPolicySeen {
    pub kind: TlsPolicyKind,
    /// The lines of the MTA-STS policy, or the TLSA records in presentation form.
    pub text: Vec<String>,
    /// The `mx` patterns of an MTA-STS policy.
    pub mx: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsPolicyKind {
    #[serde(rename = "tlsa")]
    Tlsa,
    #[serde(rename = "sts")]
    Sts,
    #[serde(rename = "no-policy-found")]
    NoPolicyFound,
}

/// RFC 8460 §4.3, §4.4.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TlsFailure {
    /// As RFC 8460 names it: `starttls-not-supported`, `certificate-host-mismatch`, …
    pub result_type: String,
    pub sending_mta_ip: Option<IpAddr>,
    pub receiving_mx_hostname: Option<String>,
    pub receiving_mx_helo: Option<String>,
    pub receiving_ip: Option<IpAddr>,
    pub failure_reason_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TlsEntry {
    pub policy: TlsPolicySeen,
    pub failure: Option<TlsFailure>,
}

/// What goes into `report_entry`.
struct Sight<'a> {
    report: ReportKind,
    domain: &'a str,
    day: i64,
    entry: &'a str,
    /// Belongs to the day, not to the row: the newest counts.
    about: &'a str,
}

impl Change<'_> {
    /// Counts a message for the report to its policy domain. Call it only for domains that ask for
    /// aggregate reports (`rua`), and for no message that is a report itself.
    pub fn note_dmarc(&mut self, evidence: &DmarcEvidence) -> Result<(), StoreError> {
        let entry = json(&evidence.entry)?;
        let about = json(&evidence.policy)?;
        self.note(&Sight {
            report: ReportKind::Dmarc,
            domain: &evidence.policy_domain,
            day: day_of(evidence.at),
            entry: &entry,
            about: &about,
        })
    }

    /// Counts a session for the TLS report to the recipient's domain.
    pub fn note_tls(&mut self, evidence: &TlsEvidence) -> Result<(), StoreError> {
        let entry = json(&TlsEntry {
            policy: evidence.policy.clone(),
            failure: evidence.failure.clone(),
        })?;
        self.note(&Sight {
            report: ReportKind::Tls,
            domain: &evidence.domain,
            day: day_of(evidence.at),
            entry: &entry,
            about: "",
        })
    }

    fn note(&mut self, sight: &Sight<'_>) -> Result<(), StoreError> {
        // The published policy is part of the key: when it changes during the day a new row says so.
        let mut hasher = blake3::Hasher::new();
        hasher.update(sight.entry.as_bytes());
        hasher.update(&[0]);
        hasher.update(sight.about.as_bytes());
        let hash = hasher.finalize();
        let hash = &hash.as_bytes()[..16];
        let key = [
            Param::Int(sight.report.code()),
            Param::Text(sight.domain),
            Param::Int(sight.day),
            Param::Blob(hash),
        ];
        if self.sql.execute(SEEN_AGAIN, &key)? != 0 {
            return Ok(());
        }
        if self.take_entry(sight)? {
            let [report, domain, day, hash] = key;
            self.sql
                .execute(SEEN, &[report, domain, day, hash, Param::Text(sight.entry)])?;
        }
        Ok(())
    }

    /// Counts a new entry of a day; false when there is no room for it and it is only counted.
    fn take_entry(&mut self, sight: &Sight<'_>) -> Result<bool, StoreError> {
        let report = Param::Int(sight.report.code());
        let (domain, day) = (Param::Text(sight.domain), Param::Int(sight.day));
        let max = Param::Int(REPORT_ENTRIES_PER_DAY_MAX);
        let known = self.sql.first(
            ONE_MORE,
            &[report, domain, day, Param::Text(sight.about), max],
            |row| row.int(0),
        )?;
        if let Some(entries) = known {
            return Ok(entries <= REPORT_ENTRIES_PER_DAY_MAX);
        }
        let domains = self
            .sql
            .one(ONE_MORE_DOMAIN, &[report, day], |row| row.int(0))?;
        if REPORT_DOMAINS_PER_DAY_MAX < domains {
            return Ok(false);
        }
        let params = [
            report,
            domain,
            day,
            Param::Text(sight.about),
            Param::Int(OPEN),
        ];
        self.sql.execute(NEW_DAY, &params)?;
        Ok(true)
    }
}

const SEEN_AGAIN: &str = "UPDATE report_entry SET times = times + 1 \
     WHERE kind = ?1 AND domain = ?2 AND day = ?3 AND hash = ?4";

const SEEN: &str = "INSERT INTO report_entry (kind, domain, day, hash, times, entry) VALUES (?1, ?2, ?3, ?4, 1, ?5) \
     ON CONFLICT (kind, domain, day, hash) DO UPDATE SET times = report_entry.times + 1";

/// At the bound `entries` stays one above it, and what was left out is counted.
const ONE_MORE: &str = "UPDATE report_day SET entries = CASE WHEN entries <= ?5 THEN entries + 1 ELSE entries END, \
     left_out = CASE WHEN entries < ?5 THEN left_out ELSE left_out + 1 END, about = ?4 \
     WHERE kind = ?1 AND domain = ?2 AND day = ?3 RETURNING entries";

/// `due` stays far away: the counting row is no report. State 9 is looked at by nobody.
const ONE_MORE_DOMAIN: &str = "INSERT INTO report_day (kind, domain, day, entries, left_out, about, state, due, attempts, token, note) \
     VALUES (?1, '', ?2, 1, 0, '', 9, 0, 0, '', '') \
     ON CONFLICT (kind, domain, day) DO UPDATE SET entries = report_day.entries + 1 RETURNING entries";

/// `due` is set by whoever plans the sending.
const NEW_DAY: &str = "INSERT INTO report_day (kind, domain, day, entries, left_out, about, state, due, attempts, token, note) \
     VALUES (?1, ?2, ?3, 1, 0, ?4, ?5, 0, 0, '', '') \
     ON CONFLICT (kind, domain, day) DO UPDATE SET entries = report_day.entries + 1";

pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Failed(format!("evidence as JSON: {e}")))
}
