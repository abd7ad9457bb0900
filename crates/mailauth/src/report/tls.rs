//! SMTP TLS reports. RFC 8460 §4.

use std::net::IpAddr;

use mail::UnixMillis;
use serde_json::{Map, Value, json};

use super::limits::{FEW_MAX, TEXT_BYTES_MAX, TLS_FAILURES_MAX};
use super::tidy;

/// What one sender met when it connected to the hosts of a domain in one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub organization: String,
    pub contact: Option<String>,
    pub report_id: String,
    /// Seconds since 1970-01-01.
    pub begin: i64,
    pub end: i64,
    pub policies: Vec<Policy>,
}

/// RFC 8460 §4.4: a policy that was applied, and how the sessions went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `sts`, `tlsa` or `no-policy-found`.
    pub kind: String,
    /// The lines of the policy, or the records.
    pub text: Vec<String>,
    pub domain: String,
    pub mx: Vec<String>,
    pub successes: u64,
    pub failures: u64,
    pub details: Vec<Failure>,
}

/// Sessions that failed in the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// RFC 8460 §4.3: `certificate-expired`, `starttls-not-supported`, …
    pub result_type: String,
    pub sending_mta_ip: Option<IpAddr>,
    pub receiving_mx_hostname: Option<String>,
    pub receiving_mx_helo: Option<String>,
    pub receiving_ip: Option<IpAddr>,
    pub sessions: u64,
    pub additional_information: Option<String>,
    pub failure_reason_code: Option<String>,
}

/// Why something is no TLS report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("it is empty")]
    Empty,
    #[error("it is no JSON")]
    NotJson,
    #[error("it is no TLS report: it has no policies")]
    NoPolicies,
}

/// Reads a report. What is missing or of another type is left empty: the counts are what matters.
pub fn parse(document: &[u8]) -> Result<Report, ParseError> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    if document.trim_ascii().is_empty() {
        return Err(ParseError::Empty);
    }
    let text = String::from_utf8_lossy(document);
    let root: Value = serde_json::from_str(&text).map_err(|_| ParseError::NotJson)?;
    let policies = match root.get("policies") {
        Some(Value::Array(policies)) => policies.iter().take(FEW_MAX).collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    };
    if policies.is_empty() {
        return Err(ParseError::NoPolicies);
    }
    let range = root.get("date-range").unwrap_or(&Value::Null);
    Ok(Report {
        organization: text_of(&root, "organization-name").unwrap_or_default(),
        contact: text_of(&root, "contact-info"),
        report_id: text_of(&root, "report-id").unwrap_or_default(),
        begin: instant(range, "start-datetime"),
        end: instant(range, "end-datetime"),
        policies: policies.into_iter().map(policy).collect(),
    })
}

fn policy(value: &Value) -> Policy {
    let about = value.get("policy").unwrap_or(&Value::Null);
    let summary = value.get("summary").unwrap_or(&Value::Null);
    let details = list(value, "failure-details");
    Policy {
        kind: text_of(about, "policy-type")
            .unwrap_or_default()
            .to_ascii_lowercase(),
        text: texts(about, "policy-string"),
        domain: text_of(about, "policy-domain")
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_ascii_lowercase(),
        mx: [texts(about, "mx-host"), texts(about, "mx-host-pattern")].concat(),
        successes: count(summary, "total-successful-session-count"),
        failures: count(summary, "total-failure-session-count"),
        details: details
            .into_iter()
            .take(TLS_FAILURES_MAX)
            .filter(|detail| detail.is_object())
            .map(failure)
            .collect(),
    }
}

fn failure(value: &Value) -> Failure {
    let name = |name| text_of(value, name).map(|text| text.to_ascii_lowercase());
    let ip = |name| text_of(value, name).and_then(|text| text.parse().ok());
    Failure {
        result_type: name("result-type").unwrap_or_default(),
        sending_mta_ip: ip("sending-mta-ip"),
        receiving_mx_hostname: name("receiving-mx-hostname"),
        receiving_mx_helo: name("receiving-mx-helo"),
        receiving_ip: ip("receiving-ip"),
        sessions: count(value, "failed-session-count"),
        // RFC 8460 §4.4 calls it additional-information, its example additional-info-uri.
        additional_information: text_of(value, "additional-information")
            .or_else(|| text_of(value, "additional-info-uri")),
        failure_reason_code: text_of(value, "failure-reason-code")
            .or_else(|| text_of(value, "failure-error-code")),
    }
}

