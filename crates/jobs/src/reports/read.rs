//! What a message to a report address says: its reports in the store's form, what could not be read of it and
//! why, and whether it is a report of ours that came back. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use mail::{Message, UnixMillis};
use mailauth::report::{Attachment, Form, aggregate, failure, tls, unwrap};
use store::reports::{
    Disposition, DkimSeen, DmarcEntry, FailureEntry, Intake, NewReport, Override, PublishedPolicy,
    ReportAbout, ReportLines, SpfScope, SpfSeen, TlsEntry, TlsFailure, TlsPolicyKind,
    TlsPolicySeen,
};

/// What came of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) reports: Vec<NewReport>,
    /// What was not read, for the operator.
    pub(super) problems: Vec<String>,
    /// The id of a report of ours that could not be delivered, with the reason.
    pub(super) came_back: Option<(String, String)>,
}

/// How a message came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The local domain whose address it came to.
    pub(super) domain: String,
    pub(super) submitter: Option<String>,
    pub(super) received: UnixMillis,
    /// Names the message if it has no name of its own.
    pub(super) trace: String,
}

impl Arrival {
    pub(super) fn of(intake: &Intake) -> Self {
        Self {
            domain: intake.domain.clone(),
            submitter: intake.submitter.clone(),
            received: intake.received,
            trace: intake.trace.to_string(),
        }
    }
}

/// Reads a message. `local` are the domains of this server: what is about others is none of our business.
pub(super) fn read(message: &[u8], arrival: &Arrival, local: &[String]) -> Read {
    let mut read = Read::default();
    let found = unwrap(message);
    for refused in found.refused {
        let name = refused.name.unwrap_or_else(|| "a file".to_owned());
        read.problems.push(format!("{name}: {}", refused.why));
    }
    let facts = Facts { arrival, local };
    for attachment in &found.attachments {
        match facts.reports(attachment, message) {
            Ok(reports) => read.reports.extend(reports),
            Err(why) => {
                let name = attachment.name.as_deref().unwrap_or("its report");
                read.problems.push(format!("{name}: {why}"));
            }
        }
    }
    if read.reports.is_empty() && read.problems.is_empty() {
        match came_back(message) {
            Some(returned) => read.came_back = Some(returned),
            None => read.problems.push("there is no report in it".to_owned()),
        }
    }
    read
}

struct Facts<'a> {
    arrival: &'a Arrival,
    local: &'a [String],
}

