//! Key records (RFC 6376 §3.6.1, RFC 8463 §4) and checking a signature with the key in them.

use std::fmt;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{
    ED25519, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
};

use super::keys::Algorithm;
use super::limits::{KEY_RECORD_BYTES_MAX, RSA_BITS_MAX, RSA_BITS_MIN};
use super::tags::{self, TagList, TagListError};
use super::verdict::KeyProblem;

/// What stands at `selector._domainkey.domain`.
#[derive(Debug)]
pub(crate) struct KeyRecord {
    /// `None`: revoked.
    pub key: Option<PublicKey>,
    pub algorithm: Algorithm,
    /// `h=` allows SHA-256.
    pub sha256: bool,
    /// `s=` allows mail.
    pub mail: bool,
    /// `t=y`
    pub testing: bool,
    /// `t=s`: `i=` and `d=` must be the same domain.
    pub strict: bool,
}

pub(crate) enum PublicKey {
    Rsa {
        bits: usize,
        key: ParsedPublicKey,
    },
    /// Too short to be trusted, or so long that it would cost too much.
    RsaOutOfBounds {
        bits: usize,
    },
    Ed25519(ParsedPublicKey),
}

impl KeyRecord {
    pub fn parse(text: &[u8]) -> Result<Self, KeyProblem> {
        if KEY_RECORD_BYTES_MAX < text.len() {
            return Err(KeyProblem::TooLong);
        }
        let list = TagList::parse(text).map_err(|error| match error {
            TagListError::Malformed => KeyProblem::NotATagList,
            TagListError::Twice(_) => KeyProblem::TagTwice,
        })?;
        // RFC 6376 §3.6.1: v= may be missing; if it is there, it comes first.
        if let Some(version) = list.get("v")
            && (version != b"DKIM1" || list.first_name() != b"v")
        {
            return Err(KeyProblem::Version);
        }
        let algorithm = match list.get("k") {
            None => Algorithm::RsaSha256,
            Some(kind) if kind.eq_ignore_ascii_case(b"rsa") => Algorithm::RsaSha256,
            Some(kind) if kind.eq_ignore_ascii_case(b"ed25519") => Algorithm::Ed25519Sha256,
            Some(_) => return Err(KeyProblem::UnknownKind),
        };
        let public = list.get("p").ok_or(KeyProblem::NoKey)?;
        let key = match public.is_empty() {
            true => None,
            false => Some(PublicKey::read(algorithm, public)?),
        };
        Ok(Self {
            key,
            algorithm,
            sha256: list.get("h").is_none_or(|h| has(h, &[b"sha256"])),
            mail: list.get("s").is_none_or(|s| has(s, &[b"*", b"email"])),
            testing: list.get("t").is_some_and(|t| has(t, &[b"y"])),
            strict: list.get("t").is_some_and(|t| has(t, &[b"s"])),
        })
    }
}

/// Whether a colon-separated list has one of these.
fn has(list: &[u8], names: &[&[u8]]) -> bool {
    list.split(|byte| *byte == b':').any(|found| {
        names
            .iter()
            .any(|name| found.trim_ascii().eq_ignore_ascii_case(name))
    })
}

impl PublicKey {
    fn read(algorithm: Algorithm, base64: &[u8]) -> Result<Self, KeyProblem> {
        let bytes = tags::base64(base64).ok_or(KeyProblem::NotBase64)?;
        match algorithm {
            Algorithm::RsaSha256 => {
                let bits = modulus_bits(&bytes).ok_or(KeyProblem::NotAKey)?;
                if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
                    return Ok(Self::RsaOutOfBounds { bits });
                }
                let parameters = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                let key = ParsedPublicKey::new(parameters, &bytes);
                let key = key.map_err(|_| KeyProblem::NotAKey)?;
                Ok(Self::Rsa { bits, key })
            }
            // RFC 8463 §4: the 32 bytes alone, without any wrapping.
            Algorithm::Ed25519Sha256 if bytes.len() == 32 => ParsedPublicKey::new(&ED25519, &bytes)
                .map(Self::Ed25519)
                .map_err(|_| KeyProblem::NotAKey),
            Algorithm::Ed25519Sha256 => Err(KeyProblem::NotAKey),
        }
    }

    pub fn bits(&self) -> usize {
        match self {
            Self::Rsa { bits, .. } | Self::RsaOutOfBounds { bits } => *bits,
            Self::Ed25519(_) => 256,
        }
    }

    /// Whether this is the key's signature of that SHA-256.
    pub fn signed(&self, digest: &Digest, signature: &[u8]) -> bool {
        match self {
            Self::Rsa { key, .. } => key.verify_digest_sig(digest, signature).is_ok(),
            Self::RsaOutOfBounds { .. } => false,
            // RFC 8463 §3: the hash is what Ed25519 signs.
            Self::Ed25519(key) => key.verify_sig(digest.as_ref(), signature).is_ok(),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits)", self.bits())
    }
}

/// The length of the modulus in a public key in DER: the bare `RSAPublicKey` that RFC 6376 §3.6.1
/// names, or the `SubjectPublicKeyInfo` around it that everybody publishes (its erratum 3017).
fn modulus_bits(der: &[u8]) -> Option<usize> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    let (content, _) = element(der, SEQUENCE)?;
    let numbers = match element(content, SEQUENCE) {
        Some((_, after_algorithm)) => {
            let (bits, _) = element(after_algorithm, BIT_STRING)?;
            let (unused, key) = bits.split_first()?;
            if *unused != 0 {
                return None;
            }
            element(key, SEQUENCE)?.0
        }
        None => content,
    };
    let (modulus, _) = element(numbers, INTEGER)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let significant = modulus.get(zeros..)?;
    let first = significant.first()?;
    Some(significant.len() * 8 - first.leading_zeros() as usize)
}

/// The content of the DER element of that kind at the start, and what follows it.
fn element(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    if *found != kind {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    if *length < 0x80 {
        return rest.split_at_checked(usize::from(*length));
    }
    let count = usize::from(length & 0x7f);
    if !(1..=3).contains(&count) {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    let length = length
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}
