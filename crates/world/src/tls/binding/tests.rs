//! The hash that stands for a certificate follows its signature algorithm.

use super::{element, server_end_point};

#[test]
fn the_hash_follows_the_signature() {
    for (algorithm, length) in [
        (&rcgen::PKCS_ECDSA_P256_SHA256, Some(32)),
        (&rcgen::PKCS_ECDSA_P384_SHA384, Some(48)),
        (&rcgen::PKCS_ED25519, None),
    ] {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        assert_eq!(
            server_end_point(certificate.der()).map(|hash| hash.len()),
            length
        );
    }
}

#[test]
fn damaged_certificates_have_no_hash() {
    for bytes in [
        &[][..],
        &[0x30],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
        &[0x30, 0x85, 1],
    ] {
        assert!(element(bytes).is_none());
        assert!(server_end_point(bytes).is_none());
    }
}
