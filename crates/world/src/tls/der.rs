//! Just enough DER to find the parts of a certificate. Certificates need not be sound for that.

/// The contents of the first DER element, and what follows it.
pub(super) fn element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, contents, rest) = tagged(bytes)?;
    Some((contents, rest))
}

/// The contents of the only element, which must be a SEQUENCE.
pub(super) fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    match tagged(bytes)? {
        (SEQUENCE, contents, []) => Some(contents),
        _ => None,
    }
}

/// The SubjectPublicKeyInfo of a certificate, whole. RFC 5280 §4.1
pub(super) fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    let (mut rest, _) = element(sequence(certificate)?)?;
    // The version stands there only from version 2 on.
    if let (VERSION, _, after) = tagged(rest)? {
        rest = after;
    }
    // serialNumber, signature, issuer, validity, subject
    for _ in 0..5 {
        (_, rest) = element(rest)?;
    }
    let (_, after) = element(rest)?;
    rest.get(..rest.len() - after.len())
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

fn tagged(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short if short < 0x80 => (usize::from(short), rest),
        long => {
            let count = usize::from(long & 0x7f);
            // Four bytes of length are more than any certificate has.
            if count == 0 || 4 < count {
                return None;
            }
            let (length, rest) = rest.split_at_checked(count)?;
            let length = length
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((*tag, contents, rest))
}
