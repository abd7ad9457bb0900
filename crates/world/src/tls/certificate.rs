//! A certificate chain with its private key, and how a self-signed one is made.

use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// A chain and its key that belong together, ready to be served.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) names: Vec<String>,
    pub(super) end_point: Option<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate file holds no certificate in PEM form")]
    NoCertificate,
    #[error("the certificate file is damaged: {0}")]
    BadCertificate(String),
    #[error("the key file holds no private key in PEM form: {0}")]
    BadKey(String),
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    #[error("no certificate was given")]
    NoneGiven,
    #[error("a self-signed certificate could not be made: {0}")]
    NotMade(String),
}

impl Certificate {
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CertificateError::BadCertificate(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| CertificateError::BadKey(error.to_string()))?;
        Self::from_der(chain, key)
    }

    /// The DNS names the certificate is for, lower case; a wildcard is `*.` and the rest.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The data of a TLSA record for the server's own certificate (RFC 6698 §2.1). `None` for an
    /// unknown selector or matching type.
    pub fn tlsa_data(&self, selector: u8, matching: u8) -> Option<Vec<u8>> {
        super::dane::data_for(self.key.end_entity_cert().ok()?, selector, matching)
    }

    /// As [`Certificate::tlsa_data`] for the certificate's issuer at the end of the chain.
    pub fn tlsa_data_of_issuer(&self, selector: u8, matching: u8) -> Option<Vec<u8>> {
        let (_, issuers) = self.key.cert.split_first()?;
        super::dane::data_for(issuers.last()?, selector, matching)
    }

    fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, CertificateError> {
        let leaf = chain.first().ok_or(CertificateError::NoCertificate)?;
        let names = webpki::EndEntityCert::try_from(leaf)
            .map_err(|error| CertificateError::BadCertificate(error.to_string()))?
            .valid_dns_names()
            .map(str::to_ascii_lowercase)
            .collect();
        let end_point = super::binding::server_end_point(leaf);
        let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
            .map_err(|error| CertificateError::BadKey(error.to_string()))?;
        let certified = CertifiedKey::new(chain, signer);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(_) => return Err(CertificateError::KeyMismatch),
        }
        Ok(Self {
            key: Arc::new(certified),
            names,
            end_point,
        })
    }
}

/// A certificate and its key as PEM text, for files.
#[derive(Clone)]
pub struct PemPair {
    pub certificate: String,
    pub key: String,
}

/// Long enough that a trial never meets its end.
const SELF_SIGNED_SPAN: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Clients whose clock is a little behind must not find it "not yet valid".
const CLOCK_SKEW: Duration = Duration::from_secs(86_400);

/// A new key (ECDSA P-256, which every client knows) and a certificate signed with itself.
/// Names may be host names or IP addresses.
pub fn self_signed(names: &[String], now: SystemTime) -> Result<PemPair, CertificateError> {
    let not_made = |error: rcgen::Error| CertificateError::NotMade(error.to_string());
    let key = rcgen::KeyPair::generate().map_err(not_made)?;
    let mut parameters = rcgen::CertificateParams::new(names.to_vec()).map_err(not_made)?;
    parameters.not_before = (now - CLOCK_SKEW).into();
    parameters.not_after = (now + SELF_SIGNED_SPAN).into();
    let mut subject = rcgen::DistinguishedName::new();
    if let Some(name) = names.first() {
        subject.push(rcgen::DnType::CommonName, name.clone());
    }
    parameters.distinguished_name = subject;
    let certificate = parameters.self_signed(&key).map_err(not_made)?;
    Ok(PemPair {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}
