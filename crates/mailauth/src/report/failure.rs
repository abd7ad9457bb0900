//! Reports about one message: that it failed authentication (RFC 6591, RFC 9991), or that somebody
//! complained about it (RFC 5965).

use std::net::IpAddr;

use mail::compose::push_field;
use mail::{Message, UnixMillis};

use super::limits::{FEW_MAX, ORIGINAL_HEADER_BYTES_MAX, TEXT_BYTES_MAX};
use super::tidy;

/// Why it was sent. RFC 5965 §7.3, RFC 6591 §3.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FeedbackType {
    Abuse,
    Fraud,
    Virus,
    NotSpam,
    AuthFailure,
    /// Another one, or none.
    #[default]
    Other,
}

/// What is said about the message. Texts as they were written, tidied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub kind: FeedbackType,
    pub user_agent: Option<String>,
    pub version: Option<String>,
    /// When the message arrived at the reporter, seconds since 1970-01-01.
    pub arrival: Option<i64>,
    pub source: Option<IpAddr>,
    pub incidents: u64,
    pub reporting_mta: Option<String>,
    pub original_mail_from: Option<String>,
    pub original_recipient: Option<String>,
    pub original_envelope_id: Option<String>,
    pub reported_domains: Vec<String>,
    pub reported_uris: Vec<String>,
    pub authentication_results: Vec<String>,
    /// `bodyhash`, `signature`, `spf`, `dmarc`, …
    pub auth_failure: Option<String>,
    /// RFC 9991 §4: `none`, `dkim`, `spf` or both.
    pub identity_alignment: Option<String>,
    /// What became of it: `delivered`, `spam`, `policy`, `reject`, `other`.
    pub delivery_result: Option<String>,
    pub dkim_domain: Option<String>,
    pub dkim_identity: Option<String>,
    pub dkim_selector: Option<String>,
    /// The header of the message, as far as the reporter shows it.
    pub original_header: Vec<u8>,
}

/// Why something is no failure report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("it has no part with a feedback report")]
    NoFeedbackReport,
}

/// Reads the report out of its message.
pub fn parse(message: &[u8]) -> Result<Report, ParseError> {
    let message = Message::parse(message);
    let parts = message.structure().parts();
    let is_feedback = |part: &&mail::Part| part.media_subtype.ends_with("feedback-report");
    let part = parts
        .iter()
        .find(is_feedback)
        .ok_or(ParseError::NoFeedbackReport)?;
    let content = message.content(part);
    // Some begin with an empty line, as other parts do.
    let mut report = fields(content.trim_ascii_start());
    let original = parts.iter().find(|part| {
        part.is("message", "rfc822")
            || part.is("text", "rfc822-headers")
            || part.is("message", "rfc822-headers")
    });
    if let Some(original) = original {
        let bytes = message.content(original);
        let header = bytes.get(mail::header::extent(&bytes)).unwrap_or_default();
        let end = header.len().min(ORIGINAL_HEADER_BYTES_MAX);
        report.original_header = header.get(..end).unwrap_or_default().to_vec();
    }
    Ok(report)
}