impl Facts<'_> {
    fn reports(&self, attachment: &Attachment, message: &[u8]) -> Result<Vec<NewReport>, String> {
        let mut reports = match attachment.form {
            Form::Aggregate => {
                let report = aggregate::parse(&attachment.bytes).map_err(|why| why.to_string())?;
                vec![self.dmarc(&report)?]
            }
            Form::Tls => {
                let report = tls::parse(&attachment.bytes).map_err(|why| why.to_string())?;
                self.tls(&report)?
            }
            Form::Failure => {
                let report = failure::parse(&attachment.bytes).map_err(|why| why.to_string())?;
                vec![self.failure(&report, message)?]
            }
        };
        if attachment.damaged {
            for report in &mut reports {
                push_note(&mut report.note, "its packing is damaged");
            }
        }
        Ok(reports)
    }

    /// The local domain that something about this domain is for.
    fn owner(&self, domain: &str) -> Result<String, String> {
        let is_within = |local: &&String| {
            domain == local.as_str()
                || domain
                    .strip_suffix(local.as_str())
                    .is_some_and(|below| below.ends_with('.'))
        };
        let owners = self.local.iter().filter(is_within);
        owners
            .max_by_key(|local| local.len())
            .cloned()
            .ok_or_else(|| format!("it is about {domain}, which is no domain of this server"))
    }

    fn dmarc(&self, report: &aggregate::Report) -> Result<NewReport, String> {
        let domain = self.owner(&report.policy.domain)?;
        let metadata = &report.metadata;
        let mut note = String::new();
        for defect in &report.defects {
            push_note(&mut note, &defect.to_string());
        }
        let lines = report.rows.iter().map(|row| (dmarc_entry(row), row.count));
        let fallback = || {
            let (rows, messages) = (report.rows.len(), report.messages());
            format!("{}-{}-{rows}-{messages}", metadata.begin, metadata.end)
        };
        let policy = &report.policy;
        let said = Said {
            names: [&metadata.org_name, &metadata.email],
            id: some(&metadata.report_id).unwrap_or_else(fallback),
            period: (metadata.begin, metadata.end),
            about: ReportAbout {
                contact: some(&metadata.email),
                policy_domain: policy.domain.clone(),
                policy: Some(PublishedPolicy {
                    p: policy.p.clone().unwrap_or_else(|| "none".to_owned()),
                    sp: policy.sp.clone(),
                    np: policy.np.clone(),
                    adkim: policy.adkim.clone(),
                    aspf: policy.aspf.clone(),
                    fo: policy.fo.clone(),
                    testing: policy.testing,
                    rua: Vec::new(),
                }),
                errors: metadata.errors.clone(),
            },
            note,
        };
        Ok(self.report(domain, said, ReportLines::Dmarc(lines.collect())))
    }

    fn tls(&self, report: &tls::Report) -> Result<Vec<NewReport>, String> {
        // One report may tell of several domains.
        let mut by_domain: BTreeMap<String, Vec<(TlsEntry, u64)>> = BTreeMap::new();
        let mut stranger = None;
        for policy in &report.policies {
            let domain = if policy.domain.is_empty() {
                &self.arrival.domain
            } else {
                &policy.domain
            };
            match self.owner(domain) {
                Ok(owner) => by_domain
                    .entry(owner)
                    .or_default()
                    .extend(tls_entries(policy)),
                Err(why) => stranger = Some(why),
            }
        }
        if let (true, Some(why)) = (by_domain.is_empty(), &stranger) {
            return Err(why.clone());
        }
        let id =
            some(&report.report_id).unwrap_or_else(|| format!("{}-{}", report.begin, report.end));
        let reports = by_domain.into_iter().map(|(domain, lines)| {
            let contact = report.contact.as_deref().unwrap_or_default();
            let said = Said {
                names: [&report.organization, contact],
                id: id.clone(),
                period: (report.begin, report.end),
                about: ReportAbout {
                    contact: report.contact.clone(),
                    policy_domain: domain.clone(),
                    ..ReportAbout::default()
                },
                note: stranger.clone().unwrap_or_default(),
            };
            self.report(domain, said, ReportLines::Tls(lines))
        });
        Ok(reports.collect())
    }

    fn failure(&self, report: &failure::Report, message: &[u8]) -> Result<NewReport, String> {
        let about = report
            .domain()
            .unwrap_or_else(|| self.arrival.domain.clone());
        let domain = self.owner(&about)?;
        let outer = Message::parse(message);
        let id = outer
            .header_text("Message-ID")
            .unwrap_or_else(|| self.arrival.trace.clone());
        let original = |name: &str| {
            let value = mail::header::first(&report.original_header, name)?;
            some(&short(&mail::words::decode(value)))
        };
        let entry = FailureEntry {
            kind: report.kind.as_str().to_owned(),
            source: report.source,
            arrival: report.arrival,
            header_from: original("From"),
            mail_from: report.original_mail_from.as_deref().map(short),
            subject: original("Subject"),
            message_id: original("Message-ID"),
            auth_failure: report.auth_failure.clone(),
            alignment: report.identity_alignment.clone(),
            delivery_result: report.delivery_result.clone(),
            results: report
                .authentication_results
                .iter()
                .map(|text| short(text))
                .collect(),
        };
        let at = report.arrival.unwrap_or(self.arrival.received.secs());
        let agent = report.user_agent.clone().unwrap_or_default();
        let said = Said {
            names: [report.reporting_mta.as_deref().unwrap_or_default(), &agent],
            id,
            period: (at, at),
            about: ReportAbout {
                policy_domain: about,
                ..ReportAbout::default()
            },
            note: String::new(),
        };
        let lines = ReportLines::Failure(vec![(entry, report.incidents)]);
        Ok(self.report(domain, said, lines))
    }

    fn report(&self, domain: String, said: Said<'_>, lines: ReportLines) -> NewReport {
        let submitter = self.arrival.submitter.clone();
        let reporter = said
            .names
            .into_iter()
            .find_map(some)
            .or_else(|| submitter.clone())
            .unwrap_or_else(|| "nobody".to_owned());
        // A period that lies ahead would be kept for ever, and one of years would count in each month.
        let (begin, end) = said.period;
        let latest = self.arrival.received.plus(A_DAY).secs();
        let ends = if end == 0 { begin } else { end }.clamp(0, latest);
        NewReport {
            domain,
            submitter,
            reporter: short(&reporter),
            report_id: short(&said.id),
            begins: begin.clamp(0, ends),
            ends: if ends == 0 {
                self.arrival.received.secs()
            } else {
                ends
            },
            received: self.arrival.received,
            about: said.about,
            note: said.note,
            lines,
        }
    }
}

/// What a report says about itself.
struct Said<'s> {
    /// How the reporter calls itself, best first.
    names: [&'s str; 2],
    id: String,
    /// From, to: seconds since 1970-01-01, 0 if it does not say.
    period: (i64, i64),
    about: ReportAbout,
    note: String,
}

const A_DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

