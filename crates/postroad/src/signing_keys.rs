//! The DKIM keys of a new domain: one RSA, which everybody checks, and one Ed25519, which is short.

use mail::UnixMillis;
use mailauth::dkim::{Algorithm, generate as generate_key, public_record};
use store::{DkimAlgorithm, DkimState, NewDkimKey};

use crate::output::Failure;

/// A pair of keys whose selectors carry the month, so that a later pair gets other names.
pub fn generate(now: UnixMillis) -> Result<Vec<NewDkimKey>, Failure> {
    let month = jiff::Timestamp::from_millisecond(now.0)
        .map(|at| at.strftime("%y%m").to_string())
        .unwrap_or_default();
    let kinds = [
        (Algorithm::RsaSha256, DkimAlgorithm::RsaSha256, 'r'),
        (Algorithm::Ed25519Sha256, DkimAlgorithm::Ed25519Sha256, 'e'),
    ];
    kinds
        .into_iter()
        .map(|(algorithm, stored_as, letter)| {
            let private = generate_key(algorithm).map_err(broken)?;
            let public = public_half(&private)?;
            let selector = format!("pr{month}{letter}");
            let state = DkimState::Active;
            Ok(NewDkimKey {
                selector,
                algorithm: stored_as,
                private,
                public,
                state,
            })
        })
        .collect()
}

/// The text of the DNS record of a stored key.
pub fn record(private: &[u8]) -> Result<String, Failure> {
    public_record(private).map_err(broken)
}

/// What stands after `p=` in the record, as bytes.
fn public_half(private: &[u8]) -> Result<Vec<u8>, Failure> {
    use base64::Engine as _;
    let record = record(private)?;
    let text = record
        .rsplit_once("p=")
        .map(|(_, text)| text)
        .unwrap_or_default();
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|error| Failure::failed(format!("a DKIM key reads badly: {error}")))
}

fn broken(error: mailauth::dkim::KeyError) -> Failure {
    Failure::failed(format!("a DKIM key: {error}"))
}
