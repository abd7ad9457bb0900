//! What a failed handshake means, in the terms of TLS reports. RFC 8460 §4.3.
//! Only classifies; who acts on it is the caller.

use std::io;

use rustls::CertificateError;
use wire::TlsFailure;

/// No TLSA record matches what the server showed.
#[derive(Debug, thiserror::Error)]
#[error("no TLSA record matches the server's certificate")]
pub(super) struct NoTlsaMatch;

pub(super) fn of_io(error: &io::Error) -> TlsFailure {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    inner.map_or(TlsFailure::ValidationFailure, of_tls)
}

pub(super) fn of_tls(error: &rustls::Error) -> TlsFailure {
    match error {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        _ => TlsFailure::ValidationFailure,
    }
}

fn of_certificate(error: &CertificateError) -> TlsFailure {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            TlsFailure::CertificateExpired
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailure::CertificateHostMismatch
        }
        CertificateError::Other(other) if other.0.is::<NoTlsaMatch>() => TlsFailure::TlsaInvalid,
        _ => TlsFailure::CertificateNotTrusted,
    }
}
