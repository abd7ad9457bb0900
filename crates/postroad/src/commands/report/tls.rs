//! `postroad report tls`: who could not reach a domain's mail hosts as securely as its policy wants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use store::reports::{ReportKind, TlsEntry, TlsPolicyKind};

use super::{Arrived, Asked, Context, percent, tell_findings};
use crate::output::{Answer, Failure};

pub(super) fn answer(context: &Context, asked: &Asked) -> Result<Answer, Failure> {
    let arrived = Arrived::of(context, ReportKind::Tls, asked)?;
    let (domain, since) = (asked.domain.to_string(), asked.since);
    let lines = context
        .store
        .read_blocking(move |view| view.tls_lines(&domain, since))?;
    let sums = sum(&lines);
    let mend = mend(asked.domain.as_str(), &sums);
    let value = json!({
        "domain": asked.domain.to_string(),
        "days": asked.days,
        "sessions": { "good": sums.good, "failed": sums.failed },
        "policies": sums.policies.iter().map(|(kind, (good, failed))| json!({
            "policy": kind, "good": good, "failed": failed,
        })).collect::<Vec<_>>(),
        "failures": sums.failures.iter().map(Failed::value).collect::<Vec<_>>(),
        "mend": mend,
        "arrived": arrived.value(),
    });
    Ok(view(Answer::new(value), asked, &sums, &mend, &arrived))
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    good: u64,
    failed: u64,
    policies: BTreeMap<&'static str, (u64, u64)>,
    /// Most sessions first.
    failures: Vec<Failed>,
}

/// Sessions that failed for one reason at one host.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed {
    result: String,
    host: String,
    policy: &'static str,
    sessions: u64,
    reasons: BTreeSet<String>,
    senders: BTreeSet<String>,
}

pub(super) fn sum(lines: &[(TlsEntry, u64)]) -> Sums {
    let mut sums = Sums::default();
    let mut failures: BTreeMap<(String, String, &'static str), Failed> = BTreeMap::new();
    for (entry, sessions) in lines {
        let policy = policy_name(entry.policy.kind);
        let counts = sums.policies.entry(policy).or_default();
        let Some(failure) = &entry.failure else {
            counts.0 += sessions;
            sums.good += sessions;
            continue;
        };
        counts.1 += sessions;
        sums.failed += sessions;
        let host = failure.receiving_mx_hostname.clone().unwrap_or_default();
        let key = (failure.result_type.clone(), host.clone(), policy);
        let failed = failures.entry(key).or_insert_with(|| Failed {
            result: failure.result_type.clone(),
            host,
            policy,
            sessions: 0,
            reasons: BTreeSet::new(),
            senders: BTreeSet::new(),
        });
        failed.sessions += sessions;
        if failed.reasons.len() < 5 {
            failed.reasons.extend(failure.failure_reason_code.clone());
        }
        if failed.senders.len() < 20 {
            failed
                .senders
                .extend(failure.sending_mta_ip.map(|ip| ip.to_string()));
        }
    }
    sums.failures = failures.into_values().collect();
    sums.failures
        .sort_by_key(|failed| std::cmp::Reverse(failed.sessions));
    sums
}

fn policy_name(kind: TlsPolicyKind) -> &'static str {
    match kind {
        TlsPolicyKind::Tlsa => "DANE",
        TlsPolicyKind::Sts => "MTA-STS",
        TlsPolicyKind::NoPolicyFound => "none",
    }
}

impl Failed {
    fn value(&self) -> Value {
        json!({
            "result": self.result,
            "host": self.host,
            "policy": self.policy,
            "sessions": self.sessions,
            "reasons": self.reasons,
            "sending_addresses": self.senders,
        })
    }
}

