//! Channel bindings: what both ends can compute and a man in the middle cannot forge.
//! `tls-exporter` (RFC 9266) and `tls-server-end-point` (RFC 5929 §4).

use aws_lc_rs::digest;

use super::der::element;

/// RFC 9266 §2: 32 bytes for this label with an empty context. Offered for TLS 1.3 only: on 1.2 it
/// is safe only with the extended master secret.
pub(super) fn exporter<T>(connection: &rustls::ConnectionCommon<T>) -> Option<Vec<u8>> {
    if connection.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
        return None;
    }
    connection
        .export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b""))
        .ok()
}

/// The hash of the certificate by the hash function of its signature, SHA-256 in place of MD5 and
/// SHA-1. `None` where the signature has no single hash (Ed25519).
pub(super) fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = signature_hash(certificate)?;
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

fn signature_hash(certificate: &[u8]) -> Option<&'static digest::Algorithm> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, parameters }, signature }
    let (body, _) = element(certificate)?;
    let (_tbs, rest) = element(body)?;
    let (algorithm, _) = element(rest)?;
    let (oid, parameters) = element(algorithm)?;
    match oid {
        // sha1/md5/sha256WithRSAEncryption, ecdsa-with-SHA1/SHA256
        [
            0x2a,
            0x86,
            0x48,
            0x86,
            0xf7,
            0x0d,
            0x01,
            0x01,
            0x04 | 0x05 | 0x0b,
        ]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02] => Some(&digest::SHA256),
        // sha384WithRSAEncryption, ecdsa-with-SHA384
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03] => Some(&digest::SHA384),
        // sha512WithRSAEncryption, ecdsa-with-SHA512
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04] => Some(&digest::SHA512),
        // rsassaPss: the hash stands in the parameters as id-sha384 or id-sha512, else SHA-256.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a] => {
            let sha2 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
            let at = parameters
                .windows(sha2.len())
                .position(|window| window == sha2);
            match at.and_then(|at| parameters.get(at + sha2.len())) {
                Some(2) => Some(&digest::SHA384),
                Some(3) => Some(&digest::SHA512),
                _ => Some(&digest::SHA256),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