fn fields(block: &[u8]) -> Report {
    let mut report = Report {
        incidents: 1,
        ..Report::default()
    };
    for field in mail::header::fields(block) {
        let raw = mail::header::unfold(field.value);
        let text = tidy(&String::from_utf8_lossy(&raw), TEXT_BYTES_MAX);
        if text.is_empty() {
            continue;
        }
        let word = || Some(text.to_ascii_lowercase());
        let name = field.name.to_ascii_lowercase();
        match name.as_slice() {
            b"feedback-type" => report.kind = FeedbackType::parse(&text),
            b"user-agent" => report.user_agent = Some(text),
            b"version" => report.version = Some(text),
            b"arrival-date" | b"received-date" => {
                report.arrival = mail::date::parse(&raw).map(|date| date.at.secs());
            }
            b"source-ip" => report.source = text.trim_matches(['[', ']']).parse().ok(),
            b"incidents" => report.incidents = text.parse().unwrap_or(1),
            b"reporting-mta" => report.reporting_mta = Some(text),
            b"original-mail-from" => report.original_mail_from = Some(bare(&text)),
            b"original-rcpt-to" => report.original_recipient = Some(bare(&text)),
            b"original-envelope-id" => report.original_envelope_id = Some(text),
            b"reported-domain" => add(&mut report.reported_domains, text.to_ascii_lowercase()),
            b"reported-uri" => add(&mut report.reported_uris, text),
            b"authentication-results" => add(&mut report.authentication_results, text),
            b"auth-failure" => report.auth_failure = word(),
            b"identity-alignment" => report.identity_alignment = word(),
            b"delivery-result" => report.delivery_result = word(),
            b"dkim-domain" => report.dkim_domain = word(),
            b"dkim-identity" => report.dkim_identity = Some(text),
            b"dkim-selector" => report.dkim_selector = Some(text),
            _ => {}
        }
    }
    report
}

fn add(list: &mut Vec<String>, text: String) {
    if list.len() < FEW_MAX {
        list.push(text);
    }
}

fn bare(text: &str) -> String {
    let inside = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    inside.unwrap_or(text).to_owned()
}

impl FeedbackType {
    fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "abuse" => Self::Abuse,
            "fraud" => Self::Fraud,
            "virus" => Self::Virus,
            "not-spam" => Self::NotSpam,
            "auth-failure" => Self::AuthFailure,
            _ => Self::Other,
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Abuse => "abuse",
            Self::Fraud => "fraud",
            Self::Virus => "virus",
            Self::NotSpam => "not-spam",
            Self::AuthFailure => "auth-failure",
            Self::Other => "other",
        }
    }
}

impl Report {
    /// The domain that the report is for: the one it names, else that of the message's author.
    #[must_use]
    pub fn domain(&self) -> Option<String> {
        if let Some(domain) = self.reported_domains.first() {
            return Some(domain.clone());
        }
        let from = mail::header::first(&self.original_header, "From")?;
        let mailbox = mail::mailboxes::flatten(mail::mailboxes::parse(from)).next()?;
        Some(String::from_utf8_lossy(&mailbox.domain).to_ascii_lowercase())
            .filter(|domain| !domain.is_empty())
    }

    /// The part for programs, without its MIME header. RFC 6591 §3.2, RFC 9991 §4.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1_000);
        let mut field = |name: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                push_field(&mut out, name, value);
            }
        };
        field("Feedback-Type", Some(self.kind.as_str()));
        field("User-Agent", self.user_agent.as_deref());
        field("Version", Some(self.version.as_deref().unwrap_or("1")));
        field("Original-Mail-From", self.original_mail_from.as_deref());
        field("Original-Rcpt-To", self.original_recipient.as_deref());
        field("Original-Envelope-Id", self.original_envelope_id.as_deref());
        let arrival = self
            .arrival
            .map(|at| mail::date::format(UnixMillis::from_secs(at)));
        field("Arrival-Date", arrival.as_deref());
        let source = self.source.map(|ip| ip.to_string());
        field("Source-IP", source.as_deref());
        if self.incidents != 1 {
            field("Incidents", Some(&self.incidents.to_string()));
        }
        field("Reporting-MTA", self.reporting_mta.as_deref());
        for results in &self.authentication_results {
            field("Authentication-Results", Some(results));
        }
        for domain in &self.reported_domains {
            field("Reported-Domain", Some(domain));
        }
        for uri in &self.reported_uris {
            field("Reported-URI", Some(uri));
        }
        field("DKIM-Domain", self.dkim_domain.as_deref());
        field("DKIM-Identity", self.dkim_identity.as_deref());
        field("DKIM-Selector", self.dkim_selector.as_deref());
        field("Auth-Failure", self.auth_failure.as_deref());
        field("Delivery-Result", self.delivery_result.as_deref());
        field("Identity-Alignment", self.identity_alignment.as_deref());
        out
    }
}