/// One sentence for each kind of failure. RFC 8460 §4.3
pub(super) fn mend(domain: &str, sums: &Sums) -> Vec<String> {
    let sentences = sums.failures.iter().map(|failed| {
        let host = if failed.host.is_empty() {
            "a mail host"
        } else {
            &failed.host
        };
        let what = remedy(&failed.result, host, domain);
        let reasons: Vec<_> = failed.reasons.iter().map(String::as_str).collect();
        let said = if reasons.is_empty() {
            String::new()
        } else {
            format!(" They say: {}.", reasons.join("; "))
        };
        format!(
            "{} sessions, {}: {what}{said}",
            failed.sessions, failed.result
        )
    });
    sentences.collect()
}

fn remedy(result: &str, host: &str, domain: &str) -> String {
    match result {
        "starttls-not-supported" => format!(
            "{host} did not offer STARTTLS to them. Postroad always offers it once it has a certificate, so look whether \
             {host} is this server, and whether a firewall or provider in between strips it."
        ),
        "certificate-host-mismatch" => format!(
            "the certificate of {host} is for another name. The MX record, the certificate and an MTA-STS policy must \
             agree on {host}."
        ),
        "certificate-expired" => {
            format!(
                "the certificate of {host} had expired. Renew it; it is served without a restart."
            )
        }
        "certificate-not-trusted" => format!(
            "they do not trust the certificate of {host}. It needs one of a public authority, with all intermediate \
             certificates in the file."
        ),
        "validation-failure" => format!(
            "they could not validate {host}, for a reason that the standard has no name for."
        ),
        "tlsa-invalid" => format!(
            "the TLSA records of {host} do not match its certificate. Publish those of `postroad dns show {domain}`, or \
             remove them; after a new key both must stand there for a time."
        ),
        "dnssec-invalid" => format!(
            "the DNSSEC signatures around {host} are broken. Most often the DS record at the registrar does not fit the \
             zone's keys; until that is mended, mail of DANE senders waits."
        ),
        "dane-required" => {
            format!("they require DANE for {host}, and it has no usable TLSA records.")
        }
        "sts-policy-fetch-error" => format!(
            "they could not fetch the MTA-STS policy. https://mta-sts.{domain}/.well-known/mta-sts.txt must answer 200 with \
             a valid certificate for mta-sts.{domain}."
        ),
        "sts-policy-invalid" => {
            format!("they cannot read the MTA-STS policy of {domain}. Is it served by Postroad?")
        }
        "sts-webpki-invalid" => format!(
            "the web server of mta-sts.{domain} has no valid certificate for that name. Get one for it too."
        ),
        _ => format!("sessions with {host} failed."),
    }
}

fn view(
    mut answer: Answer,
    asked: &Asked,
    sums: &Sums,
    mend: &[String],
    arrived: &Arrived,
) -> Answer {
    let all = sums.good + sums.failed;
    let domain = &asked.domain;
    if all == 0 {
        answer = answer.line(format!(
            "No TLS reports about {domain} in {} days.",
            asked.days
        ));
        if arrived.unreadable.is_empty() && arrived.waiting.is_empty() {
            answer = answer.remark(format!(
                "Some receivers send them daily if _smtp._tls.{domain} asks for them: see `postroad dns show {domain}`."
            ));
        }
        return arrived.tell(answer);
    }
    answer = answer.line(format!(
        "{all} sessions with the mail hosts of {domain} in {} days: {} were as secure as asked for, {} failed.",
        asked.days,
        percent(sums.good, all),
        sums.failed
    ));
    let rows = sums.policies.iter().map(|(kind, (good, failed))| {
        vec![(*kind).to_owned(), good.to_string(), failed.to_string()]
    });
    answer = answer.table(&["policy", "good", "failed"], rows.collect());
    if !sums.failures.is_empty() {
        let rows = sums.failures.iter().map(|failed| {
            let senders: Vec<_> = failed.senders.iter().take(3).cloned().collect();
            vec![
                failed.result.clone(),
                failed.host.clone(),
                failed.policy.to_owned(),
                failed.sessions.to_string(),
                senders.join(", "),
            ]
        });
        answer = answer.table(
            &["failure", "host", "policy", "sessions", "seen from"],
            rows.collect(),
        );
    }
    arrived.tell(tell_findings(answer, mend))
}
