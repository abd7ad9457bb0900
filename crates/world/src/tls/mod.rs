//! TLS, both roles: certificates by name with hot reload, and the two ways to trust a server.
//! The only room that names the TLS library; TLS 1.2 and 1.3 with the library's modern suites.

mod binding;
mod certificate;
mod challenge;
mod client;
mod clients;
mod dane;
mod der;
mod failure;
mod pkix;
mod server;
mod signed;

use std::io;

use wire::TlsFailure;

pub use certificate::{Certificate, CertificateError, PemPair, self_signed};
pub use client::TlsClient;
pub use clients::TlsClients;
pub use server::TlsServer;

/// Why there is no TLS on a connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error("the TLS handshake took too long")]
    TimedOut,
    /// A session was taken up again whose certificate is no longer good.
    #[error("the server's certificate is no longer good: {}", .0.result_type())]
    Untrusted(TlsFailure),
    #[error("no valid name to check the server's certificate against: {0}")]
    BadName(String),
    #[error("TLS was asked for twice, or without being configured")]
    NotPlain,
}

impl TlsError {
    /// The server's certificate was refused: trying again will not help soon.
    pub fn is_certificate(&self) -> bool {
        self.failure() != TlsFailure::ValidationFailure
    }

    /// What to tell the server's owner. RFC 8460 §4.3
    pub fn failure(&self) -> TlsFailure {
        match self {
            Self::Handshake(error) => failure::of_io(error),
            Self::Untrusted(failure) => *failure,
            Self::BadName(_) => TlsFailure::CertificateHostMismatch,
            Self::TimedOut | Self::NotPlain => TlsFailure::ValidationFailure,
        }
    }
}

/// RFC 8996: nothing older. RFC 9325 §3.1.1
const VERSIONS: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn version_name(version: Option<rustls::ProtocolVersion>) -> String {
    match version {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn cipher_name(suite: Option<rustls::SupportedCipherSuite>) -> String {
    match suite {
        // The registry's names (TLS_AES_256_GCM_SHA384); the library writes TLS13_AES_256_GCM_SHA384.
        Some(suite) => format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1),
        None => String::new(),
    }
}
