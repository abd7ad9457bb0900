//! What stands in the way of a delivery, in words for the operator and for the sender: what was seen, who
//! forbids to send so, and what can be done.

use mail::{Domain, UnixMillis, date};
use store::transport::TlsLevel;
use world::{DnsError, TlsFailure};

use super::plan::Reason;

/// What was wrong with a host's TLS.
pub(crate) fn broken(failure: TlsFailure) -> &'static str {
    match failure {
        TlsFailure::StartTlsNotSupported => "the server does not offer TLS (STARTTLS)",
        TlsFailure::CertificateHostMismatch => "the server's certificate is for another name",
        TlsFailure::CertificateExpired => "the server's certificate has expired",
        TlsFailure::CertificateNotTrusted => {
            "the server's certificate is not from an authority that is known here"
        }
        TlsFailure::TlsaInvalid => {
            "the server's certificate is none of those that its TLSA records name"
        }
        TlsFailure::ValidationFailure => "TLS with the server failed",
    }
}

/// The same, with what the handshake said.
pub(crate) fn bad_certificate(failure: TlsFailure, detail: &str) -> String {
    match detail {
        "" => broken(failure).to_owned(),
        detail => format!("{} ({detail})", broken(failure)),
    }
}

pub(super) fn why(reasons: &[Reason], domain: &Domain, host: &str) -> Option<String> {
    let texts: Vec<String> = reasons
        .iter()
        .map(|reason| of_reason(reason, domain, host))
        .collect();
    if texts.is_empty() {
        return None;
    }
    let waits = match reasons.contains(&Reason::RequireTls) {
        true => "",
        false => "; the mail waits",
    };
    Some(format!("{}{waits}", texts.join("; ")))
}

/// Who demands it, in short.
pub(super) fn names(reasons: &[Reason], domain: &Domain, host: &str) -> Vec<String> {
    let name = |reason: &Reason| match reason {
        Reason::Tlsa => format!("DANE: the TLSA records of {host}"),
        Reason::UnusableTlsa => format!("DANE: TLSA records of {host} that cannot be used"),
        Reason::Sts => format!("MTA-STS policy of {domain}"),
        Reason::Operator(level) => format!("this server's list: {level}"),
        Reason::Learnt { since } => format!("learnt: valid TLS since {}", day(*since)),
        Reason::RequireTls => "REQUIRETLS".to_owned(),
    };
    reasons.iter().map(name).collect()
}

fn of_reason(reason: &Reason, domain: &Domain, host: &str) -> String {
    match reason {
        Reason::Tlsa => format!("the TLSA records of {host} (DANE) forbid sending so"),
        Reason::UnusableTlsa => {
            format!("{host} has TLSA records (DANE): they forbid sending without TLS")
        }
        Reason::Sts => format!("the MTA-STS policy of {domain} forbids sending so"),
        Reason::Operator(TlsLevel::Encrypted) => format!(
            "this server sends to {domain} over TLS only, as its operator chose (`postroad tls list`)"
        ),
        Reason::Operator(TlsLevel::Verified) => format!(
            "this server sends to {domain} over TLS with a valid certificate only, as its operator chose (`postroad tls list`)"
        ),
        Reason::Learnt { since } => format!(
            "{domain} has had valid TLS each time since {}, and must not lose it unnoticed: \
             if this is right, its operator here says `postroad tls forget {domain}`",
            day(*since)
        ),
        Reason::RequireTls => {
            "its sender asked that it travel over authenticated TLS only (REQUIRETLS)".to_owned()
        }
    }
}

pub(super) fn tlsa_unknown(host: &str, error: &DnsError) -> String {
    format!(
        "it is not known now whether {host} has TLSA records (DANE): {error}; somebody may be hiding them, so the mail waits"
    )
}

pub(super) fn not_in_policy(host: &str, domain: &Domain) -> String {
    format!(
        "the DNS names {host} as mail server, but the MTA-STS policy of {domain} does not: the answer may be forged; the mail waits"
    )
}

pub(super) fn unlisted_host(host: &str, domain: &Domain) -> String {
    format!(
        "the DNS names {host} as mail server of {domain}, which is none of those known here: the answer may be forged; the mail waits; \
         if the domain has moved, the operator here says `postroad tls require {domain}` again"
    )
}

pub(super) fn new_host(host: &str, domain: &Domain, since: UnixMillis) -> String {
    format!(
        "the DNS names {host} as mail server of {domain}, which has had others, with valid TLS, since {}: the answer may be forged; \
         the mail waits; if the domain has moved, the operator here says `postroad tls forget {domain}`",
        day(since)
    )
}

pub(super) fn unproven_host(host: &str, domain: &Domain) -> String {
    format!(
        "its sender asked that it travel over authenticated TLS only (REQUIRETLS), but neither DNSSEC nor MTA-STS proves \
         that {host} is a mail server of {domain}"
    )
}

/// Such as `2 Mar 2026`.
fn day(at: UnixMillis) -> String {
    let text = date::format(at);
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [_, day, month, year, ..] => format!("{day} {month} {year}"),
        _ => text,
    }
}
