//! From what was seen in a day to the reports about it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use mailauth::report::{aggregate, tls};
use store::reports::{
    Disposition, DmarcEntry, PublishedPolicy, ReportDay, SpfScope, TlsEntry, TlsPolicyKind,
    TlsPolicySeen,
};

use super::limits::ROWS_PER_REPORT;

/// Who reports.
pub(super) struct Reporter<'a> {
    pub(super) host: &'a str,
    pub(super) contact: &'a str,
}

const DAY_SECS: i64 = 86_400;

/// The reports of a day: one, or several when there is too much for one.
pub(super) fn dmarc(
    reporter: &Reporter<'_>,
    day: &ReportDay,
    seen: &[(DmarcEntry, u64)],
) -> Vec<aggregate::Report> {
    let policy = day.policy.clone().unwrap_or_default();
    let enforces = policy.p != "none" || policy.sp.as_deref().is_some_and(|sp| sp != "none");
    let mut rows: BTreeMap<&DmarcEntry, u64> = BTreeMap::new();
    for (entry, times) in seen {
        *rows.entry(entry).or_default() += times;
    }
    let rows: Vec<aggregate::Row> = rows
        .into_iter()
        .map(|(entry, times)| row(entry, times, enforces))
        .collect();
    let mut errors = Vec::new();
    if day.left_out != 0 {
        errors.push(format!(
            "{} messages of further kinds are not shown",
            day.left_out
        ));
    }
    let pieces = rows.chunks(ROWS_PER_REPORT).enumerate();
    pieces
        .map(|(at, rows)| aggregate::Report {
            metadata: aggregate::Metadata {
                org_name: reporter.host.to_owned(),
                email: reporter.contact.to_owned(),
                extra_contact_info: None,
                report_id: report_id(reporter, day, at),
                begin: day.day * DAY_SECS,
                end: day.day * DAY_SECS + DAY_SECS - 1,
                errors: errors.clone(),
                // Neither needed nor known to readers of the older form.
                generator: None,
            },
            policy: published(&day.domain, &policy),
            rows: rows.to_vec(),
            defects: BTreeSet::new(),
        })
        .collect()
}

/// RFC 9990 §3.5.1. The same for a report that is sent again.
pub(super) fn report_id(reporter: &Reporter<'_>, day: &ReportDay, piece: usize) -> String {
    let (year, month, date) = mail::date::civil(mail::UnixMillis::from_secs(day.day * DAY_SECS));
    let piece = match piece {
        0 => String::new(),
        piece => format!(".{}", piece + 1),
    };
    let Reporter { host, .. } = reporter;
    format!("{year:04}{month:02}{date:02}.{}{piece}@{host}", day.token)
}

fn published(domain: &str, policy: &PublishedPolicy) -> aggregate::PolicyPublished {
    aggregate::PolicyPublished {
        domain: domain.to_owned(),
        discovery_method: Some("treewalk".to_owned()),
        p: Some(policy.p.clone()),
        sp: policy.sp.clone(),
        np: policy.np.clone(),
        adkim: policy.adkim.clone(),
        aspf: policy.aspf.clone(),
        fo: policy.fo.clone(),
        testing: policy.testing,
        pct: None,
    }
}

fn row(entry: &DmarcEntry, times: u64, enforces: bool) -> aggregate::Row {
    aggregate::Row {
        source: Some(entry.source),
        count: times,
        disposition: match entry.disposition {
            // "pass" is for a message that passed a policy which would have done something.
            // RFC 9990 Appendix A, ActionDispositionType
            Disposition::Pass if enforces => aggregate::Disposition::Pass,
            Disposition::Pass | Disposition::None => aggregate::Disposition::None,
            Disposition::Quarantine => aggregate::Disposition::Quarantine,
            Disposition::Reject => aggregate::Disposition::Reject,
        },
        dkim_aligned: entry.dkim_aligned,
        spf_aligned: entry.spf_aligned,
        reasons: entry
            .overrides
            .iter()
            .map(|reason| aggregate::Reason {
                kind: reason.kind.clone(),
                comment: reason.comment.clone(),
            })
            .collect(),
        header_from: entry.header_from.clone(),
        envelope_from: entry.envelope_from.clone(),
        envelope_to: None,
        dkim: entry
            .dkim
            .iter()
            .map(|seen| aggregate::DkimResult {
                domain: seen.domain.clone(),
                selector: Some(seen.selector.clone()),
                result: seen.result.clone(),
                human_result: None,
            })
            .collect(),
        // The older schema wants one always.
        spf: vec![match &entry.spf {
            Some(seen) => aggregate::SpfResult {
                domain: seen.domain.clone(),
                scope: Some(scope(seen.scope).to_owned()),
                result: seen.result.clone(),
                human_result: None,
            },
            None => aggregate::SpfResult {
                domain: entry.envelope_from.clone().unwrap_or_default(),
                scope: Some("mfrom".to_owned()),
                result: "none".to_owned(),
                human_result: None,
            },
        }],
    }
}

fn scope(scope: SpfScope) -> &'static str {
    match scope {
        SpfScope::Helo => "helo",
        SpfScope::Mfrom => "mfrom",
    }
}

/// The TLS report of a day. RFC 8460 §4.4
pub(super) fn tls(
    reporter: &Reporter<'_>,
    day: &ReportDay,
    seen: &[(TlsEntry, u64)],
) -> tls::Report {
    let mut policies: BTreeMap<&TlsPolicySeen, tls::Policy> = BTreeMap::new();
    for (entry, times) in seen {
        let policy = policies
            .entry(&entry.policy)
            .or_insert_with(|| tls::Policy {
                kind: kind(entry.policy.kind).to_owned(),
                text: entry.policy.text.clone(),
                domain: day.domain.clone(),
                mx: entry.policy.mx.clone(),
                ..tls::Policy::default()
            });
        let Some(failure) = &entry.failure else {
            policy.successes += times;
            continue;
        };
        policy.failures += times;
        policy.details.push(tls::Failure {
            result_type: failure.result_type.clone(),
            sending_mta_ip: failure.sending_mta_ip,
            receiving_mx_hostname: failure.receiving_mx_hostname.clone(),
            receiving_mx_helo: failure.receiving_mx_helo.clone(),
            receiving_ip: failure.receiving_ip,
            sessions: *times,
            additional_information: None,
            failure_reason_code: failure.failure_reason_code.clone(),
        });
    }
    tls::Report {
        organization: reporter.host.to_owned(),
        contact: Some(reporter.contact.to_owned()),
        report_id: report_id(reporter, day, 0),
        begin: day.day * DAY_SECS,
        end: day.day * DAY_SECS + DAY_SECS - 1,
        policies: policies.into_values().collect(),
    }
}

fn kind(kind: TlsPolicyKind) -> &'static str {
    match kind {
        TlsPolicyKind::Sts => "sts",
        TlsPolicyKind::Tlsa => "tlsa",
        TlsPolicyKind::NoPolicyFound => "no-policy-found",
    }
}
