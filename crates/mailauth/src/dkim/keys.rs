//! DKIM key pairs: making them, reading them once, and the DNS record of their public half.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PublicKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use aws_lc_rs::{digest, rand::SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::limits::RSA_BITS_MIN;

/// The two signature algorithms in use. RFC 8301 retired `rsa-sha1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    RsaSha256,
    Ed25519Sha256,
}

impl Algorithm {
    /// The `a=` tag of a signature.
    pub fn signature_name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    /// The `k=` tag of a key record.
    pub fn key_name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa",
            Self::Ed25519Sha256 => "ed25519",
        }
    }
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    #[error("the key could not be made")]
    Generate,
    #[error("this is neither an RSA nor an Ed25519 private key in PKCS#8 form")]
    Unreadable,
    #[error("the RSA key has fewer than {RSA_BITS_MIN} bits")]
    TooShort,
}

/// A private key with the name it signs under. Reading a key costs more than signing with it:
/// make it once and keep it.
pub struct SigningKey {
    domain: String,
    selector: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl SigningKey {
    /// Reads a private key (PKCS#8 DER). `domain` in A-label form.
    pub fn from_pkcs8(domain: &str, selector: &str, der: &[u8]) -> Result<Self, KeyError> {
        let pair = Pair::read(der)?;
        Ok(Self {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            pair,
        })
    }

    pub fn domain(&self) -> &str {
        &self.domain
    }

    pub fn selector(&self) -> &str {
        &self.selector
    }

    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    /// Signs a SHA-256 digest; the base64 of the signature.
    pub(crate) fn sign_digest(&self, digest: &digest::Digest) -> Option<String> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature)
                    .ok()?;
                Some(STANDARD.encode(signature))
            }
            // RFC 8463 §3: the hash is what Ed25519 signs.
            Pair::Ed25519(pair) => Some(STANDARD.encode(pair.sign(digest.as_ref()))),
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "SigningKey({}._domainkey.{})",
            self.selector, self.domain
        )
    }
}

/// A new private key, PKCS#8 DER. RSA keys have 2048 bits.
pub fn generate(algorithm: Algorithm) -> Result<Vec<u8>, KeyError> {
    match algorithm {
        Algorithm::RsaSha256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
            let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| KeyError::Generate)?;
            Ok(der.as_ref().to_vec())
        }
        Algorithm::Ed25519Sha256 => Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_| KeyError::Generate),
    }
}

/// The value of the TXT record at `selector._domainkey.domain` (RFC 6376 §3.6.1, RFC 8463 §4),
/// undivided: a zone file needs it cut into strings of at most 255 bytes.
pub fn public_record(pkcs8: &[u8]) -> Result<String, KeyError> {
    let (algorithm, public) = Pair::read(pkcs8)?.public()?;
    let public = STANDARD.encode(public);
    Ok(format!("v=DKIM1; k={}; p={public}", algorithm.key_name()))
}

/// The public half as it stands in the record, before base64: SubjectPublicKeyInfo DER for RSA, 32 raw bytes for
/// Ed25519.
pub fn public_key(pkcs8: &[u8]) -> Result<Vec<u8>, KeyError> {
    Pair::read(pkcs8)?.public().map(|(_, public)| public)
}

impl Pair {
    fn public(&self) -> Result<(Algorithm, Vec<u8>), KeyError> {
        match self {
            Self::Rsa(pair) => {
                let public: &PublicKey = pair.public_key();
                let der = AsDer::<PublicKeyX509Der<'_>>::as_der(public)
                    .map_err(|_| KeyError::Unreadable)?;
                Ok((Algorithm::RsaSha256, der.as_ref().to_vec()))
            }
            Self::Ed25519(pair) => Ok((
                Algorithm::Ed25519Sha256,
                pair.public_key().as_ref().to_vec(),
            )),
        }
    }

    fn read(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(Self::Ed25519(Box::new(pair)));
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Unreadable)?;
        if pair.public_modulus_len() * 8 < RSA_BITS_MIN {
            return Err(KeyError::TooShort);
        }
        Ok(Self::Rsa(Box::new(pair)))
    }
}
