//! Keys: what is made can be read, published and used.

use base64::Engine;
use mailauth::dkim::{Algorithm, KeyError, SigningKey, generate, public_record};

use crate::verifier::tag;

#[test]
fn records_can_be_published() {
    let rsa = generate(Algorithm::RsaSha256).unwrap();
    let record = public_record(&rsa).unwrap();
    assert!(
        record.starts_with("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
        "{record}"
    );
    let ed25519 = generate(Algorithm::Ed25519Sha256).unwrap();
    let record = public_record(&ed25519).unwrap();
    assert!(record.starts_with("v=DKIM1; k=ed25519; p="), "{record}");
    let key = tag(&record, "p").unwrap();
    assert_eq!(
        base64::engine::general_purpose::STANDARD
            .decode(key)
            .unwrap()
            .len(),
        32
    );
}

#[test]
fn keys_know_their_algorithm() {
    for algorithm in [Algorithm::RsaSha256, Algorithm::Ed25519Sha256] {
        let key = SigningKey::from_pkcs8("example.org", "s", &generate(algorithm).unwrap());
        assert_eq!(key.unwrap().algorithm(), algorithm);
    }
    assert_eq!(public_record(b"junk"), Err(KeyError::Unreadable));
}
