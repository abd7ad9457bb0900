//! The client's side: opportunistic (any certificate is better than none) or verified.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;
use wire::TlsFacts;

use super::{CertificateError, TlsError};

/// Sessions of servers kept for resumption.
const RESUMPTIONS_MAX: usize = 256;

#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    trust: Trust,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Any,
    Roots,
}

impl TlsClient {
    /// Takes any certificate (RFC 7435): against a listener on the line, not against a man in the
    /// middle. For mail to MX hosts without a policy.
    pub fn opportunistic() -> Self {
        let provider = super::provider();
        let verifier = AnyCertificate {
            algorithms: provider.signature_verification_algorithms,
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("the built-in suites fit the built-in versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Self::with(config, Trust::Any)
    }

    /// The certificate must be for the name, valid, and lead to a public root or to one of
    /// `extra_roots` (PEM; may hold several certificates).
    pub fn verified(extra_roots: Option<&[u8]>) -> Result<Self, CertificateError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let bad = |error: String| CertificateError::BadCertificate(error);
        if let Some(pem) = extra_roots {
            for root in CertificateDer::pem_slice_iter(pem) {
                let root = root.map_err(|error| bad(error.to_string()))?;
                roots.add(root).map_err(|error| bad(error.to_string()))?;
            }
        }
        let config = ClientConfig::builder_with_provider(super::provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| bad(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::with(config, Trust::Roots))
    }

    fn with(mut config: ClientConfig, trust: Trust) -> Self {
        config.resumption = Resumption::in_memory_sessions(RESUMPTIONS_MAX);
        Self {
            config: Arc::new(config),
            trust,
        }
    }

    pub(crate) fn connector(&self) -> TlsConnector {
        TlsConnector::from(self.config.clone())
    }

    /// The name to ask for and check. Names that TLS cannot carry (underscores are common) still get
    /// TLS when any certificate will do.
    pub(crate) fn server_name(
        &self,
        name: &str,
        peer: IpAddr,
    ) -> Result<ServerName<'static>, TlsError> {
        match ServerName::try_from(name.trim_end_matches('.').to_owned()) {
            Ok(name) => Ok(name),
            Err(_) if self.trust == Trust::Any => Ok(ServerName::IpAddress(peer.into())),
            Err(_) => Err(TlsError::BadName(name.to_owned())),
        }
    }

    pub(crate) fn facts(connection: &ClientConnection) -> TlsFacts {
        let certificate = connection
            .peer_certificates()
            .and_then(|chain| chain.first());
        TlsFacts {
            version: super::version_name(connection.protocol_version()),
            cipher: super::cipher_name(connection.negotiated_cipher_suite()),
            server_name: None,
            exporter: super::binding::exporter(connection),
            server_end_point: certificate.and_then(|leaf| super::binding::server_end_point(leaf)),
        }
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("TlsClient")
            .field(&self.trust)
            .finish()
    }
}

/// Believes every certificate, but not a peer that does not hold its key.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