fn text_of(value: &Value, name: &str) -> Option<String> {
    let text = match value.get(name)? {
        Value::String(text) => tidy(text, TEXT_BYTES_MAX),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

fn list<'v>(value: &'v Value, name: &str) -> Vec<&'v Value> {
    match value.get(name) {
        Some(Value::Array(values)) => values.iter().collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one],
    }
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    let texts = list(value, name).into_iter().filter_map(Value::as_str);
    texts
        .take(FEW_MAX)
        .map(|text| tidy(text, TEXT_BYTES_MAX))
        .collect()
}

fn count(value: &Value, name: &str) -> u64 {
    match value.get(name) {
        Some(Value::Number(number)) => number
            .as_u64()
            .or_else(|| number.as_f64().map(|number| number.max(0.0) as u64))
            .unwrap_or(0),
        Some(Value::String(text)) => text.trim().parse().unwrap_or(0),
        _ => 0,
    }
}

fn instant(range: &Value, name: &str) -> i64 {
    text_of(range, name)
        .and_then(|text| parse_rfc3339(&text))
        .unwrap_or(0)
}

/// `2019-04-14T00:00:00Z`, with fractions, another zone or a space for the T as well. RFC 3339 §5.6.
fn parse_rfc3339(text: &str) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let year = i32::try_from(digits(0..4)?).ok()?;
    let day = mail::date::days_of(year, digits(5..7)?, digits(8..10)?)?;
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    if 23 < hour || 59 < minute || 60 < second {
        return None;
    }
    let local = day * 86_400 + i64::from(hour * 3_600 + minute * 60 + second);
    let zone = text
        .get(19..)?
        .trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let (sign, zone) = match zone.split_at_checked(1)? {
        ("+", zone) => (1, zone),
        ("-", zone) => (-1, zone),
        _ => return Some(local),
    };
    let (hours, minutes) = zone.split_once(':')?;
    let east = hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60;
    Some(local - sign * east.min(86_400))
}

fn rfc3339(at: i64) -> String {
    let (year, month, day) = mail::date::civil(UnixMillis::from_secs(at));
    let second = at.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

impl Report {
    /// Sessions over all policies: those that went well, and those that did not.
    #[must_use]
    pub fn sessions(&self) -> (u64, u64) {
        self.policies.iter().fold((0, 0), |(good, bad), policy| {
            (
                good.saturating_add(policy.successes),
                bad.saturating_add(policy.failures),
            )
        })
    }

    /// The report as a JSON document. RFC 8460 §4.4
    #[must_use]
    pub fn write(&self) -> String {
        let policies: Vec<Value> = self.policies.iter().map(Policy::value).collect();
        json!({
            "organization-name": self.organization,
            "date-range": {
                "start-datetime": rfc3339(self.begin),
                "end-datetime": rfc3339(self.end),
            },
            "contact-info": self.contact,
            "report-id": self.report_id,
            "policies": policies,
        })
        .to_string()
    }
}

impl Policy {
    fn value(&self) -> Value {
        let mut about = Map::new();
        about.insert("policy-type".to_owned(), json!(self.kind));
        if !self.text.is_empty() {
            about.insert("policy-string".to_owned(), json!(self.text));
        }
        about.insert("policy-domain".to_owned(), json!(self.domain));
        if !self.mx.is_empty() {
            about.insert("mx-host".to_owned(), json!(self.mx));
        }
        let mut value = json!({
            "policy": about,
            "summary": {
                "total-successful-session-count": self.successes,
                "total-failure-session-count": self.failures,
            },
        });
        if let (false, Some(value)) = (self.details.is_empty(), value.as_object_mut()) {
            let details = self.details.iter().map(Failure::value).collect();
            value.insert("failure-details".to_owned(), Value::Array(details));
        }
        value
    }
}

impl Failure {
    fn value(&self) -> Value {
        let ip = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string());
        let fields = [
            ("result-type", Some(self.result_type.clone())),
            ("sending-mta-ip", ip(self.sending_mta_ip)),
            ("receiving-mx-hostname", self.receiving_mx_hostname.clone()),
            ("receiving-mx-helo", self.receiving_mx_helo.clone()),
            ("receiving-ip", ip(self.receiving_ip)),
            (
                "additional-information",
                self.additional_information.clone(),
            ),
            ("failure-reason-code", self.failure_reason_code.clone()),
        ];
        let mut value = Map::new();
        for (name, text) in fields {
            if let Some(text) = text {
                value.insert(name.to_owned(), Value::String(text));
            }
        }
        value.insert("failed-session-count".to_owned(), json!(self.sessions));
        Value::Object(value)
    }
}
