//! What a server's certificate says, as far as the checks want to know it.

use aws_lc_rs::digest;
use doctor::checks::Certificate;
use world::{TlsFacts, TlsFailure};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Signatures with SHA-1 and MD5 (RSA), and with SHA-1 (ECDSA).
const WEAK: [&str; 3] = [
    "1.2.840.113549.1.1.5",
    "1.2.840.113549.1.1.4",
    "1.2.840.10045.4.1",
];

pub(super) fn read(der: &[u8], facts: &TlsFacts) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut names: Vec<String> = Vec::new();
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        for name in &alternative.value.general_names {
            if let GeneralName::DNSName(name) = name {
                names.push(name.to_ascii_lowercase());
            }
        }
    }
    let key = certificate.public_key();
    let (kind, bits) = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => ("rsa", rsa.key_size()),
        Ok(PublicKey::EC(point)) => ("ecdsa", point.key_size()),
        _ => ("other", 256),
    };
    let hash = digest::digest(&digest::SHA256, key.raw);
    // Its name and its end have checks of their own.
    let trusted = !matches!(
        facts.pkix,
        Some(Err(
            TlsFailure::CertificateNotTrusted | TlsFailure::ValidationFailure
        ))
    );
    Some(Certificate {
        names,
        not_after: u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0),
        trusted,
        key: kind.to_owned(),
        bits: u16::try_from(bits).unwrap_or(u16::MAX),
        key_hash: hash.as_ref().try_into().ok()?,
        weak_signature: WEAK.contains(
            &certificate
                .signature_algorithm
                .algorithm
                .to_id_string()
                .as_str(),
        ),
    })
}
