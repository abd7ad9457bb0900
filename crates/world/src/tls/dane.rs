//! Which certificates a set of TLSA records believes. RFC 7672, RFC 6698, RFC 7671.
//! Whether the records themselves are to be believed (DNSSEC) is the caller's business.

use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::RootCertStore;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};

use super::der;
use super::failure::NoTlsaMatch;
use crate::dns::Record;
use crate::limits;

/// A record that this program can use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Association {
    usage: Usage,
    selector: Selector,
    matching: Matching,
    data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Usage {
    /// DANE-TA(2): an authority.
    Authority,
    /// DANE-EE(3): the server's own certificate.
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Selector {
    Certificate,
    PublicKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Matching {
    Full,
    Sha256,
    Sha512,
}

/// The usable records of an answer, in a fixed order. Empty: encrypt, but authenticate nobody.
/// RFC 7672 §2.2.
pub(super) fn usable(records: &[Record]) -> Vec<Association> {
    let records = records.iter().take(limits::DNS_RECORDS_MAX);
    let mut usable: Vec<_> = records.filter_map(Association::of).collect();
    usable.sort();
    usable.dedup();
    // RFC 7671 §9: where the same thing is given by digests of several strengths, only the
    // strongest counts.
    let all = usable.clone();
    let stronger = |record: &Association| {
        all.iter().any(|other| {
            (other.usage, other.selector) == (record.usage, record.selector)
                && record.matching == Matching::Sha256
                && other.matching == Matching::Sha512
        })
    };
    usable.retain(|record| !stronger(record));
    usable
}

impl Association {
    fn of(record: &Record) -> Option<Self> {
        let Record::Tlsa {
            usage,
            selector,
            matching,
            data,
        } = record
        else {
            return None;
        };
        // PKIX-TA(0) and PKIX-EE(1) are unusable for SMTP. RFC 7672 §3.1.3
        let usage = match usage {
            2 => Usage::Authority,
            3 => Usage::Server,
            _ => return None,
        };
        let selector = match selector {
            0 => Selector::Certificate,
            1 => Selector::PublicKey,
            _ => return None,
        };
        let matching = match (matching, data.len()) {
            (0, 1..) => Matching::Full,
            (1, 32) => Matching::Sha256,
            (2, 64) => Matching::Sha512,
            _ => return None,
        };
        let association = Self {
            usage,
            selector,
            matching,
            data: data.clone(),
        };
        // What is given whole must be what it claims to be, or nothing can ever match it.
        let sound = matching != Matching::Full
            || match selector {
                Selector::Certificate => der::public_key_of(data).is_some(),
                Selector::PublicKey => der::sequence(data).is_some(),
            };
        sound.then_some(association)
    }

    fn matches(&self, certificate: &[u8]) -> bool {
        let selected = match self.selector {
            Selector::Certificate => certificate,
            Selector::PublicKey => match der::public_key_of(certificate) {
                Some(key) => key,
                None => return false,
            },
        };
        match self.matching {
            Matching::Full => selected == self.data,
            Matching::Sha256 => digest::digest(&digest::SHA256, selected).as_ref() == self.data,
            Matching::Sha512 => digest::digest(&digest::SHA512, selected).as_ref() == self.data,
        }
    }
}

/// The data of a TLSA record for this certificate. `None` for an unknown selector or matching type.
pub(super) fn data_for(certificate: &[u8], selector: u8, matching: u8) -> Option<Vec<u8>> {
    let selected = match selector {
        0 => certificate,
        1 => der::public_key_of(certificate)?,
        _ => return None,
    };
    match matching {
        0 => Some(selected.to_vec()),
        1 => Some(digest::digest(&digest::SHA256, selected).as_ref().to_vec()),
        2 => Some(digest::digest(&digest::SHA512, selected).as_ref().to_vec()),
        _ => None,
    }
}

/// Believes what the records say.
#[derive(Debug)]
pub(super) struct DaneVerifier {
    pub(super) associations: Vec<Association>,
    /// The names that a certificate below a DANE-TA may be for. RFC 7672 §3.2.2
    pub(super) names: Vec<ServerName<'static>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl DaneVerifier {
    /// RFC 7672 §3.1.1: names and dates of the certificate are of no concern, the record says all.
    fn is_the_server(&self, leaf: &[u8]) -> bool {
        self.of_usage(Usage::Server)
            .any(|association| association.matches(leaf))
    }

    /// RFC 7672 §3.1.2: a chain to the authority, dates and all, for one of the names.
    fn is_below_an_authority(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let no_match = || CertificateError::Other(OtherError(Arc::new(NoTlsaMatch))).into();
        let anchors = self.anchors(leaf, issuers);
        if anchors.is_empty() {
            return Err(no_match());
        }
        let roots = RootCertStore { roots: anchors };
        let parsed = ParsedCertificate::try_from(leaf)?;
        let chain = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &roots,
            issuers,
            now,
            self.algorithms.all,
        );
        match chain {
            // The authorities of the records are not those of this chain.
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                return Err(no_match());
            }
            other => other?,
        }
        let mut last = no_match();
        for name in &self.names {
            match verify_server_name(&parsed, name) {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The authorities among the issuers that were sent, and those that the records hold whole:
    /// these need not be sent.
    fn anchors(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
    ) -> Vec<TrustAnchor<'static>> {
        let mut anchors = Vec::new();
        for association in self.of_usage(Usage::Authority) {
            for issuer in issuers {
                if association.matches(issuer)
                    && let Ok(anchor) = webpki::anchor_from_trusted_cert(issuer)
                {
                    anchors.push(anchor.to_owned());
                }
            }
            match (association.matching, association.selector) {
                (Matching::Full, Selector::Certificate) => {
                    let whole = CertificateDer::from(association.data.as_slice());
                    if let Ok(anchor) = webpki::anchor_from_trusted_cert(&whole) {
                        anchors.push(anchor.to_owned());
                    }
                }
                // A bare key has no name: it may be that of whoever issued any part of the chain.
                (Matching::Full, Selector::PublicKey) => {
                    if let Some(key) = der::sequence(&association.data) {
                        let chain = std::iter::once(leaf).chain(issuers);
                        anchors.extend(chain.filter_map(|certificate| named_key(certificate, key)));
                    }
                }
                _ => {}
            }
        }
        anchors
    }

    fn of_usage(&self, usage: Usage) -> impl Iterator<Item = &Association> {
        self.associations
            .iter()
            .filter(move |association| association.usage == usage)
    }
}

fn named_key(certificate: &CertificateDer<'_>, key: &[u8]) -> Option<TrustAnchor<'static>> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    Some(TrustAnchor {
        subject: certificate.issuer().to_vec().into(),
        subject_public_key_info: key.to_vec().into(),
        name_constraints: None,
    })
}

impl ServerCertVerifier for DaneVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if !self.is_the_server(end_entity) {
            self.is_below_an_authority(end_entity, intermediates, now)?;
        }
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
