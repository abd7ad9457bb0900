//! Shows a certificate authority that a name is ours: TLS-ALPN-01. RFC 8737.
//! Only for a handshake that asks for exactly that; everybody else never notices.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;

use super::CertificateError;

/// RFC 8737 §6.2
const PROTOCOL: &[u8] = b"acme-tls/1";

/// What is shown, by name.
#[derive(Debug)]
pub(super) struct Challenges {
    certificates: BTreeMap<String, Arc<CertifiedKey>>,
}

impl Challenges {
    /// Each answer is a name and its key authorization (RFC 8555 §8.1).
    pub(super) fn new(answers: &[(String, String)]) -> Result<Self, CertificateError> {
        let certificate = |(name, authorization): &(String, String)| {
            let name = name.to_ascii_lowercase();
            Ok((name.clone(), Arc::new(certificate(&name, authorization)?)))
        };
        Ok(Self {
            certificates: answers.iter().map(certificate).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    pub(super) fn config(self) -> Result<ServerConfig, CertificateError> {
        let mut config = ServerConfig::builder_with_provider(super::provider())
            .with_protocol_versions(super::VERSIONS)
            .map_err(|error| CertificateError::NotMade(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // The authority comes once.
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

/// RFC 8737 §3: the protocol of the challenge is the only one offered.
pub(super) fn is_asked_for(hello: &ClientHello<'_>) -> bool {
    let offered = hello.alpn().map(|protocols| protocols.take(2).collect());
    offered.is_some_and(|offered: Vec<_>| offered == [PROTOCOL])
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        self.certificates.get(&name).cloned()
    }
}

/// RFC 8737 §3: signed by itself, for the name alone, with the hash of the key authorization.
fn certificate(name: &str, authorization: &str) -> Result<CertifiedKey, CertificateError> {
    let not_made = |error: rcgen::Error| CertificateError::NotMade(error.to_string());
    let hash = digest::digest(&digest::SHA256, authorization.as_bytes());
    let key = rcgen::KeyPair::generate().map_err(not_made)?;
    let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).map_err(not_made)?;
    parameters.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(hash.as_ref())];
    let certificate = parameters.self_signed(&key).map_err(not_made)?;
    let private = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|error| CertificateError::BadKey(error.to_owned()))?;
    let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private)
        .map_err(|error| CertificateError::BadKey(error.to_string()))?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], signer))
}
