//! Reports of others: whatever is unwrapped is bounded, what is read can be written and read again.

use mailauth::report::{aggregate, failure, tls, unwrap};

const UNPACKED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A message, or a file, that may hold reports in any wrapping.
pub fn report_unwrap(data: &[u8]) {
    let found = unwrap(data);
    let bytes: usize = found.attachments.iter().map(|one| one.bytes.len()).sum();
    assert!(bytes <= UNPACKED_BYTES_MAX + 20 * data.len());
    for attachment in found.attachments {
        report_parse(&attachment.bytes);
    }
}

/// The bare forms.
pub fn report_parse(data: &[u8]) {
    if let Ok(report) = aggregate::parse(data) {
        assert!(!report.rows.is_empty());
        let again = aggregate::parse(report.write().as_bytes()).expect("what we write can be read");
        assert_eq!(again.rows.len(), report.rows.len());
        assert_eq!(again.messages(), report.messages());
        assert_eq!(again.policy.domain, report.policy.domain);
    }
    if let Ok(report) = tls::parse(data) {
        let again = tls::parse(report.write().as_bytes()).expect("what we write can be read");
        assert_eq!(again.sessions(), report.sessions());
    }
    if let Ok(report) = failure::parse(data) {
        let _ = (report.domain(), report.write());
    }
}
