//! The client's side: opportunistic (any certificate is better than none), verified by roots, or by
//! TLSA records. How they share what they know is in `clients.rs`.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;
use wire::{Authentication, TlsFacts};

use super::dane::{Association, DaneVerifier};
use super::pkix::Pkix;
use super::{CertificateError, TlsClients, TlsError};
use crate::dns::Record;
use crate::limits;

#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    trust: Authentication,
    pkix: Arc<Pkix>,
}

impl TlsClient {
    /// Takes any certificate (RFC 7435): against a listener on the line, not against a man in the
    /// middle. For mail to MX hosts without a policy.
    pub fn opportunistic() -> Self {
        (*TlsClients::public().opportunistic()).clone()
    }

    /// The certificate must be for the name, valid, and lead to a public root or to one of
    /// `extra_roots` (PEM; may hold several certificates).
    pub fn verified(extra_roots: Option<&[u8]>) -> Result<Self, CertificateError> {
        let clock = Arc::new(crate::TokioClock::real());
        Ok((*TlsClients::new(clock, extra_roots)?.verified()).clone())
    }

    /// As [`TlsClients::dane`], with a session cache of its own.
    pub fn dane(records: &[Record], names: &[&str]) -> Self {
        (*TlsClients::public().dane(records, names)).clone()
    }

    /// How the server will be known when a handshake succeeds.
    pub fn authenticates(&self) -> Authentication {
        self.trust
    }

    pub(super) fn any(pkix: Arc<Pkix>) -> Self {
        let verifier = AnyCertificate {
            algorithms: super::provider().signature_verification_algorithms,
        };
        Self::with(
            Arc::new(verifier),
            Authentication::None,
            pkix,
            limits::RESUMPTIONS_MAX,
        )
    }

    pub(super) fn by_roots(pkix: Arc<Pkix>) -> Result<Self, CertificateError> {
        let builder = rustls::client::WebPkiServerVerifier::builder_with_provider(
            pkix.roots.clone(),
            super::provider(),
        );
        let verifier = builder
            .build()
            .map_err(|error| CertificateError::BadCertificate(error.to_string()))?;
        Ok(Self::with(
            verifier,
            Authentication::Pkix,
            pkix,
            limits::RESUMPTIONS_MAX,
        ))
    }

    pub(super) fn by_records(
        associations: Vec<Association>,
        names: Vec<ServerName<'static>>,
        pkix: Arc<Pkix>,
    ) -> Self {
        let verifier = DaneVerifier {
            associations,
            names,
            algorithms: super::provider().signature_verification_algorithms,
        };
        Self::with(
            Arc::new(verifier),
            Authentication::Dane,
            pkix,
            limits::DANE_RESUMPTIONS_MAX,
        )
    }

    /// Each client has a session cache of its own: what one way of trusting has accepted says
    /// nothing to another.
    fn with(
        verifier: Arc<dyn ServerCertVerifier>,
        trust: Authentication,
        pkix: Arc<Pkix>,
        sessions_max: usize,
    ) -> Self {
        let builder = ClientConfig::builder_with_details(super::provider(), pkix.time.clone())
            .with_protocol_versions(super::VERSIONS)
            .expect("the built-in suites fit the built-in versions");
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(sessions_max);
        Self {
            config: Arc::new(config),
            trust,
            pkix,
        }
    }

    pub(crate) fn connector(&self) -> TlsConnector {
        TlsConnector::from(self.config.clone())
    }

    /// The name to ask for and check. Names that TLS cannot carry still get TLS when the name does
    /// not matter.
    pub(crate) fn server_name(
        &self,
        name: &str,
        peer: IpAddr,
    ) -> Result<ServerName<'static>, TlsError> {
        match ServerName::try_from(name.trim_end_matches('.').to_owned()) {
            Ok(name) => Ok(name),
            Err(_) if self.trust != Authentication::Pkix => Ok(ServerName::IpAddress(peer.into())),
            Err(_) => Err(TlsError::BadName(name.to_owned())),
        }
    }

    /// What the handshake showed. A session that was resumed may be older than its certificate is
    /// good.
    pub(crate) fn facts(
        &self,
        connection: &ClientConnection,
        name: &ServerName<'_>,
    ) -> Result<TlsFacts, TlsError> {
        let chain = connection.peer_certificates().unwrap_or_default();
        let pkix = self.pkix.check(chain, name);
        if let (Authentication::Pkix, Err(failure)) = (self.trust, pkix) {
            return Err(TlsError::Untrusted(failure));
        }
        Ok(TlsFacts {
            version: super::version_name(connection.protocol_version()),
            cipher: super::cipher_name(connection.negotiated_cipher_suite()),
            server_name: None,
            exporter: super::binding::exporter(connection),
            server_end_point: chain
                .first()
                .and_then(|leaf| super::binding::server_end_point(leaf)),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
            authenticated: self.trust,
            pkix: Some(pkix),
        })
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
