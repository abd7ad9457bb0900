//! The messages that carry reports: subject, parts and file names as the standards want them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use mail::compose::push_field;
use mail::{Address, UnixMillis, date, transfer};

use super::{aggregate, failure, tls};

/// What all of them have.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    pub from: &'a Address,
    pub to: &'a Address,
    pub date: UnixMillis,
    /// Our host, which names itself as the one that reports.
    pub submitter: &'a str,
}

/// Gzip, without a time stamp, so that a report sent again is the same file. RFC 1952.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// A DMARC aggregate report as a message. RFC 9990 §3.5.2
#[must_use]
pub fn aggregate(head: &Head<'_>, report: &aggregate::Report) -> Vec<u8> {
    let metadata = &report.metadata;
    let (domain, submitter) = (&report.policy.domain, head.submitter);
    let id = &metadata.report_id;
    let mut out = Vec::with_capacity(8_000);
    let subject = format!("Report Domain: {domain} Submitter: {submitter} Report-ID: <{id}>");
    push_head(&mut out, head, &subject, id);
    let boundary = boundary(id);
    push_field(
        &mut out,
        "Content-Type",
        &format!("multipart/mixed; boundary=\"{boundary}\""),
    );
    let words = format!(
        "This is a DMARC aggregate report for {domain} by {submitter}: what became of {} messages\r\n\
         that named {domain} as their author, between {} and {}.\r\n\
         The attached file is meant for programs (RFC 9990).\r\n",
        report.messages(),
        date::format(UnixMillis::from_secs(metadata.begin)),
        date::format(UnixMillis::from_secs(metadata.end)),
    );
    push_words(&mut out, &boundary, &words);
    // The id distinguishes reports of one period, here the parts of a large one.
    let unique: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!(
        "{submitter}!{domain}!{}!{}!{unique}.xml.gz",
        metadata.begin, metadata.end
    );
    let packed = gzip(report.write().as_bytes());
    push_file(&mut out, &boundary, "application/gzip", &name, &packed);
    push_end(&mut out, &boundary);
    out
}

/// A TLS report as a message. RFC 8460 §5.3
#[must_use]
pub fn tls(head: &Head<'_>, domain: &str, report: &tls::Report) -> Vec<u8> {
    let (submitter, id) = (head.submitter, &report.report_id);
    let mut out = Vec::with_capacity(4_000);
    let subject = format!("Report Domain: {domain} Submitter: {submitter} Report-ID: <{id}>");
    push_head(&mut out, head, &subject, id);
    push_field(&mut out, "TLS-Report-Domain", domain);
    push_field(&mut out, "TLS-Report-Submitter", submitter);
    // RFC 8460 §3: the report is to arrive although TLS does not work. RFC 8689 §5
    push_field(&mut out, "TLS-Required", "No");
    let boundary = boundary(id);
    push_field(
        &mut out,
        "Content-Type",
        &format!("multipart/report; report-type=\"tlsrpt\"; boundary=\"{boundary}\""),
    );
    let (good, bad) = report.sessions();
    let words = format!(
        "This is an SMTP TLS report for {domain} by {submitter}: of the sessions we had with your\r\n\
         mail hosts {good} were as secure as asked for, {bad} failed.\r\n\
         The attached file is meant for programs (RFC 8460).\r\n"
    );
    push_words(&mut out, &boundary, &words);
    let packed = gzip(report.write().as_bytes());
    let name = tls_file_name(submitter, domain, report);
    push_file(
        &mut out,
        &boundary,
        "application/tlsrpt+gzip",
        &name,
        &packed,
    );
    push_end(&mut out, &boundary);
    out
}

/// RFC 8460 §5.1
fn tls_file_name(submitter: &str, domain: &str, report: &tls::Report) -> String {
    format!(
        "{submitter}!{domain}!{}!{}.json.gz",
        report.begin, report.end
    )
}

/// A failure report as a message, with the header of the message it is about. RFC 9991 §4, RFC 6591 §3.
#[must_use]
pub fn failure(head: &Head<'_>, id: &str, report: &failure::Report) -> Vec<u8> {
    let domain = report.domain().unwrap_or_default();
    let mut out = Vec::with_capacity(4_000);
    push_head(
        &mut out,
        head,
        &format!("DMARC failure report for {domain}"),
        id,
    );
    let boundary = boundary(id);
    push_field(
        &mut out,
        "Content-Type",
        &format!("multipart/report; report-type=feedback-report; boundary=\"{boundary}\""),
    );
    let words = format!(
        "This is a report about one message that named {domain} as its author and could not be\r\n\
         authenticated.\r\n"
    );
    push_words(&mut out, &boundary, &words);
    push_delimiter(&mut out, &boundary);
    push_field(&mut out, "Content-Type", "message/feedback-report");
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&report.write());
    push_delimiter(&mut out, &boundary);
    push_field(
        &mut out,
        "Content-Type",
        "text/rfc822-headers; charset=utf-8",
    );
    push_field(&mut out, "Content-Transfer-Encoding", "base64");
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(transfer::encode_base64(&report.original_header).as_bytes());
    push_end(&mut out, &boundary);
    out
}

fn push_head(out: &mut Vec<u8>, head: &Head<'_>, subject: &str, id: &str) {
    push_field(out, "From", &head.from.to_string());
    push_field(out, "To", &head.to.to_string());
    push_field(out, "Date", &date::format(head.date));
    push_field(out, "Subject", subject);
    let id = match id.contains('@') {
        true => id.to_owned(),
        false => format!("{id}@{}", head.submitter),
    };
    push_field(out, "Message-ID", &format!("<{id}>"));
    push_field(out, "MIME-Version", "1.0");
    // Nobody should answer it, least of all with another report. RFC 3834 §5
    push_field(out, "Auto-Submitted", "auto-generated");
}

/// "=_" comes up neither in base64 lines nor in our words. RFC 2046 §5.1.1
fn boundary(id: &str) -> String {
    let unique: String = id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(40)
        .collect();
    format!("=_{unique}_report")
}

fn push_delimiter(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
}

fn push_words(out: &mut Vec<u8>, boundary: &str, words: &str) {
    push_delimiter(out, boundary);
    push_field(out, "Content-Type", "text/plain; charset=us-ascii");
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(words.as_bytes());
}

fn push_file(out: &mut Vec<u8>, boundary: &str, media_type: &str, name: &str, bytes: &[u8]) {
    push_delimiter(out, boundary);
    push_field(out, "Content-Type", media_type);
    push_field(out, "Content-Transfer-Encoding", "base64");
    // As one token each: the names are domains, numbers and exclamation marks.
    let disposition = format!("Content-Disposition: attachment;\r\n filename=\"{name}\"\r\n\r\n");
    out.extend_from_slice(disposition.as_bytes());
    out.extend_from_slice(transfer::encode_base64(bytes).as_bytes());
}

fn push_end(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
}