fn dmarc_entry(row: &aggregate::Row) -> DmarcEntry {
    DmarcEntry {
        source: row.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        header_from: row.header_from.clone(),
        envelope_from: row.envelope_from.clone(),
        disposition: match row.disposition {
            aggregate::Disposition::None => Disposition::None,
            aggregate::Disposition::Pass => Disposition::Pass,
            aggregate::Disposition::Quarantine => Disposition::Quarantine,
            aggregate::Disposition::Reject => Disposition::Reject,
        },
        dkim_aligned: row.dkim_aligned,
        spf_aligned: row.spf_aligned,
        overrides: row.reasons.iter().map(override_reason).collect(),
        dkim: row.dkim.iter().map(dkim_seen).collect(),
        spf: row.spf.first().map(spf_seen),
    }
}

fn override_reason(reason: &aggregate::Reason) -> Override {
    Override {
        kind: reason.kind.clone(),
        comment: reason.comment.as_deref().map(short),
    }
}

fn dkim_seen(result: &aggregate::DkimResult) -> DkimSeen {
    DkimSeen {
        domain: result.domain.clone(),
        selector: result.selector.clone().unwrap_or_default(),
        result: result.result.clone(),
    }
}

fn spf_seen(result: &aggregate::SpfResult) -> SpfSeen {
    SpfSeen {
        domain: result.domain.clone(),
        scope: match result.scope.as_deref() {
            Some("helo") => SpfScope::Helo,
            _ => SpfScope::Mfrom,
        },
        result: result.result.clone(),
    }
}

fn tls_entries(policy: &tls::Policy) -> Vec<(TlsEntry, u64)> {
    let seen = TlsPolicySeen {
        kind: match policy.kind.as_str() {
            "sts" => TlsPolicyKind::Sts,
            "tlsa" => TlsPolicyKind::Tlsa,
            _ => TlsPolicyKind::NoPolicyFound,
        },
        text: policy.text.clone(),
        mx: policy.mx.clone(),
    };
    let entry = |failure| TlsEntry {
        policy: seen.clone(),
        failure,
    };
    let mut entries = Vec::new();
    if policy.successes != 0 {
        entries.push((entry(None), policy.successes));
    }
    let mut told = 0_u64;
    for detail in &policy.details {
        told = told.saturating_add(detail.sessions);
        entries.push((entry(Some(tls_failure(detail))), detail.sessions));
    }
    // Failures that the reporter counts but does not describe.
    if let Some(rest @ 1..) = policy.failures.checked_sub(told) {
        let nothing = tls::Failure {
            result_type: "unspecified".to_owned(),
            ..tls::Failure::default()
        };
        entries.push((entry(Some(tls_failure(&nothing))), rest));
    }
    entries
}

fn tls_failure(detail: &tls::Failure) -> TlsFailure {
    let code = detail.failure_reason_code.as_deref();
    TlsFailure {
        result_type: detail.result_type.clone(),
        sending_mta_ip: detail.sending_mta_ip,
        receiving_mx_hostname: detail.receiving_mx_hostname.clone(),
        receiving_mx_helo: detail.receiving_mx_helo.clone(),
        receiving_ip: detail.receiving_ip,
        failure_reason_code: code.or(detail.additional_information.as_deref()).map(short),
    }
}

/// The Message-ID of a message of ours that could not be delivered, and what the other side said. RFC 3464
fn came_back(message: &[u8]) -> Option<(String, String)> {
    let message = Message::parse(message);
    let parts = message.structure().parts();
    let status = parts
        .iter()
        .find(|part| part.media_subtype.ends_with("delivery-status"))?;
    let status = message.content(status);
    // The recipients' fields come after an empty line, in blocks of their own.
    let text = String::from_utf8_lossy(&status);
    let value = |name: &str| {
        text.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    if !value("Action")?.eq_ignore_ascii_case("failed") {
        return None;
    }
    let original = parts.iter().find(|part| {
        part.is("message", "rfc822")
            || part.is("text", "rfc822-headers")
            || part.is("message", "rfc822-headers")
    })?;
    let header = message.content(original);
    let id = mail::header::first(&header, "Message-ID")?;
    let id = String::from_utf8_lossy(id);
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let why = value("Diagnostic-Code").or_else(|| value("Status"));
    Some((short(id), short(&why.unwrap_or_default())))
}

fn push_note(note: &mut String, text: &str) {
    if !note.is_empty() {
        note.push_str("; ");
    }
    note.push_str(text);
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Texts of others, for a row of a table.
fn short(text: &str) -> String {
    let text: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.get(..text.floor_char_boundary(300))
        .unwrap_or_default()
        .to_owned()
}

/// A report of ours about a domain of ours: it needs no mail.
pub(super) fn own(
    report: &aggregate::Report,
    arrival: &Arrival,
    local: &[String],
) -> Option<NewReport> {
    Facts { arrival, local }.dmarc(report).ok()
}

/// As [`own`], for a TLS report.
pub(super) fn own_tls(report: &tls::Report, arrival: &Arrival, local: &[String]) -> Vec<NewReport> {
    Facts { arrival, local }.tls(report).unwrap_or_default()
}
